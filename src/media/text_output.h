// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace spiga::media {

// Where lines of text go. One thread at a time.
class TextOutput {
 public:
  virtual ~TextOutput() = default;
  // Whole lines. Throws Error(io), naming the output.
  virtual void write(std::string_view lines) = 0;
  // To be called once at the end: what was written becomes visible and errors come out. Throws Error(io).
  virtual void finish() = 0;
};

// "-" is standard output; there, in a device (/dev/null) and in a named pipe each write() is passed on at
// once. Anything else is a file that appears with finish(). Where write() or finish() fails (the disk is
// full), the whole lines that did get there appear; without either, nothing does. Throws Error as
// base::AtomicFile does.
std::unique_ptr<TextOutput> open_text_output(const std::string& path);

}  // namespace spiga::media
