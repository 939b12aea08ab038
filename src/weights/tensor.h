// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::weights {

// Element types, little-endian as stored.
enum class DType { boolean, u8, i8, i16, i32, i64, f16, bf16, f32, f64 };

std::size_t size_of(DType dtype);
std::string_view name_of(DType dtype);  // as safetensors spells it: "F32", "BF16", "BOOL", ...
std::optional<DType> dtype_from_name(std::string_view name);

using Shape = std::vector<std::int64_t>;

// "[64, 3, 7, 7]"
std::string to_string(const Shape& shape);

// Number of elements; nothing where a dimension is negative or the product overflows.
std::optional<std::int64_t> element_count(const Shape& shape);

// Somebody else's elements, dense and row-major; valid as long as they are (the file is mapped, the vector
// lives).
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  std::span<const std::uint8_t> bytes;

  std::int64_t count() const { return static_cast<std::int64_t>(bytes.size() / size_of(dtype)); }
};

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

// A view of float32 values.
TensorView view_of(std::span<const float> values, Shape shape);

// The values as float32, whatever the dtype; float64 and int64 are rounded.
std::vector<float> to_float32(const TensorView& tensor);

// The values in place, where they are float32 and lie at addresses that allow it (files written by spiga and
// by the reference implementation do); empty otherwise, and then to_float32 helps.
std::span<const float> float32_in_place(const TensorView& tensor);

// float32 rounded to nearest even; `dtype` is f32, f16 or bf16, anything else throws Error(invalid_argument).
std::vector<std::uint8_t> from_float32(std::span<const float> values, DType dtype);

// Index of the first element that is NaN or infinite; nothing where all are finite (or integers).
std::optional<std::int64_t> first_non_finite(const TensorView& tensor);

bool is_floating_point(DType dtype);

// Throws Error(bad_data) "WHERE: tensor 'NAME': ..." unless the elements are floating-point numbers, all of
// them finite.
void require_finite(const TensorView& tensor, std::string_view name, std::string_view where);

float bf16_to_float(std::uint16_t bits);
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);
std::uint16_t float_to_f16(float value);

}  // namespace spiga::weights
