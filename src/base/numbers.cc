// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace spiga::base {
namespace {

// Space for the largest double in fixed notation (309 digits) and its decimals.
constexpr int kMostDecimals = 40;
using Buffer = std::array<char, 400>;

// 0 to 99.
std::string two_digits(long value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

}  // namespace

void append_fixed(std::string& out, double value, int decimals) {
  if (!std::isfinite(value)) return;
  Buffer buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::fixed, std::clamp(decimals, 0, kMostDecimals));
  const std::string_view number(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const bool minus_zero =
      number.starts_with('-') && number.find_first_not_of("-0.") == std::string_view::npos;
  out += minus_zero ? number.substr(1) : number;
}

std::string fixed(double value, int decimals, std::string_view otherwise) {
  std::string text;
  append_fixed(text, value, decimals);
  return text.empty() ? std::string(otherwise) : text;
}

std::string compact(double value, int decimals, std::string_view otherwise) {
  std::string text = fixed(value, decimals, otherwise);
  if (!std::isfinite(value) || text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string scientific(double value, int decimals) {
  Buffer buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific, std::clamp(decimals, 0, kMostDecimals));
  return {buffer.data(), end.ptr};
}

std::string duration_text(double seconds) {
  const long total = std::isfinite(seconds) ? std::lround(std::clamp(seconds, 0.0, 1e9)) : 0;
  const std::string tail = two_digits(total % 60);
  if (total < 3600) return std::to_string(total / 60) + ":" + tail;
  return std::to_string(total / 3600) + ":" + two_digits(total / 60 % 60) + ":" + tail;
}

}  // namespace spiga::base
