// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/operations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include "engine/primitives.h"

// Every pass against its definition in float64, in both forms and both types, on sizes that fill no vector.
namespace spiga::engine {
namespace {

struct Form {
  const char* name;
  const Operations* (*operations)();
};

const Operations* portable() { return &portable_operations(); }
const Operations* avx512() {
  return instruction_set() >= InstructionSet::avx512 ? avx512_operations() : nullptr;
}

// Activations as they are stored, and what they mean.
class Buffer {
 public:
  Buffer(DataType type, const std::vector<double>& values)
      : type_(type), bytes_(values.size() * size_of(type)) {
    const std::vector<float> floats(values.begin(), values.end());
    from_float32(type, floats.data(), data(), static_cast<std::int64_t>(floats.size()));
  }
  Buffer(DataType type, std::size_t count) : Buffer(type, std::vector<double>(count)) {}

  void* data() { return bytes_.data(); }
  std::vector<double> values() const {
    std::vector<float> floats(bytes_.size() / size_of(type_));
    to_float32(type_, bytes_.data(), floats.data(), static_cast<std::int64_t>(floats.size()));
    return {floats.begin(), floats.end()};
  }

 private:
  DataType type_;
  std::vector<std::uint8_t> bytes_;
};

class Passes : public ::testing::TestWithParam<std::tuple<Form, DataType>> {
 protected:
  void SetUp() override {
    if (std::get<0>(GetParam()).operations() == nullptr) GTEST_SKIP() << "no AVX-512 here";
  }
  const Operations& ops() const { return *std::get<0>(GetParam()).operations(); }
  DataType type() const { return std::get<1>(GetParam()); }

  std::vector<double> random(std::size_t count, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<double> values(count);
    for (double& value : values) value = uniform(generator_);
    return values;
  }
  std::vector<float> random_floats(std::size_t count, double low, double high) {
    const std::vector<double> values = random(count, low, high);
    return {values.begin(), values.end()};
  }
  // Random, and exactly what the type can hold.
  Buffer random_buffer(std::size_t count, double low, double high) {
    return {type(), random(count, low, high)};
  }

  // To one rounding of the type, and a little more for float32's sums.
  void expect_near(const std::vector<double>& found, const std::vector<double>& expected) const {
    ASSERT_EQ(found.size(), expected.size());
    const double relative = type() == DataType::f32 ? 2e-6 : 1.0 / 256;
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], relative * std::abs(expected[i]) + 2e-6) << "element " << i;
    }
  }

  std::mt19937 generator_{7};
};

TEST_P(Passes, ScaleShiftRelu) {
  for (const int channels : {1, 16, 37, 64}) {
    constexpr int kPixels = 5;
    Buffer x = random_buffer(static_cast<std::size_t>(kPixels * channels), -2, 2);
    const auto scale = random_floats(static_cast<std::size_t>(channels), -1.5, 1.5);
    const auto shift = random_floats(static_cast<std::size_t>(channels), -1, 1);
    std::vector<double> expected = x.values();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(channels);
      expected[i] = std::max(0.0, expected[i] * scale[c] + shift[c]);
    }
    Buffer y(type(), expected.size()), copy(type(), expected.size());
    ops().scale_shift_relu(type(), x.data(), y.data(), copy.data(), scale.data(), shift.data(), kPixels,
                           channels);
    expect_near(y.values(), expected);
    EXPECT_EQ(copy.values(), x.values());
    Buffer again(type(), expected.size());
    ops().scale_shift_relu(type(), x.data(), again.data(), nullptr, scale.data(), shift.data(), kPixels,
                           channels);
    EXPECT_EQ(again.values(), y.values());
  }
}

TEST_P(Passes, ScaleShiftReluMakesNothingOfNan) {
  Buffer x(type(), {std::numeric_limits<double>::quiet_NaN(), 1.0});
  const std::vector<float> one = {1, 1}, zero = {0, 0};
  Buffer y(type(), 2);
  ops().scale_shift_relu(type(), x.data(), y.data(), nullptr, one.data(), zero.data(), 1, 2);
  EXPECT_EQ(y.values(), (std::vector<double>{0, 1}));
}

