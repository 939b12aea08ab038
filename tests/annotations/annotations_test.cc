// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "annotations/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "spiga/error.h"

namespace spiga::annotations {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<int> kIds = {101, 7, 12};

// A folder of this test's own, gone with it.
class AnnotationsTest : public ::testing::Test {
 protected:
  AnnotationsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("spiga_annotations_" + std::string(test->name()) + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  ~AnnotationsTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static FaceList read_small(const fs::path& path) { return read(path, {.database_ids = kIds}); }

  // What the reader says of a bad file.
  static std::string complaint(const fs::path& path) {
    try {
      read_small(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos)
          << "more than one line: " << error.what();
      return error.what();
    }
    return "nothing wrong found";
  }

  fs::path folder_;
};

TEST_F(AnnotationsTest, lines_of_analyze_are_read_of_pictures_and_of_videos) {
  const FaceList list = read_small(write(
      "a.jsonl",
      R"({"source": "x/a.png", "width": 9, "height": 9, "faces": [{"confidence": 0.9, "box": [1, 2, 3, 4],)"
      R"( "landmarks": [[1, 2], [3, 4], [5, 6]], "uncertainty": [1, 2, 3],)"
      R"( "headpose": {"yaw_deg": 1, "pitch_deg": 2, "roll_deg": 3, "translation": [4, 5, 6]}}]})"
      "\n"
      R"({"frame": 7, "timestamp": 0.5, "faces": []})"
      "\n"));
  ASSERT_EQ(list.faces.size(), 2U);
  EXPECT_EQ(list.faces[0].image, "x/a.png");
  EXPECT_EQ(list.faces[0].ids, kIds);
  EXPECT_DOUBLE_EQ(list.faces[0].box->height, 4);
  EXPECT_DOUBLE_EQ(list.faces[0].landmarks[2].y, 6);
  EXPECT_DOUBLE_EQ(list.faces[0].headpose->translation[2], 6);
  EXPECT_DOUBLE_EQ(list.faces[0].uncertainty[1], 2);
  EXPECT_EQ(list.faces[1].image, "frame7");
  EXPECT_TRUE(list.faces[1].landmarks.empty());
}

TEST_F(AnnotationsTest, a_bad_line_is_named) {
  EXPECT_THAT(complaint(write("a.jsonl", "{\"source\": \"a\", \"faces\": []}\n{\"sou\n")),
              HasSubstr("a.jsonl: line 2: expected a JSON object, found '{\"sou'"));
  EXPECT_THAT(complaint(write("a.jsonl", "{\"source\": \"a\"}")), HasSubstr("line 1: faces is missing"));
  EXPECT_THAT(complaint(write("a.jsonl", "{\"faces\": []}")),
              HasSubstr("line 1: expected a field source or frame, found neither"));
  EXPECT_THAT(complaint(write("a.jsonl", "{\"source\": \"a\", \"faces\": [{\"landmarks\": [[1, 2]]}]}")),
              HasSubstr("line 1: expected 3 landmarks, found 1"));
}

TEST_F(AnnotationsTest, tables_of_videos_have_frames_and_lost_faces) {
  const std::string ours =
      "frame,face_id,timestamp,confidence,success,box_x,box_y,box_w,box_h,x_0,x_1,x_2,y_0,y_1,y_2\n";
  FaceList list =
      read_small(write("ours.csv", ours + "3,0,0.1,0.9,1,1,2,3,4,1,3,5,2,4,6\n4,,0.2,,0,,,,,,,,,,\n"));
  ASSERT_EQ(list.faces.size(), 2U);
  EXPECT_EQ(list.faces[0].image, "frame3");
  EXPECT_DOUBLE_EQ(list.faces[0].landmarks[1].x, 3);
  EXPECT_EQ(list.faces[1].image, "frame4");
  EXPECT_TRUE(list.faces[1].landmarks.empty());
  const std::string openface = "frame,face_id,timestamp,confidence,success,pose_Tx,x_0,x_1,x_2,y_0,y_1,y_2\n";
  list = read_small(write("of.csv", openface + "1,0,0.1,0.9,1,7,1,3,5,2,4,6\n2,0,0.1,0,0,0,0,0,0,0,0,0\n"));
  ASSERT_EQ(list.faces.size(), 2U);
  EXPECT_EQ(list.faces[0].image, "frame0");
  EXPECT_DOUBLE_EQ(list.faces[0].landmarks[2].y, 6);
  EXPECT_TRUE(list.faces[1].landmarks.empty());
  list = read_small(
      write("a.jpg.csv", "face,confidence,pose_Tx,x_0,x_1,x_2,y_0,y_1,y_2\n0,0.9,7,1,3,5,2,4,6\n"));
  ASSERT_EQ(list.faces.size(), 1U);
  EXPECT_EQ(list.faces[0].image, "a.jpg");
}

std::string face_json(const std::string& ids = "[101, 7, 12]",
                      const std::string& landmarks = "[[1, 2], [3, 4.5], [5, 6]]",
                      const std::string& image = "a.jpg", const std::string& box = "[1, 2, 4, 4]") {
  return R"({"imgpath": ")" + image + R"(", "bbox": )" + box +
         R"(, "headpose": [1, 2, 3, 4, 5, 6], "ids": )" + ids + R"(, "landmarks": )" + landmarks +
         R"(, "visible": [1.0, 0.0, 1.0]})";
}

TEST_F(AnnotationsTest, ReadsThePublishedForm) {
  const FaceList list = read_small(write("a.json", "[" + face_json() + "]"));
  ASSERT_EQ(list.faces.size(), 1u);
  const AnnotatedFace& face = list.faces[0];
  EXPECT_EQ(face.image, "a.jpg");
  EXPECT_EQ(face.ids, kIds);
  EXPECT_EQ(face.landmarks[1].y, 4.5);
  EXPECT_THAT(face.visible, ElementsAre(1, 0, 1));
  EXPECT_THAT(face.headpose->angles_deg, ElementsAre(1, 2, 3));
  EXPECT_THAT(face.headpose->translation, ElementsAre(4, 5, 6));
  EXPECT_EQ(face.box->width, 4);
  EXPECT_TRUE(face.uncertainty.empty());
}

TEST_F(AnnotationsTest, ReadsBoxesAlone) {
  const FaceList list = read_small(write("a.json", R"([{"imgpath": "a.jpg", "bbox": [1, 2, 3, 4]}])"));
  ASSERT_EQ(list.faces.size(), 1u);
  EXPECT_TRUE(list.faces[0].landmarks.empty());
  EXPECT_EQ(box_of(list.faces[0])->height, 4);
}

TEST_F(AnnotationsTest, WritesWhatItReads) {
  AnnotatedFace face{.image = "b.png",
                     .box = Rect{0.1, 2, 30, 40},
                     .ids = kIds,
                     .landmarks = {{1.0 / 3, 2}, {3, 4}, {5e-7, 6}},
                     .visible = {1, 0, 1},
                     .headpose = Pose{{1, 2, 3}, {4, 5, 6}},
                     .uncertainty = {0.5, 1, 2}};
  const AnnotatedFace missed{.image = "c.png"};
  write_json(folder_ / "out.json", std::vector{face, missed});
  const FaceList list = read_small(folder_ / "out.json");
  ASSERT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.faces[0].landmarks[0].x, 1.0 / 3);
  EXPECT_EQ(list.faces[0].landmarks[2].x, 5e-7);
  EXPECT_EQ(list.faces[0].uncertainty, face.uncertainty);
  std::ifstream file(folder_ / "out.json");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}),
              AllOf(HasSubstr(R"("uncertainty":[0.5,1.0,2.0])"), HasSubstr(R"("spread":[0.5,1.0,2.0])")));
  EXPECT_EQ(list.faces[0].visible, face.visible);
  EXPECT_EQ(list.faces[0].box->x, 0.1);
  EXPECT_EQ(list.faces[0].headpose->translation, face.headpose->translation);
  EXPECT_TRUE(list.faces[1].landmarks.empty());
  EXPECT_FALSE(list.faces[1].box);
  EXPECT_FALSE(list.faces[1].headpose);
}

