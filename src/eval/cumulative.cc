// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/cumulative.h"

#include <algorithm>
#include <numeric>

namespace spiga::eval {
namespace {

constexpr std::size_t kErrorBins = 10'000;
constexpr std::size_t kPoseBins = 1'000;

// Simpson's rule over the intervals from point `first` to point `last`, an even number of them.
double simpson_even(std::span<const double> y, std::span<const double> x, std::size_t first,
                    std::size_t last) {
  double sum = 0;
  for (std::size_t i = first; i + 2 <= last; i += 2) {
    const double h0 = x[i + 1] - x[i];
    const double h1 = x[i + 2] - x[i + 1];
    const double both = h0 + h1;
    sum += both / 6 * (y[i] * (2 - h1 / h0) + y[i + 1] * both * both / (h0 * h1) + y[i + 2] * (2 - h0 / h1));
  }
  return sum;
}

double trapezoid(std::span<const double> y, std::span<const double> x, std::size_t i) {
  return (x[i + 1] - x[i]) * (y[i] + y[i + 1]) / 2;
}

// The shares of `total` cumulated at each bin.
std::vector<double> cumulated(const Histogram& bins, std::size_t total) {
  std::vector<double> shares(bins.counts.size());
  std::size_t so_far = 0;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    so_far += bins.counts[k];
    shares[k] = static_cast<double>(so_far) / static_cast<double>(total);
  }
  return shares;
}

}  // namespace

Histogram histogram(std::span<const double> values, std::size_t bins) {
  auto [least, largest] = std::minmax_element(values.begin(), values.end());
  double low = *least;
  double high = *largest;
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  Histogram result{std::vector<double>(bins + 1), std::vector<std::size_t>(bins, 0)};
  const double step = (high - low) / static_cast<double>(bins);
  for (std::size_t k = 0; k < bins; ++k) result.edges[k] = low + static_cast<double>(k) * step;
  result.edges[bins] = high;
  for (double value : values) {
    auto k = static_cast<std::size_t>((value - low) * (static_cast<double>(bins) / (high - low)));
    k = std::min(k, bins - 1);
    if (k > 0 && value < result.edges[k]) --k;  // rounding put it one bin too far, up or down
    if (k + 1 < bins && value >= result.edges[k + 1]) ++k;
    ++result.counts[k];
  }
  return result;
}

double simpson(std::span<const double> y, std::span<const double> x) {
  const std::size_t n = y.size();
  if (n < 2) return 0;
  if (n % 2 == 1) return simpson_even(y, x, 0, n - 1);
  const double leaving_last = simpson_even(y, x, 0, n - 2) + trapezoid(y, x, n - 2);
  const double leaving_first = simpson_even(y, x, 1, n - 1) + trapezoid(y, x, 0);
  return (leaving_last + leaving_first) / 2;
}

CurveFigures published_curve_figures(std::span<const double> errors, double threshold, std::size_t total) {
  if (errors.empty()) return {0, 100};
  const Histogram bins = histogram(errors, kErrorBins);
  const std::vector<double> shares = cumulated(bins, total);
  const auto end = std::lower_bound(bins.edges.begin(), bins.edges.end() - 1, threshold);
  const auto kept = static_cast<std::size_t>(end - bins.edges.begin());
  if (kept == 0) return {0, 100};
  const double last_share = shares[kept - 1];
  double area = simpson(std::span(shares).first(kept), std::span(bins.edges).first(kept));
  // The curve has reached its end (1 unless faces were missed) before the threshold: it stays there.
  if (last_share == shares.back()) area += last_share * (threshold - bins.edges[kept - 1]);
  return {area / threshold * 100, (1 - last_share) * 100};
}

CurveFigures exact_curve_figures(std::span<const double> errors, double threshold, std::size_t total) {
  if (total == 0) return {0, 100};
  double area = 0;
  std::size_t successes = 0;
  for (double error : errors) {
    area += std::max(0.0, 1 - error / threshold);
    successes += error <= threshold ? 1 : 0;
  }
  const auto faces = static_cast<double>(total);
  return {area / faces * 100, static_cast<double>(total - successes) / faces * 100};
}

double published_success_rate(std::span<const double> errors, double limit) {
  if (errors.empty()) return 0;
  if (*std::max_element(errors.begin(), errors.end()) <= limit) return 1;
  const Histogram bins = histogram(errors, kPoseBins);
  const auto over = std::upper_bound(bins.edges.begin(), bins.edges.end() - 1, limit);
  if (over == bins.edges.begin()) return 0;
  return cumulated(bins, errors.size())[static_cast<std::size_t>(over - bins.edges.begin()) - 1];
}

double exact_success_rate(std::span<const double> errors, double limit) {
  if (errors.empty()) return 0;
  const auto within =
      std::count_if(errors.begin(), errors.end(), [&](double error) { return error <= limit; });
  return static_cast<double>(within) / static_cast<double>(errors.size());
}

}  // namespace spiga::eval
