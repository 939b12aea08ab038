// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "geometry/boxes.h"
#include "spiga/error.h"
#include "support/error_of.h"

namespace spiga {
namespace {

ImageView view_of(const cv::Mat& pixels) {
  return {pixels.data, pixels.cols, pixels.rows, static_cast<std::ptrdiff_t>(pixels.step), PixelFormat::bgr8};
}

TEST(Detector, refuses_what_makes_no_sense) {
  using spiga::testing::error_of;
  EXPECT_THAT(error_of([] { make_detector("haar"); }).what(),
              ::testing::HasSubstr("expected builtin, builtin:FILE, dlib or yunet:FILE, found 'haar'"));
  EXPECT_EQ(error_of([] { make_detector("builtin", {.min_face_px = 3}); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { make_detector("builtin", {.min_face_px = NAN}); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { make_detector("builtin", {.score_threshold = INFINITY}); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { make_detector("builtin")->detect({}); }).code(), ErrorCode::invalid_argument);
}

constexpr const char* kBuiltin = "builtin";

TEST(BuiltinDetector, finds_the_astronaut_in_every_size_turned_and_grey) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  ASSERT_FALSE(pixels.empty());
  const auto detector = make_detector(kBuiltin);
  const Box face = {178, 88, 92, 97};
  for (const double scale : {0.5, 1.0, 3.0}) {
    cv::Mat scaled;
    cv::resize(pixels, scaled, {}, scale, scale, cv::INTER_AREA);
    const std::vector<Detection> found = detector->detect(view_of(scaled));
    ASSERT_FALSE(found.empty()) << scale;
    const auto s = static_cast<float>(scale);
    const Box expected = {s * face.x, s * face.y, s * face.width, s * face.height};
    EXPECT_GT(geometry::intersection_over_union(found[0].box, expected), 0.7) << scale;
  }
  cv::Mat grey;
  cv::cvtColor(pixels, grey, cv::COLOR_BGR2GRAY);
  const ImageView view = {grey.data, grey.cols, grey.rows, static_cast<std::ptrdiff_t>(grey.step),
                          PixelFormat::gray8};
  EXPECT_FALSE(detector->detect(view).empty());
}

TEST(BuiltinDetector, looks_closer_with_more_effort) {
  cv::Mat portrait, wide(960, 1280, CV_8UC3, cv::Scalar::all(110));
  cv::resize(cv::imread("samples/astronaut.jpg"), portrait, {}, 0.25, 0.25, cv::INTER_AREA);
  portrait.copyTo(wide(cv::Rect(900, 500, portrait.cols, portrait.rows)));  // a face of 23 pixels
  const auto with = [&](const DetectorOptions& options) {
    return make_detector(kBuiltin, options)->detect(view_of(wide));
  };
  const std::vector<Detection> normal = with({.effort = DetectorEffort::normal});
  ASSERT_EQ(normal.size(), 1U);
  for (const Detection& coarse : with({.effort = DetectorEffort::fast}))
    EXPECT_LT(coarse.score, normal[0].score);
  EXPECT_TRUE(with({.min_face_px = 120}).empty());
}

TEST(BuiltinDetector, is_the_default_from_its_file) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  const auto named = make_detector("builtin:models/detector.safetensors")->detect(view_of(pixels));
  const auto plain = make_detector(kDefaultDetector)->detect(view_of(pixels));
  ASSERT_EQ(named.size(), plain.size());
  EXPECT_GT(geometry::intersection_over_union(named[0].box, plain[0].box), 0.999);
}

TEST(BuiltinDetector, finds_nothing_on_pictures_of_nothing) {
  const auto detector = make_detector(kBuiltin);
  cv::Mat noise(480, 640, CV_8UC3);
  cv::randu(noise, 0, 256);
  for (const cv::Mat& pixels :
       {cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(90)), cv::Mat(50, 20000, CV_8UC3, cv::Scalar::all(90)),
        cv::Mat(20000, 50, CV_8UC3, cv::Scalar::all(200)), cv::Mat(480, 640, CV_8UC3, cv::Scalar::all(0)),
        noise})
    EXPECT_TRUE(detector->detect(view_of(pixels)).empty()) << pixels.cols << " x " << pixels.rows;
}

TEST(BuiltinDetector, says_what_is_wrong_with_its_file) {
  EXPECT_THROW(make_detector("builtin:no-such-file"), Error);
  EXPECT_THROW(make_detector("builtin:models/default.safetensors"), Error);
}

}  // namespace
}  // namespace spiga
