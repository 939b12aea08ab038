// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/random_weights.h"

#include <gtest/gtest.h>

namespace spiga::model {
namespace {

// Numbers worked out from the definition (FNV-1a of the name, minstd_rand), so that they are the same with
// every standard library.
TEST(RandomWeights, AreTheSameEverywhere) {
  const std::vector<float> values = RandomWeights().read("stem.weight", {2, 3, 2, 2});
  ASSERT_EQ(values.size(), 24U);
  EXPECT_NEAR(values[0], 0.078462041, 1e-6);
  EXPECT_NEAR(values[1], 0.441170822, 1e-6);
  EXPECT_NEAR(values[2], -0.243257499, 1e-6);
}

}  // namespace
}  // namespace spiga::model
