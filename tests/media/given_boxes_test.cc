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

// Every form that docs/benchmark.md names, of a database with 68 and one with 98 landmarks.
TEST_F(GivenBoxesTest, reads_folders_of_pts_files) {
  std::string points;
  for (int i = 0; i < 68; ++i) points += std::to_string(11 + i) + " " + std::to_string(21 + i % 30) + "\n";
  std::filesystem::create_directories(path("faces/helen"));
  base::write_file(path("faces/helen/a.pts"), "version: 1\nn_points: 68\n{\n" + points + "}\n");
  base::write_file(path("faces/helen/a.jpg"), "");
  base::write_file(path("faces/b.pts"), "version: 1\nn_points: 68\n{\n" + points + "}\n");
  const GivenBoxes boxes(path("faces"), [this](const std::string& problem) { problems_.push_back(problem); });
  EXPECT_THAT(problems_, ::testing::IsEmpty());
  const std::vector<Box>* found = boxes.find(path("faces/helen/a.jpg"));
  ASSERT_THAT(found, ::testing::Pointee(SizeIs(1)));
  EXPECT_EQ((*found)[0].x, 10);
  EXPECT_EQ((*found)[0].width, 67);
  EXPECT_THAT(boxes.find("/pictures/b.png"), ::testing::Pointee(SizeIs(1))) << "the picture lies elsewhere";
}

TEST_F(GivenBoxesTest, reads_wflw_lists) {
  std::string points;
  for (int i = 0; i < 98; ++i) points += std::to_string(10 + i) + " " + std::to_string(20 + i % 30) + " ";
  base::write_file(path("list.txt"),
                   points + "1 2 31 42 0 0 0 0 0 0 in/a.jpg\n" + points + "in/b.jpg\n1 2 c.jpg\n");
  const GivenBoxes boxes(path("list.txt"),
                         [this](const std::string& problem) { problems_.push_back(problem); });
  EXPECT_THAT(problems_, ::testing::ElementsAre(HasSubstr("list.txt: line 3: expected 197 or 207")));
  EXPECT_EQ(boxes.find(path("in/a.jpg"))->at(0).height, 40);
  EXPECT_EQ(boxes.find(path("in/b.jpg"))->at(0).width, 97);
}

TEST_F(GivenBoxesTest, reads_tables_by_place_and_by_id) {
  std::string header = "image", row = "a.jpg";
  for (int i = 0; i < 98; ++i) {
    header += ",x_" + std::to_string(i) + ",y_" + std::to_string(i);
    row += ',';
    row += std::to_string(i) + ",7";
  }
  base::write_file(path("wflw.csv"), header + "\n" + row + "\n");
  const GivenBoxes by_place(path("wflw.csv"),
                            [this](const std::string& problem) { problems_.push_back(problem); });
  EXPECT_EQ(by_place.find("a.jpg")->at(0).width, 97);
  base::write_file(path("two.csv"), "image,x_7,y_7,x_12,y_12\na.jpg,1,2,11,22\n");
  const GivenBoxes by_id(path("two.csv"),
                         [this](const std::string& problem) { problems_.push_back(problem); });
  EXPECT_EQ(by_id.find("a.jpg")->at(0).height, 20);
  EXPECT_THAT(problems_, ::testing::IsEmpty());
}

TEST_F(GivenBoxesTest, refuses_what_is_no_annotation_file) {
  EXPECT_EQ(error_of([&] { load("[{"); }).code(), ErrorCode::bad_data);
  EXPECT_EQ(error_of([&] { GivenBoxes(path("absent.json"), {}); }).code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace spiga::media
