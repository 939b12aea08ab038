// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/cumulative.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace spiga::eval {
namespace {

using ::testing::ElementsAre;

using Values = std::vector<double>;

TEST(Histogram, BinsAreClosedOnTheLeftAndTheLastOnBothSides) {
  const Histogram bins = histogram(Values{0, 1, 1.5, 2, 4}, 4);
  EXPECT_THAT(bins.edges, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(bins.counts, ElementsAre(1, 2, 1, 1));
}

TEST(Histogram, EveryValueLiesInItsBin) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0.3, 0.7);
  Values values(3000);
  for (double& value : values) value = uniform(random);
  const Histogram bins = histogram(values, 777);
  for (std::size_t k = 0; k < 777; ++k) values.push_back(bins.edges[k]);  // edges themselves, too
  const Histogram again = histogram(values, 777);
  for (std::size_t k = 0; k < 777; ++k) {
    std::size_t inside = 0;
    for (double value : values) {
      inside += value >= again.edges[k] && (k == 776 ? value <= again.edges[777] : value < again.edges[k + 1])
                    ? 1
                    : 0;
    }
    EXPECT_EQ(again.counts[k], inside) << k;
  }
}

TEST(Histogram, OneValueGetsARange) {
  const Histogram bins = histogram(Values{3, 3}, 2);
  EXPECT_THAT(bins.edges, ElementsAre(2.5, 3, 3.5));
  EXPECT_THAT(bins.counts, ElementsAre(0, 2));
}

TEST(Simpson, IsExactForParabolasOnUnequalSteps) {
  const Values x = {0, 0.5, 2, 2.5, 4};
  Values y;
  for (double at : x) y.push_back(3 * at * at - 2 * at + 1);
  EXPECT_NEAR(simpson(y, x), 64 - 16 + 4, 1e-12);
}

TEST(Simpson, AveragesBothWaysWithAnEvenNumberOfPoints) {
  const Values x = {0, 1, 2, 3};
  const Values y = {0, 1, 4, 9};
  const double leaving_last = 8.0 / 3 + 6.5;          // parabola over [0, 2], trapezoid over [2, 3]
  const double leaving_first = 0.5 + (27 - 1) / 3.0;  // the other way round
  EXPECT_NEAR(simpson(y, x), (leaving_last + leaving_first) / 2, 1e-12);
  EXPECT_EQ(simpson(Values{5}, Values{1}), 0);
  EXPECT_EQ(simpson(Values{5, 7}, Values{1, 2}), 6);
}

Values skewed_errors(std::size_t count) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(1.0, 0.5);
  Values errors(count);
  for (double& error : errors) error = distribution(random);
  return errors;
}

TEST(CurveFigures, PublishedAndExactAgreeUpToTheBins) {
  const Values errors = skewed_errors(800);
  for (double threshold : {2.0, 8.0, 100.0}) {
    const CurveFigures published = published_curve_figures(errors, threshold, errors.size());
    const CurveFigures exact = exact_curve_figures(errors, threshold, errors.size());
    EXPECT_NEAR(published.auc, exact.auc, 0.05) << threshold;
    EXPECT_NEAR(published.failure_rate, exact.failure_rate, 0.13) << threshold;
  }
}

TEST(CurveFigures, ExactFiguresAreTheAreaUnderTheSteps) {
  const CurveFigures figures = exact_curve_figures(Values{1, 2, 8, 9}, 8, 4);
  EXPECT_NEAR(figures.auc, 100 * (7 + 6 + 0 + 0) / 8.0 / 4, 1e-12);
  EXPECT_EQ(figures.failure_rate, 25) << "an error of exactly the threshold is no failure";
}

TEST(CurveFigures, NothingUnderTheThreshold) {
  const CurveFigures figures = published_curve_figures(Values{9, 10}, 8, 2);
  EXPECT_EQ(figures.auc, 0);
  EXPECT_EQ(figures.failure_rate, 100);
  EXPECT_EQ(published_curve_figures(Values{}, 8, 3).failure_rate, 100);
  EXPECT_EQ(exact_curve_figures(Values{}, 8, 3).failure_rate, 100);
}

TEST(CurveFigures, MissedFacesAreFailures) {
  const Values errors = {1, 2, 3};
  const CurveFigures all = published_curve_figures(errors, 8, 3);
  const CurveFigures with_missed = published_curve_figures(errors, 8, 4);
  EXPECT_NEAR(with_missed.auc, 0.75 * all.auc, 1e-9);
  EXPECT_NEAR(with_missed.failure_rate, 25, 1e-9);
  EXPECT_NEAR(exact_curve_figures(errors, 8, 4).auc, 0.75 * exact_curve_figures(errors, 8, 3).auc, 1e-9);
  EXPECT_NEAR(exact_curve_figures(errors, 8, 4).failure_rate, 25, 1e-9);
}

TEST(SuccessRate, CountsUpToTheBinOfTheLimit) {
  Values errors(100);
  std::iota(errors.begin(), errors.end(), 0.0);
  EXPECT_EQ(published_success_rate(errors, 200), 1);
  EXPECT_EQ(published_success_rate(errors, 99), 1);
  EXPECT_NEAR(published_success_rate(errors, 49.99), 0.50, 1e-12);
  EXPECT_NEAR(exact_success_rate(errors, 49.99), 0.50, 1e-12);
  EXPECT_EQ(published_success_rate(Values{5, 6}, 1), 0);
  EXPECT_EQ(exact_success_rate(Values{5, 6}, 5), 0.5);
}

}  // namespace
}  // namespace spiga::eval
