// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "geometry/head_pose.h"
#include "media/canvas.h"
#include "support/error_of.h"

namespace spiga::media {
namespace {

Image black(int width, int height) { return Image(width, height, PixelFormat::bgr8); }

const std::uint8_t* at(const Image& image, int x, int y) {
  return image.data() + y * image.stride_bytes() + 3 * x;
}

double sum_of(const Image& image) {
  double sum = 0;
  for (int i = 0; i < image.width() * image.height() * 3; ++i) sum += image.data()[i];
  return sum;
}

TEST(Canvas, a_line_covers_its_length_times_its_width) {
  for (const float width : {0.5f, 1.0f, 2.5f, 6.0f}) {
    Image image = black(100, 60);
    Canvas(image).stroke(std::array<Point, 2>{{{10.3f, 20.7f}, {80.1f, 41.2f}}}, {{255, 0, 0}, width, 1});
    const double length = std::hypot(69.8, 20.5);
    // Round ends add a disc; at most a few pixels of difference at the borders.
    EXPECT_NEAR(sum_of(image) / 255, length * width + 3.14 * width * width / 4, 0.06 * length + 1) << width;
    EXPECT_EQ(at(image, 40, 30)[0], 0) << "blue stays 0";
  }
}

TEST(Canvas, translucent_joints_do_not_show) {
  Image image = black(60, 60);
  Canvas(image).stroke(std::array<Point, 4>{{{10, 30}, {30, 30}, {30, 30}, {50, 30}}},
                       {{200, 200, 200}, 5, 0.5f});
  for (int x = 12; x < 48; ++x) EXPECT_EQ(at(image, x, 30)[1], 100) << x;
}

TEST(Canvas, draws_only_inside_the_picture) {
  Image image = black(20, 10);
  Canvas canvas(image);
  canvas.stroke(std::array<Point, 2>{{{-1000, -1000}, {1000, 1000}}}, {{255, 255, 255}, 2, 1});
  canvas.disc({-5000, 3}, 2, {255, 255, 255});
  canvas.disc({NAN, 3}, 2, {255, 255, 255});
  canvas.disc({INFINITY, 3}, 2, {255, 255, 255});
  canvas.disc({19.4f, 9.2f}, 4, {255, 255, 255});
  canvas.stroke({}, {{255, 255, 255}, 2, 1});
  EXPECT_EQ(at(image, 19, 9)[0], 255);
  EXPECT_EQ(at(image, 0, 9)[0], 0);
}

TEST(Canvas, refuses_other_formats) {
  Image grey(4, 4, PixelFormat::gray8);
  EXPECT_EQ(spiga::testing::error_of([&] { Canvas canvas(grey); }).code(), ErrorCode::invalid_argument);
}

TEST(Canvas, smooth_curve_passes_through_its_points) {
  const std::array<Point, 5> points = {{{0, 0}, {10, 5}, {10, 5}, {22, -3}, {40, 0}}};
  const std::vector<Point> curve = smooth_curve(points);
  for (const Point& point : points) {
    float nearest = 1e9f;
    for (const Point& c : curve) nearest = std::min(nearest, std::hypot(c.x - point.x, c.y - point.y));
    EXPECT_LT(nearest, 1e-3f);
  }
  for (const Point& c : curve) EXPECT_TRUE(c.x >= -1 && c.x <= 41 && std::abs(c.y) < 8) << c.x << ' ' << c.y;
}

// A face whose landmarks are the mean face, seen from the front.
Face mean_face(const scheme::Database& database, const Box& box, const HeadPose& pose) {
  Face face;
  face.box = box;
  face.uncertainty.assign(database.landmarks, 1.0f);
  face.headpose = pose;
  for (const auto& [x, y, z] : database.mean_face)
    face.landmarks.push_back({box.x + box.width * (0.5f + 0.6f * static_cast<float>(x)),
                              box.y + box.height * (0.5f - 0.6f * static_cast<float>(y))});
  return face;
}

TEST(Overlay, marks_every_landmark_in_every_database) {
  for (const std::string& name : scheme::database_names()) {
    const scheme::Database& database = scheme::find_database(name);
    Image image = black(400, 400);
    const Face face = mean_face(database, {100, 120, 200, 200}, {});
    draw_faces(image, std::span(&face, 1), database, {.box = false, .edges = false, .axes = false});
    for (const Point& p : face.landmarks)
      EXPECT_GT(at(image, static_cast<int>(std::lround(p.x)), static_cast<int>(std::lround(p.y)))[0], 120)
          << name;
  }
}

// Where the strongest red, green and blue lie relative to their common origin.
TEST(Overlay, axes_point_where_the_head_does) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  const auto tips = [&](const HeadPose& pose) {
    Image image = black(600, 600);
    const Face face = mean_face(database, {200, 250, 200, 200}, pose);
    draw_faces(image, std::span(&face, 1), database, {.box = false, .edges = false, .points = false});
    std::array<Point, 3> sum = {};
    std::array<float, 3> count = {};
    for (int y = 0; y < 600; ++y)
      for (int x = 0; x < 600; ++x)
        for (int c = 0; c < 3; ++c) {
          const std::uint8_t* p = at(image, x, y);
          if (p[c] < 180 || p[(c + 1) % 3] > 170 || p[(c + 2) % 3] > 170) continue;
          sum[c].x += static_cast<float>(x), sum[c].y += static_cast<float>(y), ++count[c];
        }
    for (int c = 0; c < 3; ++c) sum[c] = {sum[c].x / count[c], sum[c].y / count[c]};
    return sum;  // middles of the blue (out of the face), green (up) and red (to the picture's right) lines
  };
  const auto [out, up, right] = tips({20, 15, 0, {0, 0, 3}});
  EXPECT_GT(right.x, up.x + 10);
  EXPECT_LT(up.y, right.y - 10);
  const auto turned_right = tips({40, 0, 0, {0, 0, 3}}), turned_left = tips({-40, 0, 0, {0, 0, 3}});
  EXPECT_GT(turned_right[0].x, turned_left[0].x + 20)
      << "positive yaw: the face looks to the picture's right";
  const auto looks_up = tips({0, 30, 0, {0, 0, 3}}), looks_down = tips({0, -30, 0, {0, 0, 3}});
  EXPECT_LT(looks_up[0].y, looks_down[0].y - 20) << "positive pitch: the face looks up";
  const auto clockwise = tips({0, 0, 30, {0, 0, 3}});
  EXPECT_GT(clockwise[1].x, clockwise[0].x + 10)
      << "positive roll: the top of the head leans to the picture's right";
}

TEST(Overlay, refuses_a_face_of_another_database) {
  Image image = black(50, 50);
  const Face face = mean_face(scheme::find_database("wflw"), {1, 1, 40, 40}, {});
  EXPECT_THAT(spiga::testing::error_of([&] {
                draw_faces(image, std::span(&face, 1), scheme::find_database("300wpublic"));
              }).what(),
              ::testing::HasSubstr("300wpublic has 68 landmarks, found a face with 98"));
}

}  // namespace
}  // namespace spiga::media
