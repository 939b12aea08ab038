// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::serve {

// A field of a multipart/form-data body (RFC 7578); `content` lies in the body.
struct FormPart {
  std::string name;
  std::string file_name;
  bool is_file = false;  // a file name was given, empty or not
  std::span<const std::uint8_t> content;
};

bool is_form(std::string_view content_type);

// The parts in their order. Throws Error(bad_data): no boundary in the content type, a part without an end, a
// part without a name, more than 64 parts, more than 4 KiB of header in one.
std::vector<FormPart> parse_form(std::span<const std::uint8_t> body, std::string_view content_type);

// The part named "image", else the first file. Throws Error(bad_data) where there is neither.
const FormPart& picture_of(std::span<const FormPart> parts);

}  // namespace spiga::serve
