// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/spread.h"

#include <cmath>

namespace spiga::model {

float expected_error(const SpreadFormula& formula, const SpreadFeatures& features) {
  float log_error = formula.bias;
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (formula.exponents[i] != 0) log_error += formula.exponents[i] * std::log(features[i] + formula.floor);
  }
  return std::exp(log_error);
}

}  // namespace spiga::model
