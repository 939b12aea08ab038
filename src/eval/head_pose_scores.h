// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "annotations/annotations.h"
#include "scheme/scheme.h"

namespace spiga::eval {

using Angles = std::array<double, 3>;  // yaw, pitch, roll in degrees

inline constexpr std::array<const char*, 3> kAngleNames = {"yaw", "pitch", "roll"};
// Angles are sorted into the nearest of these.
inline constexpr int kPoseLabels = 13;
constexpr double pose_label(int i) { return -90 + 15 * i; }
// Success rates are counted under these errors.
inline constexpr std::array<double, 5> kPoseLimits = {2.5, 5, 10, 15, 30};

struct AngleScores {
  double mean_absolute_error = 0;
  double label_accuracy = 0;                            // share of faces whose nearest label is the right one
  double adjacent_accuracy = 0;                         // ... or a neighbour of it
  std::array<double, kPoseLimits.size()> success = {};  // published definition (binned)
  std::array<double, kPoseLimits.size()> success_exact = {};  // share of errors that do not exceed the limit
  std::array<std::array<int, kPoseLabels>, kPoseLabels> confusion =
      {};  // [annotated label][predicted label] faces
};

struct HeadPoseScores {
  std::size_t faces = 0;  // that have both an annotated and a predicted pose
  std::array<AngleScores, 3> angles;
  double mean_absolute_error = 0;  // over the three angles
};

// Scores predictions against truth, pair by pair (as many of each, at least one).
HeadPoseScores score_head_pose(std::span<const Angles> truth, std::span<const Angles> predictions);

// The pose that POSIT finds in the landmarks with ids 1 to 24, as the published annotations have it; none
// where there are too few of them.
std::optional<Angles> angles_from_landmarks(const scheme::Database& database,
                                            const annotations::AnnotatedFace& face);

}  // namespace spiga::eval
