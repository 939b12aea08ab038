// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/program.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <random>
#include <utility>

#include "engine/arena.h"
#include "engine/parallel.h"

namespace spiga::engine {
namespace {

TEST(ArenaPlan, BlocksThatLiveTogetherDoNotOverlap) {
  struct Live {
    std::shared_ptr<const ArenaPlan::Block> block;
    std::size_t bytes;
  };
  ArenaPlan plan;
  std::list<Live> live;
  std::mt19937 generator(5);
  for (int i = 0; i < 3000; ++i) {
    if (live.size() > 20 || (!live.empty() && generator() % 2 == 0)) {
      live.erase(std::next(live.begin(), static_cast<std::ptrdiff_t>(generator() % live.size())));
      continue;
    }
    const std::size_t bytes = generator() % 5000;
    const auto block = plan.allocate(bytes);
    EXPECT_EQ(block->offset() % 64, 0U);
    EXPECT_LE(block->offset() + bytes, plan.size());
    for (const Live& other : live) {
      EXPECT_TRUE(block->offset() + bytes <= other.block->offset() ||
                  other.block->offset() + other.bytes <= block->offset());
    }
    live.push_back({block, bytes});
  }
}

TEST(ArenaPlan, FreedMemoryIsUsedAgain) {
  ArenaPlan plan;
  auto a = plan.allocate(1000), b = plan.allocate(1000), c = plan.allocate(1000);
  const std::size_t size = plan.size();
  a.reset();
  c.reset();
  b.reset();  // the three join
  const auto whole = plan.allocate(3000);
  EXPECT_EQ(whole->offset(), 0U);
  EXPECT_EQ(plan.size(), size);
}

TEST(Arena, IsZeroedMemory) {
  Arena arena(1 << 20);
  for (std::size_t i = 0; i < arena.size(); i += 4096) EXPECT_EQ(arena.data()[i], std::byte{0});
  const std::byte* data = arena.data();
  const Arena moved = std::move(arena);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(Arena(0).data(), nullptr);
}

TEST(ThreadScope, SetsAndRestores) {
  const int before = omp_get_max_threads();
  {
    const ThreadScope scope(3);
    EXPECT_EQ(scope.threads(), 3);
    EXPECT_EQ(omp_get_max_threads(), 3);
    EXPECT_EQ(ThreadScope(0).threads(), 3);
  }
  EXPECT_EQ(omp_get_max_threads(), before);
}

#if defined(__x86_64__)
// The smallest normal number halved.
float half_of_smallest() {
  volatile float smallest = 1.17549435e-38F;
  return smallest * 0.5F;
}

TEST(ThreadScope, FlushesDenormalsInEveryThread) {
  EXPECT_NE(half_of_smallest(), 0.0F);
  {
    const ThreadScope scope(2);
    std::atomic<int> flushed = 0;
    parallel_for(2, 2, 1, [&](std::int64_t, std::int64_t) { flushed += half_of_smallest() == 0.0F ? 1 : 0; });
    EXPECT_EQ(flushed, 2);
  }
  EXPECT_NE(half_of_smallest(), 0.0F);
}
#endif

TEST(ParallelFor, CoversEachElementOnce) {
  for (const int threads : {1, 2, 5}) {
    for (const std::int64_t count : {0, 1, 7, 100}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      std::atomic<int> parts = 0;
      parallel_for(threads, count, 10, [&](std::int64_t begin, std::int64_t end) {
        ++parts;
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      for (const auto& times : seen) EXPECT_EQ(times, 1);
      EXPECT_LE(parts, (count + 9) / 10);
    }
  }
}

TEST(Program, RunsStepsInOrderAndProductsAlone) {
  const std::vector<float> weights = {2, 0, 0, 3}, bias = {1, 1};
  std::vector<float> x = {1, 1}, y = {0, 0};
  const auto kernel = std::make_shared<const Kernel>(ProductSpec{.rows = 1, .inner = 2, .columns = 2});
  const auto packed = std::make_shared<const PackedWeights>(*kernel, weights, bias);
  Program program(1);
  program.add("double", "pass", "2", "test", [&] {
    for (float& value : x) value *= 2;
  });
  program.add("linear", Execution(kernel, packed, x.data(), y.data()));
  program.finish();
  program.run();
  EXPECT_EQ(y, (std::vector<float>{5, 7}));
  program.run_products();
  EXPECT_EQ(y, (std::vector<float>{5, 7}));
  EXPECT_EQ(x, (std::vector<float>{2, 2}));
  EXPECT_EQ(program.multiply_adds(), 4);
  ASSERT_EQ(program.steps().size(), 2U);
  EXPECT_FALSE(program.steps()[0].is_product());
  EXPECT_TRUE(program.steps()[1].is_product());
  EXPECT_EQ(program.time_steps(3).size(), 2U);
}

}  // namespace
}  // namespace spiga::engine
