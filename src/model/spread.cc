// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/spread.h"

#include <cmath>

namespace spiga::model {

SpreadFormula spread_formula(InitialShape initial_shape) {
  if (initial_shape == InitialShape::heatmap) return {.bias = 4.246F, .exponents = {0, 0, 2.918F}};
  return {.bias = 0, .exponents = {1, 0, 0}};
}

float expected_error(const SpreadFormula& formula, const SpreadFeatures& features) {
  float log_error = formula.bias;
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (formula.exponents[i] != 0) log_error += formula.exponents[i] * std::log(features[i] + formula.floor);
  }
  return std::exp(log_error);
}

}  // namespace spiga::model
