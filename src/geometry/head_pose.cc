// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "geometry/head_pose.h"

#include <cmath>
#include <numbers>

namespace spiga::geometry {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

Matrix3 product(const Matrix3& a, const Matrix3& b) {
  Matrix3 result{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) result[i][j] += a[i][k] * b[k][j];
  return result;
}

double wrapped(double degrees) { return std::remainder(degrees, 360.0); }

}  // namespace

Matrix3 rotation_from_angles(double yaw_deg, double pitch_deg, double roll_deg) {
  const double a = -(yaw_deg - 90) * kDegree, b = -pitch_deg * kDegree, c = -(roll_deg + 90) * kDegree;
  const Matrix3 yaw = {{{std::cos(a), 0, std::sin(a)}, {0, 1, 0}, {-std::sin(a), 0, std::cos(a)}}};
  const Matrix3 pitch = {{{std::cos(b), -std::sin(b), 0}, {std::sin(b), std::cos(b), 0}, {0, 0, 1}}};
  const Matrix3 roll = {{{1, 0, 0}, {0, std::cos(c), -std::sin(c)}, {0, std::sin(c), std::cos(c)}}};
  return product(product(yaw, pitch), roll);
}

Vector3 angles_from_rotation(const Matrix3& rotation) {
  const Matrix3& r = rotation;
  double a = 0, b = 0, c = 0;
  // Nearer to the pole than this, doubles no longer tell yaw from roll.
  if (std::abs(r[1][0]) > 1 - 1e-12) {
    a = std::atan2(r[0][2], r[2][2]);
    b = std::copysign(0.5 * std::numbers::pi, r[1][0]);
  } else {
    a = std::atan2(-r[2][0], r[0][0]);
    b = std::asin(r[1][0]);
    c = std::atan2(-r[1][2], r[1][1]);
  }
  return {wrapped(90 - a / kDegree), -b / kDegree, wrapped(-c / kDegree - 90)};
}

double angle_error_deg(double a_deg, double b_deg) { return std::abs(wrapped(a_deg - b_deg)); }

RigidPose rigid_from_head_pose(const HeadPose& pose) {
  return {rotation_from_angles(pose.yaw_deg, pose.pitch_deg, pose.roll_deg),
          {pose.translation[0], pose.translation[1], pose.translation[2]}};
}

HeadPose head_pose_from_rigid(const RigidPose& pose) {
  const auto [yaw, pitch, roll] = angles_from_rotation(pose.rotation);
  const auto& t = pose.translation;
  return {static_cast<float>(yaw),
          static_cast<float>(pitch),
          static_cast<float>(roll),
          {static_cast<float>(t[0]), static_cast<float>(t[1]), static_cast<float>(t[2])}};
}

namespace {

// The smallest turn that brings direction a to direction b (Rodrigues); they do not point away from each
// other.
Matrix3 turn_between(const Vector3& a, const Vector3& b) {
  const double length =
      std::sqrt((a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2]));
  const Vector3 v = {(a[1] * b[2] - a[2] * b[1]) / length, (a[2] * b[0] - a[0] * b[2]) / length,
                     (a[0] * b[1] - a[1] * b[0]) / length};
  const double c = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / length;
  const Matrix3 cross = {{{0, -v[2], v[1]}, {v[2], 0, -v[0]}, {-v[1], v[0], 0}}};
  Matrix3 turn = product(cross, cross);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) turn[i][j] = (i == j) + cross[i][j] + turn[i][j] / (1 + c);
  return turn;
}

}  // namespace

HeadPose pose_in_other_crop(HeadPose pose, const Affine& other_from_crop) {
  Affine map = other_from_crop;
  if (map.xx * map.yy - map.xy * map.yx < 0) {
    pose.yaw_deg = -pose.yaw_deg;
    pose.roll_deg = -pose.roll_deg;
    pose.translation[0] = -pose.translation[0];
    map = compose(map, Affine{.xx = -1, .tx = 1});
  }
  const double scale = map.scale(), c = map.xx / scale, s = map.yx / scale;
  const RigidPose before = rigid_from_head_pose(pose);
  // Where the camera sees the head's origin moves with the picture, its depth by the scale.
  const Vector3& t = before.translation;
  const double x = kCropCamera.focal * t[0] / t[2] + kCropCamera.centre_x;
  const double y = kCropCamera.focal * t[1] / t[2] + kCropCamera.centre_y;
  const double depth = t[2] / scale, per_unit = depth / kCropCamera.focal;
  RigidPose rigid;
  rigid.translation = {(map.xx * x + map.xy * y + map.tx - kCropCamera.centre_x) * per_unit,
                       (map.yx * x + map.yy * y + map.ty - kCropCamera.centre_y) * per_unit, depth};
  // What is seen stays: the head keeps its rotation against the ray to it, which points elsewhere now.
  const Vector3 axis = {0, 0, 1};
  const Matrix3 in_plane = {{{c, -s, 0}, {s, c, 0}, {0, 0, 1}}};
  rigid.rotation = product(product(turn_between(axis, rigid.translation), in_plane),
                           product(turn_between(t, axis), before.rotation));
  return head_pose_from_rigid(rigid);
}

Point project(const Vector3& world, const RigidPose& pose, const Camera& camera) {
  Vector3 seen = pose.translation;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) seen[i] += pose.rotation[i][j] * world[j];
  return {static_cast<float>(camera.focal * seen[0] / seen[2] + camera.centre_x),
          static_cast<float>(camera.focal * seen[1] / seen[2] + camera.centre_y)};
}

}  // namespace spiga::geometry
