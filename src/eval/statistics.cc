// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace spiga::eval {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double percentile_of_sorted(std::span<const double> sorted, double p) {
  if (sorted.empty()) return kNothing;
  const double place = p / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return kNothing;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double percentile(std::span<const double> values, double p) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return percentile_of_sorted(sorted, p);
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double shared = static_cast<double>(first + last) / 2 + 1;
    for (; first <= last; ++first) result[order[first]] = shared;
  }
  return result;
}

double rank_correlation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 2) return kNothing;
  const std::vector<double> x = ranks(a);
  const std::vector<double> y = ranks(b);
  const double middle = mean(x);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - middle) * (x[i] - middle);
    yy += (y[i] - middle) * (y[i] - middle);
    xy += (x[i] - middle) * (y[i] - middle);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : kNothing;
}

Interval bootstrap_mean(std::span<const double> values, int resamples, std::uint64_t seed) {
  if (values.empty() || resamples < 1) return {kNothing, kNothing};
  std::mt19937_64 random(seed);
  const std::uint64_t count = values.size();
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (double& resampled : means) {
    double sum = 0;
    for (std::uint64_t i = 0; i < count; i += 2) {
      const std::uint64_t bits = random();  // two draws of 32 bits each, scaled to [0, count)
      sum += values[((bits >> 32) * count) >> 32];
      if (i + 1 < count) sum += values[((bits & 0xffffffffu) * count) >> 32];
    }
    resampled = sum / static_cast<double>(count);
  }
  std::sort(means.begin(), means.end());
  return {percentile_of_sorted(means, 2.5), percentile_of_sorted(means, 97.5)};
}

}  // namespace spiga::eval
