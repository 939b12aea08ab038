// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/builtin_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "geometry/boxes.h"
#include "model/detector.h"
#include "vision/detector_passes.h"
#include "vision/detector_tiles.h"
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

// A closer look is taken in squares of this many of its pixels, as the network was trained on. ...
constexpr int kTilePx = 320;
constexpr double kTileEdgePx = 8;  // ... Finds that come nearer to an edge may be cut off.
// Where: around finds of at least this score of the network, the second one for faces so small that it hardly
// sees them.
constexpr float kWorthALook = 0.27F;
constexpr float kTinyWorthALook = 0.18F;
constexpr double kTinyPx = 24;
// The square around a find that is seen in one piece: in sides of the find, and at least so many pixels.
constexpr double kRoom = 1.5;
constexpr double kLeastRoomPx = 64;
constexpr double kPartInPlace = 0.5;  // how much of a find must lie in one of those squares

// Probability that a find is a face, 1 / (1 + exp(-(offset + slope score))): docs/detector.md tells how it
// was fitted to the shipped weights.
constexpr double kConfidenceOffset = -0.306;
constexpr double kConfidenceSlope = 5.99;

double larger_side(const Box& box) { return std::max(box.width, box.height); }

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
    std::vector<Detection> all, seen;
    for (std::size_t look = 0; look < scales.size(); ++look) {
      const double scale = scales[look];
      const bool in_parts =
          look > 0 && look + 1 == scales.size() && options_.effort != DetectorEffort::thorough;
      seen = in_parts ? look_closer(pixels, image.format, scale, seen) : look_at(pixels, image.format, scale);
      const double most = look == 0 ? std::numeric_limits<double>::infinity() : kLargestFinePx / scale;
      for (const Detection& found : seen)
        if (found.score >= least_score() && larger_side(found.box) <= most) all.push_back(found);
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

  // The whole picture. Like the following two it also tells finds too unsure to be told, for look_closer.
  std::vector<Detection> look_at(const cv::Mat& pixels, PixelFormat format, double scale) {
    const cv::Size size = scaled_size(pixels.size(), scale);
    return look_at_part(pixels, format, {0, 0, pixels.cols, pixels.rows}, size,
                        usual_canvas(size.width, size.height));
  }

  // Squares around what a look half as fine saw; the whole picture where that is less work.
  std::vector<Detection> look_closer(const cv::Mat& pixels, PixelFormat format, double scale,
                                     std::span<const Detection> coarser) {
    std::vector<Box> places;
    for (const Detection& one : coarser)
      if (is_worth_a_closer_look(one, scale)) places.push_back(surroundings_of(one.box, scale));
    const std::vector<Box> squares = cover_with_squares(places, kTilePx / scale, pixels.cols, pixels.rows);
    const cv::Size whole = scaled_size(pixels.size(), scale);
    const model::DetectorCanvas canvas = usual_canvas(whole.width, whole.height);
    if (static_cast<double>(squares.size()) * kTilePx * kTilePx > double{1.0 * canvas.width} * canvas.height)
      return look_at(pixels, format, scale);
    std::vector<Detection> all;
    for (const Box& square : squares)
      for (const Detection& one : look_at_square(pixels, format, scale, square))
        if (std::ranges::any_of(places, [&](const Box& place) {
              return geometry::overlap_of_smaller(place, one.box) > kPartInPlace;
            }))
          all.push_back(one);
    return all;
  }

  // Without finds that reach over the square's edge, or nearly so, unless it is the picture's.
  std::vector<Detection> look_at_square(const cv::Mat& pixels, PixelFormat format, double scale,
                                        const Box& square) {
    const auto side = static_cast<int>(std::lround(square.width));
    const cv::Rect part = cv::Rect(static_cast<int>(std::lround(square.x)),
                                   static_cast<int>(std::lround(square.y)), side, side) &
                          cv::Rect(0, 0, pixels.cols, pixels.rows);
    const cv::Size size = scaled_size(part.size(), scale);
    const cv::Size seen(std::min(size.width, kTilePx), std::min(size.height, kTilePx));
    std::vector<Detection> found = look_at_part(pixels, format, part, seen, {kTilePx, kTilePx});
    const double edge = kTileEdgePx / scale;
    std::erase_if(found, [&](const Detection& one) {
      const double right = double{one.box.x} + one.box.width, bottom = double{one.box.y} + one.box.height;
      return (part.x > 0 && one.box.x < part.x + edge) || (part.y > 0 && one.box.y < part.y + edge) ||
             (part.br().x < pixels.cols && right > part.br().x - edge) ||
             (part.br().y < pixels.rows && bottom > part.br().y - edge);
    });
    return found;
  }

  // A part of the picture, scaled to `size`, on a black canvas.
  std::vector<Detection> look_at_part(const cv::Mat& pixels, PixelFormat format, const cv::Rect& part,
                                      const cv::Size& size, const model::DetectorCanvas& canvas) {
    cv::Mat scaled = pixels(part), bgr;
    if (size != part.size())
      cv::resize(pixels(part), scaled, size, 0, 0,
                 size.width < part.width ? cv::INTER_AREA : cv::INTER_LINEAR);
    to_bgr(scaled, format, bgr);
    const ImageView view = {bgr.data, bgr.cols, bgr.rows, static_cast<std::ptrdiff_t>(bgr.step),
                            PixelFormat::bgr8};
    std::vector<Detection> detections;
    for (const model::ScoredFace& one : session_.run(view, thresholds(), canvas)) {
      detections.push_back(in_picture(one, part.size(), size));
      detections.back().box.x += static_cast<float>(part.x);
      detections.back().box.y += static_cast<float>(part.y);
    }
    return detections;
  }

  static cv::Size scaled_size(const cv::Size& size, double scale) {
    return {std::max(1, static_cast<int>(std::lround(scale * size.width))),
            std::max(1, static_cast<int>(std::lround(scale * size.height)))};
  }

  // What may come out as a face of the size that is looked for there.
  static bool is_worth_a_closer_look(const Detection& coarse, double scale) {
    const double side = scale * larger_side(coarse.box);
    return side <= kLargestFinePx && coarse.score >= score_of(side < kTinyPx ? kTinyWorthALook : kWorthALook);
  }

  static Box surroundings_of(const Box& box, double scale) {
    const double side = std::clamp(kRoom * larger_side(box), kLeastRoomPx / scale, kTilePx / scale);
    return {static_cast<float>(box.x + (box.width - side) / 2),
            static_cast<float>(box.y + (box.height - side) / 2), static_cast<float>(side),
            static_cast<float>(side)};
  }

  float least_score() const { return score_of(least_probability()); }
  float least_probability() const {
    return std::clamp(kOperatingPoint + (1 - kOperatingPoint) * options_.score_threshold, 0.05F, 1.0F);
  }

  model::DetectorThresholds thresholds() const {
    return {.score = std::min(least_probability(), kTinyWorthALook), .most_overlap = kMostOverlap};
  }

  // The network's coordinates are pixel indices: their centres move with the scale.
  static Detection in_picture(const model::ScoredFace& one, const cv::Size& picture, const cv::Size& seen) {
    const float x = static_cast<float>(picture.width) / static_cast<float>(seen.width);
    const float y = static_cast<float>(picture.height) / static_cast<float>(seen.height);
    const Box& box = one.face.box;
    return {{x * (box.x + 0.5F) - 0.5F, y * (box.y + 0.5F) - 0.5F, x * box.width, y * box.height},
            score_of(one.score)};
  }

  static float score_of(float probability) { return (probability - kOperatingPoint) / (1 - kOperatingPoint); }

  DetectorOptions options_;
  model::DetectorSession session_;
};

}  // namespace

std::unique_ptr<Detector> make_builtin_detector(const Model& model, const DetectorOptions& options) {
  return std::make_unique<BuiltinDetector>(model, options);
}

}  // namespace spiga::vision
