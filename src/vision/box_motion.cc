// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/box_motion.h"

#include <algorithm>
#include <cmath>

namespace spiga::vision {
namespace {

// In units of the face's larger side: how well landmarks tell the box, how fast faces change their minds.
constexpr double kNoise = 0.03;
constexpr double kAcceleration = 6;      // sides per second squared
constexpr double kSizeAcceleration = 2;  // of the logarithm
constexpr double kStartingSpeed = 1;     // sides per second
constexpr double kStartingGrowth = 0.3;  // of the logarithm, per second
constexpr double kFading = 1.0 / 3;      // seconds
constexpr double kSmallestSide = 1e-3;   // pixels: logarithms need one

std::array<double, 4> coordinates(const Box& box) {
  return {box.x + 0.5 * box.width, box.y + 0.5 * box.height,
          std::log(std::max<double>(box.width, kSmallestSide)),
          std::log(std::max<double>(box.height, kSmallestSide))};
}

Box box_of(const std::array<double, 4>& c) {
  const double width = std::exp(c[2]), height = std::exp(c[3]);
  return {static_cast<float>(c[0] - 0.5 * width), static_cast<float>(c[1] - 0.5 * height),
          static_cast<float>(width), static_cast<float>(height)};
}

}  // namespace

BoxMotion::BoxMotion(const Box& box, double time_s) : time_s_(time_s) {
  const std::array<double, 4> seen = coordinates(box);
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i].position = seen[i];
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const double unit = i < 2 ? side() : 1;
    const double speed = i < 2 ? kStartingSpeed * unit : kStartingGrowth;
    state_[i].position_variance = kNoise * unit * kNoise * unit;
    state_[i].velocity_variance = speed * speed;
  }
}

double BoxMotion::side() const { return std::exp(std::max(state_[2].position, state_[3].position)); }

Box BoxMotion::at(double time_s) const {
  const double ahead = std::max(0.0, time_s - time_s_);
  const double faded = kFading * (1 - std::exp(-ahead / kFading));
  std::array<double, 4> there;
  for (std::size_t i = 0; i < there.size(); ++i) there[i] = state_[i].position + faded * state_[i].velocity;
  return box_of(there);
}

void BoxMotion::see(const Box& box, double time_s) {
  const double seconds = std::max(0.0, time_s - time_s_);
  const std::array<double, 4> seen = coordinates(box);
  const double now_side = side();
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const double unit = i < 2 ? now_side : 1;
    state_[i].advance(seconds, i < 2 ? kAcceleration * unit : kSizeAcceleration);
    state_[i].correct(seen[i], kNoise * unit * kNoise * unit);
  }
  time_s_ = time_s;
}

void BoxMotion::rescale(double x_factor, double y_factor) {
  const std::array<double, 2> factors = {x_factor, y_factor};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double factor = factors[i];
    Kinematic& centre = state_[i];
    centre = {centre.position * factor, centre.velocity * factor, centre.position_variance * factor * factor,
              centre.covariance * factor * factor, centre.velocity_variance * factor * factor};
    state_[i + 2].position += std::log(factor);
  }
}

}  // namespace spiga::vision
