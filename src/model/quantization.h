// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace spiga::model {

// Which activations are stored as 8 bits where a network computes in int8, and their scales: a stored whole
// number times the scale is the activation. What is never negative is u8, the rest s8. A layer whose input
// has 8 bits computes in int8, with its weights rounded to s8 at load, one scale for each output channel. In
// a model file's metadata under "spiga.int8" (JSON, docs/model-file.md).
struct Quantization {
  using Scales = std::map<std::string, float, std::less<>>;
  Scales results = {};  // by the layer or batch norm that makes them: what its readers find
  Scales inputs = {};   // by the layer that reads them: a copy for it alone

  std::string where = "scales of 8-bit activations";  // it comes from, for messages

  bool empty() const { return results.empty() && inputs.empty(); }
  bool operator==(const Quantization& other) const {
    return results == other.results && inputs == other.inputs;
  }
};

nlohmann::json to_json(const Quantization& quantization);
// Throws Error(bad_data), prefixed with `where`, unless it is an object of "results" and "inputs", each an
// object of positive numbers.
Quantization quantization_from_json(const nlohmann::json& json, std::string_view where);

}  // namespace spiga::model
