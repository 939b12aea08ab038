// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

// Figures read off the cumulative error distribution (CED), both as the published evaluator computes them, by
// a histogram, and exactly, from the errors themselves.
namespace spiga::eval {

// Area under the CED up to a threshold and the share of failures beyond it, both in per cent.
struct CurveFigures {
  double auc = 0;
  double failure_rate = 0;
};

// The published definition (docs/benchmark.md): 10,000 equal bins between the least and the largest error,
// the share cumulated at each bin's left edge, Simpson's rule. `total` is the number of faces that the shares
// refer to: more than errors.size() where faces were missed, which then count as failures.
CurveFigures published_curve_figures(std::span<const double> errors, double threshold, std::size_t total);

// Without bins: AUC is the mean over the `total` faces of max(0, 1 - error / threshold); a failure is an
// error over the threshold, or a missed face.
CurveFigures exact_curve_figures(std::span<const double> errors, double threshold, std::size_t total);

// The published success rate of head pose: the share of errors cumulated in a histogram of 1,000 bins up to
// the bin before the first left edge over the limit; 1 where no error exceeds it.
double published_success_rate(std::span<const double> errors, double limit);

// The share of errors that do not exceed the limit.
double exact_success_rate(std::span<const double> errors, double limit);

// Equal bins between the least and the largest value, as numpy.histogram makes them (a range of no width is
// widened by 0.5 on both sides). There must be at least one value.
struct Histogram {
  std::vector<double> edges;        // [bins + 1]
  std::vector<std::size_t> counts;  // [bins]
};
Histogram histogram(std::span<const double> values, std::size_t bins);

// Simpson's rule over unequally spaced points; with an even number of points the mean of leaving the last
// interval and of leaving the first to the trapezoid rule (scipy's simps with even='avg'). Fewer than two
// points: 0.
double simpson(std::span<const double> y, std::span<const double> x);

}  // namespace spiga::eval
