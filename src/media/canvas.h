// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "spiga/face.h"
#include "spiga/image.h"

namespace spiga::media {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

// A pen: width and colour; opacity 1 covers what is below.
struct Pen {
  Colour colour;
  float width = 1;  // pixels; may be any fraction
  float opacity = 1;
};

// Draws on somebody's bgr8 picture, anti-aliased, at sub-pixel positions and widths (which OpenCV's drawing
// rounds to whole pixels). A stroke covers each pixel once, so that translucent lines show no joints. Parts
// outside the picture are left out. Coordinates as in spiga::Point: whole numbers are pixel centres.
class Canvas {
 public:
  // Throws Error(invalid_argument) for another format. The picture must outlive the canvas.
  explicit Canvas(Image& picture);

  // A line through the points with round ends and joints.
  void stroke(std::span<const Point> points, const Pen& pen);
  // A filled disc.
  void disc(const Point& centre, float radius, const Colour& colour, float opacity = 1);

  int width() const;
  int height() const;

 private:
  struct Area {
    int left, top, right, bottom;  // right and bottom exclusive
  };
  Area clip(float left, float top, float right, float bottom) const;
  void cover_segment(const Point& a, const Point& b, float radius, const Area& area);
  void blend(const Area& area, const Colour& colour, float opacity);

  Image& picture_;
  std::vector<float> coverage_;  // of the area being drawn
};

// A smooth curve through the points (centripetal Catmull-Rom), as a line of short pieces.
std::vector<Point> smooth_curve(std::span<const Point> points);

}  // namespace spiga::media
