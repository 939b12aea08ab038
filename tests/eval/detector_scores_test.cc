// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/detector_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "eval/detector_report.h"
#include "spiga/error.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

#if SPIGA_HAS_EVALUATE
#include "eval/turned_picture.h"
#endif

namespace spiga::eval {
namespace {

using ::testing::HasSubstr;

Detection found(Box box, float score) { return {.box = box, .score = score}; }

constexpr Box kA = {0, 0, 10, 10}, kB = {100, 0, 50, 50}, kC = {300, 0, 20, 30}, kFar = {600, 600, 30, 30};

TEST(DetectorScores, MeetEachFaceOnceTheSurestFindFirst) {
  DetectorScores scores(0.5);
  const Scene scene = {"a", {{.box = kA}, {.box = kB}}, {}};
  scores.add(scene, 0, {found(kA, 0.3F), found({1, 0, 10, 10}, 0.9F), found(kFar, 0.5F)});
  ASSERT_EQ(scores.faces().size(), 2u);
  EXPECT_FLOAT_EQ(scores.faces()[0].score, 0.9F);
  EXPECT_TRUE(std::isinf(scores.faces()[1].score));
  const auto all = scores.rates(0);  // the second find of A is none, as WIDER FACE counts
  EXPECT_EQ(all.found, 1u);
  EXPECT_EQ(all.others, 2u);
  EXPECT_DOUBLE_EQ(all.recall, 0.5);
  EXPECT_DOUBLE_EQ(all.precision, 1.0 / 3);
  EXPECT_EQ(scores.rates(0.6F).others, 0u);
}

TEST(DetectorScores, AskForAnOverlap) {
  DetectorScores strict(0.5), loose(0.3);
  const Scene scene = {"a", {{.box = kA}}, {}};
  const Detection half = found({0, 0, 10, 4}, 1);  // IoU 0.4
  strict.add(scene, 0, {half});
  loose.add(scene, 0, {half});
  EXPECT_EQ(strict.rates(0).found, 0u);
  EXPECT_EQ(loose.rates(0).found, 1u);
}

TEST(DetectorScores, LeaveOutWhatNobodyCouldTell) {
  DetectorScores scores(0.5);
  const Scene scene = {"a", {{.box = kA}, {.box = kB, .ignored = true}}, {kC}};
  scores.add(scene, 0, {found(kA, 1), found(kB, 0.9F), found(kC, 0.8F), found({301, 2, 9, 9}, 0.7F)});
  EXPECT_EQ(scores.faces().size(), 1u);
  EXPECT_EQ(scores.judged().size(), 1u);
  EXPECT_DOUBLE_EQ(scores.rates(0).precision, 1);
}

// Finds in the order of their scores: face, none, face; 4 faces in 2 pictures.
DetectorScores three_finds() {
  DetectorScores scores(0.5);
  scores.add({"a", {{.box = kA}, {.box = kB}}, {}}, 0, {found(kA, 0.9F), found(kFar, 0.8F)});
  scores.add({"b", {{.box = kA}, {.box = kB}}, {}}, 1, {found(kB, 0.7F)});
  return scores;
}

TEST(DetectorScores, AveragePrecisionTakesTheBestPrecisionFromThereOn) {
  // Recall 1/4 at precision 1, then 2/4 at precision 2/3.
  EXPECT_NEAR(three_finds().average_precision(), 0.25 * 1 + 0.25 * 2.0 / 3, 1e-12);
}

TEST(DetectorScores, TheCurveCountsFalseFindsAPicture) {
  const auto curve = three_finds().curve();
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_DOUBLE_EQ(curve[1].others_per_picture, 0.5);
  EXPECT_DOUBLE_EQ(curve[2].recall, 0.5);
  EXPECT_DOUBLE_EQ(three_finds().recall_at_others(0.1), 0.25);
  EXPECT_DOUBLE_EQ(three_finds().recall_at_others(0.5), 0.5);
  ASSERT_TRUE(three_finds().best_f1());
  EXPECT_FLOAT_EQ(three_finds().best_f1()->score, 0.7F);
  EXPECT_NEAR(f1(*three_finds().best_f1()), 2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3), 1e-12);
  EXPECT_FLOAT_EQ(three_finds().at_precision(0.97)->score, 0.9F);
}

TEST(DetectorScores, FindsOfOneScoreAreOnePoint) {
  DetectorScores scores(0.5);
  scores.add({"a", {{.box = kA}}, {}}, 0, {found(kA, 0.5F), found(kFar, 0.5F)});
  ASSERT_EQ(scores.curve().size(), 1u);
  EXPECT_DOUBLE_EQ(scores.curve()[0].precision, 0.5);
}

TEST(DetectorScores, OfNothingAreNothing) {
  DetectorScores scores(0.5);
  EXPECT_EQ(scores.average_precision(), 0);
  EXPECT_FALSE(scores.best_f1());
  EXPECT_TRUE(groups_of(scores, 0).empty());
}

TEST(DetectorScores, TellFacesByKind) {
  DetectorScores scores(0.5);
  const SceneFace small = {.box = {0, 0, 10, 15}, .blur = 2, .occlusion = 0, .pose = 1};
  const SceneFace large = {.box = kB, .blur = 0, .occlusion = 0, .pose = 0};
  scores.add({"a", {small, large}, {}}, 0, {found(kB, 1)});
  std::map<std::string, std::pair<std::size_t, std::size_t>> groups;
  for (const DetectedGroup& group : groups_of(scores, 0)) groups[group.name] = {group.found, group.all};
  using Pair = std::pair<std::size_t, std::size_t>;
  EXPECT_EQ(groups["height 0 to 20 px"], Pair(0, 1));
  EXPECT_EQ(groups["height 40 to 80 px"], Pair(1, 1));
  EXPECT_EQ(groups["blur heavy"], Pair(0, 1));
  EXPECT_EQ(groups["pose odd"], Pair(0, 1));
  EXPECT_EQ(groups["clean, 40 px and more"], Pair(1, 1));
  EXPECT_FALSE(groups.contains("blur some"));
}

class DetectorScenesTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    base::write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(DetectorScenesTest, ReadsBoxesWithAttributes) {
  const SceneList list =
      read_scenes(file("a.json", R"([{"imgpath": "x.jpg", "boxes": [[1, 2, 3, 4], [5, 6, 0, 8]],
      "attributes": [{"blur": 1, "occlusion": 2, "pose": 1, "invalid": 0}, {}], "ignore": [[9, 9, 9, 9]]}])"));
  EXPECT_TRUE(list.complete);
  ASSERT_EQ(list.scenes.size(), 1u);
  const Scene& scene = list.scenes[0];
  EXPECT_EQ(scene.image, "x.jpg");
  EXPECT_FLOAT_EQ(scene.faces[0].box.width, 3);
  EXPECT_EQ(scene.faces[0].occlusion, 2);
  EXPECT_FALSE(scene.faces[0].ignored);
  EXPECT_TRUE(scene.faces[1].ignored);  // no area
  EXPECT_EQ(scene.faces[1].blur, -1);
  EXPECT_EQ(scene.ignored.size(), 1u);
}

