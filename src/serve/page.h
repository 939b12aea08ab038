// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace spiga::serve {

// A file of the web page (web/), embedded at build time.
struct PageFile {
  const char* path;  // "/" for index.html
  const char* type;  // of its content
  const char* text;
};

extern const PageFile kPageFiles[];
extern const std::size_t kPageFileCount;

}  // namespace spiga::serve
