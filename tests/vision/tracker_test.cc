// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "geometry/boxes.h"
#include "support/error_of.h"

namespace spiga::vision {
namespace {

constexpr int kWidth = 640, kHeight = 480;
constexpr double kFrame = 0.08;

// A world of faces that move along known ways; nothing where a face cannot be seen.
using Way = std::function<std::optional<Box>(double time_s)>;

// Plays a world to a tracker that does not hesitate: the network finds whatever face overlaps with where it
// looks.
class World {
 public:
  explicit World(std::vector<Way> ways) : tracker({.doubt_frames = 1}), ways_(std::move(ways)) {}

  // One frame; returns which id each way has, -1 for none.
  std::vector<int> step(bool detect) {
    const double now = kFrame * frame_++;
    std::vector<Detection> detections;
    for (const Way& way : ways_) {
      if (const auto box = way(now); detect && box) detections.push_back({*box, score});
    }
    looks = tracker.look(now, kWidth, kHeight, detections);
    std::vector<Seen> seen;
    std::vector<int> whose;
    for (const Look& look : looks) {
      seen.push_back({look.box, 0.05f});
      whose.push_back(-1);
      double best = 0.2;
      for (std::size_t i = 0; i < ways_.size(); ++i) {
        const auto box = ways_[i](now);
        if (!box) continue;
        const double overlap = geometry::intersection_over_union(*box, look.box);
        if (overlap <= best) continue;
        best = overlap;
        seen.back() = {*box, 0.9f};
        whose.back() = static_cast<int>(i);
      }
    }
    verdicts = tracker.update(seen);
    std::vector<int> ids(ways_.size(), -1);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      if (verdicts[i].state != TrackState::followed) continue;
      EXPECT_GE(whose[i], 0) << "followed without a face";
      EXPECT_EQ(ids[whose[i]], -1) << "two tracks on one face";
      ids[whose[i]] = verdicts[i].id;
    }
    return ids;
  }

  Tracker tracker;
  float score = 1;
  std::vector<Look> looks;
  std::vector<Verdict> verdicts;

 private:
  std::vector<Way> ways_;
  int frame_ = 0;
};

Box box_at(double x, double y, double side = 60) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(side), static_cast<float>(side)};
}

Way standing(double x, double y) {
  return [=](double) { return box_at(x, y); };
}

Way hidden(Way way, double from, double to) {
  return [=](double t) { return t >= from && t < to ? std::nullopt : way(t); };
}

TEST(Tracker, follows_faces_between_runs_of_the_detector) {
  World world({[](double t) { return box_at(180 + 150 * std::sin(t), 200); },
               [](double t) { return box_at(400, 200 + 90 * std::cos(2 * t), 60 + 20 * std::sin(t)); }});
  for (int frame = 0; frame < 200; ++frame)
    ASSERT_THAT(world.step(frame % 25 == 0), ::testing::ElementsAre(0, 1)) << frame;
}

TEST(Tracker, believes_an_unsure_detection_after_three_frames) {
  World world({standing(100, 100)});
  world.score = 0.1f;
  EXPECT_THAT(world.step(true), ::testing::ElementsAre(-1));
  EXPECT_THAT(world.step(false), ::testing::ElementsAre(-1));
  EXPECT_THAT(world.step(false), ::testing::ElementsAre(0));
}

TEST(Tracker, forgets_a_false_detection_without_spending_an_id) {
  Tracker tracker;
  const std::vector<Detection> ghost = {{box_at(50, 50), 5}};
  ASSERT_EQ(tracker.look(0, kWidth, kHeight, ghost).size(), 1u);
  const std::vector<Seen> nothing = {{box_at(50, 50), 0.4f}};
  EXPECT_EQ(tracker.update(nothing)[0].state, TrackState::ended);
  const std::vector<Detection> face = {{box_at(300, 50), 5}};
  ASSERT_EQ(tracker.look(kFrame, kWidth, kHeight, face).size(), 1u);
  const std::vector<Seen> sure = {{box_at(300, 50), 0.9f}};
  EXPECT_EQ(tracker.update(sure)[0].id, 0);
}

TEST(Tracker, loses_a_face_after_two_doubtful_frames_and_takes_it_back_for_less_than_a_new_one) {
  Tracker tracker;
  const std::vector<Detection> face = {{box_at(100, 100), 5}};
  double now = 0;
  const auto state = [&](float likelihood) {
    now += kFrame;
    tracker.look(now, kWidth, kHeight, face);
    const std::vector<Seen> seen = {{box_at(100, 100), likelihood}};
    return tracker.update(seen)[0];
  };
  EXPECT_EQ(state(0.9f).state, TrackState::followed);
  EXPECT_EQ(state(0.05f).state, TrackState::followed) << "one doubtful frame";
  EXPECT_EQ(state(0.15f).state, TrackState::followed) << "a followed face needs little";
  EXPECT_EQ(state(0.05f).state, TrackState::followed);
  EXPECT_EQ(state(0.05f).state, TrackState::lost);
  EXPECT_EQ(state(0.2f).state, TrackState::lost);
  EXPECT_EQ(state(0.35f).state, TrackState::followed);
  EXPECT_EQ(state(0.9f).id, 0);
}

TEST(Tracker, keeps_the_id_of_a_face_that_is_hidden_for_less_than_a_second) {
  World world({hidden(standing(100, 100), 1.0, 1.9), standing(300, 100)});
  std::vector<int> ids;
  for (int frame = 0; frame < 40; ++frame) ids = world.step(frame % 5 == 0);
  EXPECT_THAT(ids, ::testing::ElementsAre(0, 1));
}

