// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace spiga::base {
namespace {

TEST(Numbers, HaveTheDecimalsAskedFor) {
  EXPECT_EQ(fixed(2.5, 2), "2.50");
  EXPECT_EQ(fixed(-0.004, 2), "0.00") << "no minus zero";
  EXPECT_EQ(fixed(-12.346, 2), "-12.35");
  EXPECT_EQ(fixed(NAN, 2), "");
  EXPECT_EQ(fixed(INFINITY, 2, "-"), "-");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 0).size(), 309U);
}

TEST(Numbers, CompactOnesEndInNoZeros) {
  EXPECT_EQ(compact(2.5, 2), "2.5");
  EXPECT_EQ(compact(300, 2), "300");
  EXPECT_EQ(compact(300, 0), "300");
  EXPECT_EQ(compact(-0.001, 2), "0");
  EXPECT_EQ(compact(NAN, 2, "–"), "–");
}

TEST(Numbers, ScientificOnesHaveAnExponent) { EXPECT_EQ(scientific(0.0003, 1), "3.0e-04"); }

TEST(Numbers, DurationsReadAsClocks) {
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(754), "12:34");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(NAN), "0:00");
}

}  // namespace
}  // namespace spiga::base
