// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "charts/face_drawing.h"

#include <cmath>
#include <vector>

#include "base/text.h"

namespace spiga::charts {

void draw_contours(const scheme::Database& database, std::span<const Coordinate> places,
                   std::string_view look, Svg& svg) {
  for (const scheme::Edge& edge : database.edges) {
    std::vector<Coordinate> contour;
    for (int landmark : edge.landmarks) {
      const Coordinate& place = places[static_cast<std::size_t>(landmark)];
      if (std::isfinite(place.x)) contour.push_back(place);
    }
    svg.path(contour, look);
  }
}

void draw_landmarks(const scheme::Database& database, std::span<const Coordinate> places,
                    std::string_view colour, Svg& svg) {
  draw_contours(
      database, places,
      base::concat("fill=\"none\" stroke=\"", colour, R"(" stroke-width="0.7" stroke-opacity="0.8")"), svg);
  for (const Coordinate& place : places) {
    if (std::isfinite(place.x)) svg.circle(place, 1.1, base::concat("fill=\"", colour, '"'));
  }
}

}  // namespace spiga::charts