TEST(Tracker, finds_a_face_again_that_moved_while_it_was_hidden) {
  // A face's width further after 0.8 s: only a detection can tell.
  World world({hidden([](double t) { return box_at(t < 1 ? 100 + 30 * t : 145 + 30 * t, 120); }, 1.0, 1.8)});
  std::vector<int> ids;
  for (int frame = 0; frame < 40; ++frame) ids = world.step(frame % 3 == 0);
  EXPECT_THAT(ids, ::testing::ElementsAre(0));
}

TEST(Tracker, gives_a_new_id_after_more_than_a_second) {
  World world({hidden(standing(100, 100), 1.0, 2.3)});
  std::vector<int> ids;
  for (int frame = 0; frame < 50; ++frame) ids = world.step(frame % 5 == 0);
  EXPECT_THAT(ids, ::testing::ElementsAre(1));
}

TEST(Tracker, does_not_swap_faces_that_pass_each_other) {
  World world({[](double t) { return box_at(50 + 60 * t, 150); },
               [](double t) { return box_at(500 - 60 * t, 230); }});
  for (int frame = 0; frame < 90; ++frame)
    ASSERT_THAT(world.step(frame % 5 == 0), ::testing::ElementsAre(0, 1)) << frame;
}

TEST(Tracker, one_face_in_front_of_another_keeps_its_own_id) {
  // The second face walks behind the first, which hides it for 0.7 s, and comes out on the other side.
  const auto behind = [](double t) -> std::optional<Box> {
    const double x = 100 + 80 * t;
    return x > 165 && x < 221 ? std::nullopt : std::optional(box_at(x, 150));
  };
  World world({standing(193, 150), behind});
  std::vector<int> ids;
  for (int frame = 0; frame < 40; ++frame) {
    ids = world.step(frame % 3 == 0);
    ASSERT_EQ(ids[0], 0) << frame;
  }
  EXPECT_EQ(ids[1], 1);
}

TEST(Tracker, a_second_box_on_a_followed_face_is_no_second_face) {
  World world({standing(100, 100)});
  world.step(true);
  const std::vector<Detection> smaller = {{box_at(112, 112, 38), 3}, {box_at(102, 99), 2}};
  EXPECT_EQ(world.tracker.look(kFrame, kWidth, kHeight, smaller).size(), 1u);
}

TEST(Tracker, loses_a_face_that_leaves_the_picture) {
  World world({[](double t) { return box_at(560 + 100 * t, 100); }});
  bool shown = true;
  double gone_s = 0;
  for (int frame = 0; frame < 40; ++frame) {
    const bool now = world.step(false || frame == 0)[0] == 0;
    if (shown && !now) gone_s = kFrame * frame;
    shown = now;
  }
  // Its middle crosses the edge at 0.5 s.
  EXPECT_NEAR(gone_s, 0.5, 0.09);
  EXPECT_TRUE(world.looks.empty()) << "and is forgotten a second later";
}

TEST(Tracker, says_where_the_detector_need_not_look) {
  World world({standing(100, 100)});
  EXPECT_TRUE(world.tracker.occupied(0).empty());
  world.step(true);
  ASSERT_EQ(world.tracker.occupied(kFrame).size(), 1u);
  EXPECT_GT(geometry::intersection_over_union(world.tracker.occupied(kFrame)[0], box_at(100, 100)), 0.9);
}

TEST(Tracker, follows_through_a_change_of_the_pictures_size) {
  Tracker tracker;
  const std::vector<Detection> face = {{box_at(100, 100), 1}};
  const std::vector<Seen> here = {{box_at(100, 100), 0.9f}};
  tracker.look(0, kWidth, kHeight, face);
  tracker.update(here);
  tracker.rescale(0.5, 0.5);
  const std::vector<Look> looks = tracker.look(kFrame, kWidth / 2, kHeight / 2, {});
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_GT(geometry::intersection_over_union(looks[0].box, box_at(50, 50, 30)), 0.95);
}

TEST(Tracker, gives_ids_to_as_many_faces_as_may_have_one) {
  Tracker tracker({.max_faces = 1});
  const std::vector<Detection> two = {{{100, 100, 80, 80}, 0.9f}, {{300, 100, 80, 80}, 0.8f}};
  for (int frame = 0; frame < 3; ++frame) {
    const std::vector<Look> looks = tracker.look(kFrame * frame, kWidth, kHeight, two);
    EXPECT_EQ(looks.size(), frame == 0 ? 2U : 1U);
    std::vector<Seen> seen;
    for (const Look& look : looks) seen.push_back({look.box, 0.9f});
    const std::vector<Verdict> verdicts = tracker.update(seen);
    EXPECT_EQ(verdicts[0].id, 0);
    EXPECT_EQ(verdicts[0].state, TrackState::followed);
    if (frame == 0) {
      EXPECT_EQ(verdicts[1].state, TrackState::ended);
    }
  }
  // The one is gone for more than a second: another may have the next id.
  std::vector<Look> looks = tracker.look(0.3, kWidth, kHeight, {});
  tracker.update(std::vector<Seen>(looks.size(), Seen{{0, 0, 1, 1}, 0}));
  looks = tracker.look(2, kWidth, kHeight, std::span(two).last(1));
  ASSERT_EQ(looks.size(), 1U);
  const std::vector<Seen> seen = {{looks[0].box, 0.9f}};
  EXPECT_EQ(tracker.update(seen)[0].id, 1);
}

TEST(Tracker, wants_one_answer_for_each_look) {
  Tracker tracker;
  const std::vector<Detection> face = {{box_at(100, 100), 1}};
  tracker.look(0, kWidth, kHeight, face);
  EXPECT_EQ(spiga::testing::error_of([&] { tracker.update({}); }).code(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace spiga::vision
