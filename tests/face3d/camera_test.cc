// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/camera.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "face3d/made_faces.h"
#include "spiga/error.h"

namespace spiga {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string written(const std::string& name, const std::string& text) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / name).string();
  std::ofstream(path) << text;
  return path;
}

TEST(Camera, ReadsNumbers) {
  const Camera four = parse_camera("800,810,320,240");
  EXPECT_EQ(four.fx, 800);
  EXPECT_EQ(four.cy, 240);
  EXPECT_EQ(four.distortion[0], 0);
  const Camera nine = parse_camera("800, 810, 320, 240, -0.2, 0.05, 0.001, -0.002, 0.01");
  EXPECT_EQ(nine.distortion[0], -0.2);
  EXPECT_EQ(nine.distortion[4], 0.01);
}

TEST(Camera, ReadsOpenCvsYaml) {
  const std::string path =
      written("camera.yml",
              "%YAML:1.0\n---\nimage_width: 640\nimage_height: 480\ncamera_matrix: !!opencv-matrix\n"
              "   rows: 3\n   cols: 3\n   dt: d\n   data: [ 6.5e+02, 0., 3.2e+02, 0.,\n       6.6e+02, "
              "2.4e+02, 0., 0., 1. ]\n"
              "distortion_coefficients: !!opencv-matrix\n   rows: 5\n   cols: 1\n   dt: d\n"
              "   data: [ -2.5e-01, 1.0e-01, 1.0e-03,\n       -2.0e-03, 0. ]\n");
  const Camera camera = parse_camera(path);
  EXPECT_EQ(camera.fx, 650);
  EXPECT_EQ(camera.fy, 660);
  EXPECT_EQ(camera.cx, 320);
  EXPECT_EQ(camera.cy, 240);
  EXPECT_EQ(camera.distortion[0], -0.25);
  EXPECT_EQ(camera.distortion[3], -0.002);
  EXPECT_EQ(camera.width, 640);
  const Camera larger = camera_for_picture(camera, 1280, 960);
  EXPECT_EQ(larger.fx, 1300);
  EXPECT_NEAR(larger.cx, 640.5, 1e-9);
  EXPECT_THAT(message_of([&] { camera_for_picture(camera, 1280, 720); }),
              HasSubstr("calibrated on 640 x 480"));
}

TEST(Camera, NonsenseIsNamed) {
  EXPECT_THAT(message_of([] { parse_camera("-5,800,320,240"); }), HasSubstr("fx is -5"));
  EXPECT_THAT(message_of([] { parse_camera("800,0,320,240"); }), HasSubstr("fy is 0"));
  EXPECT_THAT(message_of([] { parse_camera("800,800,nan,240"); }), HasSubstr("cx"));
  EXPECT_THAT(message_of([] { parse_camera("800,800,320"); }), HasSubstr("expected fx,fy,cx,cy"));
  EXPECT_THAT(message_of([] { parse_camera("800,100,320,240"); }), HasSubstr("nearly the same"));
  EXPECT_THAT(message_of([] { parse_camera("no-such-file.yml"); }), HasSubstr("no-such-file.yml"));
  EXPECT_THAT(message_of([] { parse_camera(written("a.yml", "%YAML:1.0\nx: 1\n")); }),
              HasSubstr("camera_matrix"));
  EXPECT_THAT(
      message_of([] { parse_camera(written("b.yml", "camera_matrix: x\n  data: [ 1, 2, zwei ]\n")); }),
      HasSubstr("'zwei' is no number"));
  EXPECT_THAT(message_of([] { parse_camera(written("c.yml", "camera_matrix: x\n  data: [ 1, 2 ]\n")); }),
              HasSubstr("2 numbers, expected 9"));
  EXPECT_THAT(message_of([] { camera_from_fov(0, 640, 480); }), HasSubstr("field of view is 0"));
  EXPECT_THAT(message_of([] { camera_from_fov(std::nan(""), 640, 480); }), HasSubstr("field of view"));
  Camera camera = face3d_test::camera();
  camera.distortion[2] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(message_of([&] { check_camera(camera); }), HasSubstr("distortion p1"));
}

