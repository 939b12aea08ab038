// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "media/picture_reader.h"
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

TEST(Analyzer, RefusesWhatItCannotWorkWith) {
  EXPECT_EQ(error_of([] { Analyzer::load({.detector = "none"}); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { Analyzer::load({.model = "/nowhere"}); }).code(), ErrorCode::not_found);
  Analyzer analyzer = Analyzer::load();
  EXPECT_EQ(error_of([&] { analyzer.analyze({}); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { Analyzer(analyzer.landmarker(), nullptr); }).code(), ErrorCode::invalid_argument);
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
