// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "geometry/boxes.h"
#include "spiga/detector.h"

namespace spiga {
namespace {

ImageView view_of(const cv::Mat& pixels) {
  return {pixels.data, pixels.cols, pixels.rows, static_cast<std::ptrdiff_t>(pixels.step), PixelFormat::bgr8};
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + values.size() / 2);
  return values[values.size() / 2];
}

TEST(DlibDetector, finds_the_astronaut_where_she_is) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  ASSERT_FALSE(pixels.empty());
  const std::vector<Detection> found = make_detector("dlib")->detect(view_of(pixels));
  ASSERT_FALSE(found.empty());
  const Box face = {178, 88, 92, 97};  // by eye: cheek to cheek, eyebrows to chin
  EXPECT_GT(geometry::intersection_over_union(found[0].box, face), 0.75);
  EXPECT_GT(found[0].score, 0.5f);
  EXPECT_TRUE(std::ranges::is_sorted(found, std::greater<>(), &Detection::score));
}

TEST(DlibDetector, min_face_px_leaves_smaller_faces_out) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  EXPECT_EQ(make_detector("dlib", {.min_face_px = 70})->detect(view_of(pixels)).size(), 1u);
  EXPECT_EQ(make_detector("dlib", {.min_face_px = 160})->detect(view_of(pixels)).size(), 0u);
}

TEST(DlibDetector, takes_every_pixel_format) {
  const cv::Mat pixels = cv::imread("samples/astronaut.jpg");
  const auto detector = make_detector("dlib");
  const Box expected = detector->detect(view_of(pixels)).at(0).box;
  for (const PixelFormat format :
       {PixelFormat::rgb8, PixelFormat::bgra8, PixelFormat::rgba8, PixelFormat::gray8}) {
    Image image(pixels.cols, pixels.rows, format);
    const int channels = channels_of(format);
    const bool rgb = format == PixelFormat::rgb8 || format == PixelFormat::rgba8;
    for (int i = 0; i < pixels.cols * pixels.rows; ++i) {
      const std::uint8_t* bgr = pixels.data + 3 * i;
      std::uint8_t* out = image.data() + channels * i;
      if (channels == 1)
        out[0] = static_cast<std::uint8_t>(0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2] + 0.5);
      for (int c = 0; channels > 1 && c < 3; ++c) out[c] = bgr[rgb ? 2 - c : c];
      if (channels == 4) out[3] = 7;
    }
    const std::vector<Detection> found = detector->detect(image.view());
    ASSERT_FALSE(found.empty()) << channels;
    EXPECT_GT(geometry::intersection_over_union(found[0].box, expected), 0.95) << channels;
  }
}

TEST(DlibDetector, finds_nothing_where_nothing_is) {
  const auto detector = make_detector("dlib");
  EXPECT_TRUE(detector->detect(Image(300, 200, PixelFormat::bgr8).view()).empty());
  EXPECT_TRUE(detector->detect(Image(1, 1, PixelFormat::gray8).view()).empty());
  EXPECT_TRUE(detector->detect(Image(20000, 1, PixelFormat::gray8).view()).empty());
}

// The calibration was measured on train.json; here on pictures that it has not seen.
TEST(DlibDetector, boxes_are_calibrated_to_landmark_boxes) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "measures boxes, which takes minutes under sanitizers";
#endif
  const std::filesystem::path folder = "../shared/data/300w-scenes";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const auto records = nlohmann::json::parse(std::ifstream(folder / "valid.json"));
  const auto detector = make_detector("dlib", {.min_face_px = 78});
  std::vector<double> overlap, right, down, wider, higher;
  for (const auto& record : records) {
    const auto& b = record["faces"][0]["bbox"];
    const Box truth = {b[0], b[1], b[2], b[3]};
    const cv::Mat pixels = cv::imread((folder / record["imgpath"].get<std::string>()).string());
    for (const Detection& found : detector->detect(view_of(pixels))) {
      const Box& box = found.box;
      const double both = geometry::intersection_over_union(box, truth);
      if (both < 0.4) continue;
      const double side = std::max(truth.width, truth.height);
      overlap.push_back(both);
      right.push_back((box.x + box.width / 2 - truth.x - truth.width / 2) / side);
      down.push_back((box.y + box.height / 2 - truth.y - truth.height / 2) / side);
      wider.push_back(box.width / truth.width - 1);
      higher.push_back(box.height / truth.height - 1);
      break;
    }
  }
  EXPECT_GT(overlap.size(), 0.9 * static_cast<double>(records.size()));
  EXPECT_GT(median(overlap), 0.8);
  EXPECT_NEAR(median(right), 0, 0.02);
  EXPECT_NEAR(median(down), 0, 0.02);
  EXPECT_NEAR(median(wider), 0, 0.03);
  EXPECT_NEAR(median(higher), 0, 0.03);
}

}  // namespace
}  // namespace spiga
