// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/primitives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/calibration.h"
#include "engine/operations.h"
#include "engine/parallel.h"
#include "spiga/error.h"
#include "support/error_of.h"

namespace spiga::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

float rounded(DataType type, float value) {
  if (type == DataType::f32) return value;
  bfloat16 stored;
  store(stored, value);
  return to_float(stored);
}

// Values as activations of a type, and back.
std::vector<std::byte> stored(DataType type, const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  from_float32(type, values.data(), bytes.data(), static_cast<std::int64_t>(values.size()));
  return bytes;
}
std::vector<float> loaded(DataType type, const std::vector<std::byte>& bytes) {
  std::vector<float> values(bytes.size() / size_of(type));
  to_float32(type, bytes.data(), values.data(), static_cast<std::int64_t>(values.size()));
  return values;
}

double finish(const Epilogue& epilogue, double sum, double before) {
  if (epilogue.accumulate) sum += before;
  return epilogue.relu ? std::max(0.0, sum) : sum;
}

// What a convolution is.
std::vector<double> naive(const ConvolutionSpec& s, const std::vector<float>& x, const std::vector<float>& w,
                          const std::vector<float>& bias, const std::vector<float>& before) {
  std::vector<double> y;
  for (int n = 0; n < s.batch; ++n) {
    for (int row = 0; row < s.out_height(); ++row) {
      for (int column = 0; column < s.out_width(); ++column) {
        for (int o = 0; o < s.out; ++o) {
          double sum = bias[static_cast<std::size_t>(o)];
          for (int i = 0; i < s.kernel * s.kernel; ++i) {
            const int r = row * s.stride - s.pad_begin + i / s.kernel;
            const int c = column * s.stride - s.pad_begin + i % s.kernel;
            if (r < 0 || r >= s.height || c < 0 || c >= s.width) continue;
            for (int k = 0; k < s.in; ++k) {
              sum += double{x[static_cast<std::size_t>(((n * s.height + r) * s.width + c) * s.in + k)]} *
                     w[static_cast<std::size_t>((o * s.in + k) * s.kernel * s.kernel + i)];
            }
          }
          y.push_back(finish(s.epilogue, sum, before[y.size()]));
        }
      }
    }
  }
  return y;
}

void expect_near(DataType out, const std::vector<float>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  const double relative = out == DataType::f32 ? 1e-5 : 1.0 / 128;
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], relative * (1 + std::abs(expected[i]))) << "element " << i;
  }
}

class Kernels : public ::testing::TestWithParam<DataType> {
 protected:
  void SetUp() override {
    if (!supports(GetParam())) GTEST_SKIP() << name_of(GetParam()) << " does not run here";
  }

  std::vector<float> random_activations(std::size_t count, unsigned seed) {
    std::vector<float> values = random_values(count, seed);
    for (float& value : values) value = rounded(GetParam(), value);
    return values;
  }

  void check(ConvolutionSpec spec) {
    spec.input = GetParam();
    const auto in = static_cast<std::size_t>(spec.batch * spec.height * spec.width * spec.in);
    const auto out = static_cast<std::size_t>(spec.batch * spec.out_height() * spec.out_width() * spec.out);
    const auto x = random_activations(in, 1);
    const auto w =
        random_activations(static_cast<std::size_t>(spec.out * spec.in * spec.kernel * spec.kernel), 2);
    const auto bias = random_values(static_cast<std::size_t>(spec.out), 3);
    std::vector<float> before = random_values(out, 4);
    for (float& value : before) value = rounded(spec.output, value);
    const auto kernel = std::make_shared<const Kernel>(spec);
#if defined(__x86_64__)  // oneDNN has fast kernels for few other processors
    EXPECT_THAT(std::string(kernel->implementation()), Not(HasSubstr("ref"))) << to_string(spec);
#endif
    const auto y =
        run(kernel, x, std::make_shared<const PackedWeights>(*kernel, w, bias), before, spec.output);
    expect_near(spec.output, y, naive(spec, x, w, bias, before));
  }

