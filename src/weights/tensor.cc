// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "weights/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::weights {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are read as they are stored");

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t size;
};

constexpr DTypeFacts kDTypes[] = {
    {DType::boolean, "BOOL", 1}, {DType::u8, "U8", 1},   {DType::i8, "I8", 1},   {DType::i16, "I16", 2},
    {DType::i32, "I32", 4},      {DType::i64, "I64", 8}, {DType::f16, "F16", 2}, {DType::bf16, "BF16", 2},
    {DType::f32, "F32", 4},      {DType::f64, "F64", 8},
};

const DTypeFacts& facts_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

template <typename T>
T load(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Calls take(index, value) with every element; value has the element's own type (float for half precisions).
// Stops where take returns false.
template <typename T, typename Take, typename Convert>
void visit_as(const TensorView& tensor, const Take& take, const Convert& convert) {
  const std::int64_t count = tensor.count();
  for (std::int64_t i = 0; i < count; ++i) {
    if (!take(i, convert(load<T>(tensor.bytes.data() + i * sizeof(T))))) return;
  }
}

template <typename Take>
void visit(const TensorView& tensor, const Take& take) {
  const auto same = [](auto value) { return value; };
  switch (tensor.dtype) {
    case DType::boolean:
      return visit_as<std::uint8_t>(tensor, take, [](std::uint8_t v) { return v != 0; });
    case DType::u8:
      return visit_as<std::uint8_t>(tensor, take, same);
    case DType::i8:
      return visit_as<std::int8_t>(tensor, take, same);
    case DType::i16:
      return visit_as<std::int16_t>(tensor, take, same);
    case DType::i32:
      return visit_as<std::int32_t>(tensor, take, same);
    case DType::i64:
      return visit_as<std::int64_t>(tensor, take, same);
    case DType::f16:
      return visit_as<std::uint16_t>(tensor, take, f16_to_float);
    case DType::bf16:
      return visit_as<std::uint16_t>(tensor, take, bf16_to_float);
    case DType::f32:
      return visit_as<float>(tensor, take, same);
    case DType::f64:
      return visit_as<double>(tensor, take, same);
  }
}

std::vector<std::uint8_t> bytes_of(std::span<const float> values) {
  std::vector<std::uint8_t> bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<std::uint8_t> halves_of(std::span<const float> values, std::uint16_t (*convert)(float)) {
  std::vector<std::uint8_t> bytes(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = convert(values[i]);
    std::memcpy(bytes.data() + 2 * i, &half, 2);
  }
  return bytes;
}

}  // namespace

std::size_t size_of(DType dtype) { return facts_of(dtype).size; }

std::string_view name_of(DType dtype) { return facts_of(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeFacts& facts : kDTypes) {
    if (facts.name == name) return facts.dtype;
  }
  return std::nullopt;
}

std::string to_string(const Shape& shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return base::concat('[', base::join(sizes), ']');
}

std::optional<std::int64_t> element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

TensorView view_of(std::span<const float> values, Shape shape) {
  return {DType::f32,
          std::move(shape),
          {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()}};
}

std::vector<float> to_float32(const TensorView& tensor) {
  std::vector<float> values(tensor.count());
  if (tensor.dtype == DType::f32) {
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(float));
    return values;
  }
  visit(tensor, [&](std::int64_t i, auto value) {
    values[i] = static_cast<float>(value);
    return true;
  });
  return values;
}

std::span<const float> float32_in_place(const TensorView& tensor) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
  if (tensor.dtype != DType::f32 || !aligned) return {};
  return {reinterpret_cast<const float*>(tensor.bytes.data()), static_cast<std::size_t>(tensor.count())};
}

std::vector<std::uint8_t> from_float32(std::span<const float> values, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return bytes_of(values);
    case DType::f16:
      return halves_of(values, float_to_f16);
    case DType::bf16:
      return halves_of(values, float_to_bf16);
    default:
      throw Error(ErrorCode::invalid_argument,
                  base::concat("storage: expected F32, F16 or BF16, found ", name_of(dtype)));
  }
}

std::optional<std::int64_t> first_non_finite(const TensorView& tensor) {
  std::optional<std::int64_t> found;
  visit(tensor, [&](std::int64_t i, auto value) {
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      if (!std::isfinite(value)) found = i;
      return !found;
    }
    return false;
  });
  return found;
}

bool is_floating_point(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f64;
}

void require_finite(const TensorView& tensor, std::string_view name, std::string_view where) {
  if (!is_floating_point(tensor.dtype)) {
    throw Error(ErrorCode::bad_data,
                base::concat(where, ": tensor '", base::printable(name),
                             "': dtype: expected F32, F16, BF16 or F64, found ", name_of(tensor.dtype)));
  }
  if (const auto index = first_non_finite(tensor)) {
    throw Error(ErrorCode::bad_data,
                base::concat(where, ": tensor '", base::printable(name),
                             "': expected finite values, found NaN or infinity at element ", *index));
  }
}

float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40);  // keep it a NaN
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float f16_to_float(std::uint16_t bits) {
  const bool negative = (bits & 0x8000) != 0;
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  float magnitude;
  if (exponent == 0x1f) {
    magnitude =
        mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa + 0x400), exponent - 25);
  }
  return negative ? -magnitude : magnitude;
}

std::uint16_t float_to_f16(float value) {
  constexpr float kSmallestNormal = 0x1p-14F;
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7c00);  // rounds to infinity
  if (magnitude < kSmallestNormal) {  // nearbyint rounds to even, up into the normal numbers too
    return static_cast<std::uint16_t>(sign | static_cast<int>(std::nearbyint(std::ldexp(magnitude, 24))));
  }
  const std::uint32_t bits =
      std::bit_cast<std::uint32_t>(magnitude) - (112U << 23);  // exponent bias 127 -> 15
  return static_cast<std::uint16_t>(sign | ((bits + 0xfff + ((bits >> 13) & 1)) >> 13));
}

}  // namespace spiga::weights