TEST_F(DetectorScenesTest, ReadsFacesWithLandmarks) {
  const SceneList list = read_scenes(
      file("a.json",
           R"([{"imgpath": "x", "faces": [{"landmarks": [[1, 2], null, [5, 8]]}, {"box": [0, 0, 2, 2]}]}])"));
  EXPECT_FALSE(list.complete);
  EXPECT_FLOAT_EQ(list.scenes[0].faces[0].box.height, 6);
  EXPECT_TRUE(std::isnan(list.scenes[0].faces[0].yaw_deg));
  EXPECT_TRUE(list.scenes[0].faces[1].landmarks.empty());
}

TEST_F(DetectorScenesTest, GathersThePublishedFormsFacesByPicture) {
  const SceneList list =
      read_scenes(file("a.json", R"([{"imgpath": "x", "bbox": [1, 1, 2, 2], "landmarks": []},
      {"imgpath": "y", "bbox": [1, 1, 2, 2]}, {"imgpath": "x", "landmarks": [[0, 0], [4, 4]]}])"));
  ASSERT_EQ(list.scenes.size(), 2u);
  ASSERT_EQ(list.scenes[0].faces.size(), 2u);
  EXPECT_FLOAT_EQ(list.scenes[0].faces[1].box.width, 4);
}

