// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/events.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace spiga::face3d {
namespace {

TEST(BlinkFinder, FindsABlinkOfThreeFrames) {
  BlinkFinder finder;
  std::vector<FaceEvent> events;
  for (int f = 0; f < 20; ++f)
    finder.add(f / 25.0, f == 10 || f == 12 ? 0.4f : f == 11 ? 0.0f : 1.0f, events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, FaceEventKind::blink);
  EXPECT_NEAR(events[0].start_s, 10 / 25.0, 1e-9);
  EXPECT_NEAR(events[0].end_s, 13 / 25.0, 1e-9);
}

TEST(BlinkFinder, LongClosedEyesAreNone) {
  BlinkFinder finder;
  std::vector<FaceEvent> events;
  for (int f = 0; f < 60; ++f) finder.add(f / 25.0, f >= 10 && f < 40 ? 0.1f : 1.0f, events);
  EXPECT_TRUE(events.empty());
}

// Openings that tremble by a small known pattern around what `open` says, at 12.5 frames/s.
std::vector<FaceEvent> blinks_of(float (*open)(int), float trembling) {
  BlinkFinder finder;
  std::vector<FaceEvent> events;
  for (int f = 0; f < 100; ++f) {
    const float wave = static_cast<float>(std::sin(1.7 * f * f));
    finder.add(f / 12.5, open(f) + trembling * wave, events);
  }
  return events;
}

TEST(BlinkFinder, SmallEyesThatCloseHalfWayBlinkToo) {
  const auto open = [](int f) { return f == 30 || f == 60 || f == 61 ? 0.65f : 0.87f; };
  const std::vector<FaceEvent> events = blinks_of(open, 0.01f);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NEAR(events[0].start_s, 30 / 12.5, 1e-9);
  EXPECT_NEAR(events[1].end_s, 62 / 12.5, 1e-9);
}

TEST(BlinkFinder, TheSameFallWithinTremblingIsNone) {
  const auto open = [](int f) { return f == 30 || f == 60 || f == 61 ? 0.65f : 0.87f; };
  EXPECT_TRUE(blinks_of(open, 0.15f).empty());
}

TEST(BlinkFinder, NarrowedEyesAreNoBlinkAndNotClosed) {
  EXPECT_TRUE(blinks_of([](int f) { return f < 40 ? 1.0f : 0.68f; }, 0.01f).empty());
  BlinkFinder finder;
  std::vector<FaceEvent> events;
  for (int f = 0; f < 60; ++f) finder.add(f / 12.5, f < 40 ? 1.0f : 0.68f, events);
  EXPECT_FALSE(finder.closed());
}

std::vector<FaceEvent> swings(double amplitude_deg, double period_s, double length_s) {
  SwingFinder finder(FaceEventKind::nod);
  std::vector<FaceEvent> events;
  for (int f = 0; f < 100; ++f) {
    const double t = f / 25.0 - 1;
    finder.add(f / 25.0,
               t > 0 && t < length_s ? amplitude_deg * std::sin(2 * std::numbers::pi * t / period_s) : 0,
               events);
  }
  return events;
}

TEST(SwingFinder, FindsANodOnce) {
  const std::vector<FaceEvent> events = swings(8, 0.7, 1.4);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_GT(events[0].start_s, 0.5);
  EXPECT_LT(events[0].end_s, 2.5);
}

TEST(SwingFinder, SmallSlowAndSingleMovesAreNone) {
  EXPECT_TRUE(swings(1.2, 0.7, 1.4).empty());
  EXPECT_TRUE(swings(8, 3.0, 3.0).empty());
  EXPECT_TRUE(swings(8, 0.8, 0.4).empty());
}

TEST(SwingFinder, AngleThatWrapsIsNoSwing) {
  SwingFinder finder(FaceEventKind::shake);
  std::vector<FaceEvent> events;
  for (int f = 0; f < 50; ++f) finder.add(f / 25.0, f % 2 ? 179.5 : -179.5, events);
  EXPECT_TRUE(events.empty());
}

}  // namespace
}  // namespace spiga::face3d
