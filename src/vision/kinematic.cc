// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/kinematic.h"

#include <cmath>

namespace spiga::vision {

void Kinematic::advance(double seconds, double acceleration) {
  const double q = acceleration * acceleration * seconds * seconds;
  position += velocity * seconds;
  position_variance += seconds * (2 * covariance + seconds * velocity_variance) + q * seconds * seconds / 4;
  covariance += seconds * velocity_variance + q * seconds / 2;
  velocity_variance += q;
}

double Kinematic::correct(double measured, double variance) {
  const double surprise = measured - position;
  const double expected = position_variance + variance;
  const double position_gain = position_variance / expected;
  const double velocity_gain = covariance / expected;
  position += position_gain * surprise;
  velocity += velocity_gain * surprise;
  velocity_variance -= velocity_gain * covariance;
  covariance -= position_gain * covariance;
  position_variance -= position_gain * position_variance;
  return -0.5 * (surprise * surprise / expected + std::log(expected));
}

}  // namespace spiga::vision
