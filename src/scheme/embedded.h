// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string_view>

namespace spiga::scheme {

// A file of data/, embedded at build time (embed.cmake).
struct EmbeddedFile {
  std::string_view name;  // without folder and extension
  std::string_view text;
};

extern const EmbeddedFile kEmbeddedFiles[];
extern const std::size_t kEmbeddedFileCount;

}  // namespace spiga::scheme
