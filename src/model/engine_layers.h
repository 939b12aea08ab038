// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <vector>

#include "model/builder.h"
#include "model/config.h"
#include "model/detector_config.h"
#include "model/uncertainty.h"

namespace spiga::model {

// Where a program leaves its results: [batch, ..]; the memory is the session's.
struct NetworkResults {
  const float* image = nullptr;                               // the input, [S, S, 3]: always first in memory
  const float* pose = nullptr;                                // [6]
  const float* uncertainty = nullptr;                         // [L]
  const UncertaintyFeatures* uncertainty_features = nullptr;  // [L]
  std::vector<const float*> landmarks = {};                   // [L, 2] each: initial, then after each step
};

// Adds the network of landmarks to a program.
NetworkResults build_network(Builder& builder, const NetworkConfig& config,
                             const UncertaintyFormula& uncertainty);

// Where a detector's program takes its input from and leaves its results; the memory is the session's.
struct DetectorTensors {
  Tensor input;                                           // [H / 2, W / 2, 12]
  std::array<Tensor, DetectorConfig::kLevels> outputs{};  // [h, w, kOutputs] float32
};

// Adds the detector to a program; height and width are multiples of kMaxStride.
DetectorTensors build_detector(Builder& builder, const DetectorConfig& config, int height, int width);

}  // namespace spiga::model
