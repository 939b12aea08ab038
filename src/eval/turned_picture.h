// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "eval/detector_scenes.h"
#include "geometry/affine.h"
#include "spiga/image.h"

namespace spiga::eval {

struct TurnedPicture {
  Image picture;                          // bgr8, large enough for all of it, black beyond
  geometry::Affine turned_from_original;  // pixels
};

// The picture turned about its centre by `angle_deg` (positive: clockwise on the screen).
TurnedPicture turn_picture(const ImageView& picture, double angle_deg);

// The scene in the turned picture: boxes are those of the turned landmarks, or where there are none those
// around the turned ellipses within the boxes.
Scene turn_scene(const Scene& scene, const geometry::Affine& turned_from_original);

}  // namespace spiga::eval
