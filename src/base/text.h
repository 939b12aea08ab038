// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::base {

// The arguments, one after another, as one string: what messages are made of.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

// Something of `max_length` bytes at most that can stand in a one-line message: control characters and bytes
// that are not ASCII become \xNN, the end of what is too long becomes "...". For names read from strange
// files.
std::string printable(std::string_view text, std::size_t max_length = 80);

// Without blanks, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

// The words between blanks and tabs.
std::vector<std::string_view> split_words(std::string_view text);

// The pieces between `separator`; always at least one, empty pieces included.
std::vector<std::string_view> split(std::string_view text, char separator);

// "a, b, c"
std::string join(const std::vector<std::string>& items, std::string_view separator = ", ");

// The whole text must be the number (no blanks, no trailing letters); nothing otherwise. Independent of
// locale.
std::optional<long long> parse_int(std::string_view text);
std::optional<double> parse_double(std::string_view text);

}  // namespace spiga::base
