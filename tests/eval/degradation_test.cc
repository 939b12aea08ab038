// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/degradation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <opencv2/imgcodecs.hpp>

#include "eval/sample_faces.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The sample picture and, where its face is, the mean face.
class DegradationTest : public ::testing::Test {
 protected:
  DegradationTest() : database_(scheme::find_database("300wpublic")) {
    const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
    EXPECT_FALSE(pixels.empty());
    picture_ = Image(pixels.cols, pixels.rows, PixelFormat::bgr8);
    for (int row = 0; row < pixels.rows; ++row) {
      std::memcpy(picture_.data() + row * picture_.stride_bytes(), pixels.ptr(row),
                  static_cast<std::size_t>(picture_.stride_bytes()));
    }
    face_ = sample_face(database_, "astronaut.jpg", 90);
    for (auto& landmark : face_.landmarks) landmark = {landmark.x + 25, landmark.y - 80};
  }

  static std::vector<std::uint8_t> bytes(const Image& image) {
    return {image.data(), image.data() + image.stride_bytes() * static_cast<std::ptrdiff_t>(image.height())};
  }
  static double mean_difference(const Image& a, const Image& b) {
    const std::vector<std::uint8_t> x = bytes(a), y = bytes(b);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(int{x[i]} - int{y[i]});
    return sum / static_cast<double>(x.size());
  }

  const scheme::Database& database_;
  Image picture_;
  annotations::AnnotatedFace face_;
};