TEST(Camera, AxesFarPastThePictureAreNamed) {
  Camera camera = face3d_test::camera();
  camera.cx = -2 * camera.fx;  // cut out of a wide picture
  EXPECT_EQ(camera_for_picture(camera, 640, 480).cx, camera.cx);
  camera.cx = -3.1 * camera.fx;
  EXPECT_THAT(message_of([&] { camera_for_picture(camera, 640, 480); }), HasSubstr("cx is -3100"));
  camera = face3d_test::camera();
  camera.cy = 479 + 3.1 * camera.fy;
  EXPECT_THAT(message_of([&] { camera_for_picture(camera, 640, 480); }),
              HasSubstr("the camera's axis passes the picture of 480 pixels by 3100"));
}

TEST(Camera, FieldOfViewAndGuess) {
  EXPECT_NEAR(camera_from_fov(90, 640, 480).fx, 320, 1e-9);
  const Camera guess = guessed_camera(640, 480);
  EXPECT_EQ(guess.fx, 640);
  EXPECT_TRUE(guess.guessed);
}

TEST(Camera, DistortionComesOutAgain) {
  Camera camera = face3d_test::camera();
  camera.distortion = {-0.28, 0.09, 0.001, -0.0015, -0.01};
  for (double x = -0.6; x <= 0.6; x += 0.2)
    for (double y = -0.4; y <= 0.4; y += 0.2) {
      const Point pixel = face3d::pixel_of(camera, x, y);
      const auto ray = face3d::ray_of(camera, pixel);
      ASSERT_TRUE(ray);
      EXPECT_NEAR((*ray)[0], x, 1e-5);
      EXPECT_NEAR((*ray)[1], y, 1e-5);
    }
  camera.distortion = {-0.5, 0, 0, 0, 0};  // has no ray beyond a radius of about 0.54
  EXPECT_FALSE(face3d::ray_of(camera, {static_cast<float>(camera.cx + 900), static_cast<float>(camera.cy)}));
}

TEST(Camera, NothingIsSeenBehindIt) {
  EXPECT_FALSE(project_point(face3d_test::camera(), {0, 0, -100}));
  EXPECT_FALSE(project_point(face3d_test::camera(), {0, 0, 0}));
  const auto seen = project_point(face3d_test::camera(), {100, -50, 1000});
  ASSERT_TRUE(seen);
  EXPECT_FLOAT_EQ(seen->x, 740);
  EXPECT_FLOAT_EQ(seen->y, 310);
}

TEST(CameraPose, AnglesMeanWhatTheDocumentSays) {
  for (const auto& [yaw, pitch, roll] :
       {std::array{0., 0., 0.}, std::array{30., 0., 0.}, std::array{0., 20., 0.}, std::array{0., 0., 25.},
        std::array{-35., 15., -12.}}) {
    const CameraPose pose = face3d_test::pose_of(yaw, pitch, roll);
    EXPECT_NEAR(pose.yaw_deg, yaw, 1e-9);
    EXPECT_NEAR(pose.pitch_deg, pitch, 1e-9);
    EXPECT_NEAR(pose.roll_deg, roll, 1e-9);
    // The nose, 100 mm before the head's origin, points to the picture's right and up for positive yaw,
    // pitch.
    const auto& r = pose.rotation;
    if (yaw != 0) {
      EXPECT_GT(-r[0][2] * yaw, 0);
    }
    if (yaw == 0 && pitch != 0) {
      EXPECT_GT(r[1][2] * pitch, 0);
    }
    // The crown leans to the picture's right for positive roll.
    if (yaw == 0 && roll != 0) {
      EXPECT_GT(-r[0][1] * roll, 0);
    }
    // OpenFace: R = Rx Ry Rz.
    const auto [x, y, z] = pose.openface_rad;
    EXPECT_NEAR(r[0][0], std::cos(y) * std::cos(z), 1e-9);
    EXPECT_NEAR(r[0][1], -std::cos(y) * std::sin(z), 1e-9);
    EXPECT_NEAR(r[0][2], std::sin(y), 1e-9);
    EXPECT_NEAR(r[1][2], -std::cos(y) * std::sin(x), 1e-9);
    EXPECT_NEAR(r[1][0], std::cos(x) * std::sin(z) + std::cos(z) * std::sin(x) * std::sin(y), 1e-9);
    // The quaternion turns as the matrix does.
    const auto [w, i, j, k] = pose.quaternion;
    EXPECT_NEAR(w * w + i * i + j * j + k * k, 1, 1e-12);
    EXPECT_NEAR(2 * (i * k + w * j), r[0][2], 1e-9);
    EXPECT_NEAR(2 * (i * j + w * k), r[1][0], 1e-9);
  }
}

}  // namespace
}  // namespace spiga
