// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "geometry/head_pose.h"
#include "spiga/face3d.h"

// Faces made with the head itself, with known answers.
namespace spiga::face3d_test {

inline const FaceModel& model() {
  static const FaceModel loaded = FaceModel::load("models/head.safetensors");
  return loaded;
}

inline Camera camera() {
  Camera camera;
  camera.fx = camera.fy = 1000;
  camera.cx = 640;
  camera.cy = 360;
  return camera;
}

// In the documented angles (docs/head-pose.md).
inline CameraPose pose_of(double yaw_deg, double pitch_deg, double roll_deg,
                          const std::array<double, 3>& translation_mm = {30, -20, 1000}) {
  const geometry::Matrix3 r = geometry::rotation_from_angles(yaw_deg, pitch_deg, roll_deg);
  std::array<std::array<double, 3>, 3> rotation{};
  for (std::size_t i = 0; i < 3; ++i) rotation[i] = {-r[i][1], r[i][2], -r[i][0]};
  return make_camera_pose(rotation, translation_mm);
}

inline std::vector<float> expression(const std::vector<std::pair<std::string, float>>& amounts) {
  const auto& names = model().expression_names();
  std::vector<float> values(names.size(), 0);
  for (const auto& [name, amount] : amounts)
    values[static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin())] = amount;
  return values;
}

inline std::vector<float> some_identity(unsigned seed, float size = 0.7f) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0, size);
  std::vector<float> values(32);
  for (float& v : values) v = normal(rng);
  return values;
}

inline void add_noise(std::vector<Point>& landmarks, double sigma_px, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal(0, sigma_px);
  for (Point& p : landmarks) {
    p.x += static_cast<float>(normal(rng));
    p.y += static_cast<float>(normal(rng));
  }
}

inline float blendshape(const Face3d& face, const std::string& name) {
  for (std::size_t i = 0; i < blendshapes().size(); ++i)
    if (blendshapes()[i].name == name) return face.blendshapes[i];
  return -1;
}

}  // namespace spiga::face3d_test