TEST_F(AnnotationsTest, NamesLineAndColumnOfMalformedJson) {
  EXPECT_THAT(complaint(write("a.json", "[\n  {\"imgpath\": }\n]")),
              AllOf(HasSubstr("a.json"), HasSubstr("line 2, column 15")));
  EXPECT_THAT(complaint(write("b.json", "[" + face_json("[101, 7, 12]", "[[nan, 2], [3, 4], [5, 6]]") + "]")),
              HasSubstr("line 1, column"));
  EXPECT_THAT(complaint(write("c.json", "")), HasSubstr("line 1"));
  EXPECT_THAT(complaint(write("d.json", "{}")), HasSubstr("expected a list of faces"));
}

TEST_F(AnnotationsTest, TakesPythonsNaNForAMissingNumber) {
  for (const char* word : {"NaN", "Infinity", "-Infinity"}) {
    const std::string points = std::string("[[") + word + ", 2], [3, 4], [5, 6]]";
    EXPECT_THAT(complaint(write("a.json", "[" + face_json("[101, 7, 12]", points) + "]")),
                HasSubstr("landmarks: expected a number, found null"))
        << word;
  }
  const FaceList list = read_small(write("b.json", R"([{"imgpath": "a \" NaN\\", "bbox": [1, 2, 3, 4]}])"));
  EXPECT_EQ(list.faces.at(0).image, R"(a " NaN\)");
}

