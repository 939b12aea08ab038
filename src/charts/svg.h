// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "annotations/annotations.h"

namespace spiga::charts {

using annotations::Coordinate;

// A drawing in SVG, to be put into an HTML page as it is. Lengths are pixels, y goes down. `look` is what an
// element looks like, as SVG attributes: R"(stroke="#999" fill="none")" or R"(class="grid")"; texts are
// escaped, looks are not.
class Svg {
 public:
  // `title` is what a screen reader says of the drawing.
  Svg(double width, double height, std::string_view title);

  void line(const Coordinate& from, const Coordinate& to, std::string_view look);
  void path(std::span<const Coordinate> points, std::string_view look);
  // `tip` appears under the pointer; empty: none.
  void circle(const Coordinate& centre, double radius, std::string_view look, std::string_view tip = {});
  void rect(double x, double y, double width, double height, std::string_view look,
            std::string_view tip = {});
  void text(const Coordinate& at, std::string_view text, std::string_view look);
  // A picture as the bytes of its file, "image/jpeg" or what browsers show else.
  void image(double x, double y, double width, double height, std::string_view media_type,
             std::string_view bytes);
  // Between these two what is drawn is moved (and turned).
  void begin_group(std::string_view look);
  void end_group();

  // The whole element; nothing may be drawn afterwards.
  std::string finish() &&;

 private:
  void shape(std::string_view opening, std::string_view name, std::string_view look, std::string_view tip);

  std::string out_;
};

// A number for SVG and tables: at most `digits` decimals, no trailing zeros (fixed keeps them); a dash where
// it is not finite.
std::string number(double value, int digits = 2);
std::string fixed(double value, int digits);

// & < > " as entities.
std::string escape(std::string_view text);

std::string base64(std::string_view bytes);

}  // namespace spiga::charts
