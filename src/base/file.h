// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::base {

// A regular file, mapped read-only into memory: pages are read when touched and given back under pressure.
// Move-only; whoever keeps pointers into it must keep it alive. Const use from many threads is safe.
// A file that somebody truncates while it is mapped raises SIGBUS on access, as every mmap does; files that
// are replaced by rename (AtomicFile) are not affected.
class MappedFile {
 public:
  MappedFile() = default;
  // Throws Error(not_found) when it cannot be opened or is not a regular file, Error(io) when mapping fails.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void unmap() noexcept;

  std::filesystem::path path_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// A file that appears whole or not at all: written to a temporary file in the same folder, which commit()
// flushes to the device and renames to its final name. Without commit() (an exception, say) the temporary
// file is removed and whatever was there before stays. Not thread-safe.
class AtomicFile {
 public:
  // Throws Error(not_found) when the folder is absent or not writable, Error(invalid_argument) when `path` is
  // there but is no regular file. Follows symbolic links to the file that they name.
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // Buffered. Both throw Error(io), saying which file and why (no space left, ...).
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Once, at the end; writing after it is a mistake of the caller.
  void commit();
  // For text, after write() or commit() has failed (the disk is full): what did get to the file is cut behind
  // its last line end and appears as if committed. Throws Error(io) where not even that works.
  void commit_whole_lines();

  const std::filesystem::path& path() const { return path_; }

 private:
  void publish();
  void flush();
  void write_through(const char* data, std::size_t size);
  [[noreturn]] void fail(const char* what, int error_number) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::string buffer_;
  int fd_ = -1;
};

// The whole file as a string. Throws Error(not_found) when it cannot be opened, Error(bad_data) when it is
// longer than `max_bytes`, Error(io) when reading fails. Works on pipes and devices too.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 30);

// AtomicFile in one call.
void write_file(const std::filesystem::path& path, std::string_view content);

// What std::filesystem knows, with errors as ours: where the system refuses to look (a name too long, a
// folder that may not be read), these throw Error(not_found) that names the path and says why; io where a
// disk is full or failing.
bool exists(const std::filesystem::path& path);  // following symbolic links
bool is_folder(const std::filesystem::path& path);
std::uintmax_t file_size(const std::filesystem::path& path);
// Makes the folder and those above it; nothing where it is there.
void create_folders(const std::filesystem::path& folder);
// The absolute path without links, "." and "..", as far as the file system can tell; never throws.
std::filesystem::path plain_path(const std::filesystem::path& path);
// Every file below the folder whose name ends in `extension` (".pts"), in the order of their paths. Links to
// folders are not followed.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                               std::string_view extension);

// A name in the folder of `path` that nobody uses, for a file that is to replace it: hidden, and recognisable
// as ours should a crash leave it behind. `extension` is its ending, for who goes by that.
std::filesystem::path temporary_name(const std::filesystem::path& path, std::string_view extension = "");

// The running program's file; without /proc (a bare chroot), as it was called. Empty where neither is known.
std::filesystem::path program_file();

}  // namespace spiga::base
