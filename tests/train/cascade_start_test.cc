// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/cascade_start.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

namespace spiga::train {
namespace {

const torch::Tensor kShape = torch::rand({200, 68, 2}) * 0.4 + 0.3;
const torch::Tensor kProjected = torch::full({200, 68, 2}, 0.25);

TEST(VaryStart, LeavesEverythingWhereNothingIsAsked) {
  EXPECT_TRUE(vary_start(kShape, kProjected, {}, 1).equal(kShape));
}

TEST(VaryStart, TakesTheProjectionAsOftenAsAsked) {
  const torch::Tensor start = vary_start(kShape, kProjected, {.projection = 0.3}, 1);
  const torch::Tensor replaced = (start == kProjected).flatten(1).all(1);
  const torch::Tensor kept = (start == kShape).flatten(1).all(1);
  EXPECT_TRUE((replaced | kept).all().item<bool>());
  EXPECT_NEAR(replaced.to(torch::kFloat).mean().item<double>(), 0.3, 0.1);
}

TEST(VaryStart, MovesByTheDeviationsAsked) {
  const StartVariation only_shift{.noise = 1, .shift = 0.02, .size = 0, .turn_deg = 0, .landmark = 0};
  const torch::Tensor moved = vary_start(kShape, kProjected, only_shift, 1) - kShape;
  // One move for all landmarks of a face, of the deviation asked over the faces.
  EXPECT_LT(moved.std(1).max().item<double>(), 1e-5);
  EXPECT_NEAR(moved.select(1, 0).std().item<double>(), 0.02, 0.003);

  const StartVariation only_landmarks{.noise = 1, .shift = 0, .size = 0, .turn_deg = 0, .landmark = 0.01};
  const torch::Tensor shaken = vary_start(kShape, kProjected, only_landmarks, 1) - kShape;
  EXPECT_NEAR(shaken.std().item<double>(), 0.01, 0.0003);

  const StartVariation only_turn{.noise = 1, .shift = 0, .size = 0.1, .turn_deg = 20, .landmark = 0};
  const torch::Tensor turned = vary_start(kShape, kProjected, only_turn, 1);
  EXPECT_LT((turned.mean(1) - kShape.mean(1)).abs().max().item<double>(), 1e-5);
  EXPECT_GT((turned - kShape).abs().max().item<double>(), 0.02);
}

TEST(VaryStart, DependsOnTheSeedAndThePlaceInTheWholeBatch) {
  const StartVariation variation{.projection = 0.5, .noise = 0.5};
  const torch::Tensor whole = vary_start(kShape, kProjected, variation, 7);
  EXPECT_TRUE(whole.equal(vary_start(kShape, kProjected, variation, 7)));
  EXPECT_FALSE(whole.equal(vary_start(kShape, kProjected, variation, 8)));
  const torch::Tensor second =
      vary_start(kShape.narrow(0, 100, 100), kProjected.narrow(0, 100, 100), variation, 7, 100);
  EXPECT_TRUE(second.equal(whole.narrow(0, 100, 100)));
}

TEST(VaryStart, StaysFiniteAndNear) {
  torch::Tensor wild = kProjected.clone();
  wild[0][0][0] = std::numeric_limits<float>::infinity();
  wild[1][0][0] = std::numeric_limits<float>::quiet_NaN();
  const torch::Tensor start = vary_start(kShape, wild, {.projection = 1}, 1);
  EXPECT_TRUE(start.isfinite().all().item<bool>());
  EXPECT_LE(start.abs().max().item<double>(), 1.5);
}

}  // namespace
}  // namespace spiga::train
