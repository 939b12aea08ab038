// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/smoother.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "support/error_of.h"

namespace spiga::vision {
namespace {

constexpr double kSide = 100;  // pixels
constexpr double kUncertainty = 2.5;

const scheme::Database& database() { return scheme::find_database("300wpublic"); }

// What the head does: where its middle is, how it is turned, how far the mouth is open (in sides).
struct Motion {
  double x = 240, y = 130, roll_deg = 0, scale = 1, mouth = 0, yaw_deg = 0;
};

struct Trembling {
  double shape_px = 0;  // of each landmark
  double place_px = 0;  // of all together
  double angle_deg = 0;
};

// A face of the mean shape that moves, as a network would report it.
class Head {
 public:
  explicit Head(const Trembling& trembling) : trembling_(trembling) {}

  Face at(const Motion& motion) {
    Face face;
    const double angle = motion.roll_deg * M_PI / 180, size = motion.scale * kSide / 150;
    const double shift_x = trembling_.place_px * normal_(random_),
                 shift_y = trembling_.place_px * normal_(random_);
    for (int i = 0; i < database().landmarks; ++i) {
      const scheme::Point3& p = database().mean_face[i];
      const bool lower_lip = (i >= 55 && i <= 59) || i >= 65;
      const double x = size * p[0] / unit(),
                   y = size * (-p[1] / unit() + (lower_lip ? 150 * motion.mouth : 0));
      face.landmarks.push_back({static_cast<float>(motion.x + std::cos(angle) * x - std::sin(angle) * y +
                                                   shift_x + trembling_.shape_px * normal_(random_)),
                                static_cast<float>(motion.y + std::sin(angle) * x + std::cos(angle) * y +
                                                   shift_y + trembling_.shape_px * normal_(random_))});
      face.uncertainty.push_back(static_cast<float>(kUncertainty));
    }
    face.box = {static_cast<float>(motion.x - 50), static_cast<float>(motion.y - 50), 100, 100};
    face.headpose.yaw_deg = static_cast<float>(motion.yaw_deg + trembling_.angle_deg * normal_(random_));
    face.headpose.roll_deg = static_cast<float>(motion.roll_deg + trembling_.angle_deg * normal_(random_));
    face.headpose.translation = {0, 0, 5};
    return face;
  }

 private:
  // Units of the mean face for a 150th of its side.
  static double unit() {
    static const double value = [] {
      const auto [left, right] =
          std::ranges::minmax(database().mean_face, {}, [](const auto& p) { return p[0]; });
      return (right[0] - left[0]) / 150;
    }();
    return value;
  }

  Trembling trembling_;
  std::mt19937 random_{7};
  std::normal_distribution<double> normal_;
};

using Way = std::function<Motion(double time_s)>;

struct Track {
  std::vector<Face> truth, raw, steadied;
};

Track play(const Way& way, const Trembling& trembling, double fps, double strength = 1, int frames = 250) {
  Head head(trembling), still({});
  Smoother smoother(database(), strength);
  Track track;
  for (int i = 0; i < frames; ++i) {
    track.truth.push_back(still.at(way(i / fps)));
    track.raw.push_back(head.at(way(i / fps)));
    track.steadied.push_back(smoother.next(track.raw.back(), i / fps));
  }
  return track;
}

// Root mean square of the landmarks' movement from frame to frame.
double jitter(const std::vector<Face>& faces) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 10; i < faces.size(); ++i) {
    for (std::size_t k = 0; k < faces[i].landmarks.size(); ++k, ++count) {
      const Point &a = faces[i - 1].landmarks[k], &b = faces[i].landmarks[k];
      sum += (b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y);
    }
  }
  return std::sqrt(sum / count);
}

// By how many frames a landmark's track has to be moved ahead to come nearest to the truth.
double lag_frames(const Way& way, const Track& track, double fps, int landmark) {
  double best = INFINITY, best_lag = 0;
  for (double lag = -1; lag < 4; lag += 0.1) {
    Head still({});
    double sum = 0;
    for (std::size_t i = 10; i < track.steadied.size(); ++i) {
      const Point truth = still.at(way((static_cast<double>(i) - lag) / fps)).landmarks[landmark];
      const Point found = track.steadied[i].landmarks[landmark];
      sum += (truth.x - found.x) * (truth.x - found.x) + (truth.y - found.y) * (truth.y - found.y);
    }
    if (sum < best) {
      best = sum;
      best_lag = lag;
    }
  }
  return best_lag;
}

constexpr int kNose = 30, kLowerLip = 57;
constexpr Trembling kUsual = {.shape_px = 0.35, .place_px = 0.2, .angle_deg = 0.7};

TEST(Smoother, a_still_face_trembles_a_fourth_at_most) {
  for (const double fps : {12.5, 30.0}) {
    const Track track = play([](double) { return Motion(); }, kUsual, fps);
    EXPECT_LT(jitter(track.steadied), jitter(track.raw) / 4) << fps;
  }
}

struct NamedWay {
  const char* name;
  Way way;
  int landmark;
};

std::vector<NamedWay> motions() {
  const auto wave = [](double t, double hertz) { return std::sin(2 * M_PI * hertz * t); };
  return {
      {"walks", [](double t) { return Motion{.x = 50 + 60 * t}; }, kNose},
      {"strolls", [](double t) { return Motion{.x = 50 + 15 * t}; }, kNose},
      {"sways", [=](double t) { return Motion{.x = 240 + 40 * wave(t, 0.5)}; }, kNose},
      {"sways a little", [=](double t) { return Motion{.x = 240 + 6 * wave(t, 0.5)}; }, kNose},
      {"shakes", [=](double t) { return Motion{.x = 240 + 25 * wave(t, 1.5)}; }, kNose},
      {"tilts", [=](double t) { return Motion{.roll_deg = 25 * wave(t, 0.5)}; }, kLowerLip},
      {"comes nearer", [=](double t) { return Motion{.scale = 1 + 0.3 * wave(t, 0.3)}; }, 0},
      {"talks", [=](double t) { return Motion{.mouth = 0.08 * std::max(0.0, wave(t, 1.5))}; }, kLowerLip},
  };
}

