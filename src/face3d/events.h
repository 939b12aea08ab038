// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "spiga/face3d.h"

namespace spiga::face3d {

// Blinks out of how far the eyes are open, frame by frame. Closing and opening again within 0.5 s is a blink;
// longer is sleep or looking down, which is none. Small and dark eyes' landmarks do not close all the way, so
// what counts is the fall below the level of the last 3 s: by a fifth, or five standard deviations of the
// trembling from frame to frame where that is more, but by half at most.
class BlinkFinder {
 public:
  // open: both eyes' mean opening as a share of the open eye's.
  void add(double time_s, float open, std::vector<FaceEvent>& events);
  bool closed() const { return closed_; }

 private:
  struct Sample {
    double time_s;
    float open;
  };
  // Levels at which the eyes close and open, out of what was seen last.
  struct Levels {
    float close, open;
  };
  Levels levels() const;
  void remember(double time_s, float open);

  std::vector<Sample> seen_;
  bool closed_ = false;
  double closed_since_s_ = 0;
  float open_above_ = 0;
};

// Nods (or shakes) out of pitch (or yaw): three swings to and fro of 3 degrees or more, each within 0.6 s.
class SwingFinder {
 public:
  explicit SwingFinder(FaceEventKind kind) : kind_(kind) {}
  void add(double time_s, double angle_deg, std::vector<FaceEvent>& events);
  // Degrees of the swings under way: the larger of nod and shake counts.
  double strength() const { return swings_ > 0 ? strength_ : 0; }
  void forget();

 private:
  FaceEventKind kind_;
  bool begun_ = false, told_ = false;
  int direction_ = 0, swings_ = 0;
  double extreme_deg_ = 0, extreme_s_ = 0;  // of the swing under way
  double turned_deg_ = 0, turned_s_ = 0;    // where it began
  double first_s_ = 0, strength_ = 0;
};

}  // namespace spiga::face3d
