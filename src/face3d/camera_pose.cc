// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "geometry/head_pose.h"
#include "spiga/face3d.h"

namespace spiga {
namespace {

// SPIGA's head frame (x out of the face, y to the picture's left, z down) in ours.
constexpr geometry::Matrix3 kOursFromSpiga = {{{0, -1, 0}, {0, 0, 1}, {-1, 0, 0}}};

}  // namespace

CameraPose make_camera_pose(const std::array<std::array<double, 3>, 3>& rotation,
                            const std::array<double, 3>& translation_mm) {
  CameraPose pose;
  pose.rotation = rotation;
  pose.translation_mm = translation_mm;
  geometry::Matrix3 spiga{};
  Eigen::Matrix3d r;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      r(static_cast<int>(i), static_cast<int>(j)) = rotation[i][j];
      for (std::size_t k = 0; k < 3; ++k) spiga[i][j] += rotation[i][k] * kOursFromSpiga[k][j];
    }
  const auto [yaw, pitch, roll] = geometry::angles_from_rotation(spiga);
  pose.yaw_deg = yaw;
  pose.pitch_deg = pitch;
  pose.roll_deg = roll;
  Eigen::Quaterniond q(r);
  q.normalize();
  if (q.w() < 0) q.coeffs() = -q.coeffs();
  pose.quaternion = {q.w(), q.x(), q.y(), q.z()};
  pose.openface_rad = {std::atan2(-r(1, 2), r(2, 2)), std::asin(std::clamp(r(0, 2), -1.0, 1.0)),
                       std::atan2(-r(0, 1), r(0, 0))};
  return pose;
}

}  // namespace spiga
