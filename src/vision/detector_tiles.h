// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "model/detector.h"
#include "spiga/face.h"

namespace spiga::vision {

// Squares of `side`, at most as many as `places`, such that each place lies in one of them, as far as it lies
// in the picture of width x height and is no larger than a square. A square is moved into the picture where
// it reaches over its edge, and begins at the picture's where it is larger. Units are the places'.
std::vector<Box> cover_with_squares(std::span<const Box> places, double side, double width, double height);

// The canvas for a look of that size: of few sizes, since each is compiled for. Sides are multiples of 128,
// or of a sixteenth of the power of two that holds the longer one.
model::DetectorCanvas usual_canvas(int width, int height);

}  // namespace spiga::vision
