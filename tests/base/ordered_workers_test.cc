// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/ordered_workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace spiga::base {
namespace {

using Workers = OrderedWorkers<int, int>;

Workers::Source count_to(int end, int* asked = nullptr) {
  return [end, asked, next = 0]() mutable -> std::optional<int> {
    if (asked) ++*asked;
    return next < end ? std::optional(next++) : std::nullopt;
  };
}

TEST(OrderedWorkers, keeps_the_order_whoever_is_faster) {
  const Workers::Work slow_for_even = [](int item) {
    std::this_thread::sleep_for(std::chrono::microseconds(item % 2 ? 10 : 300));
    return 10 * item;
  };
  Workers workers(count_to(200), std::vector(4, slow_for_even), 8);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(workers.next(), 10 * i);
  EXPECT_EQ(workers.next(), std::nullopt);
  EXPECT_EQ(workers.next(), std::nullopt);
}

TEST(OrderedWorkers, takes_no_more_than_the_window) {
  std::atomic<int> started = 0;
  Workers workers(count_to(100), std::vector<Workers::Work>(3, [&](int item) { return ++started, item; }), 5);
  while (started < 5) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(started, 5);
  EXPECT_EQ(workers.next(), 0);
}

TEST(OrderedWorkers, hands_errors_out_in_their_place) {
  const Workers::Work fails_at_3 = [](int item) {
    return item == 3 ? throw std::runtime_error("three") : item;
  };
  Workers workers(count_to(6), std::vector(2, fails_at_3), 4);
  for (int i = 0; i < 6; ++i) {
    if (i == 3) {
      EXPECT_THROW(workers.next(), std::runtime_error);
    } else {
      EXPECT_EQ(workers.next(), i);
    }
  }
  EXPECT_EQ(workers.next(), std::nullopt);
}

TEST(OrderedWorkers, ends_with_the_sources_error) {
  const Workers::Source breaks = [next = 0]() mutable -> std::optional<int> {
    return next < 2 ? std::optional(next++) : throw std::runtime_error("gone");
  };
  Workers workers(breaks, std::vector<Workers::Work>(2, [](int item) { return item; }), 4);
  EXPECT_EQ(workers.next(), 0);
  EXPECT_EQ(workers.next(), 1);
  EXPECT_THROW(workers.next(), std::runtime_error);
  EXPECT_EQ(workers.next(), std::nullopt);
}

TEST(OrderedWorkers, stop_hands_out_what_is_under_way_and_ends) {
  Workers workers(count_to(1'000'000), std::vector<Workers::Work>(2, [](int item) { return item; }), 4);
  EXPECT_EQ(workers.next(), 0);
  workers.stop();
  int more = 0;
  for (int expected = 1; const auto result = workers.next(); ++expected, ++more) EXPECT_EQ(result, expected);
  EXPECT_LE(more, 6);
}

TEST(OrderedWorkers, can_be_left_at_any_time) {
  int asked = 0;
  {
    Workers workers(count_to(1000, &asked), std::vector<Workers::Work>(3, [](int item) { return item; }), 2);
  }
  EXPECT_LE(asked, 3);
}

}  // namespace
}  // namespace spiga::base
