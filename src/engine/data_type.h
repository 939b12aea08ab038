// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spiga::engine {

// What activations are stored as. Weights are of the same type, or s8 where activations have 8 bits. Sums are
// float32, or int32 over 8 bits.
enum class DataType : std::uint8_t { f32, bf16, u8, s8 };

constexpr bool is_8_bit(DataType type) { return type == DataType::u8 || type == DataType::s8; }
constexpr std::size_t size_of(DataType type) { return type == DataType::f32 ? 4 : is_8_bit(type) ? 1 : 2; }
constexpr std::string_view name_of(DataType type) {
  constexpr std::string_view kNames[] = {"f32", "bf16", "u8", "s8"};
  return kNames[static_cast<std::size_t>(type)];
}

// The upper half of a float32.
struct bfloat16 {
  std::uint16_t bits;
};

inline float to_float(bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
inline float to_float(float value) { return value; }
inline float to_float(std::uint8_t value) { return value; }
inline float to_float(std::int8_t value) { return value; }

// Rounds to nearest even. NaN stays NaN as processors make it; one with only low bits set may become a
// number.
inline void store(bfloat16& to, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  to.bits = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
inline void store(float& to, float value) { to = value; }
// The nearest whole number that the type holds, of two the even one; NaN becomes the lowest.
inline void store(std::uint8_t& to, float value) {
  to = static_cast<std::uint8_t>(std::lrint(value > 0 ? (value < 255 ? value : 255.0F) : 0.0F));
}
inline void store(std::int8_t& to, float value) {
  to = static_cast<std::int8_t>(std::lrint(value > -128 ? (value < 127 ? value : 127.0F) : -128.0F));
}

}  // namespace spiga::engine
