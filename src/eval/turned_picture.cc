// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/turned_picture.h"

#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "geometry/boxes.h"

namespace spiga::eval {
namespace {

cv::Mat as_mat(const ImageView& view) {
  return cv::Mat(view.height, view.width, CV_8UC3, const_cast<std::uint8_t*>(view.data),
                 static_cast<std::size_t>(view.stride_bytes));
}

Box turn_ellipse(const Box& box, const geometry::Affine& m) {
  const Point middle = m({box.x + box.width / 2, box.y + box.height / 2});
  const double a = box.width / 2, b = box.height / 2;
  const auto width = static_cast<float>(2 * std::hypot(m.xx * a, m.xy * b)),
             height = static_cast<float>(2 * std::hypot(m.yx * a, m.yy * b));
  return {middle.x - width / 2, middle.y - height / 2, width, height};
}

}  // namespace

TurnedPicture turn_picture(const ImageView& picture, double angle_deg) {
  const double angle = angle_deg * std::numbers::pi / 180, c = std::abs(std::cos(angle)),
               s = std::abs(std::sin(angle));
  const int width = static_cast<int>(std::ceil(picture.width * c + picture.height * s - 1e-6)),
            height = static_cast<int>(std::ceil(picture.width * s + picture.height * c - 1e-6));
  const Point centre = {static_cast<float>(picture.width) / 2, static_cast<float>(picture.height) / 2};
  const geometry::Affine moved = {1, 0, width / 2.0 - centre.x, 0, 1, height / 2.0 - centre.y};
  TurnedPicture turned = {Image(width, height, PixelFormat::bgr8),
                          geometry::compose(moved, geometry::rotation_about(centre, angle_deg))};
  const geometry::Affine& m = turned.turned_from_original;
  cv::Mat pixels(height, width, CV_8UC3, turned.picture.data(),
                 static_cast<std::size_t>(turned.picture.stride_bytes()));
  cv::warpAffine(as_mat(picture), pixels, cv::Matx23d(m.xx, m.xy, m.tx, m.yx, m.yy, m.ty), pixels.size(),
                 cv::INTER_LINEAR);
  return turned;
}

Scene turn_scene(const Scene& scene, const geometry::Affine& turned_from_original) {
  Scene turned = scene;
  for (SceneFace& face : turned.faces) {
    for (Point& p : face.landmarks) p = turned_from_original(p);
    face.box = face.landmarks.empty() ? turn_ellipse(face.box, turned_from_original)
                                      : geometry::tight_box(face.landmarks);
  }
  for (Box& box : turned.ignored) box = turn_ellipse(box, turned_from_original);
  return turned;
}

}  // namespace spiga::eval
