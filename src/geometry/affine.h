// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spiga/face.h"

namespace spiga::geometry {

// A map of the plane: x' = xx x + xy y + tx, y' = yx x + yy y + ty. Name it target_from_source.
// Frames are continuous: pixel j of a row covers [j, j + 1), its centre lies at j + 0.5.
struct Affine {
  double xx = 1, xy = 0, tx = 0;
  double yx = 0, yy = 1, ty = 0;

  Point operator()(const Point& p) const {
    return {static_cast<float>(xx * p.x + xy * p.y + tx), static_cast<float>(yx * p.x + yy * p.y + ty)};
  }
  // How much longer lengths become (for similarities: exactly; else their geometric mean over directions).
  double scale() const;
};

// First `inner`, then `outer`: a_from_c = compose(a_from_b, b_from_c).
Affine compose(const Affine& outer, const Affine& inner);

// The way back. Throws Error(invalid_argument) where the map is flat.
Affine inverse(const Affine& map);

// Turns by `angle_deg` (positive: clockwise on the screen, y points down) and scales by `factor` about
// `centre`.
Affine rotation_about(const Point& centre, double angle_deg, double factor = 1);

// How much larger than the larger side of a face's box the network's crop is.
inline constexpr double kCropMargin = 1.6;

// Where picture coordinates lie on the network's crop of size x size pixels: the square of side
// margin * max(width, height) around the box's centre fills the crop (docs/network.md, section 1). Landmarks,
// which are given as pixel indices, take the same map as they are; inverse() brings the network's answer
// back. Throws Error(invalid_argument) for a box that is empty or not finite.
Affine crop_from_image(const Box& box, int size, double margin = kCropMargin);

}  // namespace spiga::geometry