TEST_F(DetectorScenesTest, ReadsWiderFace) {
  const SceneList list =
      read_scenes(file("w.txt",
                       "0--Parade/a.jpg\n2\n449 330 122 149 0 0 0 0 0 0 \n"
                       "10 20 8 9 2 0 0 1 1 1 \n1--Handshaking/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"));
  EXPECT_TRUE(list.complete);
  ASSERT_EQ(list.scenes.size(), 2u);
  EXPECT_EQ(list.scenes[0].image, "0--Parade/a.jpg");
  EXPECT_FLOAT_EQ(list.scenes[0].faces[0].box.height, 149);
  EXPECT_TRUE(list.scenes[0].faces[1].ignored);
  EXPECT_EQ(list.scenes[0].faces[1].blur, 2);
  EXPECT_TRUE(list.scenes[1].faces.empty());
}

TEST_F(DetectorScenesTest, SaysWhatIsWrong) {
  const auto error = [&](const std::string& name, const std::string& text) -> std::string {
    return testing::error_of([&] { read_scenes(file(name, text)); }).what();
  };
  EXPECT_THAT(error("a.json", "[{]"), HasSubstr("a.json: no JSON"));
  EXPECT_THAT(error("a.json", "[]"), HasSubstr("a.json: expected pictures, found none"));
  EXPECT_THAT(error("a.json", "[{}]"), HasSubstr("a.json: record 0: expected 'imgpath'"));
  EXPECT_THAT(error("a.json", R"([{"imgpath": "x", "boxes": [[1, 2, 3]]}])"),
              HasSubstr("expected a box [x, y, width, height], found [1,2,3]"));
  EXPECT_THAT(error("a.json", R"([{"imgpath": "x", "boxes": []}, {"imgpath": "x", "faces": []}])"),
              HasSubstr("in all records or in none, found 1 of 2"));
  EXPECT_THAT(error("w.txt", "a.jpg\nmany\n"), HasSubstr("w.txt: line 2: expected 1 numbers, found 'many'"));
  EXPECT_THAT(error("w.txt", "a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n"), HasSubstr("found the file's end"));
}

TEST(DetectorReport, TellsPrecisionOnlyWhereEveryFaceIsThere) {
  SceneList list = {"list.json", {{"a", {{.box = kA}}, {}}, {"b", {}, {}}}, true};
  std::vector<DetectorRun> runs = {{"one", three_finds(), 0.5, 2}};
  const DetectorReport report = {list, runs, 0.75F, 0.5};
  EXPECT_THAT(detector_text(report), HasSubstr("precision"));
  const auto json = nlohmann::json::parse(detector_json(report));
  EXPECT_EQ(json["runs"][0]["found"], 1);
  EXPECT_EQ(json["runs"][0]["others"], 1);
  EXPECT_DOUBLE_EQ(json["runs"][0]["precision"], 0.5);
  EXPECT_THAT(detector_html(report), HasSubstr("Recall by false finds a picture"));
  list.complete = false;
  EXPECT_EQ(detector_text(report).find("precision"), std::string::npos);
  EXPECT_FALSE(nlohmann::json::parse(detector_json(report))["runs"][0].contains("precision"));
}

#if SPIGA_HAS_EVALUATE
TEST(TurnedPicture, CarriesFacesAlong) {
  Image picture(40, 20, PixelFormat::bgr8);
  std::fill_n(picture.data(), picture.stride_bytes() * 20, std::uint8_t{0});
  picture.data()[5 * picture.stride_bytes() + 3 * 30 + 2] = 255;  // (30, 5)
  const TurnedPicture turned = turn_picture(picture.view(), 90);
  EXPECT_EQ(turned.picture.width(), 20);
  EXPECT_EQ(turned.picture.height(), 40);
  const Scene scene = {
      "a", {{.box = {26, 2, 8, 6}}, {.box = {0, 0, 2, 2}, .landmarks = {{30, 5}, {32, 5}}}}, {}};
  const Scene there = turn_scene(scene, turned.turned_from_original);
  const Point at = there.faces[1].landmarks[0];
  const auto x = static_cast<int>(std::lround(at.x)), y = static_cast<int>(std::lround(at.y));
  EXPECT_GT(turned.picture.data()[y * turned.picture.stride_bytes() + 3 * x + 2], 200);
  EXPECT_NEAR(there.faces[0].box.width, 6, 1e-4);
  EXPECT_NEAR(there.faces[0].box.height, 8, 1e-4);
  EXPECT_NEAR(there.faces[0].box.x + 3, at.x, 1e-4);
  EXPECT_NEAR(there.faces[1].box.height, 2, 1e-4);
}
#endif

}  // namespace
}  // namespace spiga::eval
