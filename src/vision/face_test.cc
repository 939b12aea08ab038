// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/face_test.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "geometry/boxes.h"
#include "geometry/head_pose.h"

namespace spiga::vision {
namespace {

using geometry::Matrix3;
using geometry::Vector3;

// log(odds) = kBias - sum of kWeight * sign; bench/face_test.cc measures what they are worth.
constexpr double kBias = 6;
constexpr FaceSigns kWeight = {.uncertainty = 60, .misfit = 40, .turn = 2};

double dot(const Vector3& a, const Vector3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector3 cross(const Vector3& a, const Vector3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
Vector3 scaled(const Vector3& a, double factor) { return {a[0] * factor, a[1] * factor, a[2] * factor}; }

// Of a symmetric matrix.
Matrix3 inverse(const Matrix3& m) {
  const Matrix3 rows = {cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])};
  const double determinant = dot(m[0], rows[0]);
  return {scaled(rows[0], 1 / determinant), scaled(rows[1], 1 / determinant),
          scaled(rows[2], 1 / determinant)};
}

// The rotation nearest to the first two rows of a camera: both turned towards each other until they stand
// upright on one another.
Matrix3 rotation_near(const Vector3& right, const Vector3& down) {
  const double right_length = std::sqrt(dot(right, right)), down_length = std::sqrt(dot(down, down));
  if (!(right_length > 0 && down_length > 0)) return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const Vector3 a = scaled(right, 1 / right_length), b = scaled(down, 1 / down_length);
  const Vector3 sum = {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
  const Vector3 difference = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  const double sum_length = std::sqrt(dot(sum, sum)),
               difference_length = std::sqrt(dot(difference, difference));
  if (!(sum_length > 0 && difference_length > 0)) return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const Vector3 s = scaled(sum, std::numbers::sqrt2 / 2 / sum_length);
  const Vector3 d = scaled(difference, std::numbers::sqrt2 / 2 / difference_length);
  const Vector3 x = {s[0] + d[0], s[1] + d[1], s[2] + d[2]}, y = {s[0] - d[0], s[1] - d[1], s[2] - d[2]};
  return {x, y, cross(x, y)};
}

// How far apart two rotations are.
double angle_between(const Matrix3& a, const Matrix3& b) {
  const double trace = dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2]);
  return std::acos(std::clamp((trace - 1) / 2, -1.0, 1.0));
}

}  // namespace

FaceTest::FaceTest(const scheme::Database& database) : database_(database), points_(database.world_points) {
  Vector3 middle = {};
  for (const Vector3& p : points_) {
    for (int k = 0; k < 3; ++k) middle[k] += p[k] / static_cast<double>(points_.size());
  }
  Matrix3 squares = {};
  for (Vector3& p : points_) {
    for (int k = 0; k < 3; ++k) p[k] -= middle[k];
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 3; ++k) squares[i][k] += p[i] * p[k];
    }
  }
  const Matrix3 inverse_squares = inverse(squares);
  for (const Vector3& p : points_)
    pseudo_.push_back({dot(inverse_squares[0], p), dot(inverse_squares[1], p), dot(inverse_squares[2], p)});
}

FaceSigns FaceTest::signs(const Face& face) const {
  const double count = static_cast<double>(points_.size());
  const Box box = geometry::tight_box(face.landmarks);
  const double side = std::max(box.width, box.height);
  double x = 0, y = 0;
  Vector3 right = {}, down = {};
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const Point& p = face.landmarks[i];
    x += p.x / count;
    y += p.y / count;
    for (int k = 0; k < 3; ++k) {
      right[k] += p.x * pseudo_[i][k];
      down[k] += p.y * pseudo_[i][k];
    }
  }
  double squares = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const double dx = face.landmarks[i].x - x - dot(right, points_[i]);
    const double dy = face.landmarks[i].y - y - dot(down, points_[i]);
    squares += dx * dx + dy * dy;
  }
  const Matrix3 told = geometry::rigid_from_head_pose(face.headpose).rotation;
  const double uncertainty = std::accumulate(face.uncertainty.begin(), face.uncertainty.end(), 0.0) / count;
  return {uncertainty / side, std::sqrt(squares / count) / side,
          angle_between(told, rotation_near(right, down))};
}

float FaceTest::likelihood(const Face& face) const {
  const FaceSigns s = signs(face);
  const double odds =
      kBias - kWeight.uncertainty * s.uncertainty - kWeight.misfit * s.misfit - kWeight.turn * s.turn;
  const double likelihood = 1 / (1 + std::exp(-odds));
  return std::isfinite(likelihood) ? static_cast<float>(likelihood) : 0;
}

}  // namespace spiga::vision
