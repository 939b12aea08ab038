// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/refinement.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "geometry/affine.h"
#include "geometry/head_pose.h"
#include "vision/image_mat.h"

namespace spiga::vision {
namespace {

// A face turned by more than this is looked at again, upright.
constexpr double kTurnedDeg = 20;
constexpr int kMostTurns = 2;
// A face whose mean uncertainty is more than this share of its box is looked at from the other three sides;
// one of them is believed where its uncertainty is less than this part of the first look's.
constexpr double kDoubtful = 0.07;
constexpr double kMuchSurer = 0.3;

double mean_uncertainty(const Face& face) {
  double sum = 0;
  for (const float value : face.uncertainty) sum += value;
  return sum / static_cast<double>(std::max<std::size_t>(1, face.uncertainty.size()));
}

double weight_of(float uncertainty) {
  const double floor = std::max(1e-3, static_cast<double>(uncertainty));
  return 1 / (floor * floor);
}

Box tight_box(std::span<const Point> points) {
  float left = points.front().x, right = left, top = points.front().y, bottom = top;
  for (const Point& p : points) {
    left = std::min(left, p.x);
    right = std::max(right, p.x);
    top = std::min(top, p.y);
    bottom = std::max(bottom, p.y);
  }
  return {left, top, right - left, bottom - top};
}

// Landmarks weighted by their uncertainty. The looks' errors are alike, so that the uncertainty of the mean
// is the weighted mean of theirs, not less.
Face mean_face_of(std::span<const Face> looks) {
  Face mean = looks.front();
  for (std::size_t i = 0; i < mean.landmarks.size(); ++i) {
    double x = 0, y = 0, uncertainty = 0, total = 0;
    for (const Face& look : looks) {
      const double weight = weight_of(look.uncertainty[i]);
      x += weight * look.landmarks[i].x;
      y += weight * look.landmarks[i].y;
      uncertainty += weight * look.uncertainty[i];
      total += weight;
    }
    mean.landmarks[i] = {static_cast<float>(x / total), static_cast<float>(y / total)};
    mean.uncertainty[i] = static_cast<float>(uncertainty / total);
  }
  const auto average = [&](auto value_of, double period) {
    double sum = 0;
    for (const Face& look : looks) {
      const double difference = value_of(look.headpose) - value_of(mean.headpose);
      sum += period > 0 ? std::remainder(difference, period) : difference;
    }
    const double value = value_of(mean.headpose) + sum / static_cast<double>(looks.size());
    return static_cast<float>(period > 0 ? std::remainder(value, period) : value);
  };
  HeadPose pose;
  pose.yaw_deg = average([](const HeadPose& p) { return double{p.yaw_deg}; }, 360);
  pose.pitch_deg = average([](const HeadPose& p) { return double{p.pitch_deg}; }, 360);
  pose.roll_deg = average([](const HeadPose& p) { return double{p.roll_deg}; }, 360);
  for (std::size_t k = 0; k < 3; ++k)
    pose.translation[k] = average([k](const HeadPose& p) { return double{p.translation[k]}; }, 0);
  mean.headpose = pose;
  return mean;
}

float larger_side(const Box& box) { return std::max(box.width, box.height); }

}  // namespace

double roll_of_landmarks(const scheme::Database& database, const Face& face) {
  const std::size_t count = face.landmarks.size();
  std::complex<double> mean_from = 0, mean_to = 0;
  double total = 0;
  const auto from = [&](std::size_t i) {
    return std::complex<double>(database.mean_face[i][0], -database.mean_face[i][1]);
  };
  const auto to = [&](std::size_t i) {
    return std::complex<double>(face.landmarks[i].x, face.landmarks[i].y);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = weight_of(face.uncertainty[i]);
    mean_from += weight * from(i);
    mean_to += weight * to(i);
    total += weight;
  }
  mean_from /= total;
  mean_to /= total;
  std::complex<double> turn = 0;
  for (std::size_t i = 0; i < count; ++i)
    turn += weight_of(face.uncertainty[i]) * std::conj(from(i) - mean_from) * (to(i) - mean_to);
  return std::arg(turn) * 180 / std::numbers::pi;
}

// A square of the picture, turned.
struct Refinement::View {
  std::size_t request = 0;  // whose picture
  double roll_deg = 0;      // the face in it is turned by this, clockwise; the view shows it upright
  double side = 0;          // of the square, picture pixels
  double x = 0, y = 0;      // its middle, picture pixels (indices)
  bool mirrored = false;
};

namespace {

// Picture from view, pixel indices.
geometry::Affine picture_from_view(double roll_deg, double side, double x, double y, bool mirrored,
                                   int size) {
  const double scale = side / size, angle = roll_deg * std::numbers::pi / 180;
  const double c = scale * std::cos(angle), s = scale * std::sin(angle);
  const double middle = (size - 1) / 2.0, flip = mirrored ? -1 : 1;
  geometry::Affine map;
  map.xx = flip * c;
  map.xy = -s;
  map.yx = flip * s;
  map.yy = c;
  map.tx = x - map.xx * middle - map.xy * middle;
  map.ty = y - map.yx * middle - map.yy * middle;
  return map;
}

// The view's pixels: the mean of the covered area where it shrinks by two or more, bilinear otherwise, black
// beyond the picture's edge.
Image pixels_of_view(const ImageView& picture, const geometry::Affine& picture_from_view, double side,
                     int size) {
  Image view(size, size, PixelFormat::bgr8);
  cv::Mat target(size, size, CV_8UC3, view.data());
  target = cv::Scalar::all(0);
  const Point middle =
      picture_from_view(Point{static_cast<float>(size - 1) / 2, static_cast<float>(size - 1) / 2});
  const double reach = side * std::numbers::sqrt2 / 2 + 2;
  const double left = std::max(0.0, std::floor(middle.x - reach));
  const double top = std::max(0.0, std::floor(middle.y - reach));
  const double right = std::min<double>(picture.width, std::ceil(middle.x + reach));
  const double bottom = std::min<double>(picture.height, std::ceil(middle.y + reach));
  if (!(right > left && bottom > top)) return view;
  const cv::Rect region(static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left),
                        static_cast<int>(bottom - top));
  cv::Mat part = as_mat(picture)(region);
  double scale_x = 1, scale_y = 1;
  if (const double shrink = std::floor(side / size); shrink > 1) {
    const cv::Size small(std::max(1, static_cast<int>(std::lround(region.width / shrink))),
                         std::max(1, static_cast<int>(std::lround(region.height / shrink))));
    scale_x = static_cast<double>(region.width) / small.width;
    scale_y = static_cast<double>(region.height) / small.height;
    cv::Mat shrunk;
    cv::resize(part, shrunk, small, 0, 0, cv::INTER_AREA);
    part = shrunk;
  }
  cv::Mat bgr;
  to_bgr(part, picture.format, bgr);
  // Where the view's pixels lie in the (shrunk) part.
  const geometry::Affine& m = picture_from_view;
  const double offset_x = left + (scale_x - 1) / 2, offset_y = top + (scale_y - 1) / 2;
  const cv::Matx23d part_from_view(m.xx / scale_x, m.xy / scale_x, (m.tx - offset_x) / scale_x,
                                   m.yx / scale_y, m.yy / scale_y, (m.ty - offset_y) / scale_y);
  cv::warpAffine(bgr, target, part_from_view, target.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_CONSTANT);
  return view;
}

}  // namespace

