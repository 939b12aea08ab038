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
