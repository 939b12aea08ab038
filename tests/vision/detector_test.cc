// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "engine/primitives.h"
#include "geometry/boxes.h"
#include "model/detector.h"
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

TEST(BuiltinDetector, finds_faces_at_any_angle) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  const auto detector = make_detector(kBuiltin);
  const auto size = static_cast<float>(pixels.cols);
  ASSERT_EQ(pixels.cols, pixels.rows);
  const Box face = {178, 88, 92, 97};
  const std::pair<cv::RotateFlags, Box> turns[] = {
      {cv::ROTATE_90_CLOCKWISE, {size - face.y - face.height, face.x, face.height, face.width}},
      {cv::ROTATE_180, {size - face.x - face.width, size - face.y - face.height, face.width, face.height}},
      {cv::ROTATE_90_COUNTERCLOCKWISE, {face.y, size - face.x - face.width, face.height, face.width}}};
  for (const auto& [turn, expected] : turns) {
    cv::Mat turned;
    cv::rotate(pixels, turned, turn);
    const std::vector<Detection> found = detector->detect(view_of(turned));
    ASSERT_FALSE(found.empty()) << turn;
    EXPECT_GT(geometry::intersection_over_union(found[0].box, expected), 0.6) << turn;
  }
}

// Held back from training; boxes of heads, which a landmark box meets from an overlap of 0.3 on.
TEST(BuiltinDetector, finds_the_faces_of_the_street) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "takes minutes under sanitizers";
#endif
  const std::filesystem::path folder = "../shared/data/wider-scenes";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  std::set<std::string> held_out;
  std::ifstream names("configs/wider-scenes-heldout.txt");
  for (std::string name; names >> name && held_out.size() < 30;) held_out.insert(name);
  ASSERT_EQ(held_out.size(), 30U);
  const auto detector = make_detector(kBuiltin);
  int faces = 0, met = 0, others = 0;
  for (const auto& record : nlohmann::json::parse(std::ifstream(folder / "train.json"))) {
    const std::filesystem::path path = folder / record["imgpath"].get<std::string>();
    if (!held_out.contains(path.filename().string())) continue;
    const std::vector<Detection> found = detector->detect(view_of(cv::imread(path.string())));
    std::vector<bool> taken(found.size());
    for (const auto& b : record["boxes"]) {
      const Box head = {b[0], b[1], b[2], b[3]};
      if (head.height < 40) continue;
      ++faces;
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (taken[i] || geometry::intersection_over_union(found[i].box, head) < 0.3) continue;
        taken[i] = true;
        ++met;
        break;
      }
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      others += !taken[i] && std::max(found[i].box.width, found[i].box.height) >= 40;
  }
  EXPECT_GT(faces, 50);
  EXPECT_GT(met, 0.8 * faces);
  EXPECT_LE(others, 3);
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

// Six faces of 20 to 60 pixels far from one another.
cv::Mat scattered_faces() {
  const cv::Mat face = cv::imread("samples/astronaut.jpg");
  cv::Mat picture(960, 1280, CV_8UC3, cv::Scalar::all(110));
  int place = 0;
  for (const double scale : {0.22, 0.3, 0.35, 0.45, 0.55, 0.65}) {
    cv::Mat small;
    cv::resize(face, small, {}, scale, scale, cv::INTER_AREA);
    small.copyTo(picture(cv::Rect(60 + 430 * (place % 3), 50 + 480 * (place / 3), small.cols, small.rows)));
    ++place;
  }
  return picture;
}

// The closer look in parts against one at the whole picture.
TEST(BuiltinDetector, sees_in_parts_what_it_sees_in_the_whole) {
  const cv::Mat picture = scattered_faces();
  model::DetectorSession session(model::CompiledNetwork::load("models/detector.safetensors"));
  const float probability = 0.55F + 0.45F * DetectorOptions{}.score_threshold;
  const std::vector<model::ScoredFace> whole = session.run(view_of(picture), {.score = probability});
  ASSERT_EQ(whole.size(), 6U);
  const auto closest = [](const std::vector<Detection>& found, const Box& box) {
    double best = 0;
    for (const Detection& one : found) best = std::max(best, geometry::intersection_over_union(one.box, box));
    return best;
  };
  const std::vector<Detection> normal = make_detector(kBuiltin)->detect(view_of(picture));
  const std::vector<Detection> coarse =
      make_detector(kBuiltin, {.effort = DetectorEffort::fast})->detect(view_of(picture));
  EXPECT_EQ(normal.size(), whole.size());
  EXPECT_LT(coarse.size(), whole.size());  // so that the parts have something to find
  for (const model::ScoredFace& one : whole) EXPECT_GT(closest(normal, one.face.box), 0.8) << one.face.box.x;
}

TEST(BuiltinDetector, compiles_nothing_for_a_new_size) {
  const cv::Mat picture = scattered_faces();
  const auto detector = make_detector(kBuiltin);
  EXPECT_FALSE(detector->detect(view_of(picture)).empty());
  const std::size_t kernels = engine::Kernel::count();
  for (const auto& [width, height] : {std::pair{1270, 950}, {1111, 799}, {1300, 880}, {700, 500}}) {
    cv::Mat other;
    cv::resize(picture, other, {width, height}, 0, 0, cv::INTER_AREA);
    EXPECT_FALSE(detector->detect(view_of(other)).empty());
    EXPECT_EQ(engine::Kernel::count(), kernels) << width << " x " << height;
  }
}

// Black that the canvas adds is the same as black pixels, whether the picture's sides are even or odd.
TEST(BuiltinDetector, sees_a_canvas_as_black_pixels) {
  model::DetectorSession session(model::CompiledNetwork::load("models/detector.safetensors"));
  cv::Mat noise(51, 37, CV_8UC3), black = cv::Mat::zeros(96, 128, CV_8UC3);
  cv::randu(noise, 0, 256);
  noise.copyTo(black(cv::Rect(0, 0, noise.cols, noise.rows)));
  session.run(view_of(noise), {}, {.width = 128, .height = 80});
  const std::vector<float> on_canvas = session.outputs();
  session.run(view_of(black), {});
  EXPECT_EQ(on_canvas, session.outputs());
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