std::vector<Face> Refinement::look(std::span<const FaceRequest> requests, std::span<const View> views,
                                   const Locate& locate) const {
  std::vector<Image> pictures;
  std::vector<FaceRequest> looks;
  std::vector<geometry::Affine> maps;
  pictures.reserve(views.size());
  const auto box_side = static_cast<float>(input_size_ / geometry::kCropMargin);
  const float begin = (static_cast<float>(input_size_) - box_side) / 2;
  for (const View& view : views) {
    maps.push_back(picture_from_view(view.roll_deg, view.side, view.x, view.y, view.mirrored, input_size_));
    pictures.push_back(pixels_of_view(requests[view.request].image, maps.back(), view.side, input_size_));
    looks.push_back({pictures.back().view(), {begin, begin, box_side, box_side}});
  }
  if (looks.empty()) return {};
  std::vector<Face> faces = locate(looks);
  for (std::size_t v = 0; v < views.size(); ++v) {
    const View& view = views[v];
    const FaceRequest& request = requests[view.request];
    Face& face = faces[v];
    face.box = request.box;
    face.score = request.score;
    face.confidence = request.confidence;
    const Face seen = face;
    const auto scale = static_cast<float>(view.side / input_size_);
    for (std::size_t i = 0; i < seen.landmarks.size(); ++i) {
      const auto from = view.mirrored ? static_cast<std::size_t>(database_.flip_order[i]) : i;
      face.landmarks[i] = maps[v](seen.landmarks[from]);
      face.uncertainty[i] = scale * seen.uncertainty[from];
    }
    const double size = input_size_;
    face.headpose = geometry::pose_in_other_crop(
        seen.headpose, geometry::compose(geometry::crop_from_image(request.box, 1),
                                         geometry::compose(maps[v], {.xx = size, .yy = size})));
  }
  return faces;
}

