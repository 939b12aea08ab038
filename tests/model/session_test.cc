// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>
#include <thread>

#include "engine/calibration.h"
#include "engine/primitives.h"
#include "engine/program.h"
#include "spiga/error.h"
#include "support/error_of.h"
#include "support/made_up_weights.h"
#include "support/model_files.h"
#include "support/temporary_folder.h"

namespace {
std::atomic<std::int64_t> allocations = 0;
}

// Counts what a run allocates.
__attribute__((noinline)) void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
__attribute__((noinline)) void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace spiga::model {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::MadeUpWeights;
using ::testing::Not;

NetworkConfig small_config(InitialShape shape = InitialShape::projection) {
  NetworkConfig config = testing::tiny_network();
  config.initial_shape = shape;
  return config;
}

std::shared_ptr<const CompiledNetwork> made_up(const NetworkConfig& config,
                                               Precision precision = Precision::f32) {
  MadeUpWeights weights;
  return CompiledNetwork::load(config, weights, precision);
}

// A picture per face, different for every seed.
void fill(std::span<float> input, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (float& value : input) value = uniform(generator);
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

// Everything that a run says.
struct Said {
  std::vector<float> landmarks, pose, uncertainty;
  bool operator==(const Said&) const = default;
};
Said run(Session& session, int faces, unsigned seed) {
  fill(session.input(faces), seed);
  session.run(faces);
  return {copy(session.landmarks()), copy(session.pose()), copy(session.uncertainty())};
}

double mean_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < a.size(); i += 2) sum += std::hypot(a[i] - b[i], a[i + 1] - b[i + 1]);
  return sum / (static_cast<double>(a.size()) / 2);
}

class EachPrecision : public ::testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    if (GetParam() == Precision::bf16 && !engine::supports(engine::DataType::bf16))
      GTEST_SKIP() << "no bf16 here";
  }
};

TEST_P(EachPrecision, ResultsHaveTheirShapesAndAreFinite) {
  for (const InitialShape shape : {InitialShape::projection, InitialShape::heatmap}) {
    Session session(made_up(small_config(shape), GetParam()), {.threads = 1, .max_batch = 3});
    EXPECT_TRUE(session.landmarks().empty());
    for (const int faces : {1, 3, 2}) {
      const Said said = run(session, faces, 1);
      EXPECT_EQ(said.landmarks.size(), static_cast<std::size_t>(faces) * 68 * 2);
      EXPECT_EQ(said.pose.size(), static_cast<std::size_t>(faces) * 6);
      EXPECT_EQ(said.uncertainty.size(), static_cast<std::size_t>(faces) * 68);
      for (const float value : said.landmarks) EXPECT_TRUE(std::isfinite(value));
      for (const float value : said.uncertainty) EXPECT_GT(value, 0);
    }
  }
}

// A face says the same alone and among others (to rounding: kernels differ between batch sizes).
TEST_P(EachPrecision, BatchesAreFacesSideBySide) {
  const auto model = made_up(small_config(InitialShape::heatmap), GetParam());
  Session batch(model, {.threads = 1, .max_batch = 3}), single(model, {.threads = 1, .max_batch = 1});
  fill(batch.input(3), 2);
  batch.run(3);
  const std::size_t size = single.input(1).size();
  for (std::size_t face = 0; face < 3; ++face) {
    std::copy_n(batch.input(3).begin() + static_cast<std::ptrdiff_t>(face * size), size,
                single.input(1).begin());
    single.run(1);
    const double tolerance = GetParam() == Precision::f32 ? 1e-5 : 5e-3;
    EXPECT_LT(mean_distance(batch.landmarks().subspan(face * 68 * 2, 68 * 2), single.landmarks()), tolerance);
    EXPECT_NEAR(batch.pose()[face * 6], single.pose()[0], GetParam() == Precision::f32 ? 1e-3 : 0.5);
  }
}

