// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/validation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "train/augment.h"

namespace spiga::train {
namespace {

constexpr double kFailurePercent = 8;
constexpr int kRightEyeCorner = 7, kLeftEyeCorner = 12;  // landmark ids

// Mean distance over the annotated landmarks / distance of the outer eye corners x 100, per face: [N] on the
// CPU. A similarity such as the crop's map does not change it.
torch::Tensor corner_nme(const torch::Tensor& landmarks, const Batch& batch,
                         const scheme::Database& database) {
  const torch::Tensor& truth = batch.landmarks;
  const torch::Tensor norm = (truth.select(1, database.index_of(kLeftEyeCorner)) -
                              truth.select(1, database.index_of(kRightEyeCorner)))
                                 .norm(2, 1);
  const torch::Tensor distance = (landmarks.to(torch::kFloat32) - truth).norm(2, 2) * batch.visible;
  return (distance.sum(1) / batch.visible.sum(1).clamp_min(1) / norm * 100).to(torch::kCPU, torch::kFloat64);
}

// Adds up what becomes a Validation.
class Tally {
 public:
  Tally(const scheme::Database& database, std::int64_t faces)
      : database_(database), faces_(static_cast<double>(faces)) {}

  void add(const Batch& batch, const torch::Tensor& pose, const torch::Tensor& start,
           const torch::Tensor& landmarks) {
    add_pose(pose, batch);
    initial_ += corner_nme(start, batch, database_).sum().item<double>();
    const torch::Tensor nme = corner_nme(landmarks, batch, database_).contiguous();
    result_.face_nme.insert(result_.face_nme.end(), nme.data_ptr<double>(),
                            nme.data_ptr<double>() + nme.numel());
    const torch::Tensor points = landmarks.to(torch::kCPU, torch::kFloat32).flatten(1).contiguous();
    for (std::int64_t i = 0; i < points.size(0); ++i) {
      const float* first = points.data_ptr<float>() + i * points.size(1);
      result_.face_landmarks.emplace_back(first, first + points.size(1));
    }
  }

  Validation finish() && {
    result_.nme = std::accumulate(result_.face_nme.begin(), result_.face_nme.end(), 0.0) / faces_;
    result_.initial_nme = initial_ / faces_;
    const auto failed =
        std::ranges::count_if(result_.face_nme, [](double nme) { return nme > kFailurePercent; });
    result_.failure_rate = 100 * static_cast<double>(failed) / faces_;
    const double poses = std::max(poses_, 1.0);
    result_.yaw_deg = pose_[0] / poses;
    result_.pitch_deg = pose_[1] / poses;
    result_.roll_deg = pose_[2] / poses;
    result_.pose_deg = (result_.yaw_deg + result_.pitch_deg + result_.roll_deg) / 3;
    return std::move(result_);
  }

 private:
  void add_pose(const torch::Tensor& pose, const Batch& batch) {
    const auto values = [](const torch::Tensor& tensor) {
      return tensor.to(torch::kCPU, torch::kFloat64).contiguous();
    };
    const torch::Tensor predicted = values(pose.narrow(1, 0, 3)), truth = values(batch.pose.narrow(1, 0, 3));
    const torch::Tensor has_pose = values(batch.has_pose);
    for (std::int64_t face = 0; face < truth.size(0); ++face) {
      if (has_pose.data_ptr<double>()[face] == 0) continue;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::size_t at = 3 * static_cast<std::size_t>(face) + axis;
        pose_[axis] +=
            geometry::angle_error_deg(predicted.data_ptr<double>()[at], truth.data_ptr<double>()[at]);
      }
      ++poses_;
    }
  }

  const scheme::Database& database_;
  double faces_;
  double initial_ = 0;
  std::array<double, 3> pose_ = {0, 0, 0};  // sums of the angles' errors
  double poses_ = 0;
  Validation result_;
};

}  // namespace

std::optional<Validation> validate(SpigaNetwork network, const FaceDataset& faces, bool with_cascade,
                                   int batch, torch::Device device, const StopAsked& stop) {
  torch::NoGradGuard no_grad;
  network->eval();
  Tally tally(scheme::find_database(network->config().database), faces.size());
  for (std::int64_t begin = 0; begin < faces.size(); begin += batch) {
    if (stop()) return std::nullopt;
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min<std::int64_t>(batch, faces.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const Batch sample = make_eval_batch(faces, indices, network->config(), device).batch;
    const BackboneOutput output = network->backbone(sample.images);
    const torch::Tensor start =
        with_cascade ? network->initial_landmarks(output) : soft_argmax(output.heat.back());
    tally.add(sample, output.pose.back(), start,
              with_cascade ? network->cascade(output.field, start).back() : start);
  }
  return std::move(tally).finish();
}

}  // namespace spiga::train
