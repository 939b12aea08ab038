// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/uncertainty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <vector>

#include "model/model_file.h"
#include "support/error_of.h"
#include "support/model_files.h"
#include "support/temporary_folder.h"

namespace spiga::model {
namespace {

using testing::bad_data_of;
using testing::error_of;
using ::testing::HasSubstr;

constexpr UncertaintyFormula kFormula = {
    .bias = 1, .last_move = 0.5F, .earlier_moves = -0.25F, .heat_deviation = 2};

std::vector<UncertaintyFeatures> random_features(std::size_t count) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> uniform(0.02F, 0.1F);
  std::vector<UncertaintyFeatures> features(count);
  for (UncertaintyFeatures& f : features) f = {uniform(generator), uniform(generator), uniform(generator)};
  return features;
}

TEST(Uncertainty, IsAProductOfPowers) {
  const UncertaintyFeatures features = {.last_move = 0.02F, .earlier_moves = 0.03F, .heat_deviation = 0.05F};
  const double expected = std::exp(1) * std::pow(0.021, 0.5) * std::pow(0.031, -0.25) * std::pow(0.051, 2);
  EXPECT_NEAR(expected_error(kFormula, features), expected, 1e-6 * expected);
}

TEST(Uncertainty, IsHalfACropAtMost) {
  EXPECT_EQ(expected_error(kFormula, {.heat_deviation = 10}), UncertaintyFormula::kLargest);
}

TEST(Uncertainty, FitFindsTheFormulaBehindTheErrors) {
  const auto features = random_features(4000);
  std::mt19937 generator(2);
  std::normal_distribution<float> noise(0, 0.3F);
  std::vector<float> errors;
  for (const UncertaintyFeatures& f : features)
    errors.push_back(expected_error(kFormula, f) * std::exp(noise(generator)));
  const UncertaintyFormula fit = fit_uncertainty(features, errors);
  EXPECT_NEAR(fit.last_move, kFormula.last_move, 0.03);
  EXPECT_NEAR(fit.earlier_moves, kFormula.earlier_moves, 0.03);
  EXPECT_NEAR(fit.heat_deviation, kFormula.heat_deviation, 0.03);
  double expected = 0;
  for (const UncertaintyFeatures& f : features) expected += expected_error(fit, f);
  EXPECT_NEAR(expected / std::accumulate(errors.begin(), errors.end(), 0.0), 1, 1e-4);
}

TEST(Uncertainty, FitLeavesOutAFeatureThatNeverChanges) {
  auto features = random_features(1000);
  std::vector<float> errors;
  for (UncertaintyFeatures& f : features) {
    f.heat_deviation = 0;
    errors.push_back(0.1F * (f.last_move + UncertaintyFormula::kFloor));
  }
  const UncertaintyFormula fit = fit_uncertainty(features, errors);
  EXPECT_NEAR(fit.last_move, 1, 0.01);
  EXPECT_NEAR(expected_error(fit, features[0]), errors[0], 0.05F * errors[0]);
}

TEST(Uncertainty, FitRefusesTooLittle) {
  const auto features = random_features(99);
  EXPECT_EQ(error_of([&] { fit_uncertainty(features, std::vector<float>(99, 0.01F)); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { fit_uncertainty(random_features(200), std::vector<float>(199, 0.01F)); }).code(),
            ErrorCode::invalid_argument);
}

TEST(Uncertainty, JsonGoesThereAndBack) {
  EXPECT_EQ(uncertainty_from_json(to_json(kFormula), "f"), kFormula);
  nlohmann::json json = to_json(kFormula);
  json["bias"] = "much";
  EXPECT_THAT(bad_data_of([&] { uncertainty_from_json(json, "f"); }),
              HasSubstr("f: bias: expected a number"));
  json["bias"] = 1e300;
  EXPECT_THAT(bad_data_of([&] { uncertainty_from_json(json, "f"); }),
              HasSubstr("f: bias: expected a finite number"));
  json.erase("bias");
  EXPECT_THAT(bad_data_of([&] { uncertainty_from_json(json, "f"); }), HasSubstr("four numbers"));
  EXPECT_THAT(bad_data_of([&] { uncertainty_from_json(nlohmann::json::array(), "f"); }),
              HasSubstr("four numbers"));
}

TEST(Uncertainty, LivesInModelFiles) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  const ModelInfo info = {testing::tiny_network(), "", "", kFormula};
  weights::write_safetensors(path, {}, metadata_of(info));
  EXPECT_EQ(read_info(weights::SafetensorsFile(path)).uncertainty, kFormula);
  weights::write_safetensors(path, {}, metadata_of({testing::tiny_network(), "", ""}));
  EXPECT_EQ(read_info(weights::SafetensorsFile(path)).uncertainty, std::nullopt);
}

}  // namespace
}  // namespace spiga::model
