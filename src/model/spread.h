// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>

#include "model/config.h"

namespace spiga::model {

// What the network knows about how sure it is of a landmark, in crop units.
enum class SpreadFeature : std::size_t {
  last_move,       // how far the last step of the cascade moved it
  earlier_moves,   // how far the steps before it did, from the initial place
  heat_deviation,  // standard deviation of its heat map, where the network has one; 0 elsewhere
  count
};
using SpreadFeatures = std::array<float, static_cast<std::size_t>(SpreadFeature::count)>;

// Expected error = exp(bias) product of (feature + floor) ^ exponent: a linear regression of log error on log
// features, which ranks and stays positive.
struct SpreadFormula {
  float floor = 1e-3F;
  float bias = 0;
  SpreadFeatures exponents = {};  // in the order of SpreadFeature
};

// The formula for networks that start their cascade so, fitted as docs/network.md says.
SpreadFormula spread_formula(InitialShape initial_shape);

float expected_error(const SpreadFormula& formula, const SpreadFeatures& features);

}  // namespace spiga::model
