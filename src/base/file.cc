// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/file.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::base {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

std::string reason(int error_number) { return std::generic_category().message(error_number); }

// Closes a file descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_for_reading(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(ErrorCode::not_found, concat(path.native(), ": cannot open: ", reason(errno)));
  return fd;
}

// The file that `path` names in the end, through symbolic links; the same as `path` where nothing is there
// yet.
fs::path resolve(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_symlink(path, ignored)) return path;
  return plain_path(path);
}

// Whether a system's error tells of the device and not of what it was asked for.
bool is_device_failure(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EIO;
}

[[noreturn]] void refuse(const fs::path& path, const char* what, const std::error_code& error) {
  throw Error(is_device_failure(error.value()) ? ErrorCode::io : ErrorCode::not_found,
              concat(path.native(), ": cannot ", what, ": ", error.message()));
}

fs::file_status status_of(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none) refuse(path, "be looked for", error);
  return status;
}

void sync_folder(const fs::path& folder) {
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0)
    static_cast<void>(::fsync(fd.get()));  // some file systems refuse; the rename is done anyway
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const Descriptor fd(open_for_reading(path));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    throw Error(ErrorCode::io, concat(path.native(), ": cannot stat: ", reason(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::not_found, concat(path.native(), ": expected a regular file"));
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapped == MAP_FAILED) {
    throw Error(ErrorCode::io, concat(path.native(), ": cannot map ", size_, " bytes: ", reason(errno)));
  }
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    unmap();
    path_ = std::move(other.path_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

MappedFile::~MappedFile() { unmap(); }

void MappedFile::unmap() noexcept {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

AtomicFile::AtomicFile(const fs::path& path) : path_(resolve(path)) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path_, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error(
        ErrorCode::invalid_argument,
        concat(path_.native(), ": cannot be replaced by a file: it is there and is not a regular file"));
  }
  for (int attempt = 0; attempt < 16 && fd_ < 0; ++attempt) {
    temporary_ = temporary_name(path_);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) {
    const int why = errno;
    throw Error(is_device_failure(why) ? ErrorCode::io : ErrorCode::not_found,
                concat(path_.native(), ": cannot create a file in this folder: ", reason(why)));
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;  // committed
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what, int error_number) const {
  throw Error(ErrorCode::io, concat(path_.native(), ": cannot ", what, ": ", reason(error_number)));
}

void AtomicFile::write_through(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd_, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", errno);
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (fd_ < 0) throw Error(ErrorCode::invalid_argument, concat(path_.native(), ": written after commit"));
  const char* bytes = static_cast<const char*>(data);
  if (buffer_.size() + size > kBufferBytes) flush();
  if (size > kBufferBytes) {
    write_through(bytes, size);
  } else {
    buffer_.append(bytes, size);
  }
}

void AtomicFile::commit() {
  if (fd_ < 0) throw Error(ErrorCode::invalid_argument, concat(path_.native(), ": committed twice"));
  flush();
  publish();
}

void AtomicFile::publish() {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail("flush to the device", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename the finished file", errno);
  ::close(std::exchange(fd_, -1));  // fsync has already reported what close could
  sync_folder(path_.parent_path());
}

void AtomicFile::commit_whole_lines() {
  if (fd_ < 0) throw Error(ErrorCode::invalid_argument, concat(path_.native(), ": committed twice"));
  buffer_.clear();
  off_t end = ::lseek(fd_, 0, SEEK_END);
  const MappedFile written = end > 0 ? MappedFile(temporary_) : MappedFile();
  while (end > 0 && written.data()[end - 1] != '\n') --end;
  if (::ftruncate(fd_, end) != 0) fail("cut behind the last whole line", errno);
  publish();
}

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  const Descriptor fd(open_for_reading(path));
  std::string content;
  std::string chunk(std::size_t{1} << 16, '\0');
  while (true) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const ErrorCode code = errno == EISDIR ? ErrorCode::not_found : ErrorCode::io;
      throw Error(code, concat(path.native(), ": cannot read: ", reason(errno)));
    }
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max_bytes) {
      throw Error(ErrorCode::bad_data,
                  concat(path.native(), ": expected at most ", max_bytes, " bytes, found more"));
    }
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void write_file(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

bool exists(const fs::path& path) { return fs::exists(status_of(path)); }

bool is_folder(const fs::path& path) { return fs::is_directory(status_of(path)); }

std::uintmax_t file_size(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) refuse(path, "be measured", error);
  return size;
}

void create_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) refuse(folder, "make this folder", error);
  if (!is_folder(folder))
    throw Error(ErrorCode::not_found, concat(folder.native(), ": expected a folder, found a file"));
}

fs::path plain_path(const fs::path& path) {
  std::error_code failed;
  fs::path plain = fs::weakly_canonical(path, failed);
  return failed || plain.empty() ? path.lexically_normal() : plain;
}

std::vector<fs::path> files_below(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == extension) files.push_back(entry->path());
  if (error) refuse(folder, "be read", error);
  std::ranges::sort(files);
  return files;
}

fs::path temporary_name(const fs::path& path, std::string_view extension) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  char suffix[32];
  std::snprintf(suffix, sizeof suffix, ".tmp-%012llx",
                static_cast<unsigned long long>(random() & 0xffffffffffffULL));
  return path.parent_path() / concat('.', path.filename().native().substr(0, 200), suffix, extension);
}

fs::path program_file() {
  std::error_code failed;
  fs::path file = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) return file;
  const char* called = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  return called ? fs::absolute(called, failed) : fs::path();
}

}  // namespace spiga::base
