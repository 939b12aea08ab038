// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/refinement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace spiga::vision {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

struct Place {
  double x = 0, y = 0;
};

// A face of three marks: eyes red and blue, a green chin, `size` pixels below the eyes' middle.
struct MarkedFace {
  Place middle;
  double size = 60;
  double roll_deg = 0;

  Place at(double right, double down) const {
    const double c = size * std::cos(roll_deg / kDegrees), s = size * std::sin(roll_deg / kDegrees);
    return {middle.x + c * right - s * down, middle.y + s * right + c * down};
  }
};

void draw_mark(Image& picture, const Place& place, int channel) {
  for (int row = -3; row <= 3; ++row) {
    for (int column = -3; column <= 3; ++column) {
      const auto x = static_cast<std::ptrdiff_t>(std::lround(place.x)) + column;
      const auto y = static_cast<std::ptrdiff_t>(std::lround(place.y)) + row;
      picture.data()[y * picture.stride_bytes() + 3 * x + channel] = 255;
    }
  }
}

Image picture_of(const MarkedFace& face) {
  Image picture(400, 300, PixelFormat::bgr8);
  draw_mark(picture, face.at(-0.4, 0), 2);
  draw_mark(picture, face.at(0.4, 0), 0);
  draw_mark(picture, face.at(0, 1), 1);
  return picture;
}

Place mark_in(const ImageView& image, int channel) {
  double x = 0, y = 0, total = 1e-9;
  for (int row = 0; row < image.height; ++row) {
    for (int column = 0; column < image.width; ++column) {
      const double value = image.data[row * image.stride_bytes + 3 * column + channel];
      x += value * column;
      y += value * row;
      total += value;
    }
  }
  return {x / total, y / total};
}

// A network that finds the mean face on the marks where they are turned by less than 50 degrees, and else
// tells something wrong, of which it is not sure. It does not know red from blue.
class RefinementTest : public ::testing::Test {
 protected:
  RefinementTest() : database_(scheme::find_database("300wpublic")) {}

  Face face_on(const MarkedFace& marks, const FaceRequest& request) const {
    Face face;
    face.box = request.box;
    for (const scheme::Point3& point : database_.mean_face) {
      const Place place = marks.at(point[0], 0.3 - point[1]);
      face.landmarks.push_back({static_cast<float>(place.x), static_cast<float>(place.y)});
      face.uncertainty.push_back(static_cast<float>(0.01 * marks.size));
    }
    face.headpose.yaw_deg = 0;
    face.headpose.roll_deg = static_cast<float>(marks.roll_deg);
    face.headpose.translation = {0, 0, 3};
    return face;
  }

  std::vector<Face> locate(std::span<const FaceRequest> requests) {
    std::vector<Face> faces;
    for (const FaceRequest& request : requests) {
      ++looks_;
      const Place red = mark_in(request.image, 2), blue = mark_in(request.image, 0);
      const Place chin = mark_in(request.image, 1);
      MarkedFace marks{{(red.x + blue.x) / 2, (red.y + blue.y) / 2}, 0, 0};
      const double right = chin.x - marks.middle.x, down = chin.y - marks.middle.y;
      marks.size = std::hypot(right, down);
      marks.roll_deg = std::atan2(-right, down) * kDegrees;
      const bool seen = std::abs(marks.roll_deg) < 50;
      if (!seen) marks.roll_deg = 20;
      faces.push_back(face_on(marks, request));
      if (!seen) std::fill(faces.back().uncertainty.begin(), faces.back().uncertainty.end(), 40.0f);
    }
    return faces;
  }

  Face refined(const MarkedFace& marks, Quality quality) {
    const Image picture = picture_of(marks);
    const FaceRequest request{picture.view(), {130, 80, 120, 130}, 0.7f};
    const Refinement refinement(database_, quality);
    looks_ = 0;
    const std::vector<Face> faces = refinement.locate(
        std::span(&request, 1), [this](std::span<const FaceRequest> looks) { return locate(looks); });
    EXPECT_EQ(faces.size(), 1u);
    EXPECT_EQ(faces[0].box.width, 120);
    return faces[0];
  }

  double error_of(const Face& face, const MarkedFace& marks) const {
    const Face truth = face_on(marks, {});
    double sum = 0;
    for (std::size_t i = 0; i < truth.landmarks.size(); ++i) {
      sum +=
          std::hypot(face.landmarks[i].x - truth.landmarks[i].x, face.landmarks[i].y - truth.landmarks[i].y);
    }
    return sum / static_cast<double>(truth.landmarks.size());
  }

  const scheme::Database& database_;
  int looks_ = 0;
};

TEST_F(RefinementTest, RollOfLandmarksIsTheMeanFacesTurn) {
  for (const double roll : {0.0, 35.0, -90.0, 170.0})
    EXPECT_NEAR(roll_of_landmarks(database_, face_on({{200, 150}, 60, roll}, {})), roll, 1e-3);
}

TEST_F(RefinementTest, UprightFacesCostOneLook) {
  const MarkedFace marks{{190, 140}, 60, 5};
  EXPECT_LT(error_of(refined(marks, Quality::fast), marks), 1);
  EXPECT_EQ(looks_, 1);
  EXPECT_LT(error_of(refined(marks, Quality::normal), marks), 1);
  EXPECT_EQ(looks_, 1);
}

TEST_F(RefinementTest, TurnedFacesAreFoundUpright) {
  for (const double roll : {40.0, 90.0, -100.0, 135.0, 180.0}) {
    const MarkedFace marks{{190, 140}, 60, roll};
    const Face face = refined(marks, Quality::normal);
    EXPECT_LT(error_of(face, marks), 1.5) << roll;
    EXPECT_NEAR(std::remainder(face.headpose.roll_deg - roll, 360.0), 0, 2) << roll;
    EXPECT_NEAR(face.uncertainty[0], 0.6, 0.05) << "in the picture's pixels";
    EXPECT_LE(looks_, 6);
    if (std::abs(roll) > 50) {
      EXPECT_GT(error_of(refined(marks, Quality::fast), marks), 10) << roll;
    }
  }
}

TEST_F(RefinementTest, MirroredAndShiftedLooksAgree) {
  for (const double roll : {0.0, -30.0, 180.0}) {
    const MarkedFace marks{{190, 140}, 60, roll};
    const Face face = refined(marks, Quality::best);
    EXPECT_LT(error_of(face, marks), 1.5) << roll;
    EXPECT_NEAR(std::remainder(face.headpose.roll_deg - roll, 360.0), 0, 2) << roll;
    EXPECT_NEAR(face.headpose.yaw_deg, 0, 3);
    EXPECT_EQ(face.score, 0.7f);
  }
  EXPECT_GE(looks_, 5);
}

}  // namespace
}  // namespace spiga::vision
