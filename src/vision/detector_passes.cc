// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/detector_passes.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "vision/image_mat.h"

namespace spiga::vision {
namespace {

// Detections that overlap more mean the same face.
constexpr double kSameIou = 0.4;
constexpr double kSameOfSmaller = 0.7;

// A pass's own picture and the way back from it.
struct PassPicture {
  cv::Mat pixels;
  geometry::Affine image_from_pass;
};

PassPicture turned(const cv::Mat& image, const DetectorPass& pass) {
  PassPicture picture = {image, {}};
  if (pass.turn_deg != 0) {
    const Point centre = {static_cast<float>(image.cols) / 2, static_cast<float>(image.rows) / 2};
    const double angle = pass.turn_deg * CV_PI / 180, cosine = std::abs(std::cos(angle)),
                 sine = std::abs(std::sin(angle));
    const int width = static_cast<int>(image.cols * cosine + image.rows * sine);
    const int height = static_cast<int>(image.cols * sine + image.rows * cosine);
    const geometry::Affine moved = {1, 0, width / 2.0 - centre.x, 0, 1, height / 2.0 - centre.y};
    const geometry::Affine pass_from_image =
        geometry::compose(moved, geometry::rotation_about(centre, pass.turn_deg));
    // OpenCV counts from pixel centres, we from their corners.
    const geometry::Affine corner = {1, 0, 0.5, 0, 1, 0.5}, centre_of = {1, 0, -0.5, 0, 1, -0.5};
    const geometry::Affine m = geometry::compose(centre_of, geometry::compose(pass_from_image, corner));
    const cv::Matx23d matrix(m.xx, m.xy, m.tx, m.yx, m.yy, m.ty);
    cv::warpAffine(image, picture.pixels, matrix, {width, height}, cv::INTER_LINEAR, cv::BORDER_CONSTANT);
    picture.image_from_pass = geometry::inverse(pass_from_image);
  }
  if (pass.mirrored) {
    cv::Mat mirrored;
    cv::flip(picture.pixels, mirrored, 1);
    picture.pixels = mirrored;
    const geometry::Affine back = {-1, 0, static_cast<double>(mirrored.cols), 0, 1, 0};
    picture.image_from_pass = geometry::compose(picture.image_from_pass, back);
  }
  return picture;
}

// A face is nearly round: its tight box keeps its size when it is turned.
Box box_in_image(const Box& box, const geometry::Affine& image_from_pass) {
  const Point centre = image_from_pass({box.x + box.width / 2, box.y + box.height / 2});
  return {centre.x - box.width / 2, centre.y - box.height / 2, box.width, box.height};
}

class MultiPassDetector : public Detector {
 public:
  MultiPassDetector(std::vector<DetectorPass> passes, std::unique_ptr<Detector> detector)
      : passes_(std::move(passes)), detector_(std::move(detector)) {}

  std::vector<Detection> detect(const ImageView& image) override {
    const cv::Mat pixels = as_mat(image);
    std::vector<Detection> all;
    for (const DetectorPass& pass : passes_) {
      const PassPicture picture = turned(pixels, pass);
      const ImageView view = {picture.pixels.data, picture.pixels.cols, picture.pixels.rows,
                              static_cast<std::ptrdiff_t>(picture.pixels.step), image.format};
      for (const Detection& found : detector_->detect(view))
        all.push_back({box_in_image(found.box, picture.image_from_pass), found.score});
    }
    return without_doubles(std::move(all));
  }

  bool prefers_parts() const override { return detector_->prefers_parts(); }

