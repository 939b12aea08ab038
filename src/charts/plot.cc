// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "charts/plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.h"

namespace spiga::charts {
namespace {

constexpr double kLeft = 52, kRight = 14, kTop = 12, kBottom = 44;

// Where a value stands on the axis: 0 at its beginning, 1 at its end.
double share_of(double value, const Axis& axis) {
  const double share = axis.logarithmic ? std::log(value / axis.low) / std::log(axis.high / axis.low)
                                        : (value - axis.low) / (axis.high - axis.low);
  return std::clamp(share, 0.0, 1.0);
}

std::vector<double> ticks_of(const Axis& axis, int count) {
  constexpr std::size_t kFewest = 4;
  std::vector<double> result;
  if (axis.logarithmic) result = logarithmic_ticks(axis.low, axis.high);
  return result.size() < kFewest ? ticks(axis.low, axis.high, count) : result;
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * magnitude;
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * magnitude >= rough) {
      step = factor * magnitude;
      break;
    }
  }
  std::vector<double> result;
  const auto first = static_cast<long>(std::ceil(low / step - 1e-9));
  const auto last = static_cast<long>(std::floor(high / step + 1e-9));
  for (long i = first; i <= last; ++i) result.push_back(static_cast<double>(i) * step);
  return result;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  std::vector<double> result;
  for (double power = std::pow(10.0, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (double factor : {1.0, 2.0, 3.0, 5.0, 7.0}) {
      if (factor * power >= low && factor * power <= high) result.push_back(factor * power);
    }
  }
  return result;
}

std::string heat(double share) {
  struct Colour {
    double red, green, blue;
  };
  constexpr Colour kStops[] = {{255, 250, 220}, {254, 217, 118}, {253, 141, 60}, {189, 0, 38}, {100, 0, 30}};
  const double place = std::clamp(share, 0.0, 1.0) * (std::size(kStops) - 1);
  const auto i = std::min(static_cast<std::size_t>(place), std::size(kStops) - 2);
  const double t = place - static_cast<double>(i);
  const Colour& a = kStops[i];
  const Colour& b = kStops[i + 1];
  return base::concat("rgb(", std::lround(std::lerp(a.red, b.red, t)), ',',
                      std::lround(std::lerp(a.green, b.green, t)), ',',
                      std::lround(std::lerp(a.blue, b.blue, t)), ')');
}

Plot::Plot(double width, double height, std::string_view title, const Axis& x, const Axis& y)
    : svg_(width, height, title), width_(width), height_(height), x_(x), y_(y) {
  draw_frame();
}

Coordinate Plot::place(const Coordinate& value) const {
  return {kLeft + share_of(value.x, x_) * (width_ - kLeft - kRight),
          height_ - kBottom - share_of(value.y, y_) * (height_ - kTop - kBottom)};
}

void Plot::draw_frame() {
  for (double tick : ticks_of(x_, 8)) {
    const Coordinate at = place({tick, y_.low});
    svg_.line(at, place({tick, y_.high}), R"(class="grid")");
    svg_.text({at.x, at.y + 16}, number(tick, 3), R"(class="tick" text-anchor="middle")");
  }
  for (double tick : ticks_of(y_, 6)) {
    const Coordinate at = place({x_.low, tick});
    svg_.line(at, place({x_.high, tick}), R"(class="grid")");
    svg_.text({at.x - 7, at.y + 4}, number(tick, 3), R"(class="tick" text-anchor="end")");
  }
  const Coordinate corner = place({x_.low, y_.low});
  svg_.line(corner, place({x_.high, y_.low}), R"(class="axis")");
  svg_.line(corner, place({x_.low, y_.high}), R"(class="axis")");
  svg_.text({(kLeft + width_ - kRight) / 2, height_ - 8}, x_.label, R"(class="label" text-anchor="middle")");
  const double middle = (kTop + height_ - kBottom) / 2;
  svg_.text(
      {14, middle}, y_.label,
      base::concat(R"(class="label" text-anchor="middle" transform="rotate(-90 14 )", number(middle), ")\""));
}

void Plot::curve(std::span<const Coordinate> points, std::string_view colour, std::string_view name,
                 bool dashed) {
  std::vector<Coordinate> placed;
  for (const Coordinate& point : points) placed.push_back(place(point));
  svg_.path(placed, base::concat("fill=\"none\" stroke=\"", colour, "\" stroke-width=\"1.8\"",
                                 dashed ? " stroke-dasharray=\"5 4\"" : ""));
  curve_points_.insert(curve_points_.end(), placed.begin(), placed.end());
  if (!name.empty()) legend_.push_back({std::string(name), std::string(colour), dashed});
}

void Plot::dots(std::span<const Coordinate> points, std::string_view colour, double opacity,
                std::span<const std::string> tips) {
  const std::string look = base::concat("fill=\"", colour, "\" fill-opacity=\"", number(opacity), '"');
  for (std::size_t i = 0; i < points.size(); ++i) {
    svg_.circle(place(points[i]), 2.2, look,
                i < tips.size() ? std::string_view(tips[i]) : std::string_view());
  }
}

void Plot::whisker(double x, double low, double middle, double high, std::string_view colour) {
  svg_.line(place({x, low}), place({x, high}), base::concat("stroke=\"", colour, "\" stroke-width=\"1.5\""));
  svg_.circle(place({x, middle}), 3.5, base::concat("fill=\"", colour, '"'));
}

void Plot::draw_legend() {
  constexpr double kLine = 17;
  const double high = kLine * static_cast<double>(legend_.size());
  std::size_t longest = 0;
  for (const Entry& entry : legend_) longest = std::max(longest, entry.name.size());
  const double x = width_ - kRight - 46 - 6.3 * static_cast<double>(longest);
  const auto hidden = [&](double top) {
    return std::ranges::count_if(curve_points_, [&](const Coordinate& point) {
      return point.x > x - 8 && point.y > top && point.y < top + high + 7;
    });
  };
  const double below = height_ - kBottom - 10 - high, above = kTop + 3;
  const double top = hidden(below) > hidden(above) ? above : below;
  svg_.rect(x - 8, top, width_ - kRight - x, high + 7, R"(fill="#fff" fill-opacity="0.85" stroke="#ddd")");
  double y = top + 15;
  for (const Entry& entry : legend_) {
    svg_.line({x, y - 4}, {x + 24, y - 4},
              base::concat("stroke=\"", entry.colour, "\" stroke-width=\"2\"",
                           entry.dashed ? " stroke-dasharray=\"5 4\"" : ""));
    svg_.text({x + 30, y}, entry.name, R"(class="tick")");
    y += kLine;
  }
}

std::string Plot::finish() && {
  if (!legend_.empty()) draw_legend();
  return std::move(svg_).finish();
}

}  // namespace spiga::charts