TEST_P(Passes, DepthToSpaceAdd) {
  for (const int channels : {1, 16, 21}) {
    constexpr int kRows = 3, kWidth = 5;
    const auto count = static_cast<std::size_t>(kRows * kWidth * 4 * channels);
    Buffer x = random_buffer(count, -1, 1), y = random_buffer(count, -1, 1);
    std::vector<double> expected = y.values();
    const std::vector<double> parts = x.values();
    for (int row = 0; row < 2 * kRows; ++row) {
      for (int column = 0; column < 2 * kWidth; ++column) {
        for (int c = 0; c < channels; ++c) {
          const int pixel = row / 2 * kWidth + column / 2, part = row % 2 * 2 + column % 2;
          expected[static_cast<std::size_t>((row * 2 * kWidth + column) * channels + c)] +=
              parts[static_cast<std::size_t>((pixel * 4 + part) * channels + c)];
        }
      }
    }
    ops().depth_to_space_add(type(), x.data(), y.data(), 0, 1, kWidth, channels);
    ops().depth_to_space_add(type(), x.data(), y.data(), 1, kRows, kWidth, channels);
    expect_near(y.values(), expected);
  }
}

TEST_P(Passes, SpaceToDepth) {
  for (const int block : {1, 2, 4, 8}) {
    constexpr int kSize = 16, kRows = 32;  // two pictures
    const std::vector<float> image = random_floats(kSize * kRows * 3, 0, 1);
    std::vector<double> expected(image.size());
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < kSize; ++c) {
        for (int k = 0; k < 3; ++k) {
          const int place =
              (r / block * (kSize / block) + c / block) * block * block + r % block * block + c % block;
          expected[static_cast<std::size_t>(place * 3 + k)] =
              image[static_cast<std::size_t>((r * kSize + c) * 3 + k)];
        }
      }
    }
    Buffer y(type(), image.size());
    ops().space_to_depth(type(), image.data(), y.data(), 0, 1, kSize, block);
    ops().space_to_depth(type(), image.data(), y.data(), 1, kRows / block, kSize, block);
    expect_near(y.values(), expected);
  }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_P(Passes, HeatMaps) {
  for (const int edges : {1, 13, 16, 20}) {
    constexpr int kPixels = 3;
    HeatLayout layout = {.points = 48, .edges = edges, .channels = 2 * 48 + 32};
    const std::vector<float> incidence =
        random_floats(static_cast<std::size_t>((edges + 1) * layout.points), 0, 0.2);
    layout.incidence = incidence.data();
    Buffer heads = random_buffer(static_cast<std::size_t>(kPixels * layout.channels), -20, 20);
    const std::vector<double> in = heads.values();
    std::vector<double> expected;
    for (int p = 0; p < kPixels; ++p) {
      const double* pixel = &in[static_cast<std::size_t>(p * layout.channels)];
      for (int k = 0; k < layout.points; ++k) {
        double near = incidence[static_cast<std::size_t>(edges * layout.points + k)];
        for (int e = 0; e < edges; ++e) {
          near += incidence[static_cast<std::size_t>(e * layout.points + k)] *
                  sigmoid(pixel[2 * layout.points + e]);
        }
        expected.push_back(pixel[layout.points + k] * sigmoid(pixel[k]) * std::min(1.0, near));
      }
    }
    Buffer heat(type(), expected.size());
    ops().heat_maps(type(), layout, heads.data(), heat.data(), kPixels);
    // Products of three roundings.
    const std::vector<double> found = heat.values();
    const double relative = type() == DataType::f32 ? 1e-5 : 1.0 / 200;
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], relative * std::abs(expected[i]) + 1e-6);
    }
  }
}

