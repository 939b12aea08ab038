// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "onnx/protobuf.h"

namespace spiga::onnx {

// The operator set that files declare: the first with everything that the network needs (GridSample came
// with 16).
inline constexpr int kOpset = 17;

using Value = std::string;  // a value in the graph, by its name
using Shape = std::vector<std::int64_t>;
using Dimension = std::variant<std::int64_t, std::string>;  // a size, or the name of one that is free
using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;
using Attributes = std::map<std::string, Attribute>;

// An ONNX graph under construction. Values are named after the `layer` that makes them.
class Graph {
 public:
  Graph();

  // The first dimension, the batch, is free; `shape` is the rest.
  Value input(const std::string& name, const std::vector<Dimension>& shape);
  void output(const std::string& name, const Value& value, const std::vector<Dimension>& shape);

  Value constant(const std::string& layer, const std::vector<float>& values, const Shape& shape);
  Value constant(const std::string& layer, const std::vector<std::int64_t>& values);

  Value node(const std::string& layer, const char* operation, const std::vector<Value>& inputs,
             const Attributes& attributes = {});

  // The whole model file. Metadata: what runtimes show under "metadata_props".
  std::string model(const std::map<std::string, std::string>& metadata) const;

 private:
  // The layer's name, numbered where it was given before.
  std::string unique(const std::string& layer);

  Message body_;  // of the GraphProto
  std::map<std::string, int> names_;
};

}  // namespace spiga::onnx
