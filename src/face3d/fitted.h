// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "face3d/solver.h"
#include "spiga/face3d.h"

// Between the public structs and the solver.
namespace spiga::face3d {

// Landmarks as the solver takes them. Throws Error(invalid_argument) where there are too few of them.
Observation observe(std::span<const Point> landmarks, std::span<const float> uncertainty,
                    const Camera& camera);

// Cold: from nothing but these landmarks. Throws Error(invalid_argument) where they determine no pose.
State fit_cold(const FaceModel::Data& head, Solver& solver, const Observation& seen);

// What a state says, except for signals that need a person's own rest.
Face3d describe(const FaceModel::Data& head, Solver& solver, const Observation& seen, const State& state,
                const Camera& camera);

// Blendshapes out of expression coefficients.
std::vector<float> blendshapes_of(const FaceModel::Data& head, std::span<const float> expression);

// From the landmarks themselves, laid on the fitted head's depth: mm.
struct Openings {
  float eye_left = 0, eye_right = 0, mouth = 0;
};
Openings openings(const Observation& seen, const State& state,
                  const Eigen::Matrix<float, 3, kLandmarks>& points);

// Signals from openings and blendshapes; `open_left`, `open_right`: mm between the lids of the open eye.
FaceSignals signals_of(const Openings& openings, std::span<const float> blendshapes, float open_left,
                       float open_right);
// Of this identity's open eyes (left, right), mm.
std::array<float, 2> open_eyes(const FaceModel::Data& head, const State& state);

}  // namespace spiga::face3d