TEST_P(Passes, SampleWindows) {
  for (const int channels : {16, 21}) {
    const WindowLayout layout = {.side = 9, .channels = channels, .grid = 5, .radius = 2.5F};
    // Inside, over each border, far outside, and not a number, which counts as the first row or column.
    const std::vector<float> points = {0.5F, 0.4F, 0.02F, 0.97F, -3, 4, 1, 0, std::nanf(""), 0.5F};
    const std::size_t count = points.size() / 2;
    Buffer field = random_buffer(static_cast<std::size_t>(layout.side * layout.side * channels), -1, 1);
    const std::vector<double> in = field.values();
    const auto pixel = [&](int row, int column, int c) {
      return in[static_cast<std::size_t>((row * layout.side + column) * channels + c)];
    };
    const auto position = [&](float centre, int k) {
      const double at = double{centre} * layout.side + double{layout.radius} * (k - 2) / 2;
      return std::isnan(at) ? 0.0 : std::clamp(at, 0.0, layout.side - 1.0);
    };
    std::vector<double> expected;
    for (std::size_t p = 0; p < count; ++p) {
      for (int i = 0; i < layout.grid; ++i) {
        for (int j = 0; j < layout.grid; ++j) {
          const double x = position(points[2 * p], j), y = position(points[2 * p + 1], i);
          const int left = std::min(static_cast<int>(x), layout.side - 2);
          const int top = std::min(static_cast<int>(y), layout.side - 2);
          for (int c = 0; c < channels; ++c) {
            const double a = pixel(top, left, c) * (1 - x + left) + pixel(top, left + 1, c) * (x - left);
            const double b =
                pixel(top + 1, left, c) * (1 - x + left) + pixel(top + 1, left + 1, c) * (x - left);
            expected.push_back(a * (1 - y + top) + b * (y - top));
          }
        }
      }
    }
    Buffer samples(type(), expected.size());
    ops().sample_windows(type(), layout, field.data(), points.data(), 0, 2, samples.data());
    ops().sample_windows(type(), layout, field.data(), points.data(), 2, static_cast<std::int64_t>(count),
                         samples.data());
    expect_near(samples.values(), expected);
  }
}

TEST_P(Passes, Softmax) {
  for (const int columns : {1, 16, 68, 98}) {
    constexpr int kRows = 4;
    std::vector<float> scores = random_floats(static_cast<std::size_t>(kRows * columns), -200, 200);
    std::vector<double> expected;
    for (int r = 0; r < kRows; ++r) {
      const float* row = &scores[static_cast<std::size_t>(r * columns)];
      const double highest = *std::max_element(row, row + columns);
      double sum = 0;
      for (int c = 0; c < columns; ++c) sum += std::exp(row[c] - highest);
      for (int c = 0; c < columns; ++c) expected.push_back(std::exp(row[c] - highest) / sum);
    }
    Buffer weights(type(), expected.size());
    ops().softmax(type(), scores.data(), weights.data(), kRows, columns);
    expect_near(weights.values(), expected);
  }
}

TEST_P(Passes, PairwiseDifferences) {
  for (const int count : {2, 9, 68}) {
    const std::vector<float> points = random_floats(static_cast<std::size_t>(2 * count), 0, 1);
    std::vector<double> expected;
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < count; ++j) {
        for (int k = 0; k < 2 && j != i; ++k) {
          expected.push_back(double{points[static_cast<std::size_t>(2 * i + k)]} -
                             points[static_cast<std::size_t>(2 * j + k)]);
        }
      }
    }
    Buffer differences(type(), expected.size());
    ops().pairwise_differences(type(), points.data(), count, 0, 1, differences.data());
    ops().pairwise_differences(type(), points.data(), count, 1, count, differences.data());
    expect_near(differences.values(), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, Passes,
                         ::testing::Combine(::testing::Values(Form{"Portable", portable},
                                                              Form{"Avx512", avx512}),
                                            ::testing::Values(DataType::f32, DataType::bf16)),
                         [](const auto& form) {
                           return std::string(std::get<0>(form.param).name) + "_" +
                                  std::string(name_of(std::get<1>(form.param)));
                         });

class SoftArgmax : public ::testing::TestWithParam<Form> {};

