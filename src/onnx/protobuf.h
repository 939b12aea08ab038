// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spiga::onnx {

// A message in Protocol Buffers' wire format, built field by field; what ONNX files are made of. Fields keep
// the order in which they are added.
class Message {
 public:
  Message& number(int field, std::int64_t value);
  Message& real(int field, float value);
  Message& text(int field, std::string_view value);  // strings and bytes
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, int wire_type);

  std::string bytes_;
};

}  // namespace spiga::onnx
