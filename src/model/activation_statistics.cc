// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/activation_statistics.h"

#include <cmath>
#include <limits>

namespace spiga::model {
namespace {

constexpr std::size_t kBins = 4096;
constexpr int kTriedClips = 100;  // hundredths of the largest

double levels(bool non_negative) { return non_negative ? 255 : 127; }

}  // namespace

void ActivationStatistics::see(const ActivationPlace& place, std::span<const float> values) {
  Histogram& histogram = (place.input ? inputs_ : results_)[place.name];
  histogram.non_negative = place.non_negative;
  for (const float value : values) {
    const float size = std::abs(value);
    if (size > 0 && std::isfinite(size)) histogram.add(size);
  }
}

void ActivationStatistics::Histogram::add(float size) {
  if (!(size < width)) widen(size);
  ++counts[static_cast<std::size_t>(size / width * kBins)];
}

void ActivationStatistics::Histogram::widen(double wanted) {
  if (counts.empty()) {
    counts.resize(kBins);
    width = std::exp2(std::floor(std::log2(wanted)) + 1);
  }
  while (!(wanted < width)) {
    for (std::size_t bin = 0; bin < kBins / 2; ++bin) counts[bin] = counts[2 * bin] + counts[2 * bin + 1];
    std::fill(counts.begin() + kBins / 2, counts.end(), 0);
    width *= 2;
  }
}

double ActivationStatistics::Histogram::size(std::size_t bin) const {
  return (static_cast<double>(bin) + 0.5) * width / kBins;
}

double ActivationStatistics::Histogram::largest() const {
  std::size_t bin = counts.size();
  while (bin > 0 && counts[bin - 1] == 0) --bin;
  return static_cast<double>(bin) * width / kBins;
}

// Sum of squares, which ranks clips as their mean does.
double ActivationStatistics::Histogram::mean_square(double clip) const {
  const double step = clip / levels(non_negative);
  double sum = 0;
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    const double beyond = size(bin) - clip;
    sum += static_cast<double>(counts[bin]) * (beyond > 0 ? beyond * beyond : step * step / 12);
  }
  return sum;
}

double ActivationStatistics::Histogram::clipped_at(const Clipping& clipping) const {
  const double most = largest();
  if (clipping.rule == Clipping::Rule::largest) return most;
  if (clipping.rule == Clipping::Rule::percentile) {
    std::uint64_t all = 0, below = 0;
    for (const std::uint64_t count : counts) all += count;
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
      below += counts[bin];
      if (static_cast<double>(below) >= clipping.percentile * static_cast<double>(all))
        return static_cast<double>(bin + 1) * width / kBins;
    }
    return most;
  }
  double best = most, least = std::numeric_limits<double>::infinity();
  for (int i = kTriedClips; i > 0; --i) {
    const double clip = most * i / kTriedClips, error = mean_square(clip);
    if (error < least) {
      least = error;
      best = clip;
    }
  }
  return best;
}

Quantization ActivationStatistics::scales(const Clipping& clipping) const {
  Quantization quantization;
  const auto add = [&](const auto& histograms, Quantization::Scales& scales) {
    for (const auto& [name, histogram] : histograms) {
      const double clip = histogram.clipped_at(clipping);
      if (clip > 0) scales[name] = static_cast<float>(clip / levels(histogram.non_negative));
    }
  };
  add(results_, quantization.results);
  add(inputs_, quantization.inputs);
  return quantization;
}

}  // namespace spiga::model
