// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

#include "spiga/error.h"

namespace spiga::base {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string name = (fs::temp_directory_path() / "spiga-file-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { fs::remove_all(folder_); }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

// The error that `action` ends with.
template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::interrupted, "");
}

TEST_F(FileTest, WhatIsWrittenIsMappedAndRead) {
  const fs::path path = folder_ / "a.bin";
  const std::string content = std::string("\0\1\2", 3) + std::string(3 << 20, 'x');
  write_file(path, content);
  EXPECT_EQ(read_file(path), content);
  const MappedFile mapped(path);
  EXPECT_EQ(mapped.path(), path);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), mapped.bytes().begin(), mapped.bytes().end(),
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, EmptyFileMapsToNothing) {
  write_file(folder_ / "empty", "");
  EXPECT_EQ(MappedFile(folder_ / "empty").size(), 0U);
}

TEST_F(FileTest, MappingMoves) {
  write_file(folder_ / "a", "abc");
  MappedFile first(folder_ / "a");
  const std::uint8_t* data = first.data();
  MappedFile second(std::move(first));
  EXPECT_EQ(second.data(), data);
  MappedFile third;
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.size(), 3U);
}

TEST_F(FileTest, MissingFileIsNotFound) {
  const Error mapped = error_of([&] { MappedFile file(folder_ / "none"); });
  EXPECT_EQ(mapped.code(), ErrorCode::not_found);
  EXPECT_THAT(mapped.what(), AllOf(HasSubstr("none"), HasSubstr("No such file")));
  EXPECT_EQ(error_of([&] { read_file(folder_ / "none"); }).code(), ErrorCode::not_found);
}

TEST_F(FileTest, FolderIsNoFile) {
  EXPECT_EQ(error_of([&] { MappedFile file(folder_); }).code(), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { read_file(folder_); }).code(), ErrorCode::not_found);
}

TEST_F(FileTest, TooLongFileIsRefused) {
  write_file(folder_ / "a", "12345");
  EXPECT_EQ(read_file(folder_ / "a", 5), "12345");
  EXPECT_EQ(error_of([&] { read_file(folder_ / "a", 4); }).code(), ErrorCode::bad_data);
}

TEST_F(FileTest, WithoutCommitNothingChanges) {
  write_file(folder_ / "a", "old");
  {
    AtomicFile file(folder_ / "a");
    file.write("new");
    EXPECT_EQ(files(), 2U);  // the temporary one beside it
  }
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, CommitReplaces) {
  write_file(folder_ / "a", "old");
  write_file(folder_ / "a", "new");
  EXPECT_EQ(read_file(folder_ / "a"), "new");
}

TEST_F(FileTest, PermissionsFollowTheUmask) {
  const mode_t before = ::umask(027);
  write_file(folder_ / "a", "x");
  ::umask(before);
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder_ / "a").permissions()), 0640U);
}

TEST_F(FileTest, LinkKeepsPointing) {
  write_file(folder_ / "target", "old");
  fs::create_symlink("target", folder_ / "link");
  write_file(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "target"), "new");
}

TEST_F(FileTest, MissingFolderIsNamed) {
  const Error error = error_of([&] { write_file(folder_ / "none" / "a", "x"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("none/a"));
}

TEST_F(FileTest, DevicesAndPipesAreNotReplaced) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { write_file(folder_ / "pipe", "x"); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { write_file(folder_, "x"); }).code(), ErrorCode::invalid_argument);
}

// A file-size limit stands for the full disk: write() fails in the same place.
TEST_F(FileTest, FullDiskLeavesTheOldFileAndNoOther) {
  write_file(folder_ / "a", "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = error_of([&] { write_file(folder_ / "a", std::string(4 << 20, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("/a: cannot write"), HasSubstr("File too large")));
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, FullDiskCanLeaveTheWholeLines) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  AtomicFile file(folder_ / "a");
  const rlimit small{.rlim_cur = (2 << 20) + 5, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = error_of([&] {
    for (int i = 0; i < (1 << 18); ++i) file.write("sixteen letters\n");
  });
  EXPECT_EQ(error.code(), ErrorCode::io);
  file.commit_whole_lines();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  const std::string content = read_file(folder_ / "a");
  EXPECT_EQ(content.size(), std::size_t{2} << 20);
  EXPECT_TRUE(content.ends_with("sixteen letters\n"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, NoWholeLineLeavesAnEmptyFile) {
  AtomicFile file(folder_ / "a");
  file.write("half a line");
  file.commit_whole_lines();
  EXPECT_EQ(read_file(folder_ / "a"), "");
}

TEST_F(FileTest, WritingAfterCommitIsAMistake) {
  AtomicFile file(folder_ / "a");
  file.commit();
  EXPECT_EQ(error_of([&] { file.write("x"); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { file.commit(); }).code(), ErrorCode::invalid_argument);
}

// What std::filesystem would throw of its own.
TEST_F(FileTest, WhatTheSystemRefusesNamesThePathAndWhy) {
  const fs::path long_name = folder_ / std::string(5000, 'x');
  for (const Error& error :
       {error_of([&] { base::exists(long_name); }), error_of([&] { is_folder(long_name); }),
        error_of([&] { base::file_size(long_name); }), error_of([&] { create_folders(long_name); }),
        error_of([&] { files_below(long_name, ".pts"); })}) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("xxx: cannot "), HasSubstr("File name too long")));
  }
  const Error refused = error_of([] { create_folders("/proc/x"); });
  EXPECT_EQ(refused.code(), ErrorCode::not_found);
  EXPECT_THAT(refused.what(), HasSubstr("/proc/x: cannot make this folder: "));
  EXPECT_FALSE(base::exists(folder_ / "absent"));
  write_file(folder_ / "a", "12");
  EXPECT_TRUE(base::exists(folder_ / "a"));
  EXPECT_FALSE(is_folder(folder_ / "a"));
  EXPECT_EQ(base::file_size(folder_ / "a"), 2U);
  EXPECT_THAT(error_of([&] { create_folders(folder_ / "a"); }).what(), HasSubstr("/a: "));
  create_folders(folder_ / "b/c");
  create_folders(folder_ / "b/c");
  EXPECT_EQ(plain_path(folder_ / "b/./c/../../a"), fs::canonical(folder_) / "a");
  EXPECT_EQ(plain_path(long_name), long_name);
  write_file(folder_ / "b/c/2.pts", "");
  write_file(folder_ / "b/1.pts", "");
  EXPECT_THAT(files_below(folder_, ".pts"),
              ::testing::ElementsAre(folder_ / "b/1.pts", folder_ / "b/c/2.pts"));
}

}  // namespace
}  // namespace spiga::base