TEST_P(SoftArgmax, IsTheExpectationOverCells) {
  const Operations* ops = GetParam().operations();
  if (ops == nullptr) GTEST_SKIP() << "no AVX-512 here";
  constexpr int kSide = 12, kChannels = 32, kFirst = 16, kLast = 29;
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> maps(static_cast<std::size_t>(kSide * kSide * kChannels));
  for (float& value : maps) value = normal(generator);
  std::vector<Peak> peaks(kChannels, Peak{-1, -1, -1, -1});
  ops->soft_argmax(maps.data(), kSide, kChannels, kFirst, kLast, peaks.data());
  for (int c = kFirst; c < kLast; ++c) {
    double sum = 0, x = 0, y = 0, square = 0, highest = 0;
    for (int i = 0; i < kSide * kSide; ++i) {
      const double weight = std::exp(double{maps[static_cast<std::size_t>(i * kChannels + c)]});
      const double at_x = (i % kSide + 0.5) / kSide, at_y = (i / kSide + 0.5) / kSide;
      sum += weight;
      x += weight * at_x;
      y += weight * at_y;
      square += weight * (at_x * at_x + at_y * at_y);
      highest = std::max(highest, weight);
    }
    const Peak& peak = peaks[static_cast<std::size_t>(c)];
    EXPECT_NEAR(peak.x, x / sum, 1e-6);
    EXPECT_NEAR(peak.y, y / sum, 1e-6);
    EXPECT_NEAR(peak.variance, square / sum - x * x / sum / sum - y * y / sum / sum, 1e-6);
    EXPECT_NEAR(peak.height, highest / sum, 1e-6);
  }
  EXPECT_EQ(peaks[kFirst - 1].x, -1) << "wrote before its range";
  EXPECT_EQ(peaks[kLast].x, -1) << "wrote behind its range";
}

INSTANTIATE_TEST_SUITE_P(Forms, SoftArgmax,
                         ::testing::Values(Form{"Portable", portable}, Form{"Avx512", avx512}),
                         [](const auto& form) { return std::string(form.param.name); });

// --- To 8 bits: the nearest whole number, within the type

double clamped(double value, DataType type) {
  return type == DataType::u8 ? std::clamp(value, 0.0, 255.0) : std::clamp(value, -128.0, 127.0);
}

// float32's last digit may decide between two neighbours.
template <typename T>
void expect_whole(const std::vector<T>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(static_cast<double>(found[i]), expected[i], 0.5 + 1e-3) << "element " << i;
}

TEST_P(Passes, To8Bit) {
  for (const std::size_t count : {1U, 16U, 77U}) {
    Buffer x = random_buffer(count, -3, 3);
    std::vector<double> unsigned_expected = x.values(), signed_expected = x.values();
    for (double& value : unsigned_expected) value = clamped(value * 100, DataType::u8);
    for (double& value : signed_expected) value = clamped(value * 50, DataType::s8);
    std::vector<std::uint8_t> u8(count);
    ops().to_8_bit(type(), x.data(), DataType::u8, u8.data(), 100, static_cast<std::int64_t>(count));
    expect_whole(u8, unsigned_expected);
    std::vector<std::int8_t> s8(count);
    ops().to_8_bit(type(), x.data(), DataType::s8, s8.data(), 50, static_cast<std::int64_t>(count));
    expect_whole(s8, signed_expected);
  }
}

TEST_P(Passes, To8BitRoundsHalvesToEvenAndNanToTheLowest) {
  Buffer x(type(), {0.5, 1.5, 2.5, std::numeric_limits<double>::quiet_NaN(), -0.5, 1e9});
  std::vector<std::uint8_t> u8(6);
  ops().to_8_bit(type(), x.data(), DataType::u8, u8.data(), 1, 6);
  EXPECT_EQ(u8, (std::vector<std::uint8_t>{0, 2, 2, 0, 0, 255}));
  std::vector<std::int8_t> s8(6);
  ops().to_8_bit(type(), x.data(), DataType::s8, s8.data(), 1, 6);
  EXPECT_EQ(s8, (std::vector<std::int8_t>{0, 2, 2, -128, 0, 127}));
}

TEST_P(Passes, ScaleShiftReluU8) {
  for (const int channels : {1, 16, 37, 64}) {
    constexpr int kPixels = 5;
    Buffer x = random_buffer(static_cast<std::size_t>(kPixels * channels), -2, 2);
    const auto scale = random_floats(static_cast<std::size_t>(channels), -150, 150);
    const auto shift = random_floats(static_cast<std::size_t>(channels), -100, 100);
    std::vector<double> expected = x.values();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(channels);
      expected[i] = clamped(expected[i] * scale[c] + shift[c], DataType::u8);
    }
    std::vector<std::uint8_t> y(expected.size());
    Buffer copy(type(), expected.size());
    ops().scale_shift_relu_u8(type(), x.data(), y.data(), copy.data(), scale.data(), shift.data(), kPixels,
                              channels);
    expect_whole(y, expected);
    EXPECT_EQ(copy.values(), x.values());
    std::vector<std::uint8_t> again(expected.size());
    ops().scale_shift_relu_u8(type(), x.data(), again.data(), nullptr, scale.data(), shift.data(), kPixels,
                              channels);
    EXPECT_EQ(again, y);
  }
}