  std::vector<float> run(const std::shared_ptr<const Kernel>& kernel, const std::vector<float>& x,
                         const std::shared_ptr<const PackedWeights>& weights,
                         const std::vector<float>& before, DataType out) {
    const auto from = stored(GetParam(), x);
    auto to = stored(out, before);
    Execution execution(kernel, weights, from.data(), to.data());
    std::vector<std::byte> scratch(kernel->scratch_bytes());
    execution.set_scratch(scratch.data());
    execution.run();
    return loaded(out, to);
  }
};

TEST_P(Kernels, Convolve) {
  const DataType type = GetParam();
  check(
      {.output = type, .batch = 2, .height = 6, .width = 6, .in = 32, .out = 16, .epilogue = {.relu = true}});
  check({.output = type,
         .height = 8,
         .width = 8,
         .in = 16,
         .out = 16,
         .kernel = 3,
         .pad_begin = 1,
         .pad_end = 1,
         .epilogue = {.relu = true}});
  check({.output = type, .height = 8, .width = 8, .in = 16, .out = 32, .kernel = 2, .stride = 2});
  check({.output = type,
         .height = 16,
         .width = 16,
         .in = 12,
         .out = 24,
         .kernel = 4,
         .pad_begin = 2,
         .pad_end = 1,
         .epilogue = {.accumulate = true, .relu = true}});
  check({.output = type, .height = 5, .width = 5, .in = 16, .out = 32, .epilogue = {.accumulate = true}});
  check({.output = DataType::f32, .height = 4, .width = 4, .in = 16, .out = 48});
}

TEST_P(Kernels, Multiply) {
  for (const Epilogue& epilogue : {Epilogue{}, Epilogue{.relu = true}, Epilogue{.accumulate = true},
                                   Epilogue{.accumulate = true, .relu = true}}) {
    for (const DataType out : {GetParam(), DataType::f32}) {
      const ProductSpec spec = {
          .input = GetParam(), .output = out, .rows = 19, .inner = 38, .columns = 24, .epilogue = epilogue};
      // A 1 x 1 convolution in other words.
      const ConvolutionSpec same = {.height = 19, .width = 1, .in = 38, .out = 24, .epilogue = epilogue};
      const auto x = random_activations(19 * 38, 5), w = random_activations(24 * 38, 6);
      const auto bias = random_values(24, 7);
      std::vector<float> before = random_values(19 * 24, 8);
      for (float& value : before) value = rounded(out, value);
      const auto kernel = std::make_shared<const Kernel>(spec);
      EXPECT_THAT(std::string(kernel->implementation()), Not(HasSubstr("ref")));
      const auto y = run(kernel, x, std::make_shared<const PackedWeights>(*kernel, w, bias), before, out);
      expect_near(out, y, naive(same, x, w, bias, before));
    }
  }
}

// Attention's two products: of every head, from rows that hold all heads side by side.
TEST_P(Kernels, MultiplyBatches) {
  constexpr int kFaces = 2, kHeads = 2, kNodes = 10, kDepth = 6, kWidth = kHeads * kDepth;
  const auto q = random_activations(kFaces * kNodes * kWidth, 9),
             k = random_activations(kFaces * kNodes * kWidth, 10);
  constexpr std::int64_t kFace = kNodes * kWidth;
  const BatchedProductSpec spec = {.input = GetParam(),
                                   .output = DataType::f32,
                                   .batch = {kFaces, kHeads},
                                   .rows = kNodes,
                                   .inner = kDepth,
                                   .columns = kNodes,
                                   .x = {kFace, kDepth, kWidth, 1},
                                   .w = {kFace, kDepth, 1, kWidth},
                                   .y = {kHeads * kNodes * kNodes, kNodes * kNodes, kNodes, 1}};
  const auto kernel = std::make_shared<const Kernel>(spec);
  EXPECT_THAT(std::string(kernel->implementation()), Not(HasSubstr("ref")));
  const auto from = stored(GetParam(), q), with = stored(GetParam(), k);
  std::vector<float> scores(kFaces * kHeads * kNodes * kNodes);
  Execution execution(kernel, from.data(), with.data(), scores.data());
  std::vector<std::byte> scratch(kernel->scratch_bytes());
  execution.set_scratch(scratch.data());
  execution.run();
  std::vector<double> expected;
  for (int n = 0; n < kFaces; ++n) {
    for (int h = 0; h < kHeads; ++h) {
      for (int i = 0; i < kNodes; ++i) {
        for (int j = 0; j < kNodes; ++j) {
          double sum = 0;
          for (int d = 0; d < kDepth; ++d) {
            sum += double{q[static_cast<std::size_t>((n * kNodes + i) * kWidth + h * kDepth + d)]} *
                   k[static_cast<std::size_t>((n * kNodes + j) * kWidth + h * kDepth + d)];
          }
          expected.push_back(sum);
        }
      }
    }
  }
  expect_near(DataType::f32, scores, expected);
}