 private:
  std::vector<DetectorPass> passes_;
  std::unique_ptr<Detector> detector_;
};

bool same_face(const Box& a, const Box& b) {
  const double iou = geometry::intersection_over_union(a, b);
  return iou > kSameIou || geometry::overlap_of_smaller(a, b) > kSameOfSmaller;
}

}  // namespace

double smallest_face(const DetectorOptions& options, int width, int height) {
  if (options.min_face_px > 0) return options.min_face_px;
  const double longer = std::max(width, height);
  switch (options.effort) {
    case DetectorEffort::fast:
      return std::max(48.0, longer / 16);
    case DetectorEffort::normal:
      return std::max(48.0, longer / 40);
    case DetectorEffort::thorough:
      return std::max(24.0, longer / 80);
  }
  return 48;
}

std::vector<DetectorPass> passes_of(DetectorEffort effort) {
  if (effort != DetectorEffort::thorough) return {DetectorPass{}};
  std::vector<DetectorPass> passes;
  for (const double turn_deg : {0.0, -30.0, 30.0}) {
    for (const bool mirrored : {false, true}) passes.push_back({turn_deg, mirrored});
  }
  return passes;
}

std::unique_ptr<Detector> make_multi_pass_detector(std::vector<DetectorPass> passes,
                                                   std::unique_ptr<Detector> detector) {
  return std::make_unique<MultiPassDetector>(std::move(passes), std::move(detector));
}

std::vector<Detection> without_doubles(std::vector<Detection> detections) {
  std::ranges::stable_sort(detections, std::greater<>(), &Detection::score);
  std::vector<Detection> kept;
  for (const Detection& detection : detections) {
    if (std::ranges::none_of(kept, [&](const Detection& k) { return same_face(k.box, detection.box); }))
      kept.push_back(detection);
  }
  return kept;
}

std::vector<Detection> detect_in_free_regions(Detector& detector, const ImageView& image,
                                              std::span<const Box> occupied, double smallest_face_px) {
  const std::vector<Box> regions = free_regions(image.width, image.height, occupied, smallest_face_px);
  std::vector<Detection> all;
  for (const Box& region : regions) {
    const int x = static_cast<int>(region.x), y = static_cast<int>(region.y);
    const ImageView view = {image.data + y * image.stride_bytes + x * channels_of(image.format),
                            static_cast<int>(region.width), static_cast<int>(region.height),
                            image.stride_bytes, image.format};
    for (Detection found : detector.detect(view)) {
      found.box.x += static_cast<float>(x);
      found.box.y += static_cast<float>(y);
      all.push_back(found);
    }
  }
  return regions.size() == 1 ? all : without_doubles(std::move(all));
}

std::vector<Box> free_regions(int width, int height, std::span<const Box> occupied, double smallest) {
  // Detectors want some surroundings; a face beside another may overlap with its box.
  constexpr double kInner = 0.7;
  const Box whole = {0, 0, static_cast<float>(width), static_cast<float>(height)};
  std::vector<Box> regions = {whole};
  for (const Box& box : occupied) {
    const double left = std::floor(box.x + box.width * (0.5 - kInner / 2));
    const double right = std::ceil(box.x + box.width * (0.5 + kInner / 2));
    const double top = std::floor(box.y + box.height * (0.5 - kInner / 2));
    const double bottom = std::ceil(box.y + box.height * (0.5 + kInner / 2));
    std::vector<Box> next;
    const auto add = [&](double x0, double y0, double x1, double y1) {
      if (x1 - x0 >= smallest && y1 - y0 >= smallest)
        next.push_back({static_cast<float>(x0), static_cast<float>(y0), static_cast<float>(x1 - x0),
                        static_cast<float>(y1 - y0)});
    };
    for (const Box& r : regions) {
      const double x1 = double{r.x} + r.width, y1 = double{r.y} + r.height;
      if (right <= r.x || left >= x1 || bottom <= r.y || top >= y1) {
        next.push_back(r);
        continue;
      }
      add(r.x, r.y, left, y1);
      add(right, r.y, x1, y1);
      add(r.x, r.y, x1, top);
      add(r.x, bottom, x1, y1);
    }
    regions = std::move(next);
  }
  double area = 0;
  for (const Box& r : regions) area += double{r.width} * r.height;
  if (area >= double{whole.width} * whole.height) return {whole};
  return regions;
}

}  // namespace spiga::vision
