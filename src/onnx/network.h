// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "model/config.h"
#include "model/detector_config.h"
#include "model/uncertainty.h"
#include "model/weight_source.h"
#include "onnx/graph.h"

namespace spiga::onnx {

// The graph of the network (docs/network.md) in float32, activations [N, channels, height, width]: the same
// sums as the engine's, batch norm folded likewise. Input "crop"; outputs "landmarks", "pose", "uncertainty".
Graph build_graph(const model::NetworkConfig& config, model::WeightSource& weights,
                  const model::UncertaintyFormula& uncertainty);

// Likewise the face detector (docs/detector.md). Input "picture" [N, 3, H, W], sides multiples of 32; outputs
// "cells8", "cells16", "cells32" [N, H / stride, W / stride, 15]: what the cells say, before decode_cell.
Graph build_graph(const model::DetectorConfig& config, model::WeightSource& weights);

}  // namespace spiga::onnx
