// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "model/builder.h"
#include "model/config.h"
#include "model/uncertainty.h"
#include "scheme/scheme.h"

namespace spiga::model {

// Where a program leaves its results: [batch, ..]; the memory is the session's.
struct NetworkResults {
  const float* image = nullptr;                               // the input, [S, S, 3]: always first in memory
  const float* pose = nullptr;                                // [6]
  const float* uncertainty = nullptr;                         // [L]
  const UncertaintyFeatures* uncertainty_features = nullptr;  // [L]
  std::vector<const float*> landmarks = {};                   // [L, 2] each: initial, then after each step
};

// What the backbone hands to the cascade.
struct BackboneTensors {
  Tensor field;  // [M, M, C], the last stack's visual field
  Tensor pose;   // [1, 1, 6]
  Tensor peaks;  // see above
};

// The input's three coordinate channels, [S, S, 3]: row and column in [-1, 1], distance from (0.5, 0.5).
std::vector<float> coordinate_channels(int size);

// Window of step s as part of the map's side.
double window_part(int step);

// The hourglass CNN, docs/network.md sections 1 to 4.
BackboneTensors build_backbone(Builder& builder, const NetworkConfig& config,
                               const scheme::Database& database, const Tensor& image);

// Where the cascade starts, section 4: [L, 1, 2].
Tensor build_initial_landmarks(Builder& builder, const NetworkConfig& config,
                               const scheme::Database& database, const BackboneTensors& backbone);

// One step of the cascade, section 5: the landmarks after it.
Tensor build_step(Builder& builder, const NetworkConfig& config, int step, const Tensor& field,
                  const Tensor& landmarks);

// How sure the network is, in crop units. `landmarks`: initial, then after each step.
struct UncertaintyTensors {
  Tensor features;     // [L, 1, 3] UncertaintyFeatures
  Tensor uncertainty;  // [L, 1, 1]
};
UncertaintyTensors build_uncertainty(Builder& builder, const UncertaintyFormula& formula,
                                     const BackboneTensors& backbone, const std::vector<Tensor>& landmarks);

// All of it.
NetworkResults build_network(Builder& builder, const NetworkConfig& config,
                             const UncertaintyFormula& uncertainty);

}  // namespace spiga::model
