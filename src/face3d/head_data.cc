// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "face3d/head_data.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "spiga/default_files.h"
#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga {
namespace {

using weights::DType;
using weights::SafetensorsFile;
using weights::TensorView;

constexpr const char* kFormat = "spiga head 1";
constexpr std::int64_t kMostVertices = 32767, kMostCoefficients = 256, kMostSlide = 64;

[[noreturn]] void fail(const SafetensorsFile& file, const std::string& what) {
  throw Error(ErrorCode::bad_data, base::concat(file.path().string(), ": ", what));
}

// The tensor of that name, type and rank; its shape is the caller's to check.
const TensorView& tensor(const SafetensorsFile& file, std::string_view name, DType dtype, std::size_t rank) {
  const TensorView* found = file.find(name);
  if (!found) fail(file, base::concat("no tensor '", name, "': not a head for spiga"));
  if (found->dtype != dtype || found->shape.size() != rank)
    fail(file,
         base::concat("tensor '", name, "' is ", name_of(found->dtype), " ", weights::to_string(found->shape),
                      ", expected ", name_of(dtype), " of ", rank, " dimensions"));
  return *found;
}

template <typename T>
std::vector<T> values_of(const TensorView& view) {
  std::vector<T> values(view.bytes.size() / sizeof(T));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

void expect_shape(const SafetensorsFile& file, std::string_view name, const TensorView& view,
                  const weights::Shape& shape) {
  if (view.shape != shape)
    fail(file, base::concat("tensor '", name, "' has shape ", weights::to_string(view.shape), ", expected ",
                            weights::to_string(shape)));
}

std::vector<int> vertex_indices(const SafetensorsFile& file, std::string_view name, const TensorView& view,
                                int vertices) {
  std::vector<int> indices;
  for (const std::int16_t v : values_of<std::int16_t>(view)) {
    if (v < 0 || v >= vertices)
      fail(file, base::concat("tensor '", name, "' names vertex ", v, " of ", vertices));
    indices.push_back(v);
  }
  return indices;
}

std::vector<std::string> shape_names(const SafetensorsFile& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat)
    fail(file, base::concat("metadata 'format' is not '", kFormat, "': not a head for spiga"));
  const auto listed = metadata.find("expressions");
  const auto parsed = nlohmann::json::parse(listed == metadata.end() ? "" : listed->second, nullptr, false);
  std::vector<std::string> names;
  if (parsed.is_array())
    for (const auto& name : parsed)
      if (name.is_string()) names.push_back(name.get<std::string>());
  if (names.empty()) fail(file, "metadata 'expressions' is not a list of names");
  return names;
}

std::vector<int> mirrors(const std::vector<std::string>& names) {
  std::vector<int> mirror(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string other = names[i];
    if (other.ends_with("_L")) {
      other.back() = 'R';
    } else if (other.ends_with("_R")) {
      other.back() = 'L';
    }
    const auto at = std::find(names.begin(), names.end(), other);
    mirror[i] = static_cast<int>(at == names.end() ? static_cast<std::ptrdiff_t>(i) : at - names.begin());
  }
  return mirror;
}

// Copies what the fit looks at into dense rows.
// By how much annotators place the 51 inner landmarks beside the head's vertices, x and y in its frame: the
// mean over faces at rest (bench/mark_up_offsets.cc).
constexpr float kMarkUpOffsets_mm[][2] = {
#include "face3d/mark_up_offsets.inc"
};
static_assert(std::size(kMarkUpOffsets_mm) == 51);

void gather_candidates(FaceModel::Data& data, const std::vector<int>& chosen) {
  const auto rows = static_cast<Eigen::Index>(chosen.size() * 3);
  data.base.resize(rows);
  data.basis.resize(rows, data.coefficients());
  for (Eigen::Index row = 0; row < rows; ++row) {
    const std::size_t from = static_cast<std::size_t>(chosen[static_cast<std::size_t>(row / 3)]) * 3 +
                             static_cast<std::size_t>(row % 3);
    data.base[row] = data.neutral[from];
    const std::size_t stride = static_cast<std::size_t>(data.vertices) * 3;
    for (int k = 0; k < data.shapes; ++k)
      data.basis(row, k) = static_cast<float>(data.expression[static_cast<std::size_t>(k) * stride + from]) *
                           data.expression_scale[static_cast<std::size_t>(k)];
    for (int k = 0; k < data.modes; ++k)
      data.basis(row, data.shapes + k) =
          static_cast<float>(data.identity[static_cast<std::size_t>(k) * stride + from]) *
          data.identity_scale[static_cast<std::size_t>(k)];
  }
}

std::vector<float> finite_floats(const SafetensorsFile& file, std::string_view name,
                                 const weights::Shape& shape) {
  const TensorView& view = tensor(file, name, DType::f32, shape.size());
  expect_shape(file, name, view, shape);
  weights::require_finite(view, name, file.path().string());
  return values_of<float>(view);
}

}  // namespace

