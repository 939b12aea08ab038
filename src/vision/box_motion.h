// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "spiga/face.h"
#include "vision/kinematic.h"

namespace spiga::vision {

// Where a face's box is going: centre and the logarithms of its sides, each a Kinematic (as in SORT: Bewley
// et al., 2016, with sides instead of area and ratio).
class BoxMotion {
 public:
  BoxMotion(const Box& box, double time_s);

  // Where the box will be. For times far ahead the velocity fades (time constant a third of a second), so
  // that a face that was lost is looked for near where it was.
  Box at(double time_s) const;

  // The box was seen here. Times must not run backwards.
  void see(const Box& box, double time_s);

  // The picture's coordinates were multiplied.
  void rescale(double x_factor, double y_factor);

 private:
  double side() const;

  std::array<Kinematic, 4> state_;  // centre x, centre y, log width, log height
  double time_s_;
};

}  // namespace spiga::vision
