// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "model/weight_source.h"
#include "support/golden_fill.h"

namespace spiga::testing {

// Weights by the golden fill rule, of whatever shape is asked for.
class MadeUpWeights : public model::WeightSource {
 public:
  std::vector<float> read(std::string_view name, const std::vector<std::int64_t>& shape) override {
    return fill_tensor(name, shape);
  }
};

}  // namespace spiga::testing