// Kernels of other batch sizes or threads may want another layout: weights get there from any.
TEST_P(Kernels, WeightsMoveBetweenLayouts) {
  const DataType type = GetParam();
  const auto w = random_activations(64 * 32, 11);
  const auto bias = random_values(64, 12);
  const auto one = std::make_shared<const Kernel>(
      ConvolutionSpec{.input = type, .output = type, .height = 4, .width = 4, .in = 32, .out = 64});
  const auto four = std::make_shared<const Kernel>(ConvolutionSpec{
      .input = type, .output = type, .batch = 4, .height = 8, .width = 8, .in = 32, .out = 64});
  const PackedWeights first(*one, w, bias);
  EXPECT_TRUE(first.fits(*one));
  const auto moved = std::make_shared<const PackedWeights>(*four, first);
  EXPECT_TRUE(moved->fits(*four));
  const auto x = random_activations(4 * 8 * 8 * 32, 13);
  const std::vector<float> before(4 * 8 * 8 * 64);
  EXPECT_EQ(run(four, x, moved, before, type),
            run(four, x, std::make_shared<const PackedWeights>(*four, w, bias), before, type));
}

TEST_P(Kernels, WeightsOfAnotherSizeAreRefused) {
  const Kernel kernel(
      ProductSpec{.input = GetParam(), .output = GetParam(), .rows = 2, .inner = 3, .columns = 4});
  const std::vector<float> short_of_one(11), bias(4);
  const Error error = testing::error_of([&] { PackedWeights(kernel, short_of_one, bias); });
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error.what(), HasSubstr("found 11 and 4"));
}

INSTANTIATE_TEST_SUITE_P(Types, Kernels, ::testing::Values(DataType::f32, DataType::bf16),
                         [](const auto& type) { return std::string(name_of(type.param)); });

// --- 8 bits

class Kernels8Bit : public ::testing::TestWithParam<DataType> {
 protected:
  void SetUp() override {
    if (!supports(GetParam())) GTEST_SKIP() << "8 bits do not run here";
  }

