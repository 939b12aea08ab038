// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "spiga/face3d.h"

namespace spiga {

// The head's file in memory (scripts/make_head_model.py tells what is in it), and the rows of it that the fit
// looks at.
struct FaceModel::Data {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  int vertices = 0, modes = 0, shapes = 0;
  std::vector<float> neutral;            // [vertices, 3] mm
  std::vector<std::int8_t> identity;     // [modes, vertices, 3]
  std::vector<float> identity_scale;     // [modes]
  std::vector<std::int16_t> expression;  // [shapes, vertices, 3]
  std::vector<float> expression_scale;   // [shapes]
  std::vector<std::array<std::uint16_t, 3>> triangles;
  std::vector<std::string> names;  // of the expression shapes
  std::vector<int> mirror;         // [shapes] the other side's shape; itself where there is none

  // Candidates: 51 inner landmarks, then the paths of the 17 contour landmarks, `slide` vertices each.
  int slide = 0;
  Eigen::VectorXf base;  // [candidates * 3]
  RowMajor basis;        // [candidates * 3, shapes + modes]

  int candidates() const { return static_cast<int>(base.size() / 3); }
  int coefficients() const { return shapes + modes; }
  // First candidate of landmark 0 to 67.
  int candidate_of(int landmark) const { return landmark >= 17 ? landmark - 17 : 51 + landmark * slide; }
};

}  // namespace spiga
