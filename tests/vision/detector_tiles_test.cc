// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/detector_tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace spiga::vision {
namespace {

bool holds(const Box& square, const Box& place, double width, double height) {
  constexpr double kRounding = 1e-3;
  const double left = std::max(0.0F, place.x), top = std::max(0.0F, place.y);
  const double right = std::min(width, double{place.x} + place.width);
  const double bottom = std::min(height, double{place.y} + place.height);
  return square.x <= left + kRounding && square.y <= top + kRounding &&
         double{square.x} + square.width >= right - kRounding &&
         double{square.y} + square.height >= bottom - kRounding;
}

TEST(DetectorTiles, squares_hold_every_place_and_lie_in_the_picture) {
  constexpr double kSide = 160;
  std::mt19937 generator(5);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (int run = 0; run < 300; ++run) {
    const double width = 1 + 900 * uniform(generator), height = 1 + 900 * uniform(generator);
    std::vector<Box> places;
    for (int i = run % 40; i > 0; --i) {
      const float side = 160 * uniform(generator);
      const float x = static_cast<float>(width) * uniform(generator) - side / 2;
      const float y = static_cast<float>(height) * uniform(generator) - side / 2;
      places.push_back({x, y, side, side});
    }
    const std::vector<Box> squares = cover_with_squares(places, kSide, width, height);
    EXPECT_LE(squares.size(), places.size());
    for (const Box& place : places)
      EXPECT_TRUE(std::ranges::any_of(squares, [&](const Box& s) { return holds(s, place, width, height); }))
          << place.x << ' ' << place.y << ' ' << place.width << " in " << width << " x " << height;
    for (const Box& square : squares) {
      EXPECT_EQ(square.width, kSide);
      EXPECT_GE(square.x, 0);
      EXPECT_GE(square.y, 0);
      EXPECT_LE(square.x, std::max(0.0, width - kSide) + 1e-3);
      EXPECT_LE(square.y, std::max(0.0, height - kSide) + 1e-3);
    }
  }
}

TEST(DetectorTiles, neighbours_share_a_square_with_the_same_room_on_both_sides) {
  const std::vector<Box> places = {{200, 300, 20, 20}, {260, 330, 30, 30}, {230, 290, 10, 10}};
  const std::vector<Box> squares = cover_with_squares(places, 160, 1000, 1000);
  ASSERT_EQ(squares.size(), 1U);
  EXPECT_FLOAT_EQ(squares[0].x, (200 + 290) / 2.0F - 80);
  EXPECT_FLOAT_EQ(squares[0].y, (290 + 360) / 2.0F - 80);
  EXPECT_TRUE(cover_with_squares({}, 160, 1000, 1000).empty());
}

TEST(DetectorTiles, canvases_hold_the_look_and_are_few) {
  std::set<std::pair<int, int>> usual, large;
  for (int width = 1; width <= 2560; width += 3) {
    for (const int height : {1, width / 3, width / 2, 3 * width / 4, width}) {
      const model::DetectorCanvas canvas = usual_canvas(width, height);
      EXPECT_GE(canvas.width, width);
      EXPECT_GE(canvas.height, height);
      EXPECT_EQ(canvas.width % model::DetectorConfig::kMaxStride, 0);
      EXPECT_EQ(canvas.height % model::DetectorConfig::kMaxStride, 0);
      EXPECT_LE(canvas.width, std::max(width + 127, width * 9 / 8));
      (width <= 640 ? usual : large).insert({canvas.width, canvas.height});
    }
  }
  EXPECT_LE(usual.size(), 25U);  // 5 x 5
  EXPECT_LE(large.size(), 80U);
}

}  // namespace
}  // namespace spiga::vision
