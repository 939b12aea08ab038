// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "model/config.h"

namespace spiga::model {

// What the network knows about how sure it is of a landmark, in crop units.
struct UncertaintyFeatures {
  float last_move = 0;       // how far the last step of the cascade moved it
  float earlier_moves = 0;   // how far the steps before had moved it from its initial place
  float heat_deviation = 0;  // standard deviation of its heat map; 0 where the network has none
};

// Expected error of a landmark in crop units:
//   exp(bias) (last_move + floor)^a (earlier_moves + floor)^b (heat_deviation + floor)^c
// and half a crop at most: what is no face may be anywhere.
// A model file may bring its own numbers ("spiga.uncertainty", JSON).
struct UncertaintyFormula {
  static constexpr float kFloor = 1e-3F;
  static constexpr float kLargest = 0.5F;

  float bias = 0;
  float last_move = 0;       // a
  float earlier_moves = 0;   // b
  float heat_deviation = 0;  // c

  bool operator==(const UncertaintyFormula&) const = default;
};

// What models that bring none use. With heat maps: fitted as docs/network.md says. Without: the last move
// alone, which ranks, but says little about size.
UncertaintyFormula default_uncertainty(InitialShape initial_shape);

float expected_error(const UncertaintyFormula& formula, const UncertaintyFeatures& features);

// The formula that fits true errors best: least squares of the logarithms, then the bias such that the mean
// expected error is the mean error. Throws Error(invalid_argument) for fewer than 100 landmarks or lists of
// different lengths.
UncertaintyFormula fit_uncertainty(std::span<const UncertaintyFeatures> features,
                                   std::span<const float> errors);

nlohmann::json to_json(const UncertaintyFormula& formula);
// Throws Error(bad_data), prefixed with `where`, unless it is an object of exactly the four finite numbers.
UncertaintyFormula uncertainty_from_json(const nlohmann::json& json, std::string_view where);

}  // namespace spiga::model