std::string complaint(const std::string& text) {
  try {
    parse_degradations(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "nothing wrong found";
}

TEST_F(DegradationTest, NamesAndStrengthsAreRead) {
  const std::vector<Degradation> all = parse_degradations("all");
  EXPECT_EQ(all.size(), degradation_names().size());
  for (const Degradation& degradation : all) EXPECT_EQ(degradation.strengths.size(), 5u);
  const std::vector<Degradation> some = parse_degradations("noise,roll=0:30:-90");
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[0].strengths, all[2].strengths);
  EXPECT_THAT(some[1].strengths, ElementsAre(0, 30, -90));
  EXPECT_EQ(some[1].middle(), 1u);
  EXPECT_THAT(complaint("fog"), HasSubstr("expected all, blur, motion"));
  EXPECT_THAT(complaint("blur,blur"), HasSubstr("'blur' is named twice"));
  EXPECT_THAT(complaint("jpeg=90:x"), HasSubstr("expected strengths from 1 to 100 (quality), found 'x'"));
  EXPECT_THAT(complaint("jpeg="), HasSubstr("found ''"));
  EXPECT_THAT(complaint("size=500"), HasSubstr("found '500'"));
}

// A white dot on a landmark stays on it, however the face is turned.
TEST_F(DegradationTest, LandmarksTurnWithThePicture) {
  const auto nose = static_cast<std::size_t>(30);
  const int x = static_cast<int>(std::lround(face_.landmarks[nose].x));
  const int y = static_cast<int>(std::lround(face_.landmarks[nose].y));
  std::fill_n(picture_.data(), picture_.stride_bytes() * picture_.height(), std::uint8_t{0});
  std::fill_n(picture_.data() + y * picture_.stride_bytes() + 3 * x, 3, std::uint8_t{255});
  face_.landmarks[nose] = {static_cast<double>(x), static_cast<double>(y)};
  for (const double roll : {0.0, 30.0, 90.0, -135.0, 180.0}) {
    const FacePatch patch = cut_patch(picture_.view(), face_, roll);
    double total = 0, sum_x = 0, sum_y = 0;
    for (int row = 0; row < patch.picture.height(); ++row) {
      for (int column = 0; column < patch.picture.width(); ++column) {
        const double value = patch.picture.data()[row * patch.picture.stride_bytes() + 3 * column];
        total += value;
        sum_x += value * column;
        sum_y += value * row;
      }
    }
    ASSERT_GT(total, 0) << roll;
    EXPECT_NEAR(sum_x / total, patch.face.landmarks[nose].x, 0.1) << roll;
    EXPECT_NEAR(sum_y / total, patch.face.landmarks[nose].y, 0.1) << roll;
    const annotations::Rect box = annotations::tight_box(patch.face.landmarks);
    EXPECT_EQ(patch.face.box->x, box.x);
    if (roll == 0 || roll == 180) {
      EXPECT_NEAR(std::max(box.width, box.height), kDegradedFacePx, 1e-6);
    }
  }
  // Clockwise on the screen: what was right of the middle is below it afterwards.
  const FacePatch quarter = cut_patch(picture_.view(), face_, 90);
  EXPECT_GT(quarter.face.landmarks[16].y, quarter.face.landmarks[0].y + 100);
}

// Big faces are shrunk, small ones enlarged, at the picture's edge the rest is black.
TEST_F(DegradationTest, PatchesOfAnySizeShowTheSameScale) {
  Image white(3000, 2000, PixelFormat::gray8);
  std::fill_n(white.data(), white.stride_bytes() * white.height(), std::uint8_t{200});
  for (const double size : {12.0, 160.0, 1500.0}) {
    const FacePatch patch = cut_patch(white.view(), sample_face(database_, "white.png", size));
    const annotations::Rect box = *patch.face.box;
    EXPECT_NEAR(std::max(box.width, box.height), kDegradedFacePx, 1e-6);
    const int middle = patch.picture.width() / 2;
    EXPECT_EQ(patch.picture.data()[middle * patch.picture.stride_bytes() + 3 * middle], 200);
    EXPECT_EQ(patch.picture.data()[0], size > 1000 ? 0 : 200) << "the big one reaches beyond the picture";
  }
}

TEST_F(DegradationTest, StrongerIsWorseAndTheSameEveryTime) {
  const FacePatch clean = cut_patch(picture_.view(), face_);
  for (const Degradation& degradation : parse_degradations("all")) {
    if (degradation.name == "roll") continue;
    double before = 0;
    for (const double strength : degradation.strengths) {
      FacePatch patch = clean, again = clean, other = clean;
      degrade(degradation.name, strength, 5, patch);
      degrade(degradation.name, strength, 5, again);
      EXPECT_EQ(bytes(patch.picture), bytes(again.picture)) << degradation.name;
      const double difference = mean_difference(clean.picture, patch.picture);
      EXPECT_GT(difference, before) << degradation.name << ' ' << strength;
      before = difference;
      degrade(degradation.name, strength, 6, other);
      const bool random = degradation.name == "motion" || degradation.name == "noise" ||
                          degradation.name == "darkness" || degradation.name == "occlusion";
      EXPECT_EQ(bytes(patch.picture) != bytes(other.picture), random) << degradation.name;
    }
  }
}

TEST_F(DegradationTest, BlurAndMotionKeepTheLight) {
  for (const char* name : {"blur", "motion"}) {
    FacePatch patch = cut_patch(picture_.view(), face_);
    const std::vector<std::uint8_t> before = bytes(patch.picture);
    degrade(name, 2, 1, patch);
    const std::vector<std::uint8_t> after = bytes(patch.picture);
    EXPECT_NEAR(std::accumulate(after.begin(), after.end(), 0.0),
                std::accumulate(before.begin(), before.end(), 0.0),
                0.01 * std::accumulate(before.begin(), before.end(), 0.0))
        << name;
  }
}

// A made-up network that errs by a hundredth of the box for every look.
TEST_F(DegradationTest, ScoresEveryFaceUnderEveryStrength) {
  annotations::FaceList truth{.source = "truth.json", .faces = {face_, face_, face_}};
  truth.faces[1].image = "b.jpg";
  for (auto& landmark : truth.faces[2].landmarks) landmark.x += 1;
  std::vector<std::string> read;
  std::size_t located = 0, done = 0;
  PredictionSources sources;
  sources.read_picture = [&](const std::string& image) {
    read.push_back(image);
    return picture_;
  };
  sources.locate = [&](std::span<const FaceRequest> requests) {
    std::vector<Face> faces;
    EXPECT_LE(requests.size(), 4u);
    for (const FaceRequest& request : requests) {
      ++located;
      EXPECT_GE(std::max(request.box.width, request.box.height), kDegradedFacePx - 0.01);
      EXPECT_GE(std::min(request.box.x, request.box.y), 0);
      EXPECT_LE(request.box.x + request.box.width, static_cast<float>(request.image.width));
      const Point middle{request.box.x + request.box.width / 2, request.box.y + request.box.height / 2};
      Face& face = faces.emplace_back();
      face.box = request.box;
      face.landmarks.assign(68, middle);
      face.uncertainty.assign(68, 1);
    }
    return faces;
  };
  sources.landmark_ids = database_.ids;
  sources.batch = 4;
  sources.on_progress = [&](std::size_t count) { done = count; };
  const std::vector<Degradation> degradations = parse_degradations("blur=1:2,roll=0:90:180");
  const DegradationScores scores = score_degradations(database_, truth, degradations, sources);
  EXPECT_THAT(read, ElementsAre("astronaut.jpg", "b.jpg")) << "each picture is read once";
  EXPECT_EQ(located, 18u);
  EXPECT_EQ(done, 18u);
  EXPECT_EQ(degraded_face_count(truth, degradations), 18u);
  EXPECT_EQ(scores.faces, 3u);
  ASSERT_EQ(scores.curves.size(), 2u);
  ASSERT_EQ(scores.curves[1].scores.size(), 3u);
  EXPECT_GT(scores.clean.point_error, 10);
  EXPECT_NEAR(scores.curves[0].scores[1].point_error, scores.clean.point_error, 1e-6);
  EXPECT_NEAR(scores.curves[1].scores[0].point_error, scores.clean.point_error, 1e-6);
  // The same face upside down: the middle of its box errs as much.
  EXPECT_NEAR(scores.curves[1].scores[2].point_error, scores.clean.point_error, 1e-3);
  EXPECT_NEAR(scores.curves[1].scores[2].nme, scores.clean.nme, 1e-3);
}

}  // namespace
}  // namespace spiga::eval
