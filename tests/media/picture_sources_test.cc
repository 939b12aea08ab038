// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "base/file.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PictureSourcesTest : public ::testing::Test {
 protected:
  PictureSourcesTest() {
    fs::create_directories(root() / "b" / "deep");
    fs::create_directories(root() / ".hidden");
    for (const char* name :
         {"c.png", "a.jpg", "notes.txt", ".b.jpg", "b/z.JPEG", "b/deep/y.bmp", ".hidden/x.jpg"})
      base::write_file(root() / name, "");
    fs::create_directory_symlink(root(), root() / "b" / "round");
  }

  fs::path root() const { return folder_.path(); }

  // Paths below the root.
  std::vector<std::string> all(PictureSources sources) const {
    std::vector<std::string> paths;
    while (const auto source = sources.next())
      paths.push_back(fs::path(source->path).lexically_relative(root()));
    return paths;
  }

  spiga::testing::TemporaryFolder folder_;
  std::istringstream nothing_;
};

TEST_F(PictureSourcesTest, lists_a_folders_pictures_by_name) {
  EXPECT_THAT(all({{root()}, false, nothing_}), ElementsAre("a.jpg", "c.png"));
}

TEST_F(PictureSourcesTest, goes_down_where_asked_but_not_round_in_circles) {
  EXPECT_THAT(all({{root()}, true, nothing_}), ElementsAre("a.jpg", "b/deep/y.bmp", "b/z.JPEG", "c.png"));
}

TEST_F(PictureSourcesTest, remembers_where_below_the_folder_a_picture_lies) {
  PictureSources sources({root()}, true, nothing_);
  sources.next();
  EXPECT_EQ(sources.next()->relative, "b/deep/y.bmp");
  EXPECT_EQ(PictureSources({"some/where/a.jpg"}, true, nothing_).next()->relative, "a.jpg");
}

TEST_F(PictureSourcesTest, counts_unless_a_list_is_among_the_inputs) {
  EXPECT_EQ(PictureSources({root(), "x.jpg"}, false, nothing_).count(), 3u);
  EXPECT_EQ(PictureSources({root(), "-"}, false, nothing_).count(), std::nullopt);
}

TEST_F(PictureSourcesTest, reads_a_list_line_by_line) {
  std::istringstream list("one.jpg\r\n\ntwo words.png\nlast.jpg");
  PictureSources sources({"first.jpg", "-", "after.jpg"}, false, list);
  std::vector<std::string> paths;
  while (const auto source = sources.next()) paths.push_back(source->path);
  EXPECT_THAT(paths, ElementsAre("first.jpg", "one.jpg", "two words.png", "last.jpg", "after.jpg"));
}

TEST_F(PictureSourcesTest, takes_what_it_is_told_to_and_leaves_a_folder_out) {
  const PictureSources::Rules rules = {.recursive = true,
                                       .takes = [](std::string_view name) { return name.ends_with(".txt"); }};
  EXPECT_THAT(all({{root()}, rules, nothing_}), ElementsAre("notes.txt"));
  EXPECT_THAT(all({{root()}, {.recursive = true, .left_out = root() / "b" / "deep"}, nothing_}),
              ElementsAre("a.jpg", "b/z.JPEG", "c.png"));
}

TEST_F(PictureSourcesTest, listed_files_keep_their_folders_where_asked) {
  std::istringstream list("/x/../y/a.png\n../z/b.png\nc.png\n");
  PictureSources sources({"-"}, {.listed_folders = true}, list);
  EXPECT_EQ(sources.next()->relative, "y/a.png");
  EXPECT_EQ(sources.next()->relative, "z/b.png");
  EXPECT_EQ(sources.next()->relative, "c.png");
}

TEST_F(PictureSourcesTest, leaves_files_that_are_absent_to_their_reader) {
  PictureSources sources({(root() / "absent.jpg").string()}, false, nothing_);
  EXPECT_THAT(sources.next()->problem, IsEmpty());
}

TEST_F(PictureSourcesTest, reports_a_folder_that_cannot_be_read) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  fs::permissions(root() / "b", fs::perms::none);
  PictureSources sources({(root() / "b").string(), "next.jpg"}, true, nothing_);
  EXPECT_THAT(sources.next()->problem, HasSubstr("b: cannot read the folder: Permission denied"));
  EXPECT_EQ(sources.next()->path, "next.jpg");
  fs::permissions(root() / "b", fs::perms::owner_all);
}

}  // namespace
}  // namespace spiga::media
