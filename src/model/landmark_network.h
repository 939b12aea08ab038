// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "model/config.h"
#include "model/layers.h"
#include "model/uncertainty.h"

namespace spiga::model {

struct LandmarkOutputs {
  Value image;
  Value pose;                    // [1, 1, 6]
  std::vector<Value> landmarks;  // [L, 1, 2]: initial, then after each step
  Value uncertainty;             // [L, 1, 1]
};

// The network of landmarks, docs/network.md: the only place that says which layers it has and which tensors
// they use.
LandmarkOutputs describe_network(Layers& layers, const NetworkConfig& config,
                                 const UncertaintyFormula& uncertainty);

// The input's three coordinate channels, [S, S, 3]: row and column in [-1, 1], distance from (0.5, 0.5).
std::vector<float> coordinate_channels(int size);

}  // namespace spiga::model
