// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/text.h"
#include "fuzz/targets.h"
#include "spiga/error.h"

namespace spiga::fuzz {

// A promise that a reader made.
inline void require(bool promise) {
  if (!promise) std::abort();
}

// Runs `read`, which may refuse its input.
template <typename Read>
void expect_error_or_success(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    require(std::string_view(error.what()).find('\n') == std::string_view::npos);  // messages are one line
  }
}

// Bytes as a file that has a path but no place on a disk.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("spiga-fuzz", MFD_CLOEXEC)) { require(fd_ >= 0); }
  explicit MemoryFile(Bytes bytes) : MemoryFile() { fill(bytes); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }

  void fill(Bytes bytes) {
    require(::ftruncate(fd_, 0) == 0);
    require(::pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  std::string path() const { return base::concat("/proc/self/fd/", fd_); }

 private:
  int fd_;
};

}  // namespace spiga::fuzz
