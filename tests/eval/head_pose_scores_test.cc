// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/head_pose_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "eval/statistics.h"

namespace spiga::eval {
namespace {

TEST(HeadPoseScores, SortsIntoLabelsAndCountsNeighbours) {
  const std::vector<Angles> truth = {{0, 0, 0}, {14, 0, 0}, {-88, 0, 0}, {120, 0, 0}};
  const std::vector<Angles> predicted = {{7, 1, 0}, {8, 1, 0}, {-40, 1, 0}, {90, 1, 0}};
  const HeadPoseScores scores = score_head_pose(truth, predicted);
  const AngleScores& yaw = scores.angles[0];
  EXPECT_EQ(scores.faces, 4u);
  EXPECT_NEAR(yaw.mean_absolute_error, (7 + 6 + 48 + 30) / 4.0, 1e-12);
  EXPECT_EQ(yaw.confusion[6][6], 1);    // 0 -> 7: nearest label 0
  EXPECT_EQ(yaw.confusion[7][7], 1);    // 14 -> 8: both nearest 15
  EXPECT_EQ(yaw.confusion[0][3], 1);    // -88 -> -40: -90 and -45
  EXPECT_EQ(yaw.confusion[12][12], 1);  // beyond the last label
  EXPECT_EQ(yaw.label_accuracy, 0.75);
  EXPECT_EQ(yaw.adjacent_accuracy, 0.75);
  EXPECT_EQ(yaw.success_exact[2], 0.5);
  EXPECT_EQ(scores.angles[1].success[0], 1);
  EXPECT_NEAR(scores.mean_absolute_error, (yaw.mean_absolute_error + 1 + 0) / 3, 1e-12);
}

// 179 and -179 degrees are two apart, not 358.
TEST(HeadPoseScores, ErrorsGoTheShorterWayRound) {
  const HeadPoseScores scores = score_head_pose(std::vector<Angles>{{179, -90, 10}, {-170, 0, 350}},
                                                std::vector<Angles>{{-179, 90, -10}, {170, 0, -10}});
  EXPECT_NEAR(scores.angles[0].mean_absolute_error, (2 + 20) / 2.0, 1e-12);
  EXPECT_NEAR(scores.angles[1].mean_absolute_error, 180 / 2.0, 1e-12);
  EXPECT_NEAR(scores.angles[2].mean_absolute_error, (20 + 0) / 2.0, 1e-12);
  EXPECT_EQ(scores.angles[2].success_exact[0], 0.5);
}

TEST(HeadPoseScores, HalfWayBetweenLabelsGoesToTheSmaller) {
  const HeadPoseScores scores =
      score_head_pose(std::vector<Angles>{{7.5, 0, 0}}, std::vector<Angles>{{22.5, 0, 0}});
  EXPECT_EQ(scores.angles[0].confusion[6][7], 1);
  EXPECT_EQ(scores.angles[0].label_accuracy, 0);
  EXPECT_EQ(scores.angles[0].adjacent_accuracy, 1);
}

TEST(AnglesFromLandmarks, AgreeWithThePublishedAnnotations) {
  const std::filesystem::path file = "../shared/reference/published/300wpublic/test.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  const scheme::Database& database = scheme::find_database("300wpublic");
  const annotations::FaceList list = annotations::read(file, {.database_ids = database.ids});
  std::vector<double> differences;
  for (const auto& face : list.faces) {
    const std::optional<Angles> angles = angles_from_landmarks(database, face);
    ASSERT_TRUE(angles) << face.image;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      differences.push_back(std::abs((*angles)[axis] - face.headpose->angles_deg[axis]));
    }
  }
  EXPECT_LT(percentile(differences, 50), 0.2);
}

TEST(AnglesFromLandmarks, NeedEnoughLandmarks) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  EXPECT_FALSE(angles_from_landmarks(database, {}));
  EXPECT_FALSE(
      angles_from_landmarks(database, {.ids = {7, 12}, .landmarks = {{1, 2}, {30, 40}}, .visible = {1, 1}}));
}

}  // namespace
}  // namespace spiga::eval
