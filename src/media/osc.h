// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

// Open Sound Control 1.0, as much of it as is sent: bundles of messages with whole numbers, floats, strings.
namespace spiga::media {

using OscValue = std::variant<std::int32_t, float, std::string_view>;

// One message's bytes. Text is cut at its first NUL.
std::string osc_message(std::string_view address, std::initializer_list<OscValue> values);

// A bundle to be acted upon at once.
class OscBundle {
 public:
  OscBundle();
  void add(std::string_view message);
  bool empty() const { return messages_ == 0; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  int messages_ = 0;
};

}  // namespace spiga::media
