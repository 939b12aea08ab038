// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spiga::engine {

// What activations and weights are stored as. Sums are float32 in either case.
enum class DataType : std::uint8_t { f32, bf16 };

constexpr std::size_t size_of(DataType type) { return type == DataType::f32 ? 4 : 2; }
constexpr std::string_view name_of(DataType type) { return type == DataType::f32 ? "f32" : "bf16"; }

// The upper half of a float32.
struct bfloat16 {
  std::uint16_t bits;
};

inline float to_float(bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
inline float to_float(float value) { return value; }

// Rounds to nearest even. NaN stays NaN as processors make it; one with only low bits set may become a
// number.
inline void store(bfloat16& to, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  to.bits = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
inline void store(float& to, float value) { to = value; }

}  // namespace spiga::engine
