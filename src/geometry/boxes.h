// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "spiga/face.h"

namespace spiga::geometry {

// Area of the intersection over area of the union; 0 where both are empty.
double intersection_over_union(const Box& a, const Box& b);

// Area of the intersection over area of the smaller box; 0 where that is empty.
double overlap_of_smaller(const Box& a, const Box& b);

// The smallest box around all points; an empty box at the origin where there are none.
Box tight_box(std::span<const Point> points);

// A square of the same centre, its side `factor` times the larger side of the box.
Box square_around(const Box& box, double factor);

}  // namespace spiga::geometry
