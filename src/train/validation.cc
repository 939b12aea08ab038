// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/validation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scheme/scheme.h"
#include "train/augment.h"

namespace spiga::train {
namespace {

constexpr double kFailurePercent = 8;

// Mean distance over the annotated landmarks / distance of the outer eye corners x 100, per face: [N].
// A similarity such as the crop's map does not change it.
torch::Tensor corner_nme(const torch::Tensor& landmarks, const Batch& batch,
                         const scheme::Database& database) {
  const torch::Tensor truth = batch.landmarks;
  const torch::Tensor norm =
      (truth.select(1, database.index_of(12)) - truth.select(1, database.index_of(7))).norm(2, 1);
  const torch::Tensor distance = (landmarks.to(torch::kFloat32) - truth).norm(2, 2) * batch.visible;
  return distance.sum(1) / batch.visible.sum(1).clamp_min(1) / norm * 100;
}

struct PoseSums {
  torch::Tensor absolute = torch::zeros({3});
  double faces = 0;

  void add(const torch::Tensor& pose, const Batch& batch) {
    torch::Tensor difference = (pose.to(torch::kFloat32) - batch.pose).narrow(1, 0, 3);
    difference = torch::remainder(difference + 180, 360) - 180;
    absolute += (difference.abs() * batch.has_pose.unsqueeze(1)).sum(0).cpu();
    faces += batch.has_pose.sum().item<double>();
  }
};

}  // namespace

Validation validate(SpigaNetwork network, const FaceDataset& faces, bool with_cascade, int batch,
                    torch::Device device) {
  torch::NoGradGuard no_grad;
  network->eval();
  const scheme::Database& database = scheme::find_database(network->config().database);
  Validation result;
  PoseSums pose;
  double initial = 0;
  for (std::int64_t begin = 0; begin < faces.size(); begin += batch) {
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min<std::int64_t>(batch, faces.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const Batch sample = make_eval_batch(faces, indices, network->config(), device).batch;
    const BackboneOutput output = network->backbone(sample.images);
    torch::Tensor start = with_cascade ? network->initial_landmarks(output) : soft_argmax(output.heat.back());
    torch::Tensor landmarks = with_cascade ? network->cascade(output.field, start).back() : start;
    pose.add(output.pose.back(), sample);
    initial += corner_nme(start, sample, database).sum().item<double>();
    const torch::Tensor nme = corner_nme(landmarks, sample, database).cpu().contiguous();
    landmarks = landmarks.to(torch::kFloat32).cpu().contiguous();
    const std::int64_t values = landmarks.size(1) * 2;
    for (std::int64_t i = 0; i < nme.size(0); ++i) {
      result.face_nme.push_back(nme[i].item<double>());
      const float* first = landmarks.data_ptr<float>() + i * values;
      result.face_landmarks.emplace_back(first, first + values);
    }
  }
  const auto count = static_cast<double>(faces.size());
  result.nme = std::accumulate(result.face_nme.begin(), result.face_nme.end(), 0.0) / count;
  result.initial_nme = initial / count;
  result.failure_rate = 100 *
                        static_cast<double>(std::count_if(result.face_nme.begin(), result.face_nme.end(),
                                                          [](double nme) { return nme > kFailurePercent; })) /
                        count;
  const torch::Tensor angles = pose.absolute / std::max(pose.faces, 1.0);
  result.yaw_deg = angles[0].item<double>();
  result.pitch_deg = angles[1].item<double>();
  result.roll_deg = angles[2].item<double>();
  result.pose_deg = angles.mean().item<double>();
  return result;
}

}  // namespace spiga::train