TEST_F(AnnotationsTest, RefusesBadJsonRecordsByName) {
  const auto of = [&](const std::string& record) {
    return complaint(write("a.json", "[" + face_json() + ", " + record + "]"));
  };
  EXPECT_THAT(of("3"), HasSubstr("face 1: expected an object"));
  EXPECT_THAT(of("{}"), HasSubstr("face 1: imgpath is missing"));
  EXPECT_THAT(
      of(face_json("[101, 7]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
      AllOf(HasSubstr("face 1 (b.jpg)"), HasSubstr("landmarks: expected 2 values, one per id, found 3")));
  EXPECT_THAT(of(face_json("[101, 7, 99]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("no landmark 99"));
  EXPECT_THAT(of(face_json("[101, 7, 100000000]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("no landmark 100000000"));
  EXPECT_THAT(of(face_json("[101, 7, 4294967308]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("no landmark 4294967308"));
  EXPECT_THAT(of(face_json("[101, 7, -7]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("no landmark -7"));
  EXPECT_THAT(of(face_json("[101, 7, 7]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("landmark 7 is listed twice"));
  EXPECT_THAT(of(face_json("[101, 7, 7.5]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg")),
              HasSubstr("ids: expected a whole number"));
  EXPECT_THAT(of(face_json("[101, 7, 12]", "[[1, 2], [3, null], [5, 6]]", "b.jpg")),
              HasSubstr("expected a number, found null"));
  EXPECT_THAT(of(face_json("[101, 7, 12]", "[[1, 2], [3], [5, 6]]", "b.jpg")),
              HasSubstr("landmarks[1]: expected [x, y]"));
  EXPECT_THAT(of(face_json("[101, 7, 12]", "[[1, 2], [3, 1e999], [5, 6]]", "b.jpg")), HasSubstr("1e999"));
  EXPECT_THAT(of(face_json("[101, 7, 12]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg", "[1, 2, 0, 4]")),
              HasSubstr("bbox: expected a width"));
  EXPECT_THAT(of(face_json("[101, 7, 12]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg", "[1, 2, 3]")),
              HasSubstr("bbox: expected [x, y, width, height]"));
  EXPECT_THAT(of(face_json()), AllOf(HasSubstr("face 1 (a.jpg)"), HasSubstr("listed twice")));
}

TEST_F(AnnotationsTest, TwoFacesOfOnePictureAreFine) {
  const std::string other = face_json("[101, 7, 12]", "[[1, 2], [3, 4], [5, 6]]", "a.jpg", "[100, 2, 4, 4]");
  EXPECT_EQ(read_small(write("a.json", "[" + face_json() + ", " + other + "]")).faces.size(), 2u);
}

TEST_F(AnnotationsTest, SkipsAndCountsBadRecordsWhereAsked) {
  const fs::path path =
      write("a.json", "[" + face_json() + ", 3, " + face_json() + ", " +
                          face_json("[101, 7, 12]", "[[1, 2], [3, 4], [5, 6]]", "b.jpg") + "]");
  std::vector<std::string> told;
  const FaceList list =
      read(path, {.database_ids = kIds, .on_bad_record = [&](const std::string& m) { told.push_back(m); }});
  EXPECT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.skipped, 2u);
  EXPECT_THAT(told, ElementsAre(HasSubstr("face 1"), HasSubstr("face 2 (a.jpg)")));
}

TEST_F(AnnotationsTest, ReadsPtsFolders) {
  write("helen/b.pts", "version: 1\nn_points: 3\n{\n1 2\n3.5 4\r\n5 6\n}\n");
  write("ibug/a.pts", "version: 1\nn_points:  3\n{\n1 1\n3 4\n5 6\n}");
  write("ibug/a.jpg", "");
  const FaceList list = read_small(folder_);
  ASSERT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.faces[0].image, "helen/b");
  EXPECT_EQ(list.faces[1].image, "ibug/a.jpg");
  EXPECT_EQ(list.faces[0].landmarks[1].x, 2.5) << "300-W counts pixels from 1";
  EXPECT_EQ(list.faces[1].landmarks[0].y, 0);
  EXPECT_THAT(list.subsets.at("helen"), ElementsAre(0));
  EXPECT_THAT(list.subsets.at("common"), ElementsAre(0));
  EXPECT_THAT(list.subsets.at("ibug"), ElementsAre(1));
  EXPECT_EQ(box_of(list.faces[0])->width, 4);
}

TEST_F(AnnotationsTest, RefusesBadPtsFiles) {
  EXPECT_THAT(complaint(folder_), HasSubstr("expected .pts files"));
  write("a.pts", "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n");
  EXPECT_THAT(complaint(folder_), AllOf(HasSubstr("a.pts"), HasSubstr("expected 3 landmarks, found 2")));
  write("a.pts", "version: 1\n{\n1 2\n3 x\n5 6\n}\n");
  EXPECT_THAT(complaint(folder_), HasSubstr("expected a finite number, found 'x'"));
  write("a.pts", "version: 1\n{\n1 2\n3 nan\n5 6\n}\n");
  EXPECT_THAT(complaint(folder_), HasSubstr("found 'nan'"));
  write("a.pts", "1 2\n3 4\n5 6\n");
  EXPECT_THAT(complaint(folder_), HasSubstr("between { and }"));
}

TEST_F(AnnotationsTest, ReadsWflwLists) {
  const FaceList list = read_small(write("list.txt",
                                         "1 2 3 4 5 6 1 2 11 22 1 0 0 0 1 0 x/a.jpg\n\n"
                                         "1 2 3 4 5 6.5 1 2 12 22 0 0 0 0 1 0 x/b.jpg\r\n"));
  ASSERT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.faces[0].image, "x/a.jpg");
  EXPECT_EQ(list.faces[0].box->width, 10);
  EXPECT_EQ(list.faces[1].landmarks[2].y, 6.5);
  EXPECT_THAT(list.subsets.at("pose"), ElementsAre(0));
  EXPECT_THAT(list.subsets.at("occlusion"), ElementsAre(0, 1));
  EXPECT_FALSE(list.subsets.contains("blur"));
  EXPECT_FALSE(read_small(write("plain.txt", "1 2 3 4 5 6 x/a.jpg\n")).faces[0].box);
  EXPECT_THAT(complaint(write("bad.txt", "1 2 3 4 5 6 x/a.jpg\n1 2 3 x/a.jpg\n")),
              AllOf(HasSubstr("line 2"), HasSubstr("expected 7 or 17 columns for 3 landmarks, found 4")));
}

TEST_F(AnnotationsTest, ReadsCsvById) {
  const FaceList list = read_small(
      write("a.csv",
            "image,x_7,y_7,x_101,y_101,box_x,box_y,box_width,box_height,uncertainty_7,uncertainty_101,note\n"
            "\"a, \"\"1\"\".jpg\",1,2,3,4,0,0,10,20,.5,.25,hm\n"
            "b.jpg,,,3,4,,,,,,1,\n"));
  ASSERT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.faces[0].image, "a, \"1\".jpg");
  EXPECT_THAT(list.faces[0].ids, ElementsAre(7, 101));
  EXPECT_THAT(list.faces[0].uncertainty, ElementsAre(0.5, 0.25));
  EXPECT_EQ(list.faces[0].box->height, 20);
  EXPECT_THAT(list.faces[1].ids, ElementsAre(101));
  EXPECT_FALSE(list.faces[1].box);
}

TEST_F(AnnotationsTest, ReadsCsvByPlaceInTheDatabase) {
  const FaceList list = read_small(write("a.csv",
                                         "file,x_0,y_0,x_1,y_1,x_2,y_2,yaw_deg,pitch_deg,roll_deg\r\n"
                                         "a.jpg,1,2,3,4,5,6,-10,5,0.5\r\n"));
  EXPECT_EQ(list.faces[0].ids, kIds);
  EXPECT_THAT(list.faces[0].headpose->angles_deg, ElementsAre(-10, 5, 0.5));
}

TEST_F(AnnotationsTest, ReadsTheTableOfAnalyze) {
  const FaceList list = read_small(
      write("a.csv",
            "source,face,confidence,box_x,box_y,box_w,box_h,pose_yaw_deg,pose_pitch_deg,pose_roll_deg,"
            "pose_tx,pose_ty,pose_tz,x_0,x_1,x_2,y_0,y_1,y_2,uncertainty_0,uncertainty_1,uncertainty_2\n"
            "my picture.jpg , 0,1.5,1,2,30,40,5,6,7,.1,.2,2.8,1,2,3,4,5,6,.5,.6,.7\n"));
  const AnnotatedFace& face = list.faces.at(0);
  EXPECT_EQ(face.image, "my picture.jpg");
  EXPECT_EQ(face.box->width, 30);
  EXPECT_EQ(face.landmarks[2].y, 6);
  EXPECT_THAT(face.headpose->angles_deg, ElementsAre(5, 6, 7));
  EXPECT_EQ(face.headpose->translation[2], 2.8);
  EXPECT_THAT(face.uncertainty, ElementsAre(0.5, 0.6, 0.7));
}

TEST_F(AnnotationsTest, ReadsCsvAsSpreadsheetsSaveIt) {
  const FaceList list = read_small(write("a.csv",
                                         "\xEF\xBB\xBFimage,x_7,y_7\r\n"
                                         "\"two\nlines.jpg\",1,2\r\nb.jpg,3,4\r\n"));
  ASSERT_EQ(list.faces.size(), 2u);
  EXPECT_EQ(list.faces[0].image, "two\nlines.jpg");
  EXPECT_THAT(complaint(write("b.csv", "image,x_7,y_7\n\"a\nb\",1,2\nc.jpg,3,z\n")), HasSubstr("line 4"));
}

TEST_F(AnnotationsTest, ReadsTheOldNameOfTheUncertainty) {
  const std::string face = face_json();
  const FaceList from_json =
      read_small(write("a.json", "[" + face.substr(0, face.size() - 1) + R"(, "spread": [1, 2, 3]}])"));
  EXPECT_THAT(from_json.faces.at(0).uncertainty, ElementsAre(1, 2, 3));
  const FaceList from_csv = read_small(write("a.csv", "image,x_7,y_7,spread_7\na.jpg,1,2,0.5\n"));
  EXPECT_THAT(from_csv.faces.at(0).uncertainty, ElementsAre(0.5));
  const FaceList both = read_small(write("b.csv", "image,x_7,y_7,uncertainty_7,spread_7\na.jpg,1,2,0.5,9\n"));
  EXPECT_THAT(both.faces.at(0).uncertainty, ElementsAre(0.5));
}

TEST_F(AnnotationsTest, TakesTheLandmarksOfAnyOfSeveralDatabases) {
  const std::vector<int> two = {7, 8};
  const std::vector<std::span<const int>> databases = {kIds, two};
  const ReadOptions options{.any_of = databases};
  const FaceList list =
      read(write("list.txt", "1 2 3 4 5 6 x/a.jpg\n1 2 3 4 x/b.jpg\n1 2 3 4 0 0 9 8 1 0 0 0 1 0 c.jpg\n"),
           options);
  ASSERT_EQ(list.faces.size(), 3u);
  EXPECT_EQ(list.faces[0].ids, kIds);
  EXPECT_EQ(list.faces[1].ids, two);
  EXPECT_EQ(list.faces[2].box->height, 8);
  write("pts/a.pts", "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n");
  write("pts/b.pts", "version: 1\nn_points: 3\n{\n1 2\n3 4\n5 6\n}\n");
  EXPECT_EQ(read(folder_ / "pts", options).faces.at(0).ids, two);
  EXPECT_EQ(read(folder_ / "pts", options).faces.at(1).ids, kIds);
  EXPECT_EQ(read(write("a.csv", "image,x_0,y_0,x_1,y_1\na.jpg,1,2,3,4\n"), options).faces.at(0).ids, two);
}

TEST_F(AnnotationsTest, RefusesBadCsv) {
  EXPECT_THAT(complaint(write("a.csv", "")), HasSubstr("empty file"));
  EXPECT_THAT(complaint(write("a.csv", "x_0,y_0\n1,2\n")), HasSubstr("expected a column 'image'"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0\na,2\n")), HasSubstr("has no 'y_0'"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0,y_0,x_3,y_3\na,2,2,2,2\n")),
              HasSubstr("the database has 3 landmarks"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0,y_0\na,2\n")),
              AllOf(HasSubstr("line 2"), HasSubstr("expected 3 columns, found 2")));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0,y_0\na,2,nan\n")),
              HasSubstr("y_0: expected a finite number, found 'nan'"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0,y_0\na,2,\n")), HasSubstr("expected x and y"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_0,y_0\n\"a,2,3\n")), HasSubstr("quoted field has no end"));
  EXPECT_THAT(complaint(write("a.csv", "image,x_77,y_77\na,2,3\n")), HasSubstr("no landmark 77"));
}

TEST_F(AnnotationsTest, SaysWhatCannotBeRead) {
  EXPECT_THROW(read_small(folder_ / "absent.json"), Error);
  EXPECT_THROW(read_small(folder_ / (std::string(5000, 'x') + ".json")), Error)
      << "and nothing of the library's own";
  EXPECT_THAT(complaint(write("a.mat", "")), HasSubstr("found '.mat'"));
}

// Whatever happens to a file, the reader answers with faces or with an Error of one line.
TEST_F(AnnotationsTest, DamagedFilesNeverGetPastTheErrors) {
  const std::map<std::string, std::string> forms = {
      {"a.json", "[" + face_json() + ",\n" + face_json("[101]", "[[1e2, -2]]", "b.jpg") + "]"},
      {"a.csv",
       "image,x_0,y_0,x_1,y_1,box_x,box_y,box_width,box_height\n\"a, b\",1,2,3,4,0,0,5,5\nc,1,2,,,,,,\n"},
      {"a.txt", "1 2 3 4 5 6 1 2 11 22 1 0 0 0 1 0 x/a.jpg\n1 2 3 4 5 6 x/b.jpg\n"},
      {"pts/a.pts", "version: 1\nn_points: 3\n{\n1 2\n3.5 4\r\n5 6\n}\n"}};
  constexpr std::string_view kBytes = "09-.e,{}[]\"\\: \nxN\xff";
  std::mt19937 random(5);
  int refused = 0;
  for (const auto& [name, text] : forms) {
    for (int round = 0; round < 400; ++round) {
      std::string damaged = text;
      for (auto changes = random() % 3 + 1; changes > 0; --changes) {
        const std::size_t at = random() % damaged.size();
        const std::string piece = damaged.substr(at, random() % 9);
        if (random() % 2 == 0) damaged[at] = kBytes[random() % kBytes.size()];
        if (random() % 4 == 0) damaged.erase(at, piece.size());
        if (random() % 4 == 0) damaged.insert(random() % (damaged.size() + 1), piece);
        if (damaged.empty()) damaged.push_back(' ');
      }
      const fs::path path = write(name, damaged);
      try {
        read_small(name.starts_with("pts") ? path.parent_path() : path);
      } catch (const Error& error) {
        ++refused;
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      }
    }
  }
  EXPECT_GT(refused, 400) << "the changes hardly changed anything";
}

TEST(Published, AuthorsFilesAreRead) {
  const fs::path published = "../shared/reference/published/300wpublic";
  if (!fs::exists(published)) GTEST_SKIP() << published << " is not here";
  std::vector<int> ids(200);
  for (int i = 0; i < 200; ++i) ids[i] = i;
  EXPECT_EQ(read(published / "test.json", {.database_ids = ids}).faces.size(), 689u);
  EXPECT_EQ(read(published / "results_300wpublic_test.json", {.database_ids = ids}).faces.size(), 689u);
}

}  // namespace
}  // namespace spiga::annotations
