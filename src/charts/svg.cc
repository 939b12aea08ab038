// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "charts/svg.h"

#include <cstdint>

#include "base/numbers.h"
#include "base/text.h"

namespace spiga::charts {
namespace {

// x="12.5" with a blank before.
std::string attribute(std::string_view name, double value) {
  return base::concat(' ', name, "=\"", number(value), '"');
}

}  // namespace

std::string fixed(double value, int digits) { return base::fixed(value, digits, "–"); }

std::string number(double value, int digits) { return base::compact(value, digits, "–"); }

std::string escape(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t triple = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      triple = triple << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      result += i + k <= bytes.size() ? kDigits[triple >> (18 - 6 * k) & 63] : '=';
    }
  }
  return result;
}

Svg::Svg(double width, double height, std::string_view title) {
  out_ = base::concat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", number(width), ' ',
                      number(height), "\" width=\"", number(width), "\" height=\"", number(height),
                      "\" role=\"img\" aria-label=\"", escape(title), "\">\n");
}

void Svg::shape(std::string_view opening, std::string_view name, std::string_view look,
                std::string_view tip) {
  out_ += base::concat('<', name, opening, ' ', look);
  if (tip.empty()) {
    out_ += "/>\n";
  } else {
    out_ += base::concat("><title>", escape(tip), "</title></", name, ">\n");
  }
}

void Svg::line(const Coordinate& from, const Coordinate& to, std::string_view look) {
  shape(attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) + attribute("y2", to.y),
        "line", look, {});
}

void Svg::path(std::span<const Coordinate> points, std::string_view look) {
  if (points.empty()) return;
  std::string steps = " d=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    steps += base::concat(i == 0 ? "M" : "L", number(points[i].x), ' ', number(points[i].y));
  }
  shape(steps + '"', "path", look, {});
}

void Svg::circle(const Coordinate& centre, double radius, std::string_view look, std::string_view tip) {
  shape(attribute("cx", centre.x) + attribute("cy", centre.y) + attribute("r", radius), "circle", look, tip);
}

void Svg::rect(double x, double y, double width, double height, std::string_view look, std::string_view tip) {
  shape(attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height),
        "rect", look, tip);
}

void Svg::text(const Coordinate& at, std::string_view text, std::string_view look) {
  out_ += base::concat("<text", attribute("x", at.x), attribute("y", at.y), ' ', look, '>', escape(text),
                       "</text>\n");
}

void Svg::image(double x, double y, double width, double height, std::string_view media_type,
                std::string_view bytes) {
  shape(attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height),
        "image",
        base::concat("preserveAspectRatio=\"none\" href=\"data:", media_type, ";base64,", base64(bytes), '"'),
        {});
}

void Svg::begin_group(std::string_view look) { out_ += base::concat("<g ", look, ">\n"); }

void Svg::end_group() { out_ += "</g>\n"; }

std::string Svg::finish() && {
  out_ += "</svg>\n";
  return std::move(out_);
}

}  // namespace spiga::charts
