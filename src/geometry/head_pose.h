// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <optional>
#include <span>

#include "geometry/affine.h"
#include "spiga/face.h"

namespace spiga::geometry {

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;  // rows

// Where a head stands before the crop's camera: x_camera = rotation x_world + translation, x to the right, y
// down, z away from the camera. World points are those of the 3-D mean face in the order (Z, -X, -Y) of its
// file.
struct RigidPose {
  Matrix3 rotation = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  Vector3 translation = {0, 0, 0};
};

// SPIGA's angles (docs/head-pose.md; docs/network.md, section 4) and back. Angles come out in [-180, 180],
// pitch in
// [-90, 90]; at |pitch| = 90 roll' is 0 by convention.
Matrix3 rotation_from_angles(double yaw_deg, double pitch_deg, double roll_deg);
Vector3 angles_from_rotation(const Matrix3& rotation);  // yaw, pitch, roll in degrees

// How far apart two angles are, the shorter way round: 0 to 180 degrees. 179 and -179 are 2 apart.
double angle_error_deg(double a_deg, double b_deg);

RigidPose rigid_from_head_pose(const HeadPose& pose);
HeadPose head_pose_from_rigid(const RigidPose& pose);

// A pose before the camera of one crop, as the camera of another crop of the same picture sees it: turned,
// scaled and shifted with the face, as under weak perspective. other_from_crop: a similarity, perhaps with a
// mirror, between coordinates in units of the crops' sides.
HeadPose pose_in_other_crop(HeadPose pose, const Affine& other_from_crop);

// A pinhole camera without distortion.
struct Camera {
  double focal = 1;
  double centre_x = 0;
  double centre_y = 0;
};

// The camera of every face's crop, in units of the crop's side: focal length 1.5, principal point in the
// middle (96 and 32 on the 64 x 64 map).
inline constexpr Camera kCropCamera = {1.5, 0.5, 0.5};

// Where the camera sees a world point.
Point project(const Vector3& world, const RigidPose& pose, const Camera& camera = kCropCamera);

// POSIT (DeMenthon and Davis, 1995, as SPIGA's training data use it): the pose under which the camera sees
// world[i] near image[i], in double precision, at most 100 rounds. Coordinates in units of the crop's side
// for kCropCamera. None where fewer than 4 points are given, they do not determine a pose, or it lies behind
// the camera.
std::optional<RigidPose> posit(std::span<const Vector3> world, std::span<const Point> image,
                               const Camera& camera = kCropCamera);

// Landmarks that POSIT looks at: those with ids 1 to 24, which the mean faces have in common.
inline constexpr bool is_posit_landmark(int id) { return id >= 1 && id <= 24; }

}  // namespace spiga::geometry
