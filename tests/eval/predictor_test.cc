// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::FaceList;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Finds the boxes it was told.
class ToldDetector : public Detector {
 public:
  explicit ToldDetector(std::vector<Detection> detections) : detections_(std::move(detections)) {}
  std::vector<Detection> detect(const ImageView&) override { return detections_; }

 private:
  std::vector<Detection> detections_;
};

// A network that puts its one landmark into the middle of the box, and writes down what it was asked.
class PredictorTest : public ::testing::Test {
 protected:
  PredictorTest() {
    sources_.read_picture = [this](const std::string& image) {
      read_.push_back(image);
      return Image(100, 100, PixelFormat::bgr8);
    };
    sources_.locate = [this](std::span<const FaceRequest> requests) {
      batches_.push_back(requests.size());
      std::vector<Face> faces;
      for (const FaceRequest& request : requests) {
        const Box& box = request.box;
        faces.push_back({.box = box,
                         .landmarks = {{box.x + box.width / 2, box.y + box.height / 2}},
                         .uncertainty = {2},
                         .headpose = {.yaw_deg = box.x}});
      }
      return faces;
    };
    sources_.landmark_ids = {101};
    sources_.batch = 2;
  }

  static annotations::AnnotatedFace face(const std::string& image, double x) {
    return {.image = image, .box = annotations::Rect{x, 10, 20, 20}};
  }

  PredictionSources sources_;
  std::vector<std::string> read_;
  std::vector<std::size_t> batches_;
};

TEST_F(PredictorTest, UsesAnnotatedBoxesInFullBatches) {
  const FaceList truth{.source = "truth", .faces = {face("a", 0), face("b", 10), face("c", 20)}};
  std::vector<std::size_t> progress;
  sources_.on_progress = [&](std::size_t done) { progress.push_back(done); };
  const FaceList predicted = predict_faces(truth, sources_);
  ASSERT_EQ(predicted.faces.size(), 3u);
  EXPECT_EQ(predicted.faces[1].image, "b");
  EXPECT_EQ(predicted.faces[1].landmarks[0].x, 20);
  EXPECT_EQ(predicted.faces[1].uncertainty[0], 2);
  EXPECT_EQ(predicted.faces[1].headpose->angles_deg[0], 10);
  EXPECT_THAT(predicted.faces[1].ids, ElementsAre(101));
  EXPECT_THAT(batches_, ElementsAre(2, 1));
  EXPECT_EQ(progress.back(), 3u);
}

TEST_F(PredictorTest, ReadsAPictureOnceForAllItsFaces) {
  const FaceList truth{.source = "truth", .faces = {face("a", 0), face("b", 10), face("a", 50)}};
  const FaceList predicted = predict_faces(truth, sources_);
  EXPECT_THAT(read_, ElementsAre("a", "b"));
  EXPECT_EQ(predicted.faces[2].landmarks[0].x, 60);
}

TEST_F(PredictorTest, GivesEachDetectionToOneFaceAndReportsTheMissed) {
  ToldDetector detector({{{2, 10, 20, 20}, 0.5f}, {{48, 12, 20, 20}, 2}, {{80, 80, 10, 10}, 3}});
  sources_.detector = &detector;
  const FaceList truth{.source = "truth",
                       .faces = {face("a", 50), face("a", 3), face("a", 1), face("b", 78)}};
  const FaceList predicted = predict_faces(truth, sources_);
  EXPECT_EQ(predicted.faces[0].box->x, 48);
  EXPECT_EQ(predicted.faces[1].box->x, 2) << "equally near: the first face gets it";
  EXPECT_TRUE(predicted.faces[2].landmarks.empty());
  EXPECT_FALSE(predicted.faces[2].box);
  EXPECT_TRUE(predicted.faces[3].landmarks.empty()) << "the only detection near it overlaps too little";
}

TEST_F(PredictorTest, NamesTheFacesWhoseBatchFailed) {
  sources_.locate = [](std::span<const FaceRequest>) -> std::vector<Face> {
    throw Error(ErrorCode::invalid_argument, "box outside the picture");
  };
  const FaceList truth{.source = "truth.json", .faces = {face("a", 0), face("b", 10)}};
  try {
    predict_faces(truth, sources_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("truth.json: faces 0 to 1: box outside the picture"));
  }
}

}  // namespace
}  // namespace spiga::eval
