// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_analyzer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "support/picture_files.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

// Faces of 360, 120 and 90 pixels on 3200 x 2400, of which 1600 x 1200 are decoded.
std::string large_picture() {
  const cv::Mat face = cv::imread("samples/astronaut.jpg");
  cv::Mat picture(2400, 3200, CV_8UC3, cv::Scalar::all(110)), large, small;
  cv::resize(face, large, {}, 4, 4, cv::INTER_CUBIC);
  large(cv::Rect(0, 0, 1800, 2048)).copyTo(picture(cv::Rect(100, 200, 1800, 2048)));
  cv::resize(face, small, {}, 1.3, 1.3, cv::INTER_CUBIC);
  small.copyTo(picture(cv::Rect(2300, 100, small.cols, small.rows)));
  face.copyTo(picture(cv::Rect(2400, 1700, face.cols, face.rows)));
  return spiga::testing::encoded(picture, ".jpg");
}

AnalyzedPicture analyzed(const std::string& path, bool may_reduce) {
  static const Analyzer analyzer = Analyzer::load();
  return PictureAnalyzer(analyzer, {.may_reduce = may_reduce}).analyze(path, {});
}

TEST(PictureAnalyzer, sees_in_a_reduced_picture_what_it_sees_in_the_whole) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "takes long under sanitizers";
#endif
  const spiga::testing::TemporaryFolder folder;
  const std::string path = folder.path() / "large.jpg";
  base::write_file(path, large_picture());
  const AnalyzedPicture whole = analyzed(path, false), reduced = analyzed(path, true);
  ASSERT_TRUE(whole.faces && reduced.faces);
  EXPECT_EQ(reduced.faces->width, 3200);
  EXPECT_EQ(reduced.faces->height, 2400);
  ASSERT_EQ(whole.faces->faces.size(), 3U);
  ASSERT_EQ(reduced.faces->faces.size(), 3U);
  for (const Face& expected : whole.faces->faces) {
    const auto nearest = [&](const Face& f) {
      return std::hypot(f.box.x - expected.box.x, f.box.y - expected.box.y);
    };
    const Face found = *std::ranges::min_element(reduced.faces->faces, {}, nearest);
    const double side = std::max(expected.box.width, expected.box.height);
    EXPECT_LT(nearest(found), 0.05 * side);
    ASSERT_EQ(found.landmarks.size(), expected.landmarks.size());
    double sum = 0;
    for (std::size_t i = 0; i < found.landmarks.size(); ++i)
      sum += std::hypot(found.landmarks[i].x - expected.landmarks[i].x,
                        found.landmarks[i].y - expected.landmarks[i].y);
    EXPECT_LT(sum / static_cast<double>(found.landmarks.size()), 0.01 * side) << side;
    EXPECT_NEAR(found.uncertainty[0], expected.uncertainty[0], 0.3 * expected.uncertainty[0]);
    EXPECT_NEAR(found.headpose.yaw_deg, expected.headpose.yaw_deg, 1.5);
    EXPECT_NEAR(found.headpose.translation[2], expected.headpose.translation[2],
                0.05 * std::abs(expected.headpose.translation[2]));
  }
}

TEST(PictureAnalyzer, tells_its_time) {
  const AnalyzedPicture picture = analyzed("samples/astronaut.jpg", true);
  EXPECT_GT(picture.times.decode, 0);
  EXPECT_GT(picture.times.detect, 0);
  EXPECT_GT(picture.times.locate, 0);
  EXPECT_EQ(picture.times.overlay, 0);
}

}  // namespace
}  // namespace spiga::media
