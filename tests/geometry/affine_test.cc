// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "geometry/affine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "geometry/boxes.h"
#include "spiga/error.h"

namespace spiga::geometry {
namespace {

void expect_near(const Point& found, const Point& expected, float tolerance = 1e-3F) {
  EXPECT_NEAR(found.x, expected.x, tolerance);
  EXPECT_NEAR(found.y, expected.y, tolerance);
}

TEST(Affine, CropMapsTheSquareAroundTheBoxOntoTheCrop) {
  const Box box{100, 50, 80, 60};  // centre 140, 80; side 1.6 x 80 = 128
  const Affine crop = crop_from_image(box, 256);
  expect_near(crop({140, 80}), {128, 128});
  expect_near(crop({140 - 64, 80 - 64}), {0, 0});
  expect_near(crop({140 + 64, 80 + 64}), {256, 256});
  EXPECT_DOUBLE_EQ(crop.scale(), 2);
  expect_near(crop_from_image(box, 100, 2.0)({140 - 80, 80}), {0, 50});
}

TEST(Affine, InverseLeadsBack) {
  const Affine map{1.5, -0.25, 10, 0.75, 2, -3};
  const Affine back = inverse(map);
  for (const Point p : {Point{0, 0}, Point{13, -7}, Point{250, 99}}) expect_near(back(map(p)), p);
}

TEST(Affine, ComposeAppliesTheInnerMapFirst) {
  const Affine turn = rotation_about({10, 20}, 30, 1.25);
  const Affine crop = crop_from_image({3, 4, 50, 40}, 64);
  const Point p{17, 5};
  expect_near(compose(turn, crop)(p), turn(crop(p)));
  expect_near(compose(crop, turn)(p), crop(turn(p)));
}

TEST(Affine, RotationKeepsItsCentreAndTurnsClockwiseOnTheScreen) {
  const Affine turn = rotation_about({10, 20}, 90, 2);
  expect_near(turn({10, 20}), {10, 20});
  expect_near(turn({11, 20}), {10, 22});
  EXPECT_NEAR(turn.scale(), 2, 1e-12);
}

TEST(Affine, RefusesBoxesWithoutAreaAndFlatMaps) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  for (const Box& box : {Box{1, 2, 0, 0}, Box{nan, 0, 5, 5}, Box{0, infinite, 5, 5}, Box{0, 0, infinite, 5},
                         Box{0, 0, -3, -4}})
    EXPECT_THROW(crop_from_image(box, 256), Error);
  EXPECT_THROW(inverse({1, 2, 0, 2, 4, 0}), Error);
}

TEST(Boxes, IntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(intersection_over_union({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_DOUBLE_EQ(intersection_over_union({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0 / 150);
  EXPECT_DOUBLE_EQ(intersection_over_union({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(intersection_over_union({0, 0, 10, 10}, {30, 30, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(intersection_over_union({0, 0, 0, 0}, {0, 0, 0, 0}), 0);
}

TEST(Boxes, TightBoxAndSquare) {
  const Point points[] = {{3, 8}, {-1, 4}, {5, 5}};
  const Box box = tight_box(points);
  EXPECT_FLOAT_EQ(box.x, -1);
  EXPECT_FLOAT_EQ(box.y, 4);
  EXPECT_FLOAT_EQ(box.width, 6);
  EXPECT_FLOAT_EQ(box.height, 4);
  EXPECT_FLOAT_EQ(tight_box({}).width, 0);
  const Box square = square_around(box, 1.5);
  EXPECT_FLOAT_EQ(square.width, 9);
  EXPECT_FLOAT_EQ(square.height, 9);
  EXPECT_FLOAT_EQ(square.x + square.width / 2, 2);
  EXPECT_FLOAT_EQ(square.y + square.height / 2, 6);
}

}  // namespace
}  // namespace spiga::geometry