TEST(Smoother, lags_a_frame_at_most) {
  for (const auto& [name, way, landmark] : motions()) {
    const Track track = play(way, kUsual, 12.5);
    const double lag = lag_frames(way, track, 12.5, landmark);
    EXPECT_LE(lag, 1.0) << name;
    EXPECT_GT(lag, -0.5) << name;
    ::testing::Test::RecordProperty(std::string("lag: ") + name, std::to_string(lag));
  }
}

// Smoothing must not cost accuracy either: while the head moves, landmarks stay as near to the truth as
// without it, but for a fifth.
TEST(Smoother, a_moving_face_is_no_worse_than_without) {
  for (const auto& [name, way, landmark] : motions()) {
    const Track track = play(way, kUsual, 12.5);
    const auto error = [&](const std::vector<Face>& faces) {
      double sum = 0;
      for (std::size_t i = 10; i < faces.size(); ++i) {
        for (std::size_t k = 0; k < faces[i].landmarks.size(); ++k) {
          const Point &a = track.truth[i].landmarks[k], &b = faces[i].landmarks[k];
          sum += (b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y);
        }
      }
      return std::sqrt(sum);
    };
    EXPECT_LT(error(track.steadied), 1.2 * error(track.raw)) << name;
  }
}

TEST(Smoother, a_jump_arrives_in_the_next_frame) {
  const Way way = [](double t) { return Motion{.x = t < 5 ? 240.0 : 280.0}; };
  const Track track = play(way, kUsual, 12.5);
  const auto frame = static_cast<std::size_t>(5 * 12.5) + 2;
  EXPECT_NEAR(track.steadied[frame].landmarks[kNose].x, track.truth[frame].landmarks[kNose].x, 2);
}

TEST(Smoother, strength_0_changes_no_landmark_and_no_angle) {
  const Track track = play([](double) { return Motion(); }, kUsual, 12.5, 0, 20);
  for (std::size_t i = 0; i < track.raw.size(); ++i) {
    for (std::size_t k = 0; k < track.raw[i].landmarks.size(); ++k)
      ASSERT_EQ(track.raw[i].landmarks[k].x, track.steadied[i].landmarks[k].x);
    EXPECT_EQ(track.raw[i].headpose.yaw_deg, track.steadied[i].headpose.yaw_deg);
  }
}

TEST(Smoother, more_strength_trembles_less) {
  const Way still = [](double) { return Motion(); };
  double last = jitter(play(still, kUsual, 12.5, 0).steadied);
  for (const double strength : {0.3, 1.0, 3.0}) {
    const double now = jitter(play(still, kUsual, 12.5, strength).steadied);
    EXPECT_LT(now, last) << strength;
    last = now;
  }
}

// The box becomes the landmarks' tight one; where the head's frame lies in the picture must not change.
TEST(Smoother, the_pose_is_told_relative_to_the_new_box) {
  Head head({});
  const Face raw = head.at({});
  for (const double strength : {0.0, 1.0}) {
    const Face steadied = Smoother(database(), strength).next(raw, 0);
    const Box tight = geometry::tight_box(raw.landmarks);
    EXPECT_NEAR(steadied.box.x, tight.x, 1e-3);
    EXPECT_NEAR(steadied.box.height, tight.height, 1e-3);
    const auto sight = [](const Face& face) {
      const double side = geometry::kCropMargin * std::max(face.box.width, face.box.height);
      const auto& t = face.headpose.translation;
      return std::array{face.box.x + face.box.width / 2 + side * 1.5 * t[0] / t[2],
                        face.box.y + face.box.height / 2 + side * 1.5 * t[1] / t[2], side * 1.5 / t[2]};
    };
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(sight(steadied)[i], sight(raw)[i], 1e-3) << i;
  }
}

TEST(Smoother, starts_anew_after_a_gap) {
  Head head({});
  Smoother smoother(database(), 1);
  for (int i = 0; i < 20; ++i) smoother.next(head.at({.x = 100}), 0.08 * i);
  const Face there = head.at({.x = 300});
  EXPECT_NEAR(smoother.next(there, 3).landmarks[kNose].x, there.landmarks[kNose].x, 1e-3);
}

TEST(Smoother, angles_pass_through_180_degrees) {
  Head head({});
  Smoother smoother(database(), 1);
  Face face = head.at({});
  for (int i = 0; i < 30; ++i) {
    face.headpose.roll_deg = i % 2 ? 179.5f : -179.5f;
    EXPECT_GT(std::abs(smoother.next(face, 0.08 * i).headpose.roll_deg), 179) << i;
  }
}

TEST(Smoother, refuses_what_makes_no_sense) {
  using spiga::testing::error_of;
  EXPECT_EQ(error_of([] { Smoother(database(), -1); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([] { Smoother(database(), NAN); }).code(), ErrorCode::invalid_argument);
  Face face;
  EXPECT_THAT(error_of([&] { Smoother(database(), 1).next(face, 0); }).what(),
              ::testing::HasSubstr("expected 68 landmarks, found 0"));
}

}  // namespace
}  // namespace spiga::vision
