// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "face3d/made_faces.h"
#include "spiga/error.h"

namespace spiga {
namespace {

using face3d_test::camera;
using face3d_test::expression;
using face3d_test::model;
using face3d_test::pose_of;
using face3d_test::some_identity;

std::vector<Point> seen(const Face3d& face, unsigned seed, double noise_px = 1) {
  std::vector<Point> landmarks = model().landmarks(face, camera());
  face3d_test::add_noise(landmarks, noise_px, seed);
  return landmarks;
}

const std::vector<float> kUncertainty(68, 1.25f);

TEST(FaceModelTrack, KnowsThePersonBetterAfterSomeFrames) {
  const std::vector<float> identity = some_identity(5);
  FaceModelTrack track(model());
  double first = 0, last = 0;
  for (unsigned f = 0; f < 60; ++f) {
    const Face3d truth = model().make(identity, {}, pose_of(20 * std::sin(0.2 * f), 5, 0));
    const Face3d found = track.next(seen(truth, f), kUncertainty, camera(), f / 25.0);
    double off = 0;
    for (std::size_t k = 0; k < 6; ++k) off += std::pow(found.identity[k] - identity[k], 2);
    if (f == 0) first = off;
    if (f == 59) last = off;
  }
  EXPECT_LT(last, 0.7 * first);
}

TEST(FaceModelTrack, KeepsBlinksOfThreeFrames) {
  const std::vector<float> identity = some_identity(9);
  FaceModelTrack track(model());
  std::vector<FaceEvent> events;
  std::vector<float> open;
  for (unsigned f = 0; f < 75; ++f) {
    const float lid = f == 50 || f == 52 ? 0.6f : f == 51 ? 1.0f : 0.0f;
    const Face3d truth =
        model().make(identity, expression({{"eyeBlink_L", lid}, {"eyeBlink_R", lid}}), pose_of(8, -3, 2));
    const Face3d found = track.next(seen(truth, f + 7), kUncertainty, camera(), f / 25.0);
    open.push_back(0.5f * (found.signals.eye_open_left + found.signals.eye_open_right));
    if (f == 51) {
      EXPECT_TRUE(found.signals.blink);
    }
    if (f == 51) {
      EXPECT_GT(face3d_test::blendshape(found, "eyeBlinkLeft"), 0.6f);
    }
    for (const FaceEvent& event : track.take_events()) events.push_back(event);
  }
  EXPECT_GT(open[45], 0.75f);
  EXPECT_LT(open[51], 0.3f);
  EXPECT_GT(open[55], 0.75f);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, FaceEventKind::blink);
  EXPECT_NEAR(events[0].start_s, 50 / 25.0, 1.01 / 25);
}

TEST(FaceModelTrack, SmoothsWhatTrembles) {
  const auto trembling = [](double smooth) {
    FaceModelTrack track(model(), {.smooth = smooth});
    const Face3d truth = model().make(
        some_identity(4), expression({{"jawOpen", 0.4f}, {"mouthRollLower", 0.5f}}), pose_of(10, 0, 0));
    double sum = 0, sum2 = 0;
    int n = 0;
    for (unsigned f = 0; f < 60; ++f) {
      const Face3d found = track.next(seen(truth, f + 300), kUncertainty, camera(), f / 25.0);
      if (f < 20) continue;
      const double x = found.expression[static_cast<std::size_t>(
          std::find(model().expression_names().begin(), model().expression_names().end(), "mouthRollLower") -
          model().expression_names().begin())];
      sum += x, sum2 += x * x, ++n;
    }
    return std::sqrt(std::max(0.0, sum2 / n - sum * sum / n / n));
  };
  EXPECT_LT(trembling(2), 0.8 * trembling(0));
}

// Yaw of a head that turns as `yaw` says, frame by frame at 25/s.
std::vector<double> told_yaw(double smooth, double (*yaw)(double)) {
  FaceModelTrack track(model(), {.smooth = smooth});
  std::vector<double> told;
  for (unsigned f = 0; f < 80; ++f) {
    const Face3d truth = model().make(some_identity(4), {}, pose_of(yaw(f / 25.0), 0, 0));
    told.push_back(track.next(seen(truth, f + 50), kUncertainty, camera(), f / 25.0).pose.yaw_deg);
  }
  return told;
}

TEST(FaceModelTrack, SteadiesAHeadThatIsStill) {
  const auto trembling = [](double smooth) {
    double sum = 0, sum2 = 0;
    const std::vector<double> told = told_yaw(smooth, [](double) { return 10.0; });
    for (std::size_t f = 20; f < told.size(); ++f) sum += told[f], sum2 += told[f] * told[f];
    const double n = static_cast<double>(told.size() - 20);
    return std::sqrt(std::max(0.0, sum2 / n - sum * sum / n / n));
  };
  EXPECT_LT(trembling(1), 0.9 * trembling(0));
}

TEST(FaceModelTrack, FollowsShakesAtOnce) {
  const auto shake = [](double time) { return 8 * std::sin(2 * 3.14159265 * time / 0.75); };
  const std::vector<double> told = told_yaw(1, shake);
  double along = 0, across = 0, truth = 0;  // with the shake itself, and with what it was a quarter later
  for (std::size_t f = 20; f < told.size(); ++f) {
    const double time = static_cast<double>(f) / 25.0;
    along += told[f] * shake(time);
    across += told[f] * shake(time - 0.75 / 4);
    truth += shake(time) * shake(time);
  }
  EXPECT_NEAR(along / truth, 1, 0.1);
  EXPECT_LT(std::atan2(across, along) / (2 * 3.14159265) * 0.75, 0.5 / 25);  // late by less than half a frame
}

TEST(FaceModelTrack, EqualTimesDoNotHoldTheHead) {
  FaceModelTrack track(model());
  Face3d found;
  for (unsigned f = 0; f < 40; ++f) {
    const Face3d truth = model().make({}, {}, pose_of(0.5 * f, 0, 0));
    found = track.next(seen(truth, f), kUncertainty, camera(), 3.0);
  }
  EXPECT_NEAR(found.pose.yaw_deg, 19.5, 3);
}

TEST(FaceModelTrack, BadFramesLeaveItAsItWas) {
  FaceModelTrack track(model());
  const Face3d truth = model().make({}, {}, pose_of(0, 0, 0));
  track.next(seen(truth, 1), kUncertainty, camera(), 1.0);
  EXPECT_THROW(track.next(seen(truth, 1), kUncertainty, camera(), 0.5), Error);
  EXPECT_THROW(track.next(std::vector<Point>(68, Point{1, 1}), kUncertainty, camera(), 1.1), Error);
  EXPECT_THROW(track.next(seen(truth, 1), kUncertainty, Camera(), 1.1), Error);
  const Face3d found = track.next(seen(truth, 2), kUncertainty, camera(), 1.2);
  EXPECT_NEAR(found.pose.yaw_deg, 0, 3);
  EXPECT_THROW(FaceModelTrack(model(), {.smooth = -1}), Error);
  EXPECT_THROW(FaceModelTrack(model(), {.smooth = std::numeric_limits<double>::quiet_NaN()}), Error);
}

TEST(FaceModelTrack, FollowsAFaceThatJumps) {
  FaceModelTrack track(model());
  const Face3d here = model().make({}, {}, pose_of(30, 0, 0, {-200, 0, 1000})),
               there = model().make({}, {}, pose_of(-30, 0, 20, {200, 50, 700}));
  for (unsigned f = 0; f < 5; ++f) track.next(seen(here, f), kUncertainty, camera(), f / 25.0);
  const Face3d found = track.next(seen(there, 9), kUncertainty, camera(), 6 / 25.0);
  EXPECT_NEAR(found.pose.yaw_deg, -30, 5);
  EXPECT_NEAR(found.pose.translation_mm[0], 200, 30);
}

}  // namespace
}  // namespace spiga
