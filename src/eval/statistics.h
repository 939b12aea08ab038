// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// Plain statistics of lists of numbers. No function changes its input; empty lists give NaN unless said
// otherwise.
namespace spiga::eval {

double mean(std::span<const double> values);

// The p-th percentile (0 to 100), interpolated linearly between the two nearest ranks, as numpy does.
double percentile(std::span<const double> values, double p);

// Ranks from 1; equal values share their mean rank.
std::vector<double> ranks(std::span<const double> values);

// Spearman's rank correlation; NaN where one list is constant or has fewer than two values.
double rank_correlation(std::span<const double> a, std::span<const double> b);

// An interval that holds the mean with 95 % confidence.
struct Interval {
  double low = 0;
  double high = 0;
};

// Percentile bootstrap of the mean of `values`, the same for the same seed everywhere. For paired data hand
// in the differences: the pairs are resampled together then.
Interval bootstrap_mean(std::span<const double> values, int resamples = 10'000, std::uint64_t seed = 1);

}  // namespace spiga::eval
