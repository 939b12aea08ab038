// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "media/picture_reader.h"
#include "spiga/tracker.h"
#include "support/error_of.h"

namespace spiga {
namespace {

using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;

TEST(Analyzer, DoesWhatDetectorAndLandmarkerDo) {
  const Image picture = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load();
  const std::vector<Face> faces = analyzer.analyze(picture.view());
  ASSERT_EQ(faces.size(), 1U);
  const std::vector<Detection> detections = make_detector(kDefaultDetector)->detect(picture.view());
  Landmarker landmarker = Landmarker::load(default_model_path());
  const std::vector<Face> expected = landmarker.locate(picture.view(), detections);
  ASSERT_EQ(expected.size(), 1U);
  EXPECT_EQ(faces[0].score, expected[0].score);
  for (std::size_t i = 0; i < faces[0].landmarks.size(); ++i) {
    EXPECT_EQ(faces[0].landmarks[i].x, expected[0].landmarks[i].x);
    EXPECT_EQ(faces[0].landmarks[i].y, expected[0].landmarks[i].y);
  }
}

// The picture turned clockwise by a quarter, `times` over.
Image turned(const Image& picture, int times) {
  Image result(picture.width(), picture.height(), PixelFormat::bgr8);
  std::copy_n(picture.data(), std::ptrdiff_t{3} * picture.width() * picture.height(), result.data());
  for (int time = 0; time < times; ++time) {
    Image next(result.height(), result.width(), PixelFormat::bgr8);
    for (int y = 0; y < next.height(); ++y)
      for (int x = 0; x < next.width(); ++x)
        std::copy_n(result.data() + 3 * (std::ptrdiff_t{result.height() - 1 - x} * result.width() + y), 3,
                    next.data() + 3 * (std::ptrdiff_t{y} * next.width() + x));
    result = std::move(next);
  }
  return result;
}

double mean_distance(const Face& a, const Face& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.landmarks.size(); ++i)
    sum += std::hypot(a.landmarks[i].x - b.landmarks[i].x, a.landmarks[i].y - b.landmarks[i].y);
  return sum / static_cast<double>(a.landmarks.size());
}

TEST(Analyzer, NormalQualityFindsTheLandmarksOfTurnedFaces) {
  const Image upright = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load({});
  const std::vector<Face> faces = analyzer.analyze(upright.view());
  ASSERT_EQ(faces.size(), 1U);
  Landmarker one_look(analyzer.landmarker().model());
  Face expected = faces[0];
  const auto height = static_cast<float>(upright.height());
  for (int times = 1; times <= 3; ++times) {
    // Clockwise: x becomes height - 1 - y, y becomes x; the picture is a square.
    for (Point& point : expected.landmarks) point = {height - 1 - point.y, point.x};
    const Box box = expected.box;
    expected.box = {height - box.y - box.height, box.x, box.height, box.width};
    const Image picture = turned(upright, times);
    const Face found = analyzer.locate(picture.view(), std::span(&expected.box, 1))[0];
    EXPECT_LT(mean_distance(found, expected), 0.03 * expected.box.width) << times;
    EXPECT_EQ(found.box.x, expected.box.x);
    if (times == 2)
      EXPECT_GT(mean_distance(one_look.locate(picture.view(), expected.box), expected),
                1.5 * mean_distance(found, expected));
  }
}

TEST(Analyzer, ConfidenceIsTheProbabilityOfAFace) {
  const Image picture = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load({.score_threshold = -1});
  const std::vector<Face> faces = analyzer.analyze(picture.view());
  ASSERT_GT(faces.size(), 1U);
  EXPECT_GT(faces[0].confidence, 0.9F);
  for (std::size_t i = 1; i < faces.size(); ++i) {
    EXPECT_LE(faces[i].confidence, faces[i - 1].confidence);
    EXPECT_GT(faces[i].confidence, 0.0F);
    EXPECT_LT(faces[i].confidence, 0.9F);
  }
  const Box box = faces[0].box;
  EXPECT_EQ(analyzer.locate(picture.view(), std::span(&box, 1))[0].confidence, 1.0F);
}

TEST(Analyzer, RefusesWhatItCannotWorkWith) {
  EXPECT_EQ(error_of([] { Analyzer::load({.detector = "none"}); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { Analyzer::load({.model = "/nowhere"}); }).code(), ErrorCode::not_found);
  Analyzer analyzer = Analyzer::load();
  EXPECT_EQ(error_of([&] { analyzer.analyze({}); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { Analyzer::load({.model = default_detector_path()}); }).code(), ErrorCode::bad_data);
  EXPECT_EQ(error_of([] { Analyzer::load({.threads = -1}); }).code(), ErrorCode::invalid_argument);
}

TEST(Analyzer, WithoutADetectorTakesBoxes) {
  const Image picture = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load({.detector = ""});
  EXPECT_FALSE(analyzer.has_detector());
  const Box box = {180, 80, 100, 110};
  EXPECT_EQ(analyzer.locate(picture.view(), std::span(&box, 1)).size(), 1U);
  EXPECT_EQ(error_of([&] { analyzer.analyze(picture.view()); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { analyzer.make_detector({}); }).code(), ErrorCode::invalid_argument);
}

// Of this process, in bytes.
std::size_t resident() {
  std::ifstream status("/proc/self/statm");
  std::size_t pages = 0;
  status >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(Analyzer, CopiesShareTheModels) {
  const Image picture = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load({.precision = Precision::f32});
  const std::vector<Face> expected = analyzer.analyze(picture.view());
  const std::size_t weights = analyzer.landmarker().model().weight_bytes();
  const std::size_t before = resident();
  std::vector<Analyzer> copies(20, analyzer);
  EXPECT_LT(resident() - before, 20 * weights / 4);
  const std::vector<Face> faces = copies.back().analyze(picture.view());
  ASSERT_EQ(faces.size(), expected.size());
  EXPECT_EQ(faces[0].landmarks[30].x, expected[0].landmarks[30].x);
  EXPECT_EQ(copies.back().landmarker().model().network(ModelKind::landmarks),
            analyzer.landmarker().model().network(ModelKind::landmarks));
}

// Both networks compute in the precision that was asked for; a detector of another precision scores
// otherwise.
TEST(Analyzer, PrecisionReachesTheDetector) {
  const Image picture = media::read_picture("samples/astronaut.jpg");
  Analyzer analyzer = Analyzer::load({.precision = Precision::f32, .effort = DetectorEffort::thorough});
  const Model exact = Model::load(default_detector_path(), Precision::f32);
  const auto detector = make_detector(exact, {.effort = DetectorEffort::thorough});
  EXPECT_EQ(analyzer.detect(picture.view())[0].score, detector->detect(picture.view())[0].score);
  try {
    const Model rough = Model::load(default_detector_path(), Precision::bf16);
    EXPECT_NE(make_detector(rough, {.effort = DetectorEffort::thorough})->detect(picture.view())[0].score,
              analyzer.detect(picture.view())[0].score);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);  // by this processor
  }
}

TEST(FaceTracker, SaysWhenTheDetectorIsDue) {
  const Image picture(64, 64, PixelFormat::bgr8);
  FaceTracker tracker(Landmarker::load(default_model_path()), {.detect_every = 4});
  EXPECT_TRUE(tracker.detector_is_due());
  for (int frame = 0; frame < 3; ++frame) {
    tracker.next(picture.view(), frame / 25.0);
    EXPECT_FALSE(tracker.detector_is_due()) << frame;
  }
  EXPECT_TRUE(tracker.detector_is_due(1));  // of the frame after the next one
  tracker.next(picture.view(), 3 / 25.0);
  EXPECT_FALSE(tracker.detector_is_due());
  EXPECT_FALSE(tracker.detector_is_due(3));
  EXPECT_TRUE(tracker.detector_is_due(4));
}

class DefaultModelPath : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv("SPIGA_MODEL"); }
};

TEST_F(DefaultModelPath, IsTheProjectsUnlessTheEnvironmentNamesAnother) {
  EXPECT_THAT(default_model_path(), EndsWith("models/default.safetensors"));
  setenv("SPIGA_MODEL", "samples/astronaut.jpg", 1);
  EXPECT_EQ(default_model_path(), "samples/astronaut.jpg");
  setenv("SPIGA_MODEL", "", 1);
  EXPECT_THAT(default_model_path(), EndsWith("models/default.safetensors"));
}

TEST_F(DefaultModelPath, NamesAFileThatIsNotThere) {
  setenv("SPIGA_MODEL", "/nowhere/m", 1);
  const Error error = error_of([] { default_model_path(); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("/nowhere/m"));
}

}  // namespace
}  // namespace spiga
