// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "charts/svg.h"

namespace spiga::charts {

struct Axis {
  std::string label;
  double low = 0;
  double high = 1;
  bool logarithmic = false;  // low must be above 0
};

// A chart with two axes, a grid and a legend. Points outside the axes' range are cut off at the frame.
class Plot {
 public:
  Plot(double width, double height, std::string_view title, const Axis& x, const Axis& y);

  void curve(std::span<const Coordinate> points, std::string_view colour, std::string_view name,
             bool dashed = false);
  void dots(std::span<const Coordinate> points, std::string_view colour, double opacity,
            std::span<const std::string> tips = {});
  // A vertical bar from (x, low) to (x, high) with a dot at (x, middle).
  void whisker(double x, double low, double middle, double high, std::string_view colour);

  // Draws the legend on the right, below or above the curves, whichever hides less of them, and ends the
  // drawing.
  std::string finish() &&;

 private:
  struct Entry {
    std::string name;
    std::string colour;
    bool dashed;
  };

  void draw_frame();
  void draw_legend();
  Coordinate place(const Coordinate& value) const;

  Svg svg_;
  double width_;
  double height_;
  Axis x_;
  Axis y_;
  std::vector<Entry> legend_;
  std::vector<Coordinate> curve_points_;  // on the drawing
};

// Colours that colour-blind readers can tell apart (Okabe and Ito).
inline constexpr std::array<const char*, 7> kPalette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                        "#E69F00", "#56B4E9", "#444444"};
constexpr const char* palette(std::size_t i) { return kPalette[i % kPalette.size()]; }

// From pale yellow (0) over orange to dark red (1).
std::string heat(double share);

// Round numbers from low to high, about `count` of them.
std::vector<double> ticks(double low, double high, int count);

// 1, 2, 3, 5, 7 times powers of ten from low to high.
std::vector<double> logarithmic_ticks(double low, double high);

}  // namespace spiga::charts
