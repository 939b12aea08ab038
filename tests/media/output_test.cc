// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "base/file.h"
#include "media/picture_writer.h"
#include "media/text_output.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;
using spiga::testing::error_of;
using spiga::testing::TemporaryFolder;

TEST(TextOutput, file_appears_when_finished_or_not_at_all) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.csv";
  {
    const auto output = open_text_output(path.string());
    output->write("half a ");
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  const auto output = open_text_output(path.string());
  output->write("one line\n");
  output->finish();
  EXPECT_EQ(base::read_file(path), "one line\n");
}

TEST(TextOutput, devices_are_written_to_and_stay_what_they_are) {
  const auto output = open_text_output("/dev/null");
  output->write("a line\n");
  output->finish();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  const auto full = open_text_output("/dev/full");
  EXPECT_THROW(full->write("a line\n"), Error);
}

TEST(TextOutput, standard_output_is_written_at_once) {
  ::testing::internal::CaptureStdout();
  open_text_output("-")->write("hello\n");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "hello\n");
}

TEST(PictureWriter, writes_what_the_extension_says) {
  const TemporaryFolder folder;
  Image image(6, 4, PixelFormat::bgr8);
  image.data()[2] = 200;
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    write_picture(folder.path() / name, image);
    EXPECT_EQ(cv::imread((folder.path() / name).string()).cols, 6) << name;
  }
  EXPECT_EQ(cv::imread((folder.path() / "a.png").string()).data[2], 200);
}

TEST(PictureWriter, leaves_nothing_behind_where_it_fails) {
  const TemporaryFolder folder;
  const Image image(6, 4, PixelFormat::bgr8);
  EXPECT_EQ(error_of([&] { write_picture(folder.path() / "a.xyz", image); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { write_picture(folder.path() / "none" / "a.png", image); }).code(),
            ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { write_picture(folder.path() / "a.png", Image(2, 2, PixelFormat::gray8)); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace spiga::media
