// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/builtin_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "model/detector.h"
#include "vision/detector_passes.h"
#include "vision/image_mat.h"

namespace spiga::vision {
namespace {

constexpr double kSmallestFacePx = 16;  // what the network finds well ...
constexpr double kLargestFinePx = 128;  // ... and what is left to a coarser look
constexpr double kUsualSidePx = 640;    // of the first look, at most
constexpr double kLargest = 4;          // how much pictures are enlarged at most
constexpr double kMostPixels = 16e6;
constexpr float kOperatingPoint = 0.55F;  // of the network: a score of 0
constexpr float kMostOverlap = 0.45F;

// Probability that a find is a face, 1 / (1 + exp(-(offset + slope score))): docs/detector.md tells how it
// was fitted to the shipped weights.
constexpr double kConfidenceOffset = -0.306;
constexpr double kConfidenceSlope = 5.99;

float confidence_of(float score) {
  return static_cast<float>(1 / (1 + std::exp(-(kConfidenceOffset + kConfidenceSlope * score))));
}

class BuiltinDetector : public Detector {
 public:
  BuiltinDetector(const Model& model, const DetectorOptions& options)
      : options_(options), session_(model.network(ModelKind::detector), options.threads) {}

  std::vector<Detection> detect(const ImageView& image) override {
    const cv::Mat pixels = as_mat(image);
    const std::vector<double> scales = scales_of(pixels.size());
    std::vector<Detection> all;
    for (std::size_t look = 0; look < scales.size(); ++look) {
      const double most = look == 0 ? std::numeric_limits<double>::infinity() : kLargestFinePx / scales[look];
      for (const Detection& found : look_at(pixels, image.format, scales[look]))
        if (std::max(found.box.width, found.box.height) <= most) all.push_back(found);
    }
    if (scales.size() > 1) all = without_doubles(std::move(all));
    for (Detection& one : all) one.confidence = confidence_of(one.score);
    return all;
  }

  bool prefers_parts() const override { return false; }

 private:
  // Coarse to fine, each twice the one before: large faces are found in the first, small ones in the last.
  std::vector<double> scales_of(const cv::Size& size) const {
    const double usual = std::min(1.0, kUsualSidePx / std::max(size.width, size.height));
    double finest = options_.min_face_px > 0                  ? kSmallestFacePx / options_.min_face_px
                    : options_.effort == DetectorEffort::fast ? usual
                                                              : 2 * usual;
    finest = std::min({finest, kLargest, std::sqrt(kMostPixels / static_cast<double>(size.area()))});
    std::vector<double> scales = {finest};
    while (scales.back() > 1.2 * usual) scales.push_back(scales.back() / 2);
    std::ranges::reverse(scales);
    return scales;
  }

  std::vector<Detection> look_at(const cv::Mat& pixels, PixelFormat format, double scale) {
    const cv::Size size(std::max(1, static_cast<int>(std::lround(scale * pixels.cols))),
                        std::max(1, static_cast<int>(std::lround(scale * pixels.rows))));
    cv::Mat scaled, bgr;
    cv::resize(pixels, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    to_bgr(scaled, format, bgr);
    const ImageView view = {bgr.data, bgr.cols, bgr.rows, static_cast<std::ptrdiff_t>(bgr.step),
                            PixelFormat::bgr8};
    std::vector<Detection> detections;
    for (const model::ScoredFace& one : session_.run(view, thresholds()))
      detections.push_back(in_picture(one, pixels.size(), size));
    return detections;
  }

  model::DetectorThresholds thresholds() const {
    const float score = kOperatingPoint + (1 - kOperatingPoint) * options_.score_threshold;
    return {.score = std::clamp(score, 0.05F, 1.0F), .most_overlap = kMostOverlap};
  }

  // The network's coordinates are pixel indices: their centres move with the scale.
  static Detection in_picture(const model::ScoredFace& one, const cv::Size& picture, const cv::Size& seen) {
    const float x = static_cast<float>(picture.width) / static_cast<float>(seen.width);
    const float y = static_cast<float>(picture.height) / static_cast<float>(seen.height);
    const Box& box = one.face.box;
    return {{x * (box.x + 0.5F) - 0.5F, y * (box.y + 0.5F) - 0.5F, x * box.width, y * box.height},
            (one.score - kOperatingPoint) / (1 - kOperatingPoint)};
  }

  DetectorOptions options_;
  model::DetectorSession session_;
};

}  // namespace

std::unique_ptr<Detector> make_builtin_detector(const Model& model, const DetectorOptions& options) {
  return std::make_unique<BuiltinDetector>(model, options);
}

}  // namespace spiga::vision
