// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/detector_tiles.h"

#include <algorithm>
#include <bit>

namespace spiga::vision {
namespace {

struct Range {
  double begin = 0, end = 0;
};

double bottom_of(const Box& box) { return double{box.y} + box.height; }
double right_of(const Box& box) { return double{box.x} + box.width; }

// Of a square around the middle of a range, within [0, length].
double begin_of(const Range& range, double side, double length) {
  return std::clamp((range.begin + range.end - side) / 2, 0.0, std::max(0.0, length - side));
}

Box within(const Box& box, double width, double height) {
  const double left = std::clamp(double{box.x}, 0.0, width), top = std::clamp(double{box.y}, 0.0, height);
  return {static_cast<float>(left), static_cast<float>(top),
          static_cast<float>(std::clamp(right_of(box), left, width) - left),
          static_cast<float>(std::clamp(bottom_of(box), top, height) - top)};
}

// Takes out of `places` those for which belongs(place) holds; their order stays.
template <typename Belongs>
std::vector<Box> take(std::vector<Box>& places, const Belongs& belongs) {
  const auto rest = std::stable_partition(places.begin(), places.end(), belongs);
  std::vector<Box> taken(places.begin(), rest);
  places.erase(places.begin(), rest);
  return taken;
}

}  // namespace

std::vector<Box> cover_with_squares(std::span<const Box> places, double side, double width, double height) {
  std::vector<Box> left;
  for (const Box& place : places) left.push_back(within(place, width, height));
  std::vector<Box> squares;
  while (!left.empty()) {
    // A strip from the topmost place down, then squares along it from the leftmost place on.
    const auto highest = std::ranges::min_element(left, {}, &Box::y);
    const double top = highest->y, lowest = std::max(top + side, bottom_of(*highest));
    std::vector<Box> strip = take(left, [&](const Box& b) { return bottom_of(b) <= lowest; });
    while (!strip.empty()) {
      const auto first = std::ranges::min_element(strip, {}, &Box::x);
      const double begin = first->x, end = std::max(begin + side, right_of(*first));
      Range across = {begin, begin}, down = {bottom_of(*first), top};
      for (const Box& b : take(strip, [&](const Box& b) { return b.x >= begin && right_of(b) <= end; })) {
        across.end = std::max(across.end, right_of(b));
        down = {std::min(down.begin, double{b.y}), std::max(down.end, bottom_of(b))};
      }
      squares.push_back({static_cast<float>(begin_of(across, side, width)),
                         static_cast<float>(begin_of(down, side, height)), static_cast<float>(side),
                         static_cast<float>(side)});
    }
  }
  return squares;
}

model::DetectorCanvas usual_canvas(int width, int height) {
  const auto longer = static_cast<unsigned>(std::max({width, height, 1}));
  const int step = std::max(128, static_cast<int>(std::bit_ceil(longer)) / 16);
  return {(width + step - 1) / step * step, (height + step - 1) / step * step};
}

}  // namespace spiga::vision