// As sample_windows and to_8_bit behind it; fields of 8 bits, too.
TEST_P(Passes, SampleWindowsU8) {
  for (const int channels : {5, 32, 48}) {
    const WindowLayout layout = {.side = 9, .channels = channels, .grid = 5, .radius = 2.5F};
    const std::vector<float> points = {0.5F, 0.5F, 0.01F, 0.99F, std::nanf(""), 0.3F};
    std::vector<double> values = random(static_cast<std::size_t>(9 * 9 * channels), 0, 255);
    for (double& value : values) value = std::floor(value);
    Buffer field(type(), values);
    const std::vector<std::uint8_t> narrow(values.begin(), values.end());
    const std::size_t count = 3U * 25U * static_cast<std::size_t>(channels);
    std::vector<float> exact(count);
    std::vector<float> field_exact(values.begin(), values.end());
    portable_operations().sample_windows(DataType::f32, layout, field_exact.data(), points.data(), 0, 3,
                                         exact.data());
    std::vector<double> expected(exact.begin(), exact.end());
    for (double& value : expected) value = clamped(value * 0.75, DataType::u8);
    std::vector<std::uint8_t> samples(count);
    ops().sample_windows_u8(type(), layout, field.data(), points.data(), 0, 3, 0.75F, samples.data());
    expect_whole(samples, expected);
    std::vector<std::uint8_t> of_narrow(count);
    ops().sample_windows_u8(DataType::u8, layout, narrow.data(), points.data(), 0, 3, 0.75F,
                            of_narrow.data());
    expect_whole(of_narrow, expected);
  }
}

TEST_P(Passes, RepeatAddU8) {
  for (const int channels : {3, 16, 32}) {
    constexpr int kHeight = 4, kWidth = 6;
    const auto coarse = random(static_cast<std::size_t>(kHeight * kWidth / 4 * channels), 0, 255);
    const auto fine = random(static_cast<std::size_t>(kHeight * kWidth * channels), 0, 255);
    const std::vector<std::uint8_t> x(coarse.begin(), coarse.end());
    std::vector<std::uint8_t> y(fine.begin(), fine.end());
    std::vector<double> expected;
    for (int row = 0; row < kHeight; ++row)
      for (int column = 0; column < kWidth; ++column)
        for (int k = 0; k < channels; ++k) {
          const int from = (row / 2 * (kWidth / 2) + column / 2) * channels + k;
          const int to = (row * kWidth + column) * channels + k;
          expected.push_back(
              clamped(x[static_cast<std::size_t>(from)] * 0.5 + y[static_cast<std::size_t>(to)] * 1.25,
                      DataType::u8));
        }
    ops().repeat_add_u8(x.data(), y.data(), 0, 2, kWidth, channels, 0.5F, 1.25F);
    ops().repeat_add_u8(x.data(), y.data(), 2, kHeight, kWidth, channels, 0.5F, 1.25F);
    expect_whole(y, expected);
  }
}

TEST(DataTypes, Bfloat16RoundsToNearestEven) {
  const auto rounded = [](float value) {
    bfloat16 stored;
    store(stored, value);
    return to_float(stored);
  };
  EXPECT_EQ(rounded(1.0F), 1.0F);
  EXPECT_EQ(rounded(1.0F + 0x1p-8F), 1.0F);                // half-way, even below
  EXPECT_EQ(rounded(1.0F + 3 * 0x1p-8F), 1.0F + 0x1p-6F);  // half-way, even above
  EXPECT_EQ(rounded(1.0F + 0x1.02p-8F), 1.0F + 0x1p-7F);   // just over
  EXPECT_EQ(rounded(-0.0F), 0.0F);
  EXPECT_TRUE(std::isinf(rounded(std::numeric_limits<float>::infinity())));
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace spiga::engine