FaceModel FaceModel::load(const std::string& path) {
  const SafetensorsFile file(path.empty() ? default_head_path() : path);
  auto data = std::make_shared<Data>();
  data->names = shape_names(file);
  data->mirror = mirrors(data->names);

  const TensorView& neutral = tensor(file, "neutral", DType::f32, 2);
  const TensorView& identity = tensor(file, "identity", DType::i8, 3);
  const TensorView& expression = tensor(file, "expression", DType::i16, 3);
  const TensorView& contour = tensor(file, "contour", DType::i16, 2);
  const std::int64_t vertices = neutral.shape[0], modes = identity.shape[0], shapes = expression.shape[0];
  if (vertices < 68 || vertices > kMostVertices || modes < 1 || shapes < 1 ||
      modes + shapes > kMostCoefficients || contour.shape[1] < 1 || contour.shape[1] > kMostSlide)
    fail(file, base::concat("a head of ", vertices, " vertices, ", modes, " modes, ", shapes,
                            " expressions and contour paths of ", contour.shape[1], " is not supported"));
  expect_shape(file, "identity", identity, {modes, vertices, 3});
  expect_shape(file, "expression", expression, {shapes, vertices, 3});
  expect_shape(file, "contour", contour, {17, contour.shape[1]});
  const TensorView& landmarks = tensor(file, "landmarks", DType::i16, 1);
  expect_shape(file, "landmarks", landmarks, {51});
  const TensorView& triangles = tensor(file, "triangles", DType::i16, 2);
  expect_shape(file, "triangles", triangles, {triangles.shape[0], 3});
  if (static_cast<std::int64_t>(data->names.size()) != shapes)
    fail(file,
         base::concat("metadata 'expressions' has ", data->names.size(), " names for ", shapes, " shapes"));

  data->vertices = static_cast<int>(vertices);
  data->modes = static_cast<int>(modes);
  data->shapes = static_cast<int>(shapes);
  data->neutral = finite_floats(file, "neutral", {vertices, 3});
  data->identity = values_of<std::int8_t>(identity);
  data->identity_scale = finite_floats(file, "identity_scale", {modes});
  data->expression = values_of<std::int16_t>(expression);
  data->expression_scale = finite_floats(file, "expression_scale", {shapes});
  const std::vector<int> corners = vertex_indices(file, "triangles", triangles, data->vertices);
  for (std::size_t i = 0; i + 2 < corners.size(); i += 3)
    data->triangles.push_back({static_cast<std::uint16_t>(corners[i]),
                               static_cast<std::uint16_t>(corners[i + 1]),
                               static_cast<std::uint16_t>(corners[i + 2])});
  data->slide = static_cast<int>(contour.shape[1]);
  std::vector<int> chosen = vertex_indices(file, "landmarks", landmarks, data->vertices);
  for (const int v : vertex_indices(file, "contour", contour, data->vertices)) chosen.push_back(v);
  gather_candidates(*data, chosen);
  for (std::size_t i = 0; i < std::size(kMarkUpOffsets_mm); ++i)
    for (std::size_t axis = 0; axis < 2; ++axis)
      data->base[static_cast<Eigen::Index>(3 * i + axis)] += kMarkUpOffsets_mm[i][axis];
  return FaceModel(std::move(data));
}

std::span<const std::array<std::uint16_t, 3>> FaceModel::triangles() const { return data_->triangles; }

const std::vector<std::string>& FaceModel::expression_names() const { return data_->names; }

}  // namespace spiga
