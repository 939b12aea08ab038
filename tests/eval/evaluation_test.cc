// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eval/matching.h"
#include "eval/sample_faces.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::FaceList;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const scheme::Database& public_database() { return scheme::find_database("300wpublic"); }

std::string complaint(const FaceList& truth, const FaceList& predictions,
                      const EvaluationOptions& options = {}) {
  try {
    evaluate(public_database(), truth, predictions, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing wrong found";
}

TEST(Matching, SameOrderWithOrWithoutExtension) {
  FaceList truth = sample_list(public_database(), 3);
  FaceList predictions = sample_list(public_database(), 3);
  predictions.faces[1].image = "./1.png";
  EXPECT_THAT(match_predictions(truth, predictions), ElementsAre(0, 1, 2));
}

TEST(Matching, AnotherOrder) {
  const FaceList truth = sample_list(public_database(), 3);
  FaceList predictions = sample_list(public_database(), 3);
  std::swap(predictions.faces[0], predictions.faces[2]);
  EXPECT_THAT(match_predictions(truth, predictions), ElementsAre(2, 1, 0));
}

TEST(Matching, AnotherOrderWithSeveralFacesOfAPictureIsRefused) {
  FaceList truth = sample_list(public_database(), 3);
  truth.faces[1].image = "0.jpg";
  FaceList predictions = truth;
  std::swap(predictions.faces[0], predictions.faces[2]);
  EXPECT_THAT(complaint(truth, predictions), HasSubstr("'0.jpg' has several faces"));
}

TEST(Matching, DifferentListsAreRefusedByName) {
  const FaceList truth = sample_list(public_database(), 3);
  FaceList shorter = sample_list(public_database(), 2);
  EXPECT_THAT(complaint(truth, shorter), AllOf(HasSubstr("expected 3 predictions"), HasSubstr("found 2"),
                                               HasSubstr("'2' 1 times here, 0 times there")));
  FaceList longer = sample_list(public_database(), 4);
  EXPECT_THAT(complaint(truth, longer), AllOf(HasSubstr("of the predictions, '3'"), HasSubstr("found 4")));
  FaceList twice = sample_list(public_database(), 3);
  twice.faces[2].image = "0.jpg";
  EXPECT_THAT(complaint(truth, twice), HasSubstr("of the annotations, '2' 1 times here, 0 times there"));
}

TEST(Evaluation, AShiftGivesTheErrorThatGeometrySays) {
  const FaceList truth = sample_list(public_database(), 5);
  const FaceList moved = sample_list(public_database(), 5, 3, 4);
  const Evaluation evaluation = evaluate(public_database(), truth, moved);
  EXPECT_EQ(evaluation.norm, "corners");
  EXPECT_EQ(evaluation.threshold, 8);
  ASSERT_EQ(evaluation.faces.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto corner = [&](int id) {
      return truth.faces[i].landmarks[static_cast<std::size_t>(public_database().index_of(id))];
    };
    const double norm = std::hypot(corner(12).x - corner(7).x, corner(12).y - corner(7).y);
    EXPECT_NEAR(evaluation.faces[i].nme, 100 * 5 / norm, 1e-9);
  }
  EXPECT_EQ(evaluation.landmarks.size(), 68u);
  for (const LandmarkScores& landmark : evaluation.landmarks) {
    EXPECT_EQ(landmark.faces, 5u);
    EXPECT_NEAR(landmark.nme.mean, evaluation.whole.nme.mean, 1e-9);
  }
  EXPECT_TRUE(evaluation.subsets.empty());
  EXPECT_THAT(evaluation.notes, ElementsAre(HasSubstr("no subsets")));
}

TEST(Evaluation, EveryNormIsTheDistanceItSays) {
  annotations::AnnotatedFace face = sample_face(public_database(), "a.jpg");
  const annotations::Rect tight = annotations::tight_box(face.landmarks);
  EXPECT_NEAR(norm_distance(public_database(), "lnd_bbox", face, ""), std::sqrt(tight.width * tight.height),
              1e-9);
  face.box = annotations::Rect{0, 0, 30, 40};
  EXPECT_NEAR(norm_distance(public_database(), "bbox", face, ""), std::sqrt(1200.0), 1e-9);
  EXPECT_EQ(norm_distance(public_database(), "height", face, ""), 40);
  EXPECT_EQ(norm_distance(public_database(), "diagonal", face, ""), 50);
  for (std::size_t i = 0; i < face.ids.size(); ++i) {  // eyes drawn together to two points, 64 apart
    if (i >= 36 && i < 42) face.landmarks[i] = {100, 100};
    if (i >= 42 && i < 48) face.landmarks[i] = {164, 100};
  }
  EXPECT_NEAR(norm_distance(public_database(), "pupils", face, ""), 64, 1e-9);
  EXPECT_NEAR(norm_distance(public_database(), "corners", face, ""), 64, 1e-9);
}

TEST(Evaluation, PupilsAreLandmarksOnWflw) {
  const scheme::Database& wflw = scheme::find_database("wflw");
  annotations::AnnotatedFace face = sample_face(wflw, "a.jpg");
  face.landmarks[96] = {10, 10};
  face.landmarks[97] = {13, 14};
  EXPECT_NEAR(norm_distance(wflw, "pupils", face, ""), 5, 1e-9);
}

TEST(Evaluation, MerlRavDividesBySixtyEight) {
  const scheme::Database& merlrav = scheme::find_database("merlrav");
  FaceList truth = sample_list(merlrav, 1);
  FaceList moved = sample_list(merlrav, 1, 2, 0);
  truth.faces[0].ids.resize(34);
  truth.faces[0].landmarks.resize(34);
  truth.faces[0].visible.resize(34);
  const Evaluation evaluation = evaluate(merlrav, truth, moved);
  EXPECT_NEAR(evaluation.faces[0].nme, evaluation.faces[0].landmark_errors[0] / 2, 1e-9);
  EXPECT_EQ(evaluation.landmarks[33].faces, 1u);
  EXPECT_EQ(evaluation.landmarks[34].faces, 0u);
  EXPECT_TRUE(std::isnan(evaluation.landmarks[34].nme.mean));
}

TEST(Evaluation, PredictionsMayListLandmarksInAnyOrder) {
  const FaceList truth = sample_list(public_database(), 2);
  FaceList moved = sample_list(public_database(), 2, 3, 4);
  const double nme = evaluate(public_database(), truth, moved).whole.nme.mean;
  std::reverse(moved.faces[1].ids.begin(), moved.faces[1].ids.end());
  std::reverse(moved.faces[1].landmarks.begin(), moved.faces[1].landmarks.end());
  EXPECT_NEAR(evaluate(public_database(), truth, moved).whole.nme.mean, nme, 1e-12);
}

TEST(Evaluation, MissedFacesFailAndAreReported) {
  const FaceList truth = sample_list(public_database(), 4);
  FaceList moved = sample_list(public_database(), 4, 0.3, 0.4);
  const double nme_of_others = [&] {
    const Evaluation all = evaluate(public_database(), truth, moved);
    return (all.faces[0].nme + all.faces[1].nme + all.faces[3].nme) / 3;
  }();
  moved.faces[2] = {.image = "2.jpg"};
  const Evaluation evaluation = evaluate(public_database(), truth, moved);
  EXPECT_TRUE(evaluation.faces[2].missed);
  EXPECT_EQ(evaluation.whole.missed, 1u);
  EXPECT_EQ(evaluation.whole.members.size(), 4u);
  EXPECT_NEAR(evaluation.whole.nme.mean, nme_of_others, 1e-12);
  EXPECT_NEAR(evaluation.whole.published.failure_rate, 25, 1e-9);
  EXPECT_NEAR(evaluation.whole.exact.failure_rate, 25, 1e-9);
  EXPECT_LT(evaluation.whole.exact.auc, 75);
  EXPECT_THAT(evaluation.notes, ::testing::Contains(HasSubstr("1 of 4 faces were missed")));
}

TEST(Evaluation, AllMissedStillGivesFigures) {
  const FaceList truth = sample_list(public_database(), 2);
  FaceList none = truth;
  for (auto& face : none.faces) face = {.image = face.image};
  const Evaluation evaluation = evaluate(public_database(), truth, none);
  EXPECT_TRUE(std::isnan(evaluation.whole.nme.mean));
  EXPECT_EQ(evaluation.whole.published.failure_rate, 100);
  EXPECT_FALSE(evaluation.head_pose);
}

TEST(Evaluation, SubsetsOfTheFormAreUsed) {
  FaceList truth = sample_list(public_database(), 4);
  truth.subsets = {{"odd", {1, 3}}, {"first", {0}}};
  const Evaluation evaluation = evaluate(public_database(), truth, sample_list(public_database(), 4, 3, 4));
  ASSERT_EQ(evaluation.subsets.size(), 2u);
  EXPECT_EQ(evaluation.subsets[0].name, "first");
  EXPECT_NEAR(evaluation.subsets[0].nme.mean, evaluation.faces[0].nme, 1e-12);
  EXPECT_NEAR(evaluation.subsets[1].nme.mean, (evaluation.faces[1].nme + evaluation.faces[3].nme) / 2, 1e-12);
}

TEST(Evaluation, UncertaintyThatKnowsTheErrorsCorrelatesFully) {
  const FaceList truth = sample_list(public_database(), 3);
  FaceList predictions = truth;
  predictions.source = "predictions.json";
  for (std::size_t i = 0; i < predictions.faces.size(); ++i) {
    for (std::size_t k = 0; k < 68; ++k) {
      const double error = 0.01 * static_cast<double>((k * 31 + i * 17) % 68 + 1);
      predictions.faces[i].landmarks[k].x += error;
      predictions.faces[i].uncertainty.push_back(3 * error);
    }
  }
  const Evaluation evaluation = evaluate(public_database(), truth, predictions);
  ASSERT_TRUE(evaluation.uncertainty);
  EXPECT_EQ(evaluation.uncertainty->landmarks, 204u);
  EXPECT_NEAR(evaluation.uncertainty->landmark_rank_correlation, 1, 1e-9);
  EXPECT_NEAR(evaluation.uncertainty->mean_uncertainty, 3 * evaluation.uncertainty->mean_error, 1e-9);
}

TEST(Evaluation, RefusesWhatCannotBeScored) {
  const FaceList truth = sample_list(public_database(), 3);
  const FaceList moved = sample_list(public_database(), 3, 1, 1);
  FaceList bad = moved;
  bad.faces[1].ids.pop_back();
  bad.faces[1].landmarks.pop_back();
  EXPECT_THAT(complaint(truth, bad),
              AllOf(HasSubstr("moved.json: face 1 (1.jpg)"), HasSubstr("landmark 168 is not predicted")));
  bad = truth;
  bad.faces[2].landmarks.assign(68, {5, 5});
  EXPECT_THAT(complaint(bad, moved),
              AllOf(HasSubstr("face 2 (2.jpg)"), HasSubstr("norm 'corners' has length zero")));
  EXPECT_THAT(complaint(bad, moved, {.norm = "lnd_bbox", .threshold = 7}),
              HasSubstr("norm 'lnd_bbox' has length zero"));
  bad = truth;
  bad.faces[2].ids[36] = 999;
  EXPECT_THAT(complaint(bad, moved), HasSubstr("norm 'corners' needs landmark 7, which is not annotated"));
  bad = truth;
  bad.faces[0] = {.image = "0.jpg", .box = annotations::Rect{0, 0, 1, 1}};
  EXPECT_THAT(complaint(bad, moved), HasSubstr("expected landmarks, found none"));
  EXPECT_THAT(complaint(FaceList{}, FaceList{}), HasSubstr("expected faces, found none"));
}

TEST(Evaluation, RefusesNormsAndThresholdsThatMakeNoSense) {
  const FaceList truth = sample_list(public_database(), 1);
  EXPECT_THAT(complaint(truth, truth, {.norm = "eyes"}),
              AllOf(HasSubstr("expected corners, pupils"), HasSubstr("found 'eyes'")));
  EXPECT_THAT(complaint(truth, truth, {.norm = "diagonal"}), HasSubstr("no published threshold"));
  EXPECT_THAT(complaint(truth, truth, {.threshold = 0}), HasSubstr("threshold: expected above 0"));
  EXPECT_EQ(evaluate(public_database(), truth, truth, {.norm = "diagonal", .threshold = 3}).threshold, 3);
  EXPECT_EQ(evaluate(public_database(), truth, truth, {.norm = "pupils"}).threshold, 8);
}

}  // namespace
}  // namespace spiga::eval
