// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string_view>

#include "charts/svg.h"
#include "scheme/scheme.h"

namespace spiga::charts {

inline constexpr const char* kTruthColour = "#3fd5ff";
inline constexpr const char* kPredictionColour = "#ffb000";

// Landmarks of one face, places[i] in the database's order; one that is NaN is left out.
// The contours through them, and both contours and dots.
void draw_contours(const scheme::Database& database, std::span<const Coordinate> places,
                   std::string_view look, Svg& svg);
void draw_landmarks(const scheme::Database& database, std::span<const Coordinate> places,
                    std::string_view colour, Svg& svg);

}  // namespace spiga::charts
