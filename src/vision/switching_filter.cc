// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/switching_filter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spiga::vision {
namespace {

// How often motions begin and end, per second.
constexpr double kStarts = 0.3;
constexpr double kStops = 2.5;
// No model is ever ruled out entirely.
constexpr double kLeastProbability = 1e-6;

// The state that stands for both, moments kept.
Kinematic blend(const Kinematic& a, double weight_a, const Kinematic& b, double weight_b) {
  Kinematic both;
  both.position = weight_a * a.position + weight_b * b.position;
  both.velocity = weight_a * a.velocity + weight_b * b.velocity;
  for (const auto& [one, weight] : {std::pair(&a, weight_a), std::pair(&b, weight_b)}) {
    const double x = one->position - both.position, v = one->velocity - both.velocity;
    both.position_variance += weight * (one->position_variance + x * x);
    both.covariance += weight * (one->covariance + x * v);
    both.velocity_variance += weight * (one->velocity_variance + v * v);
  }
  return both;
}

}  // namespace

SwitchingFilter::SwitchingFilter(std::size_t channels, const SwitchingRules& rules)
    : rules_(rules), channels_(channels) {}

void SwitchingFilter::start(std::span<const Measurement> measured) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Kinematic state;
    state.position = measured[i].value;
    state.position_variance = measured[i].noise * measured[i].noise;
    channels_[i][kStill] = state;
    const double velocity = 0.5 * rules_.acceleration * measured[i].unit;  // half a second of acceleration
    state.velocity_variance = velocity * velocity;
    channels_[i][kMoving] = state;
  }
  probability_ = {0.5, 0.5};
  started_ = true;
}

void SwitchingFilter::mix(const std::array<std::array<double, kModels>, kModels>& weight) {
  for (State& state : channels_) {
    const State before = state;
    for (int to = 0; to < kModels; ++to)
      state[to] = blend(before[kStill], weight[kStill][to], before[kMoving], weight[kMoving][to]);
  }
}

void SwitchingFilter::predict(State& state, const Measurement& measured, double seconds) const {
  Kinematic& still = state[kStill];
  still.velocity = still.covariance = still.velocity_variance = 0;
  const double believed = rules_.still_gain * measured.noise;
  still.position_variance += believed * believed * seconds / SwitchingRules::kReferenceStep;
  Kinematic& moving = state[kMoving];
  if (rules_.acceleration > 0) {
    moving.advance(seconds, rules_.acceleration * measured.unit);
  } else {
    const double wander = rules_.wander * measured.unit;
    moving.position_variance += wander * wander * seconds;
  }
}

void SwitchingFilter::weigh(double expected_moving, double log_ratio) {
  const double odds =
      (1 - expected_moving) / expected_moving * std::exp(std::clamp(-log_ratio, -100.0, 100.0));
  probability_[kMoving] = std::clamp(1 / (1 + odds), kLeastProbability, 1 - kLeastProbability);
  probability_[kStill] = 1 - probability_[kMoving];
}

void SwitchingFilter::next(std::span<const Measurement> measured, double seconds,
                           std::span<double> steadied) {
  if (!started_) {
    start(measured);
    std::ranges::transform(measured, steadied.begin(), &Measurement::value);
    return;
  }
  const double starts = 1 - std::exp(-kStarts * seconds), stops = 1 - std::exp(-kStops * seconds);
  const double moving = probability_[kStill] * starts + probability_[kMoving] * (1 - stops);
  const double began = probability_[kStill] * starts / moving;
  const double stopped = probability_[kMoving] * stops / (1 - moving);
  mix({{{1 - stopped, began}, {stopped, 1 - began}}});
  double log_ratio = 0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    predict(channels_[i], measured[i], seconds);
    const double variance = measured[i].noise * measured[i].noise;
    log_ratio += channels_[i][kMoving].correct(measured[i].value, variance) -
                 channels_[i][kStill].correct(measured[i].value, variance);
  }
  const double count = static_cast<double>(channels_.size());
  weigh(moving, log_ratio * std::min(1.0, rules_.independent_channels / count));
  for (std::size_t i = 0; i < channels_.size(); ++i)
    steadied[i] = probability_[kStill] * channels_[i][kStill].position +
                  probability_[kMoving] * channels_[i][kMoving].position;
}

}  // namespace spiga::vision
