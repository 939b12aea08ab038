// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/graph.h"

#include <bit>
#include <cstring>

#include "base/text.h"
#include "spiga/version.h"

// Field numbers are those of onnx/onnx.proto, whose message names stand beside them.
namespace spiga::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr int kIrVersion = 8;
enum ElementType { kFloat = 1, kInt64 = 7 };

// AttributeProto
struct AttributeWriter {
  Message& to;

  void operator()(std::int64_t value) const { to.number(3, value).number(20, 2); }
  void operator()(float value) const { to.real(2, value).number(20, 1); }
  void operator()(const std::string& value) const { to.text(4, value).number(20, 3); }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const std::int64_t value : values) to.number(8, value);
    to.number(20, 7);
  }
};

// ValueInfoProto of a float tensor [N, shape...]
Message value_info(const std::string& name, const std::vector<Dimension>& shape) {
  Message dimensions;  // TensorShapeProto
  dimensions.message(1, Message().text(2, "N"));
  for (const Dimension& size : shape) {
    if (const auto* number = std::get_if<std::int64_t>(&size))
      dimensions.message(1, Message().number(1, *number));
    else
      dimensions.message(1, Message().text(2, std::get<std::string>(size)));
  }
  const Message tensor = Message().number(1, kFloat).message(2, dimensions);  // TypeProto.Tensor
  return Message().text(1, name).message(2, Message().message(1, tensor));
}

// TensorProto
template <typename T>
Message tensor(const std::string& name, ElementType type, const std::vector<T>& values, const Shape& shape) {
  Message result;
  for (const std::int64_t size : shape) result.number(1, size);
  result.number(2, type).text(8, name);
  return result.text(9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

Graph::Graph() { body_.text(2, "spiga"); }

std::string Graph::unique(const std::string& layer) {
  const int count = names_[layer]++;
  return count == 0 ? layer : base::concat(layer, "/", count);
}

Value Graph::input(const std::string& name, const std::vector<Dimension>& shape) {
  body_.message(11, value_info(name, shape));
  return unique(name);
}

void Graph::output(const std::string& name, const Value& value, const std::vector<Dimension>& shape) {
  body_.message(1, Message().text(1, value).text(2, name).text(3, name).text(4, "Identity"));
  body_.message(12, value_info(name, shape));
}

Value Graph::constant(const std::string& layer, const std::vector<float>& values, const Shape& shape) {
  const Value name = unique(layer);
  body_.message(5, tensor(name, kFloat, values, shape));
  return name;
}

Value Graph::constant(const std::string& layer, const std::vector<std::int64_t>& values) {
  const Value name = unique(layer);
  body_.message(5, tensor(name, kInt64, values, {static_cast<std::int64_t>(values.size())}));
  return name;
}

// NodeProto
Value Graph::node(const std::string& layer, const char* operation, const std::vector<Value>& inputs,
                  const Attributes& attributes) {
  const Value name = unique(layer);
  Message node;
  for (const Value& input : inputs) node.text(1, input);
  node.text(2, name).text(3, name).text(4, operation);
  for (const auto& [key, value] : attributes) {
    Message attribute;
    attribute.text(1, key);
    std::visit(AttributeWriter{attribute}, value);
    node.message(5, attribute);
  }
  body_.message(1, node);
  return name;
}

// ModelProto
std::string Graph::model(const std::map<std::string, std::string>& metadata) const {
  Message model;
  model.number(1, kIrVersion).text(2, "spiga").text(3, SPIGA_VERSION);
  model.message(8, Message().text(1, "").number(2, kOpset));
  for (const auto& [key, value] : metadata) model.message(14, Message().text(1, key).text(2, value));
  model.message(7, body_);
  return model.bytes();
}

}  // namespace spiga::onnx
