// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga::vision {

// A number that moves: position and velocity with their covariance. A Kalman filter whose model is constant
// velocity, disturbed by white acceleration.
struct Kinematic {
  double position = 0;
  double velocity = 0;
  double position_variance = 0;
  double covariance = 0;
  double velocity_variance = 0;

  // `acceleration`: how much the velocity changes, in units per second squared (standard deviation).
  void advance(double seconds, double acceleration);
  // Takes a measurement in. Returns its log-likelihood under what was expected (without the constant).
  double correct(double measured, double variance);
};

}  // namespace spiga::vision
