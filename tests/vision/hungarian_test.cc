// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/hungarian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "support/error_of.h"

namespace spiga::vision {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

double total(const std::vector<double>& costs, int columns, const std::vector<int>& column_of) {
  double sum = 0;
  for (std::size_t row = 0; row < column_of.size(); ++row) {
    if (column_of[row] >= 0) sum += costs[row * columns + column_of[row]];
  }
  return sum;
}

// The naive twin: every way to place the smaller side.
double best_total(const std::vector<double>& costs, int rows, int columns) {
  const int larger = std::max(rows, columns), smaller = std::min(rows, columns);
  std::vector<int> order(larger);
  std::iota(order.begin(), order.end(), 0);
  double best = INFINITY;
  do {
    double sum = 0;
    for (int i = 0; i < smaller; ++i)
      sum += rows <= columns ? costs[i * columns + order[i]] : costs[order[i] * columns + i];
    best = std::min(best, sum);
  } while (std::ranges::next_permutation(order).found);
  return best;
}

TEST(Hungarian, finds_the_cheapest_of_all_assignments) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::uniform_int_distribution<int> whole(0, 3);
  for (int round = 0; round < 400; ++round) {
    const int rows = 1 + round % 6, columns = 1 + round / 6 % 6;
    std::vector<double> costs(rows * columns);
    for (double& cost : costs) cost = round % 2 ? uniform(random) : whole(random);  // with ties, too
    const std::vector<int> column_of = assign(costs, rows, columns);
    ASSERT_EQ(column_of.size(), static_cast<std::size_t>(rows));
    std::vector<int> used = column_of;
    std::erase(used, -1);
    EXPECT_EQ(used.size(), static_cast<std::size_t>(std::min(rows, columns)));
    std::ranges::sort(used);
    EXPECT_TRUE(std::ranges::adjacent_find(used) == used.end()) << "a column twice";
    EXPECT_NEAR(total(costs, columns, column_of), best_total(costs, rows, columns), 1e-12)
        << rows << " x " << columns;
  }
}

TEST(Hungarian, takes_the_crossed_pair_where_greed_would_not) {
  const std::vector<double> costs = {1, 2,  //
                                     2, 100};
  EXPECT_THAT(assign(costs, 2, 2), ElementsAre(1, 0));
}

TEST(Hungarian, leaves_rows_over_where_there_are_too_many) {
  const std::vector<double> costs = {5, 1, 3};
  EXPECT_THAT(assign(costs, 3, 1), ElementsAre(-1, 0, -1));
  EXPECT_THAT(assign({}, 2, 0), ElementsAre(-1, -1));
  EXPECT_THAT(assign({}, 0, 4), IsEmpty());
}

TEST(Hungarian, refuses_what_is_no_cost_matrix) {
  using spiga::testing::error_of;
  const std::vector<double> costs = {1, NAN};
  EXPECT_EQ(error_of([&] { assign(costs, 1, 2); }).code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error_of([&] { assign(costs, 2, 2); }).what(), ::testing::HasSubstr("expected 2 x 2 costs"));
}

}  // namespace
}  // namespace spiga::vision
