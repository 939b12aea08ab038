// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <span>
#include <vector>

#include "vision/kinematic.h"

namespace spiga::vision {

// What a SwitchingFilter takes for granted of the numbers that it steadies.
struct SwitchingRules {
  // Standing still: the share of a surprise that is believed, at kReferenceStep between frames.
  double still_gain = 0.12;
  // Moving: how much the velocity changes, in units of the channel per s^2; or, where 0, how far the number
  // wanders, in units per sqrt(s), for numbers that jump instead of gliding (eyelids).
  double acceleration = 0;
  double wander = 0;
  // Counts of channels overstate the evidence where channels err together: this many count at most.
  double independent_channels = 4;

  static constexpr double kReferenceStep = 0.08;  // seconds
};

struct Measurement {
  double value = 0;
  double noise = 1;  // standard deviation, > 0
  double unit = 1;   // what SwitchingRules count in, > 0; may change from frame to frame
};

// A causal filter of several numbers that move together, by two models whose probabilities follow from how
// well each foretold the last measurements (interacting multiple models: Blom and Bar-Shalom, 1988): "stands
// still", with a small gain, and "moves", with a gain near 1 and, where numbers glide, a velocity, so that it
// does not lag. One probability for all channels: many weak signs of a motion make a strong one.
class SwitchingFilter {
 public:
  SwitchingFilter(std::size_t channels, const SwitchingRules& rules);

  // Takes measurements [channels] and puts the filter's opinion into `steadied` [channels]. The first
  // measurement is taken as it is. `seconds` since the last one, > 0.
  void next(std::span<const Measurement> measured, double seconds, std::span<double> steadied);

  // The probability that the numbers move.
  double moving() const { return probability_[kMoving]; }

 private:
  enum Model { kStill, kMoving, kModels };
  using State = std::array<Kinematic, kModels>;

  void start(std::span<const Measurement> measured);
  void mix(const std::array<std::array<double, kModels>, kModels>& weight);
  void predict(State& state, const Measurement& measured, double seconds) const;
  // Probabilities of the models from what was expected and the log-likelihood ratio of moving to still.
  void weigh(double expected_moving, double log_ratio);

  SwitchingRules rules_;
  std::vector<State> channels_;
  std::array<double, kModels> probability_ = {0.5, 0.5};
  bool started_ = false;
};

}  // namespace spiga::vision
