// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/smoother.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/text.h"
#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "spiga/error.h"

namespace spiga::vision {
namespace {

constexpr double kLongestGap = 0.5;  // seconds
constexpr double kShortestStep = 1e-3;
constexpr double kDegree = std::numbers::pi / 180;

// How much of the uncertainty is trembling from frame to frame: of a landmark within its part, of the face as
// a whole (whose landmarks tremble together), of the head's angles (radians per uncertainty of a whole face
// side).
constexpr double kShapeTremble = 0.15;
constexpr double kPlaceTremble = 0.08;
constexpr double kAngleTremble = 0.5;
// The noise is never taken for less: of the face's side.
constexpr double kLeastNoise = 2e-4;
// Where landmarks lie, seen from the face's middle, in sides (root mean square): turns and sizes per place.
constexpr double kRadius = 0.35;

// Heads nod twice a second at most: sides/s^2, and radians/s^2 times kRadius.
constexpr double kGliding = 8;
// Radians/s^2.
constexpr double kTurning = 20;
// An eyelid falls by a twentieth of the face's side in two hundredths of a second.
constexpr double kJumping = 0.2;
// The share of a surprise that a still face believes.
constexpr double kStillGain = 0.12;

// Landmarks that are drawn together: contours that share a landmark are one part; a landmark without a
// contour is a part of its own.
std::vector<std::vector<int>> parts_of(const scheme::Database& database) {
  std::vector<int> part(database.landmarks);
  std::iota(part.begin(), part.end(), 0);
  for (const scheme::Edge& edge : database.edges) {
    for (const int landmark : edge.landmarks)
      std::ranges::replace(part, part[landmark], part[edge.landmarks.front()]);
  }
  std::vector<std::vector<int>> members(database.landmarks);
  for (int i = 0; i < database.landmarks; ++i) members[part[i]].push_back(i);
  std::erase_if(members, [](const std::vector<int>& one) { return one.empty(); });
  return members;
}

// The mean face from the front, centred, its box's larger side 1, y down.
std::vector<std::complex<double>> flat_mean_face(const scheme::Database& database) {
  std::vector<std::complex<double>> shape;
  std::vector<Point> points;
  for (const scheme::Point3& p : database.mean_face) {
    shape.emplace_back(p[0], -p[1]);
    points.push_back({static_cast<float>(p[0]), static_cast<float>(-p[1])});
  }
  const Box box = geometry::tight_box(points);
  const double side = std::max(box.width, box.height);
  const std::complex<double> middle =
      std::accumulate(shape.begin(), shape.end(), std::complex<double>()) / static_cast<double>(shape.size());
  for (std::complex<double>& p : shape) p = (p - middle) / side;
  return shape;
}

// The angle nearest to `near` that is the same.
double unwrapped(double radians, double near) {
  return near + std::remainder(radians - near, 2 * std::numbers::pi);
}

double mean(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Where the picture shows the origin of the head's frame, and pixels per unit there.
struct Sight {
  double x, y, log_scale;
};

double crop_side(const Box& box) { return geometry::kCropMargin * std::max(box.width, box.height); }

Sight sight_of(const std::array<float, 3>& translation, const Box& box) {
  const double side = crop_side(box), focal = geometry::kCropCamera.focal;
  return {box.x + box.width / 2 + side * focal * translation[0] / translation[2],
          box.y + box.height / 2 + side * focal * translation[1] / translation[2],
          std::log(side * focal / translation[2])};
}

std::array<float, 3> translation_of(const Sight& sight, const Box& box) {
  const double side = crop_side(box), focal = geometry::kCropCamera.focal;
  const double z = side * focal / std::exp(sight.log_scale);
  const double x = (sight.x - box.x - box.width / 2) * z / (side * focal);
  const double y = (sight.y - box.y - box.height / 2) * z / (side * focal);
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)};
}

// The same face, its box the tight one, its pose told relative to that box.
Face in_tight_box(const Face& face) {
  Face moved = face;
  moved.box = geometry::tight_box(face.landmarks);
  if (face.headpose.translation[2] > 0)
    moved.headpose.translation = translation_of(sight_of(face.headpose.translation, face.box), moved.box);
  return moved;
}

}  // namespace

Smoother::Smoother(const scheme::Database& database, double strength)
    : database_(database),
      strength_(strength),
      mean_shape_(flat_mean_face(database)),
      place_(4, {}),
      angles_(3, {}),
      distance_(3, {}) {
  if (!(strength >= 0 && strength <= 10))
    throw Error(ErrorCode::invalid_argument,
                base::concat("smoothing: expected a strength from 0 to 10, found ", strength));
  restart();
}

void Smoother::restart() {
  const double gain = kStillGain / std::max(strength_, kStillGain);
  place_ = SwitchingFilter(4, {.still_gain = gain, .acceleration = kGliding});
  angles_ = SwitchingFilter(3, {.still_gain = gain, .acceleration = kTurning});
  distance_ = SwitchingFilter(3, {.still_gain = gain, .acceleration = kGliding});
  parts_.clear();
  for (std::vector<int>& landmarks : parts_of(database_)) {
    const std::size_t channels = 2 * landmarks.size();
    parts_.push_back(
        {std::move(landmarks), SwitchingFilter(channels, {.still_gain = gain, .wander = kJumping})});
  }
  last_time_s_.reset();
}

