// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/uncertainty.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

constexpr std::size_t kTerms = 4;  // bias and three exponents
using Terms = std::array<double, kTerms>;
constexpr double kSmallestError = 1e-4;  // annotations are not better

struct Field {
  const char* name;
  float UncertaintyFormula::*value;
};
constexpr Field kFields[kTerms] = {{"bias", &UncertaintyFormula::bias},
                                   {"last_move", &UncertaintyFormula::last_move},
                                   {"earlier_moves", &UncertaintyFormula::earlier_moves},
                                   {"heat_deviation", &UncertaintyFormula::heat_deviation}};

// What the formula's numbers are multiplied with.
Terms terms_of(const UncertaintyFeatures& features) {
  const auto term = [](float feature) { return std::log(double{feature} + UncertaintyFormula::kFloor); };
  return {1, term(features.last_move), term(features.earlier_moves), term(features.heat_deviation)};
}

// Solves the symmetric positive system [matrix | right] by elimination.
Terms solve(std::array<Terms, kTerms> matrix, Terms right) {
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t row = i + 1; row < kTerms; ++row) {
      const double factor = matrix[row][i] / matrix[i][i];
      for (std::size_t column = i; column < kTerms; ++column)
        matrix[row][column] -= factor * matrix[i][column];
      right[row] -= factor * right[i];
    }
  }
  for (std::size_t i = kTerms; i-- > 0;) {
    for (std::size_t column = i + 1; column < kTerms; ++column) right[i] -= matrix[i][column] * right[column];
    right[i] /= matrix[i][i];
  }
  return right;
}

}  // namespace

UncertaintyFormula default_uncertainty(InitialShape initial_shape) {
  if (initial_shape == InitialShape::heatmap) return {.bias = 4.246F, .heat_deviation = 2.918F};
  return {.last_move = 1};
}

float expected_error(const UncertaintyFormula& formula, const UncertaintyFeatures& features) {
  const Terms terms = terms_of(features);
  double log_error = 0;
  for (std::size_t i = 0; i < kTerms; ++i) log_error += terms[i] * double{formula.*kFields[i].value};
  return std::min(static_cast<float>(std::exp(log_error)), UncertaintyFormula::kLargest);
}

UncertaintyFormula fit_uncertainty(std::span<const UncertaintyFeatures> features,
                                   std::span<const float> errors) {
  constexpr std::size_t kFewest = 100;
  if (features.size() != errors.size() || errors.size() < kFewest) {
    throw Error(ErrorCode::invalid_argument, base::concat("uncertainty: expected at least ", kFewest,
                                                          " landmarks with an error each, found ",
                                                          features.size(), " and ", errors.size()));
  }
  // A little ridge keeps a feature that never changes out.
  const double ridge = 1e-6 * static_cast<double>(errors.size());
  std::array<Terms, kTerms> matrix = {};
  Terms right = {};
  for (std::size_t i = 1; i < kTerms; ++i) matrix[i][i] = ridge;
  for (std::size_t n = 0; n < errors.size(); ++n) {
    const Terms terms = terms_of(features[n]);
    const double target = std::log(std::max(double{errors[n]}, kSmallestError));
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t j = 0; j < kTerms; ++j) matrix[i][j] += terms[i] * terms[j];
      right[i] += terms[i] * target;
    }
  }
  const Terms solution = solve(matrix, right);
  UncertaintyFormula formula;
  for (std::size_t i = 0; i < kTerms; ++i) formula.*kFields[i].value = static_cast<float>(solution[i]);
  double expected = 0, found = 0;
  for (std::size_t n = 0; n < errors.size(); ++n) {
    expected += expected_error(formula, features[n]);
    found += errors[n];
  }
  formula.bias += static_cast<float>(std::log(found / expected));
  return formula;
}

nlohmann::json to_json(const UncertaintyFormula& formula) {
  nlohmann::json json;
  for (const Field& field : kFields) json[field.name] = formula.*field.value;
  return json;
}

UncertaintyFormula uncertainty_from_json(const nlohmann::json& json, std::string_view where) {
  const auto fail = [&](std::string_view field, const std::string& expected) {
    throw Error(ErrorCode::bad_data, base::concat(where, ": ", field, ": expected ", expected));
  };
  if (!json.is_object() || json.size() != kTerms) fail("uncertainty", "an object of four numbers");
  UncertaintyFormula formula;
  for (const Field& field : kFields) {
    const auto found = json.find(field.name);
    if (found == json.end() || !found->is_number()) fail(field.name, "a number");
    formula.*field.value = found->get<float>();
    if (!std::isfinite(formula.*field.value)) fail(field.name, "a finite number");
  }
  return formula;
}

}  // namespace spiga::model
