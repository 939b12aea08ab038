// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "geometry/boxes.h"

#include <algorithm>

namespace spiga::geometry {

namespace {

double area_of(const Box& box) { return double{box.width} * box.height; }

double common_area(const Box& a, const Box& b) {
  const double left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const double right = std::min(double{a.x} + a.width, double{b.x} + b.width);
  const double bottom = std::min(double{a.y} + a.height, double{b.y} + b.height);
  return std::max(0.0, right - left) * std::max(0.0, bottom - top);
}

}  // namespace

double intersection_over_union(const Box& a, const Box& b) {
  const double common = common_area(a, b);
  const double all = area_of(a) + area_of(b) - common;
  return all > 0 ? common / all : 0;
}

double overlap_of_smaller(const Box& a, const Box& b) {
  const double smaller = std::min(area_of(a), area_of(b));
  return smaller > 0 ? common_area(a, b) / smaller : 0;
}

Box tight_box(std::span<const Point> points) {
  if (points.empty()) return {};
  const auto [left, right] = std::ranges::minmax(points, {}, &Point::x);
  const auto [top, bottom] = std::ranges::minmax(points, {}, &Point::y);
  return {left.x, top.y, right.x - left.x, bottom.y - top.y};
}

Box square_around(const Box& box, double factor) {
  const double side = factor * std::max(box.width, box.height);
  return {static_cast<float>(box.x + 0.5 * box.width - 0.5 * side),
          static_cast<float>(box.y + 0.5 * box.height - 0.5 * side), static_cast<float>(side),
          static_cast<float>(side)};
}

}  // namespace spiga::geometry
