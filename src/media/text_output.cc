// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/text_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

class FileOutput : public TextOutput {
 public:
  explicit FileOutput(const std::string& path) : file_(path) {}
  void write(std::string_view lines) override {
    keep_lines_of_failure([&] { file_.write(lines); });
  }
  void finish() override {
    if (!failed_) keep_lines_of_failure([&] { file_.commit(); });
  }

 private:
  // Hours of work are not lost because the disk was full for the last line.
  template <typename Action>
  void keep_lines_of_failure(const Action& action) {
    try {
      action();
    } catch (const Error&) {
      failed_ = true;
      file_.commit_whole_lines();
      throw;
    }
  }

  base::AtomicFile file_;
  bool failed_ = false;
};

class StandardOutput : public TextOutput {
 public:
  void write(std::string_view lines) override {
    if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size()) fail();
    finish();
  }
  void finish() override {
    if (std::fflush(stdout) != 0) fail();
  }

 private:
  [[noreturn]] static void fail() {
    throw Error(ErrorCode::io, std::string("standard output: cannot write: ") + std::strerror(errno));
  }
};

}  // namespace

std::unique_ptr<TextOutput> open_text_output(const std::string& path) {
  if (path == "-") return std::make_unique<StandardOutput>();
  return std::make_unique<FileOutput>(path);
}

}  // namespace spiga::media
