// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/osc.h"

#include <bit>

namespace spiga::media {
namespace {

void append_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

// With one NUL at least, filled up to a multiple of four bytes.
void append_padded(std::string& out, std::string_view text) {
  text = text.substr(0, text.find('\0'));
  out += text;
  out.append(4 - text.size() % 4, '\0');
}

}  // namespace

std::string osc_message(std::string_view address, std::initializer_list<OscValue> values) {
  std::string tags = ",", arguments;
  for (const OscValue& value : values) {
    if (const auto* number = std::get_if<std::int32_t>(&value)) {
      tags += 'i';
      append_big_endian(arguments, static_cast<std::uint32_t>(*number));
    } else if (const auto* real = std::get_if<float>(&value)) {
      tags += 'f';
      append_big_endian(arguments, std::bit_cast<std::uint32_t>(*real));
    } else {
      tags += 's';
      append_padded(arguments, std::get<std::string_view>(value));
    }
  }
  std::string message;
  append_padded(message, address);
  append_padded(message, tags);
  return message + arguments;
}

OscBundle::OscBundle() {
  append_padded(bytes_, "#bundle");
  append_big_endian(bytes_, 0);
  append_big_endian(bytes_, 1);  // the time tag that means "now"
}

void OscBundle::add(std::string_view message) {
  append_big_endian(bytes_, static_cast<std::uint32_t>(message.size()));
  bytes_ += message;
  ++messages_;
}

}  // namespace spiga::media
