// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/builder.h"
#include "model/quantization.h"

namespace spiga::model {

// How scales are chosen from the sizes of activations.
struct Clipping {
  enum class Rule {
    mean_square,  // the least mean square of rounding and clipping together
    percentile,   // this part of the activations is not clipped
    largest,      // nothing is
  };
  Rule rule = Rule::mean_square;
  double percentile = 0.9999;
};

// Histograms of activations' sizes, and from them scales. Not thread-safe.
class ActivationStatistics : public ActivationObserver {
 public:
  void see(const ActivationPlace& place, std::span<const float> values) override;
  // Of all places that were seen with anything but zeros.
  Quantization scales(const Clipping& clipping) const;

 private:
  // Counts of sizes in steps of width / kBins; the width doubles where it is too small. Zeros, which any
  // scale represents, are left out.
  struct Histogram {
    bool non_negative = false;
    double width = 0;
    std::vector<std::uint64_t> counts = {};

    void add(float size);
    void widen(double wanted);
    double size(std::size_t bin) const;
    double largest() const;
    double clipped_at(const Clipping& clipping) const;
    double mean_square(double clip) const;
  };
  std::map<std::string, Histogram, std::less<>> results_, inputs_;
};

}  // namespace spiga::model