// The square around the face as its landmarks say, turned with it.
Refinement::View Refinement::upright_view(const FaceRequest&, const Face& face, std::size_t index) const {
  const double roll = roll_of_landmarks(database_, face);
  const geometry::Affine upright = geometry::rotation_about({0, 0}, -roll);
  std::vector<Point> points;
  for (const Point& landmark : face.landmarks) points.push_back(upright(landmark));
  const Box box = tight_box(points);
  const Point middle = geometry::inverse(upright)({box.x + box.width / 2, box.y + box.height / 2});
  return {index, roll, geometry::kCropMargin * std::max(2.0f, larger_side(box)), middle.x, middle.y, false};
}

void Refinement::try_other_sides(std::span<const FaceRequest> requests, const Locate& locate,
                                 std::vector<Face>& faces) const {
  std::vector<View> views;
  std::vector<double> first;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const Box& box = requests[i].box;
    first.push_back(mean_uncertainty(faces[i]));
    if (first.back() <= kDoubtful * larger_side(box)) continue;
    for (const double roll : {90.0, 180.0, -90.0}) {
      views.push_back({i, roll, geometry::kCropMargin * larger_side(box), box.x + box.width / 2,
                       box.y + box.height / 2, false});
    }
  }
  const std::vector<Face> found = look(requests, views, locate);
  for (std::size_t v = 0; v < views.size(); ++v) {
    const std::size_t request = views[v].request;
    if (mean_uncertainty(found[v]) < kMuchSurer * first[request] &&
        mean_uncertainty(found[v]) < mean_uncertainty(faces[request]))
      faces[request] = found[v];
  }
}

void Refinement::turn_upright(std::span<const FaceRequest> requests, const Locate& locate,
                              std::vector<Face>& faces) const {
  std::vector<View> last(faces.size());  // the look that a face comes from; upright at first
  for (int turn = 0; turn < kMostTurns; ++turn) {
    std::vector<View> views;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const View view = upright_view(requests[i], faces[i], i);
      if (std::abs(std::remainder(view.roll_deg - last[i].roll_deg, 360.0)) > kTurnedDeg) {
        views.push_back(view);
        last[i] = view;
      }
    }
    const std::vector<Face> found = look(requests, views, locate);
    for (std::size_t v = 0; v < views.size(); ++v) {
      Face& face = faces[views[v].request];
      if (mean_uncertainty(found[v]) < mean_uncertainty(face)) face = found[v];
    }
  }
}

void Refinement::average_views(std::span<const FaceRequest> requests, const Locate& locate,
                               std::vector<Face>& faces) const {
  // Shifts in shares of the square's side, in the view's frame.
  struct Change {
    double scale, right, down;
    bool mirrored;
  };
  static constexpr Change kChanges[] = {
      {1, 0, 0, false}, {1, 0, 0, true}, {0.94, 0.02, -0.02, false}, {0.94, -0.02, 0.02, true}};
  constexpr std::size_t kViews = std::size(kChanges);
  std::vector<View> views;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const View upright = upright_view(requests[i], faces[i], i);
    const double angle = upright.roll_deg * std::numbers::pi / 180;
    for (const Change& change : kChanges) {
      View view = upright;
      const double right = change.right * view.side, down = change.down * view.side;
      view.x += std::cos(angle) * right - std::sin(angle) * down;
      view.y += std::sin(angle) * right + std::cos(angle) * down;
      view.side *= change.scale;
      view.mirrored = change.mirrored;
      views.push_back(view);
    }
  }
  const std::vector<Face> found = look(requests, views, locate);
  for (std::size_t i = 0; i < faces.size(); ++i)
    faces[i] = mean_face_of(std::span(found).subspan(i * kViews, kViews));
}

std::vector<Face> Refinement::locate(std::span<const FaceRequest> requests, const Locate& locate) const {
  std::vector<Face> faces = locate(requests);
  if (quality_ == Quality::fast) return faces;
  try_other_sides(requests, locate, faces);
  turn_upright(requests, locate, faces);
  if (quality_ == Quality::best) average_views(requests, locate, faces);
  return faces;
}

}  // namespace spiga::vision