  std::vector<float> whole(std::size_t count, int low, int high, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_int_distribution<int> uniform(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(uniform(generator));
    return values;
  }
  std::vector<float> activations(std::size_t count, unsigned seed) {
    return GetParam() == DataType::u8 ? whole(count, 0, 255, seed) : whole(count, -128, 127, seed);
  }
  static std::vector<std::int8_t> narrow(const std::vector<float>& values) {
    return {values.begin(), values.end()};
  }
  static OutputScales scales(int channels) {
    OutputScales all;
    for (int o = 0; o < channels; ++o) all.push_back(1e-4F * static_cast<float>(1 + o % 5));
    return all;
  }

  // What is stored of a sum.
  static void expect_stored(DataType out, const Epilogue& epilogue, const OutputScales& scales,
                            const std::vector<double>& sums, const std::vector<float>& before,
                            const std::vector<float>& found) {
    ASSERT_EQ(found.size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      double value = sums[i] * double{scales[i % scales.size()]};
      if (epilogue.accumulate) value += double{epilogue.kept} * before[i];
      if (epilogue.relu) value = std::max(0.0, value);
      if (out == DataType::u8) value = std::clamp(value, 0.0, 255.0);
      const double tolerance = out == DataType::u8     ? 0.501
                               : out == DataType::bf16 ? std::abs(value) / 128 + 1e-3
                                                       : std::abs(value) * 1e-5 + 1e-5;
      ASSERT_NEAR(found[i], value, tolerance) << "element " << i << " as " << name_of(out);
    }
  }

  std::vector<float> run(const std::shared_ptr<const Kernel>& kernel, const std::vector<float>& x,
                         const std::shared_ptr<const PackedWeights>& weights,
                         const std::vector<float>& before, DataType out) {
    const auto from = stored(GetParam(), x);
    auto to = stored(out, before);
    Execution execution(kernel, weights, from.data(), to.data());
    std::vector<std::byte> scratch(kernel->scratch_bytes());
    execution.set_scratch(scratch.data());
    execution.run();
    return loaded(out, to);
  }

  void check(ConvolutionSpec spec) {
    spec.input = GetParam();
    spec.scales = scales(spec.out);
    const auto in = static_cast<std::size_t>(spec.batch * spec.height * spec.width * spec.in);
    const auto out = static_cast<std::size_t>(spec.batch * spec.out_height() * spec.out_width() * spec.out);
    const auto x = activations(in, 1);
    const auto w =
        whole(static_cast<std::size_t>(spec.out * spec.in * spec.kernel * spec.kernel), -127, 127, 2);
    const auto bias = whole(static_cast<std::size_t>(spec.out), -50000, 50000, 3);
    const auto before = whole(out, 0, 99, 4);
    const auto kernel = std::make_shared<const Kernel>(spec);
    EXPECT_THAT(std::string(kernel->implementation()), Not(HasSubstr("ref"))) << to_string(spec);
    const auto y =
        run(kernel, x, std::make_shared<const PackedWeights>(*kernel, narrow(w), bias), before, spec.output);
    ConvolutionSpec plain = spec;
    plain.epilogue = {};
    expect_stored(spec.output, spec.epilogue, spec.scales, naive(plain, x, w, bias, before), before, y);
  }
};

TEST_P(Kernels8Bit, Convolve) {
  std::vector<DataType> outputs = {DataType::u8, DataType::f32};
  if (supports(DataType::bf16)) outputs.push_back(DataType::bf16);
  for (const DataType out : outputs) {
    check({.output = out,
           .batch = 2,
           .height = 6,
           .width = 6,
           .in = 32,
           .out = 16,
           .epilogue = {.relu = true}});
    check({.output = out,
           .height = 8,
           .width = 8,
           .in = 16,
           .out = 32,
           .kernel = 3,
           .pad_begin = 1,
           .pad_end = 1,
           .epilogue = {.relu = true}});
    check({.output = out, .height = 8, .width = 8, .in = 64, .out = 32, .kernel = 2, .stride = 2});
    check({.output = out,
           .height = 16,
           .width = 16,
           .in = 12,
           .out = 24,
           .kernel = 3,
           .stride = 2,
           .pad_begin = 1,
           .epilogue = {.relu = true}});
    check({.output = out,
           .height = 5,
           .width = 5,
           .in = 16,
           .out = 32,
           .epilogue = {.accumulate = true, .relu = true, .kept = out == DataType::u8 ? 0.75F : 1.0F}});
  }
}

TEST_P(Kernels8Bit, Multiply) {
  for (const DataType out : {DataType::f32, DataType::u8}) {
    const ProductSpec spec = {
        .input = GetParam(), .output = out, .rows = 19, .inner = 64, .columns = 24, .scales = scales(24)};
    const ConvolutionSpec same = {.height = 19, .width = 1, .in = 64, .out = 24};
    const auto x = activations(19 * 64, 5), w = whole(24 * 64, -127, 127, 6),
               bias = whole(24, -9999, 9999, 7);
    const std::vector<float> before(19 * 24);
    const auto kernel = std::make_shared<const Kernel>(spec);
    EXPECT_THAT(std::string(kernel->implementation()), Not(HasSubstr("ref")));
    const auto y =
        run(kernel, x, std::make_shared<const PackedWeights>(*kernel, narrow(w), bias), before, out);
    expect_stored(out, {}, spec.scales, naive(same, x, w, bias, before), before, y);
  }
}

TEST_P(Kernels8Bit, WeightsMoveBetweenLayouts) {
  const auto w = narrow(whole(64 * 32, -127, 127, 11));
  const auto bias = whole(64, -999, 999, 12);
  const auto kernel_of = [&](int batch, int side) {
    return std::make_shared<const Kernel>(ConvolutionSpec{.input = GetParam(),
                                                          .output = DataType::u8,
                                                          .batch = batch,
                                                          .height = side,
                                                          .width = side,
                                                          .in = 32,
                                                          .out = 64,
                                                          .scales = scales(64)});
  };
  const auto one = kernel_of(1, 1), four = kernel_of(4, 8);
  const auto moved = std::make_shared<const PackedWeights>(*four, PackedWeights(*one, w, bias));
  EXPECT_TRUE(moved->fits(*four));
  const auto x = activations(4 * 8 * 8 * 32, 13);
  const std::vector<float> before(4 * 8 * 8 * 64);
  EXPECT_EQ(run(four, x, moved, before, DataType::u8),
            run(four, x, std::make_shared<const PackedWeights>(*four, w, bias), before, DataType::u8));
}

INSTANTIATE_TEST_SUITE_P(Types, Kernels8Bit, ::testing::Values(DataType::u8, DataType::s8),
                         [](const auto& type) { return std::string(name_of(type.param)); });

TEST(KernelCache, CompilesOncePerSpecAndThreads) {
  KernelCache cache;
  const ProductSpec spec = {.rows = 4, .inner = 8, .columns = 8};
  const ThreadScope scope(1);
  const auto first = cache.get(spec, 1);
  EXPECT_EQ(cache.get(spec, 1), first);
  EXPECT_NE(cache.get(spec, 2), first);
  EXPECT_NE(cache.get(ProductSpec{.rows = 5, .inner = 8, .columns = 8}, 1), first);
}

TEST(KernelCache, KeepsWhatIsInUseAndOfTheOthersTheLastOnes) {
  KernelCache cache(4);
  const ThreadScope scope(1);
  const auto get = [&](int rows) {
    return cache.get(ProductSpec{.rows = rows, .inner = 8, .columns = 8}, 1);
  };
  const std::size_t before = Kernel::count();
  const auto used = get(1);
  for (int rows = 2; rows < 300; ++rows) get(rows);
  EXPECT_EQ(Kernel::count() - before, 5U);
  EXPECT_EQ(get(1), used) << "compiled once as long as somebody has it";
  const Kernel* last = get(299).get();
  EXPECT_EQ(get(299).get(), last);
}

TEST(Multiply, IsAMatrixProduct) {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6}, b = {1, 0, 2, 0, 1, 3};  // [2, 3] and [3, 2]
  std::vector<float> c(4);
  multiply(2, 2, 3, a.data(), b.data(), c.data());
  EXPECT_EQ(c, (std::vector<float>{1 + 4 + 3, 9, 4 + 10 + 6, 18}));
}

