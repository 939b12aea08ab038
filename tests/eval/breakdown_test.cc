// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/breakdown.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "eval/evaluation.h"
#include "eval/sample_faces.h"

namespace spiga::eval {
namespace {

FaceResult face_at(double yaw, double told_yaw, double point_error = 2) {
  FaceResult face;
  face.nme = 2 * point_error;
  face.point_error = point_error;
  face.size_px = 100;
  face.pose = Angles{yaw, 0, 0};
  face.predicted_pose = Angles{told_yaw, 0, 0};
  return face;
}

TEST(Breakdown, SortsByAbsoluteYawIntoHalfOpenGroups) {
  std::vector<FaceResult> faces = {face_at(-14.9, 0, 1), face_at(15, 0, 2), face_at(-29, 0, 4),
                                   face_at(75, 0, 8), face_at(-110, 0, 10)};
  faces.push_back(face_at(3, 0));
  faces.back().missed = true;
  faces.push_back(face_at(3, 0, 16));
  faces.back().pose.reset();
  const Breakdown by_yaw = break_down(faces)[0];
  EXPECT_EQ(by_yaw.by, "yaw");
  EXPECT_EQ(by_yaw.left_out, 1u);
  ASSERT_EQ(by_yaw.groups.size(), 6u);
  EXPECT_EQ(range_text(by_yaw.groups[1]), "15-30");
  EXPECT_EQ(range_text(by_yaw.groups[5]), "75-");
  EXPECT_EQ(by_yaw.groups[0].members, std::vector<std::size_t>{0});
  EXPECT_EQ(by_yaw.groups[0].missed, 1u);
  EXPECT_EQ(by_yaw.groups[1].members, (std::vector<std::size_t>{1, 2}));
  EXPECT_DOUBLE_EQ(by_yaw.groups[1].point_error, 3);
  EXPECT_DOUBLE_EQ(by_yaw.groups[1].nme, 6);
  EXPECT_DOUBLE_EQ(by_yaw.groups[5].point_error, 9);
  EXPECT_TRUE(std::isnan(by_yaw.groups[2].point_error));
}

TEST(Breakdown, BiasIsNegativeWhereAnglesAreToldTooNearToZero) {
  const std::vector<FaceResult> faces = {face_at(50, 34), face_at(-50, -38), face_at(10, 13),
                                         face_at(-10, -9)};
  const Breakdown by_yaw = break_down(faces)[0];
  EXPECT_DOUBLE_EQ(by_yaw.groups[3].angles[0].mean_absolute, 14);
  EXPECT_DOUBLE_EQ(by_yaw.groups[3].angles[0].bias, -14);
  EXPECT_DOUBLE_EQ(by_yaw.groups[0].angles[0].mean_absolute, 2);
  EXPECT_DOUBLE_EQ(by_yaw.groups[0].angles[0].bias, 1);
}

TEST(Breakdown, AnglesGoAroundTheCircle) {
  EXPECT_DOUBLE_EQ(angle_difference(-179, 179), 2);
  EXPECT_DOUBLE_EQ(angle_difference(170, -170), -20);
}

// Points with Gaussian errors whose sigma the uncertainty tells rightly are covered as often as is nominal.
TEST(Breakdown, CoverageOfGaussianErrorsIsNominal) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  std::vector<FaceResult> faces(1);
  for (int i = 0; i < 40000; ++i) {
    const double sigma = 0.5 + i % 5;
    faces[0].landmark_errors.push_back(std::hypot(sigma * normal(random), sigma * normal(random)));
    faces[0].uncertainties.push_back(sigma * std::sqrt(std::numbers::pi / 2));
  }
  const std::vector<std::size_t> all = {0};
  const Coverage coverage = coverage_of(faces, all);
  EXPECT_EQ(coverage.landmarks, 40000u);
  EXPECT_NEAR(coverage.within_one_sigma, kNominalOneSigma, 0.01);
  EXPECT_NEAR(coverage.within_two_sigmas, kNominalTwoSigmas, 0.01);
  EXPECT_NEAR(coverage.mean_uncertainty, coverage.mean_error, 0.05);
  for (double& uncertainty : faces[0].uncertainties) uncertainty /= 2;
  EXPECT_LT(coverage_of(faces, all).within_one_sigma, 0.15);
}

// The error of the annotated points in per cent of the box is the same whatever the norm is, and on MERL-RAV
// does not shrink with points that are not annotated.
TEST(Breakdown, PointErrorCountsAnnotatedLandmarksOnly) {
  const scheme::Database& merlrav = scheme::find_database("merlrav");
  annotations::FaceList truth = sample_list(merlrav, 1), moved = sample_list(merlrav, 1, 3, 4);
  const Evaluation whole = evaluate(merlrav, truth, moved);
  const annotations::Rect box = annotations::tight_box(truth.faces[0].landmarks);
  EXPECT_NEAR(whole.faces[0].point_error, 100 * 5 / std::sqrt(box.width * box.height), 1e-9);
  EXPECT_NEAR(whole.whole.point_error, whole.faces[0].point_error, 1e-12);
  truth.faces[0].ids.resize(40);
  truth.faces[0].landmarks.resize(40);
  truth.faces[0].visible.resize(40);
  const Evaluation part = evaluate(merlrav, truth, moved);
  const annotations::Rect part_box = annotations::tight_box(truth.faces[0].landmarks);
  EXPECT_NEAR(part.faces[0].point_error, 100 * 5 / std::sqrt(part_box.width * part_box.height), 1e-9);
  EXPECT_NEAR(part.faces[0].nme, part.faces[0].point_error * 40 / 68, 1e-9);
}

}  // namespace
}  // namespace spiga::eval
