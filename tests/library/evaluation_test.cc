// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/error_of.h"

namespace spiga {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

constexpr int kLandmarks = 68;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Landmarks on a line, one pixel apart: outer eye corners, numbers 36 and 45, lie 9 sqrt(2) apart.
std::vector<double> faces(int count, double shift = 0) {
  std::vector<double> values;
  for (int face = 0; face < count; ++face) {
    for (int i = 0; i < kLandmarks; ++i) {
      values.push_back(i + shift);
      values.push_back(i);
    }
  }
  return values;
}

TEST(Evaluate, IsTheMeanErrorInPerCentOfTheEyesDistance) {
  const double unit = 9 * std::sqrt(2.0);
  const Scores scores = evaluate(faces(3), faces(3, 0.01 * unit), {.norm = "corners"});
  EXPECT_EQ(scores.norm, "corners");
  EXPECT_NEAR(scores.nme, 1, 1e-9);
  EXPECT_EQ(scores.face_nme.size(), 3U);
  EXPECT_NEAR(scores.auc, 100 * (1 - 1 / scores.threshold), 1e-9);
  EXPECT_EQ(scores.failure_rate, 0);
}

TEST(Evaluate, CountsMissedFaces) {
  std::vector<double> predicted = faces(4);
  for (int i = 0; i < 2 * kLandmarks; ++i) predicted[static_cast<std::size_t>(i)] = kMissing;
  const Scores scores = evaluate(faces(4), predicted);
  EXPECT_EQ(scores.missed, 1);
  EXPECT_EQ(scores.nme, 0);
  EXPECT_EQ(scores.failure_rate, 25);
  EXPECT_TRUE(std::isnan(scores.face_nme[0]));
}

TEST(Evaluate, RefusesWhatCannotBeScored) {
  const auto refused = [](std::vector<double> truth, std::vector<double> predicted, ScoreOptions options,
                          const char* words) {
    const Error error = error_of([&] { evaluate(truth, predicted, options); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(words));
  };
  refused({}, {}, {}, "N > 0");
  refused({1, 2, 3}, {1, 2, 3}, {}, "68");
  refused(faces(2), faces(1), {}, "as many");
  refused(faces(1), faces(1), {.database = "faces-r-us"}, "faces-r-us");
  refused(faces(1), faces(1), {.norm = "ears"}, "ears");
  std::vector<double> broken = faces(1);
  broken[7] = std::numeric_limits<double>::infinity();
  refused(faces(1), broken, {}, "predicted: face 0, landmark 3");
  broken[7] = kMissing;
  refused(broken, faces(1), {}, "truth: face 0, landmark 3");
}

}  // namespace
}  // namespace spiga