TEST(Calibration, FollowsTheProcessor) {
  const InstructionSet set = instruction_set();
  const bool native = set == InstructionSet::amx || set == InstructionSet::avx512_bf16;
  EXPECT_EQ(faster_type(), native ? DataType::bf16 : DataType::f32);
  EXPECT_TRUE(supports(DataType::f32));
  EXPECT_GT(measured_peak(faster_type(), 1), 1e9);
  const bool vnni = set >= InstructionSet::avx512_vnni || set == InstructionSet::avx2_vnni;
  EXPECT_EQ(supports(DataType::u8), vnni);
  EXPECT_EQ(prefers_8_bit(), vnni && set != InstructionSet::amx);
  if (vnni) {
    EXPECT_GT(measured_peak(DataType::u8, 1), 1e9);
  }
}

TEST(Kernel, Bf16IsRefusedWhereItDoesNotRun) {
  if (supports(DataType::bf16)) GTEST_SKIP() << "bf16 runs here";
  const ProductSpec spec = {
      .input = DataType::bf16, .output = DataType::bf16, .rows = 4, .inner = 8, .columns = 8};
  EXPECT_EQ(testing::error_of([&] { Kernel kernel(spec); }).code(), ErrorCode::unsupported);
}

}  // namespace
}  // namespace spiga::engine
