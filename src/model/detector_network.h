// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "model/detector_config.h"
#include "model/layers.h"

namespace spiga::model {

struct DetectorOutputs {
  Value input;                                          // [H / 2, W / 2, 12]
  std::array<Value, DetectorConfig::kLevels> levels{};  // [h, w, kOutputs], float32: see decode_cell
};

// The face detector, docs/detector.md, for pictures of that size, multiples of kMaxStride: the only place
// that says which layers it has and which tensors they use.
DetectorOutputs describe_detector(Layers& layers, const DetectorConfig& config, int height, int width);

}  // namespace spiga::model
