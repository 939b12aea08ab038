// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <optional>

#include "spiga/face3d.h"

namespace spiga::face3d {

// From a pixel to the ray through it: (x, y) with z = 1, distortion taken out. Nothing where the distortion
// has no such ray.
std::optional<std::array<double, 2>> ray_of(const Camera& camera, const Point& pixel);
// And back, distortion put in.
Point pixel_of(const Camera& camera, double x, double y);

}  // namespace spiga::face3d
