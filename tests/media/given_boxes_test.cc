// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/given_boxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga::media {
namespace {

using spiga::testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsNull;
using ::testing::SizeIs;

class GivenBoxesTest : public ::testing::Test {
 protected:
  GivenBoxes load(const std::string& json) {
    base::write_file(path("faces.json"), json);
    return GivenBoxes(path("faces.json"),
                      [this](const std::string& problem) { problems_.push_back(problem); });
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  spiga::testing::TemporaryFolder folder_;
  std::vector<std::string> problems_;
};

TEST_F(GivenBoxesTest, finds_all_boxes_of_a_picture_by_its_path) {
  const GivenBoxes boxes =
      load(R"([{"imgpath": "in/a.jpg", "bbox": [1, 2, 3, 4]}, {"imgpath": "b.jpg", "bbox": [5, 6, 7, 8]},
                                    {"imgpath": "in/a.jpg", "bbox": [9, 2, 3, 4.5]}])");
  const std::vector<Box>* found = boxes.find(path("./in/../in/a.jpg"));
  ASSERT_THAT(found, ::testing::Pointee(SizeIs(2)));
  EXPECT_EQ((*found)[1].x, 9);
  EXPECT_EQ((*found)[1].height, 4.5f);
}

TEST_F(GivenBoxesTest, falls_back_on_the_file_name_where_that_is_clear) {
  const GivenBoxes boxes =
      load(R"([{"imgpath": "in/a.jpg", "bbox": [1, 2, 3, 4]}, {"imgpath": "x/b.jpg", "bbox": [5, 6, 7, 8]},
                                    {"imgpath": "y/b.jpg", "bbox": [5, 6, 7, 8]}])");
  EXPECT_THAT(boxes.find("/elsewhere/a.jpg"), ::testing::Pointee(SizeIs(1)));
  EXPECT_THAT(boxes.find("/elsewhere/b.jpg"), IsNull());
  EXPECT_THAT(boxes.find("c.jpg"), IsNull());
}

TEST_F(GivenBoxesTest, takes_the_landmarks_box_where_none_is_given) {
  const GivenBoxes boxes =
      load(R"([{"imgpath": "a.jpg", "ids": [1, 2, 3], "landmarks": [[10, 20], [30, 25], [15, 60]]}])");
  const Box box = boxes.find(path("a.jpg"))->at(0);
  EXPECT_EQ(box.width, 20);
  EXPECT_EQ(box.height, 40);
}

TEST_F(GivenBoxesTest, tells_bad_records_and_keeps_the_others) {
  const GivenBoxes boxes =
      load(R"([{"imgpath": "a.jpg", "bbox": [1, null, 3, 4]}, {"imgpath": "b.jpg", "bbox": [5, 6, 7, 8]},
                                    {"imgpath": "c.jpg", "bbox": [5, 6, -7, 8]}])");
  ASSERT_THAT(problems_, SizeIs(2));
  EXPECT_THAT(problems_[0], HasSubstr("face 0 (a.jpg): bbox: expected a number, found null"));
  EXPECT_THAT(boxes.find(path("b.jpg")), ::testing::Pointee(SizeIs(1)));
}

TEST_F(GivenBoxesTest, refuses_what_is_no_annotation_file) {
  EXPECT_EQ(error_of([&] { load("[{"); }).code(), ErrorCode::bad_data);
  EXPECT_EQ(error_of([&] { GivenBoxes(path("absent.json"), {}); }).code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace spiga::media
