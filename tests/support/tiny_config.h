// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "model/config.h"

namespace spiga::testing {

// A network of every kind of layer, small enough to be made in milliseconds.
inline model::NetworkConfig tiny_config() {
  return {.database = "300wpublic",
          .landmarks = 68,
          .edges = 13,
          .input_size = 64,
          .stem_width = 2,
          .width = 4,
          .stacks = 2,
          .hourglass_depth = 2,
          .embedding = 8,
          .shape_hidden = 4,
          .gat_width = 8,
          .gat_layers = 2,
          .steps = 2};
}

}  // namespace spiga::testing
