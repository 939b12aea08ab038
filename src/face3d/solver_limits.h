// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga::face3d {

inline constexpr float kNearest_mm = 30;  // nothing of the head may come nearer to the camera
inline constexpr float kMostTurn = 0.4f;  // radians in one round

}  // namespace spiga::face3d
