// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/quantization.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;
using base::printable;

constexpr const char* kResults = "results";
constexpr const char* kInputs = "inputs";

Quantization::Scales scales_from_json(const nlohmann::json& json, std::string_view where) {
  if (!json.is_object())
    throw Error(ErrorCode::bad_data, concat(where, ": expected an object, found ", json.type_name()));
  Quantization::Scales scales;
  for (const auto& [name, value] : json.items()) {
    const float scale = value.is_number() ? value.get<float>() : 0;
    if (!(scale > 0 && scale < 1e30F)) {
      throw Error(ErrorCode::bad_data,
                  concat(where, ": ", printable(name), ": expected a positive number, found ",
                         printable(value.dump(), 40)));
    }
    scales[name] = scale;
  }
  return scales;
}

}  // namespace

nlohmann::json to_json(const Quantization& quantization) {
  return {{kResults, quantization.results}, {kInputs, quantization.inputs}};
}

Quantization quantization_from_json(const nlohmann::json& json, std::string_view where) {
  if (!json.is_object())
    throw Error(ErrorCode::bad_data, concat(where, ": expected an object, found ", json.type_name()));
  Quantization quantization;
  quantization.where = where;
  for (const auto& [key, value] : json.items()) {
    const std::string place = concat(where, ": ", printable(key));
    if (key == kResults) {
      quantization.results = scales_from_json(value, place);
    } else if (key == kInputs) {
      quantization.inputs = scales_from_json(value, place);
    } else {
      throw Error(ErrorCode::bad_data, concat(place, ": expected '", kResults, "' or '", kInputs, "'"));
    }
  }
  return quantization;
}

}  // namespace spiga::model