TEST_P(EachPrecision, ManySessionsInParallelSayTheSameBitsAsAlone) {
  const auto model = made_up(small_config(InitialShape::heatmap), GetParam());
  constexpr int kThreads = 4, kRounds = 5;
  std::vector<Said> alone;
  {
    Session session(model, {.threads = 1, .max_batch = 2});
    for (int i = 0; i < kThreads; ++i) alone.push_back(run(session, 1 + i % 2, static_cast<unsigned>(i)));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Session session(model, {.threads = 1, .max_batch = 2});
      for (int round = 0; round < kRounds; ++round) {
        if (run(session, 1 + i % 2, static_cast<unsigned>(i)) != alone[static_cast<std::size_t>(i)]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(EachPrecision, RunsAllocateNothingButOneDnnsBookkeeping) {
  Session session(made_up(small_config(InitialShape::heatmap), GetParam()), {.threads = 2, .max_batch = 2});
  for (const int faces : {1, 2}) {
    run(session, faces, 3);
    const engine::Program& program = session.program(faces);
    const auto count = [](const auto& action) {
      action();  // OpenMP's threads
      const std::int64_t before = allocations;
      action();
      return allocations - before;
    };
    const std::int64_t products_alone = count([&] { program.run_products(); });
    EXPECT_EQ(count([&] { session.run(faces); }), products_alone);
    EXPECT_EQ(count([&] { session.input(faces); }), 0);
  }
}

TEST_P(EachPrecision, NoLayerFallsBackToTheReferenceImplementation) {
  for (const InitialShape shape : {InitialShape::projection, InitialShape::heatmap}) {
    NetworkConfig config = named_config("default");
    config.initial_shape = shape;
    Session session(made_up(config, GetParam()), {.threads = 1, .max_batch = 2});
    for (const int faces : {1, 2}) {
      for (const engine::Step& step : session.program(faces).steps()) {
        EXPECT_THAT(step.implementation, Not(HasSubstr("ref"))) << step.layer;
        if (GetParam() == Precision::bf16 && step.is_product() &&
            engine::instruction_set() == engine::InstructionSet::amx) {
          EXPECT_THAT(step.implementation, HasSubstr("amx")) << step.layer;
        }
      }
    }
  }
}

TEST_P(EachPrecision, ThreadsChangeNothingButRounding) {
  const auto model = made_up(small_config(), GetParam());
  Session one(model, {.threads = 1, .max_batch = 1}), two(model, {.threads = 2, .max_batch = 1});
  const Said first = run(one, 1, 4), second = run(two, 1, 4);
  EXPECT_LT(mean_distance(first.landmarks, second.landmarks), GetParam() == Precision::f32 ? 1e-5 : 5e-3);
}

INSTANTIATE_TEST_SUITE_P(Precisions, EachPrecision, ::testing::Values(Precision::f32, Precision::bf16),
                         [](const auto& precision) {
                           return precision.param == Precision::f32 ? "f32" : "bf16";
                         });

TEST(Session, Bf16StaysCloseToF32) {
  if (!engine::supports(engine::DataType::bf16)) GTEST_SKIP() << "no bf16 here";
  const NetworkConfig config = named_config("default");
  Session exact(made_up(config, Precision::f32), {.threads = 1, .max_batch = 1});
  Session rounded(made_up(config, Precision::bf16), {.threads = 1, .max_batch = 1});
  const Said expected = run(exact, 1, 5), found = run(rounded, 1, 5);
  EXPECT_LT(mean_distance(expected.landmarks, found.landmarks), 2.0 / 256);
  EXPECT_GT(mean_distance(expected.landmarks, found.landmarks), 0) << "bf16 was not used";
}

// Inputs that are no pictures must not take the process down or stay in the session.
TEST(Session, NanInTheInputDoesNotOutlastTheRun) {
  Session session(made_up(small_config(InitialShape::heatmap)), {.threads = 1, .max_batch = 1});
  const Said before = run(session, 1, 6);
  for (float& value : session.input(1)) value = std::nanf("");
  session.run(1);
  EXPECT_EQ(run(session, 1, 6), before);
}

TEST(Session, RefusesSenselessSizes) {
  const auto model = made_up(small_config());
  EXPECT_EQ(error_of([&] { Session(model, {.threads = -1}); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { Session(model, {.max_batch = 0}); }).code(), ErrorCode::invalid_argument);
  Session session(model, {.threads = 1, .max_batch = 2});
  for (const int faces : {0, -1, 3}) {
    const Error error = error_of([&] { session.run(faces); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("1 to 2"));
    EXPECT_EQ(error_of([&] { session.input(faces); }).code(), ErrorCode::invalid_argument);
  }
  EXPECT_EQ(error_of([&] { static_cast<void>(session.intermediate("pre")); }).code(),
            ErrorCode::invalid_argument);
}

TEST(Model, AutomaticPrecisionIsTheFasterOne) {
  const bool bf16 = engine::faster_type() == engine::DataType::bf16;
  EXPECT_EQ(made_up(small_config(), Precision::automatic)->precision(),
            bf16 ? Precision::bf16 : Precision::f32);
  if (engine::instruction_set() < engine::InstructionSet::avx512) {
    EXPECT_FALSE(bf16);
    EXPECT_EQ(error_of([&] { made_up(small_config(), Precision::bf16); }).code(), ErrorCode::unsupported);
  }
}

TEST(Model, FilesSayWhatTheSameWeightsSayInMemory) {
  const testing::TemporaryFolder folder;
  const NetworkConfig config = small_config(InitialShape::heatmap);
  testing::write_made_up_model(folder.path() / "m.safetensors", config);
  Session from_file(CompiledNetwork::load(folder.path() / "m.safetensors", Precision::f32),
                    {.threads = 1, .max_batch = 1});
  Session from_memory(made_up(config), {.threads = 1, .max_batch = 1});
  EXPECT_EQ(from_file.network().config(), config);
  EXPECT_EQ(run(from_file, 1, 7), run(from_memory, 1, 7));
}

}  // namespace
}  // namespace spiga::model