// The similarity that brings the mean face nearest to the landmarks.
Smoother::Place Smoother::place_of(const std::vector<Point>& landmarks) const {
  std::complex<double> centre, product;
  double squares = 0;
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const std::complex<double> p(landmarks[i].x, landmarks[i].y);
    centre += p;
    product += std::conj(mean_shape_[i]) * p;  // the mean shape is centred: the landmarks need not be
    squares += std::norm(mean_shape_[i]);
  }
  const std::complex<double> turn_and_size = product / squares;
  return {centre / static_cast<double>(landmarks.size()), std::log(std::abs(turn_and_size)),
          std::arg(turn_and_size)};
}

Smoother::Place Smoother::steady_place(const Place& place, double noise, double seconds) {
  const double size = std::exp(place.log_size);
  const double pixels = noise * size;
  last_turn_ = unwrapped(place.turn, last_turn_);
  const std::array<Measurement, 4> measured = {{{place.centre.real(), pixels, size},
                                                {place.centre.imag(), pixels, size},
                                                {place.log_size, noise / kRadius, 1 / kRadius},
                                                {last_turn_, noise / kRadius, 1 / kRadius}}};
  std::array<double, 4> steadied;
  place_.next(measured, seconds, steadied);
  return {{steadied[0], steadied[1]}, steadied[2], steadied[3]};
}

void Smoother::steady_shape(std::span<std::complex<double>> shape, std::span<const float> uncertainty,
                            double size, double seconds) {
  std::vector<Measurement> measured;
  std::vector<double> steadied;
  for (Part& part : parts_) {
    measured.clear();
    for (const int i : part.landmarks) {
      const double noise = strength_ * std::max(kLeastNoise, kShapeTremble * uncertainty[i] / size);
      measured.push_back({shape[i].real(), noise, 1});
      measured.push_back({shape[i].imag(), noise, 1});
    }
    steadied.resize(measured.size());
    part.filter.next(measured, seconds, steadied);
    for (std::size_t k = 0; k < part.landmarks.size(); ++k)
      shape[part.landmarks[k]] = {steadied[2 * k], steadied[2 * k + 1]};
  }
}

HeadPose Smoother::steady_pose(const Face& face, double noise, double seconds, const Box& box) {
  HeadPose pose = face.headpose;
  const std::array<double, 3> raw = {pose.yaw_deg * kDegree, pose.pitch_deg * kDegree,
                                     pose.roll_deg * kDegree};
  std::array<Measurement, 3> measured;
  std::array<double, 3> steadied;
  for (int i = 0; i < 3; ++i) {
    last_angles_[i] = unwrapped(raw[i], last_angles_[i]);
    measured[i] = {last_angles_[i], noise * kAngleTremble / kPlaceTremble, 1};
  }
  angles_.next(measured, seconds, steadied);
  for (double& angle : steadied) angle = std::remainder(angle, 2 * std::numbers::pi) / kDegree;
  pose.yaw_deg = static_cast<float>(steadied[0]);
  pose.pitch_deg = static_cast<float>(steadied[1]);
  pose.roll_deg = static_cast<float>(steadied[2]);
  if (!(pose.translation[2] > 0)) return pose;
  const Sight sight = sight_of(pose.translation, face.box);
  const double size = std::max(box.width, box.height);
  measured = {{{sight.x, noise * size, size},
               {sight.y, noise * size, size},
               {sight.log_scale, noise / kRadius, 1 / kRadius}}};
  distance_.next(measured, seconds, steadied);
  pose.translation = translation_of({steadied[0], steadied[1], steadied[2]}, box);
  return pose;
}

Face Smoother::next(const Face& face, double time_s) {
  if (face.landmarks.size() != mean_shape_.size() || face.uncertainty.size() != mean_shape_.size())
    throw Error(ErrorCode::invalid_argument, base::concat("smoothing: expected ", mean_shape_.size(),
                                                          " landmarks, found ", face.landmarks.size()));
  if (strength_ == 0) return in_tight_box(face);
  if (last_time_s_ && time_s - *last_time_s_ > kLongestGap) restart();
  const double seconds = last_time_s_ ? std::max(time_s - *last_time_s_, kShortestStep) : kShortestStep;
  last_time_s_ = time_s;

  const Place place = place_of(face.landmarks);
  const double size = std::exp(place.log_size);
  std::vector<std::complex<double>> shape(face.landmarks.size());
  for (std::size_t i = 0; i < shape.size(); ++i)
    shape[i] = (std::complex<double>(face.landmarks[i].x, face.landmarks[i].y) - place.centre) *
               std::polar(1 / size, -place.turn);
  const double noise = strength_ * std::max(kLeastNoise, kPlaceTremble * mean(face.uncertainty) / size);
  steady_shape(shape, face.uncertainty, size, seconds);
  const Place steady = steady_place(place, noise, seconds);

  Face steadied = face;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::complex<double> p =
        shape[i] * std::polar(std::exp(steady.log_size), steady.turn) + steady.centre;
    steadied.landmarks[i] = {static_cast<float>(p.real()), static_cast<float>(p.imag())};
  }
  steadied.box = geometry::tight_box(steadied.landmarks);
  steadied.headpose = steady_pose(face, noise, seconds, steadied.box);
  return steadied;
}

}  // namespace spiga::vision
