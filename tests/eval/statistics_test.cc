// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace spiga::eval {
namespace {

using ::testing::ElementsAre;

using Values = std::vector<double>;

TEST(Statistics, PercentilesInterpolateLikeNumpy) {
  const Values values = {5, 1, 4, 2, 3};
  EXPECT_EQ(percentile(values, 0), 1);
  EXPECT_EQ(percentile(values, 50), 3);
  EXPECT_EQ(percentile(values, 100), 5);
  EXPECT_NEAR(percentile(values, 90), 4.6, 1e-12);
  EXPECT_NEAR(percentile(Values{1, 2}, 25), 1.25, 1e-12);
  EXPECT_EQ(percentile(Values{7}, 99), 7);
  EXPECT_TRUE(std::isnan(percentile(Values{}, 50)));
  EXPECT_TRUE(std::isnan(mean(Values{})));
}

TEST(Statistics, RanksShareTies) {
  EXPECT_THAT(ranks(Values{10, 30, 20, 20, 5}), ElementsAre(2, 5, 3.5, 3.5, 1));
}

TEST(Statistics, RankCorrelationSeesOrderOnly) {
  const Values rising = {1, 2, 3, 4};
  EXPECT_NEAR(rank_correlation(rising, Values{1, 10, 100, 1000}), 1, 1e-12);
  EXPECT_NEAR(rank_correlation(rising, Values{9, 3, 2, -5}), -1, 1e-12);
  EXPECT_NEAR(rank_correlation(rising, Values{2, 1, 4, 3}), 0.6, 1e-12);
  EXPECT_TRUE(std::isnan(rank_correlation(rising, Values{1, 1, 1, 1})));
  EXPECT_TRUE(std::isnan(rank_correlation(Values{1}, Values{1})));
}

Values normal_values(std::size_t count, double centre, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(centre, 2);
  Values values(count);
  for (double& value : values) value = normal(random);
  return values;
}

TEST(Bootstrap, IsTheNormalIntervalForNormalData) {
  const Values values = normal_values(1000, 5, 3);
  double squares = 0;
  for (double value : values) squares += (value - mean(values)) * (value - mean(values));
  const double half = 1.96 * std::sqrt(squares / 1000) / std::sqrt(1000.0);
  const Interval interval = bootstrap_mean(values);
  EXPECT_NEAR(interval.low, mean(values) - half, 0.05 * half);
  EXPECT_NEAR(interval.high, mean(values) + half, 0.05 * half);
}

TEST(Bootstrap, HoldsTheTruthAboutAsOftenAsItSays) {
  int held = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Interval interval = bootstrap_mean(normal_values(61, 5, seed), 500);
    held += interval.low <= 5 && 5 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(held, 360);
  EXPECT_LE(held, 394);
}

TEST(Bootstrap, IsReproducibleAndFollowsItsSeed) {
  const Values values = normal_values(100, 0, 1);
  EXPECT_EQ(bootstrap_mean(values).low, bootstrap_mean(values).low);
  EXPECT_NE(bootstrap_mean(values, 10'000, 1).low, bootstrap_mean(values, 10'000, 2).low);
  EXPECT_TRUE(std::isnan(bootstrap_mean(Values{}).low));
}

}  // namespace
}  // namespace spiga::eval
