// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/text_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

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

// Standard output, a pipe, a device: each write() is passed on at once.
class StreamOutput : public TextOutput {
 public:
  StreamOutput(std::FILE* stream, std::string name) : stream_(stream), name_(std::move(name)) {}
  StreamOutput(const StreamOutput&) = delete;
  StreamOutput& operator=(const StreamOutput&) = delete;
  ~StreamOutput() override {
    if (stream_ != stdout) std::fclose(stream_);
  }

  void write(std::string_view lines) override {
    if (std::fwrite(lines.data(), 1, lines.size(), stream_) != lines.size()) fail();
    finish();
  }
  void finish() override {
    if (std::fflush(stream_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::io, name_ + ": cannot write: " + std::strerror(errno));
  }

  std::FILE* stream_;
  std::string name_;
};

std::unique_ptr<TextOutput> open_stream(const std::string& path) {
  std::FILE* stream = std::fopen(path.c_str(), "w");
  if (!stream) throw Error(ErrorCode::io, path + ": cannot be opened: " + std::strerror(errno));
  return std::make_unique<StreamOutput>(stream, path);
}

}  // namespace

std::unique_ptr<TextOutput> open_text_output(const std::string& path) {
  if (path == "-") return std::make_unique<StreamOutput>(stdout, "standard output");
  std::error_code ignored;
  const std::filesystem::file_type type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::character || type == std::filesystem::file_type::fifo)
    return open_stream(path);
  return std::make_unique<FileOutput>(path);
}

}  // namespace spiga::media
