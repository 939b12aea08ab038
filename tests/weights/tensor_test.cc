// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "support/error_of.h"

namespace spiga::weights {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <typename T>
TensorView view_as(DType dtype, const std::vector<T>& values) {
  return {dtype,
          {static_cast<std::int64_t>(values.size())},
          {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)}};
}

TEST(Tensor, NamesAndSizes) {
  for (const DType dtype : {DType::boolean, DType::u8, DType::i8, DType::i16, DType::i32, DType::i64,
                            DType::f16, DType::bf16, DType::f32, DType::f64}) {
    EXPECT_EQ(dtype_from_name(name_of(dtype)), dtype);
  }
  EXPECT_EQ(size_of(DType::bf16), 2U);
  EXPECT_EQ(size_of(DType::i64), 8U);
  EXPECT_EQ(dtype_from_name("F8_E4M3"), std::nullopt);
}

TEST(Tensor, ElementCountRefusesOverflow) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 0, 3}), 0);
  EXPECT_EQ(element_count({2, -1}), std::nullopt);
  EXPECT_EQ(element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}), std::nullopt);
}

// Every half there is, there and back: the conversions are each other's inverse.
TEST(Tensor, EveryF16SurvivesTheRoundTrip) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = f16_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(value))));
    } else {
      ASSERT_EQ(float_to_f16(value), bits);
    }
  }
}

TEST(Tensor, EveryBf16SurvivesTheRoundTrip) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = bf16_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(value))));
    } else {
      ASSERT_EQ(float_to_bf16(value), bits);
    }
  }
}

// Rounding against the compiler's own half precision, over the bit patterns of float32.
TEST(Tensor, F16RoundsLikeTheCompiler) {
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 9973) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(float_to_f16(value), std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) << value;
  }
}

TEST(Tensor, Bf16RoundsToNearestEven) {
  EXPECT_EQ(float_to_bf16(1.0F), 0x3f80);
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808000U)), 0x3f80);  // halfway: to even, down
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f818000U)), 0x3f82);  // halfway: to even, up
  EXPECT_EQ(float_to_bf16(std::bit_cast<float>(0x3f808001U)), 0x3f81);
  EXPECT_EQ(float_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(float_to_bf16(-kInfinity), 0xff80);
}

TEST(Tensor, EveryDtypeBecomesFloat32) {
  EXPECT_THAT(to_float32(view_as<std::uint8_t>(DType::boolean, {0, 1, 2})), ElementsAre(0, 1, 1));
  EXPECT_THAT(to_float32(view_as<std::uint8_t>(DType::u8, {0, 255})), ElementsAre(0, 255));
  EXPECT_THAT(to_float32(view_as<std::int8_t>(DType::i8, {-128})), ElementsAre(-128));
  EXPECT_THAT(to_float32(view_as<std::int16_t>(DType::i16, {-300})), ElementsAre(-300));
  EXPECT_THAT(to_float32(view_as<std::int32_t>(DType::i32, {1 << 20})), ElementsAre(1 << 20));
  EXPECT_THAT(to_float32(view_as<std::int64_t>(DType::i64, {-7})), ElementsAre(-7));
  EXPECT_THAT(to_float32(view_as<std::uint16_t>(DType::f16, {0x3c00, 0xc000})), ElementsAre(1, -2));
  EXPECT_THAT(to_float32(view_as<std::uint16_t>(DType::bf16, {0x3f80, 0xc000})), ElementsAre(1, -2));
  EXPECT_THAT(to_float32(view_as<float>(DType::f32, {1.5F})), ElementsAre(1.5F));
  EXPECT_THAT(to_float32(view_as<double>(DType::f64, {0.25})), ElementsAre(0.25F));
}

TEST(Tensor, StorageOfFloats) {
  const std::vector<float> values = {1, -2.5F, 0};
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::vector<std::uint8_t> bytes = from_float32(values, dtype);
    EXPECT_EQ(to_float32({dtype, {3}, bytes}), values) << name_of(dtype);
  }
  EXPECT_EQ(testing::error_of([&] { from_float32(values, DType::i64); }).code(), ErrorCode::invalid_argument);
}

TEST(Tensor, InPlaceOnlyWhereItIsAllowed) {
  const std::vector<float> values = {1, 2};
  EXPECT_EQ(float32_in_place(view_of(values, {2})).data(), values.data());
  TensorView crooked = view_of(values, {1});
  crooked.bytes = {crooked.bytes.data() + 1, 4};
  EXPECT_TRUE(float32_in_place(crooked).empty());
  EXPECT_EQ(to_float32(crooked).size(), 1U);
  EXPECT_TRUE(float32_in_place(view_as<std::uint16_t>(DType::f16, {0x3c00, 0})).empty());
}

TEST(Tensor, NanAndInfinityAreFound) {
  EXPECT_EQ(first_non_finite(view_as<float>(DType::f32, {0, 1, kNan})), 2);
  EXPECT_EQ(first_non_finite(view_as<float>(DType::f32, {0, -kInfinity})), 1);
  EXPECT_EQ(first_non_finite(view_as<std::uint16_t>(DType::f16, {0x7c00})), 0);
  EXPECT_EQ(first_non_finite(view_as<std::uint16_t>(DType::bf16, {0x3f80, 0x7fc0})), 1);
  EXPECT_EQ(first_non_finite(view_as<double>(DType::f64, {0, std::nan("")})), 1);
  EXPECT_EQ(first_non_finite(view_as<std::int64_t>(DType::i64, {-1})), std::nullopt);
  EXPECT_EQ(first_non_finite(view_as<float>(DType::f32, {})), std::nullopt);
  EXPECT_EQ(first_non_finite(view_as<float>(DType::f32, {0, 1})), std::nullopt);
  const std::vector<float> bad = {0, kNan};
  EXPECT_THAT(
      testing::bad_data_of([&] { require_finite(view_of(bad, {2}), "w", "m.safetensors"); }),
      HasSubstr("m.safetensors: tensor 'w': expected finite values, found NaN or infinity at element 1"));
}

}  // namespace
}  // namespace spiga::weights
