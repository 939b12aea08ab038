// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "model/weight_source.h"

namespace spiga::model {

// Weights for measuring speed where there is no model file: random, scaled so that activations stay near one,
// the same for the same name.
class RandomWeights : public WeightSource {
 public:
  std::vector<float> read(std::string_view name, const std::vector<std::int64_t>& shape) override;
};

}  // namespace spiga::model
