// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "support/model_files.h"
#include "support/picture_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using spiga::testing::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// `spiga analyze` as people run it, on a network with made-up weights: what is tested is all around it.
class AnalyzeTest : public ::testing::Test {
 protected:
  AnalyzeTest() {
    spiga::testing::write_made_up_model(path("model.safetensors"));
    base::write_file(path("astronaut.jpg"), base::read_file("samples/astronaut.jpg"));
    base::write_file(path("plain.png"), spiga::testing::encoded(spiga::testing::quarters(120, 80), ".png"));
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  Outcome analyze(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"analyze", "--model", path("model.safetensors")});
    return spiga::testing::run_program(SPIGA_PROGRAM, arguments, input);
  }

  static std::vector<json> lines_of(const std::string& text) {
    EXPECT_TRUE(text.empty() || text.ends_with('\n'));
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }

  std::vector<std::string> sources_of(const Outcome& outcome) const {
    std::vector<std::string> names;
    for (const json& line : lines_of(outcome.out))
      names.push_back(fs::path(line["source"].get<std::string>()).filename());
    return names;
  }

  // One bad input between two good ones: they are done, it has one line on stderr, the status is 1.
  void expect_one_complaint(const std::string& bad, const std::string& complaint) const {
    const Outcome outcome = analyze({path("plain.png"), bad, path("plain.png")});
    EXPECT_EQ(outcome.status, 1) << bad;
    EXPECT_THAT(sources_of(outcome), ElementsAre("plain.png", "plain.png"));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("spiga: " + bad + ": "));
    EXPECT_THAT(outcome.err, HasSubstr(complaint));
  }

  // Boxes of the astronaut's picture, as JSON text.
  Outcome analyze_boxes(const std::vector<std::string>& boxes,
                        const std::string& picture = "astronaut.jpg") const {
    std::string list;
    for (const std::string& box : boxes)
      list += (list.empty() ? "" : ",") + (R"({"imgpath":"astronaut.jpg","bbox":)" + box + "}");
    base::write_file(path("boxes.json"), "[" + list + "]");
    return analyze({path(picture), "--boxes", path("boxes.json")});
  }

  spiga::testing::TemporaryFolder folder_;
};

TEST_F(AnalyzeTest, prints_every_face_of_a_picture) {
  const Outcome outcome = analyze({path("astronaut.jpg")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::vector<json> lines = lines_of(outcome.out);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0]["source"], path("astronaut.jpg"));
  EXPECT_EQ(lines[0]["width"], 512);
  ASSERT_FALSE(lines[0]["faces"].empty());
  const json& face = lines[0]["faces"][0];
  EXPECT_THAT(face["box"], SizeIs(4));
  EXPECT_THAT(face["landmarks"], SizeIs(68));
  EXPECT_THAT(face["landmarks"][67], SizeIs(2));
  EXPECT_THAT(face["uncertainty"], SizeIs(68));
  EXPECT_EQ(face["spread"], face["uncertainty"]) << "the old name, for one version";
  EXPECT_GT(face["confidence"], 0.5);
  EXPECT_LE(face["confidence"], 1.0);
  EXPECT_TRUE(face["headpose"]["yaw_deg"].is_number());
  EXPECT_THAT(face["headpose"]["translation"], SizeIs(3));
}

TEST_F(AnalyzeTest, a_picture_without_a_face_has_an_empty_list) {
  const Outcome outcome = analyze({path("plain.png")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "{\"source\":\"" + path("plain.png") + "\",\"width\":120,\"height\":80,\"faces\":[]}\n");
}

TEST_F(AnalyzeTest, takes_folders_and_lists_in_order) {
  fs::create_directories(path("in/deep"));
  for (const char* name : {"in/2.jpg", "in/1.png", "in/deep/3.png"}) fs::copy(path("plain.png"), path(name));
  base::write_file(path("in/notes.txt"), "no picture");
  EXPECT_THAT(sources_of(analyze({path("in")})), ElementsAre("1.png", "2.jpg"));
  EXPECT_THAT(sources_of(analyze({"-r", path("in")})), ElementsAre("1.png", "2.jpg", "3.png"));
  const Outcome listed =
      analyze({"-", path("plain.png")}, path("in/deep/3.png") + "\n" + path("in/1.png") + "\n");
  EXPECT_EQ(listed.status, 0);
  EXPECT_THAT(sources_of(listed), ElementsAre("3.png", "1.png", "plain.png"));
}

TEST_F(AnalyzeTest, says_the_same_whatever_the_number_of_threads) {
  const std::vector<std::string> inputs = {path("astronaut.jpg"), path("plain.png"), path("astronaut.jpg"),
                                           path("absent.png"), path("plain.png")};
  std::vector<std::string> one = inputs, four = inputs;
  one.insert(one.end(), {"--threads", "1"});
  four.insert(four.end(), {"--threads", "4"});
  const Outcome a = analyze(one), b = analyze(four);
  EXPECT_THAT(lines_of(a.out), SizeIs(4));
  EXPECT_EQ(a.out, b.out);
  EXPECT_EQ(a.err, b.err);
}

TEST_F(AnalyzeTest, writes_table_and_overlays_beside_the_lines) {
  const Outcome outcome =
      analyze({path("astronaut.jpg"), path("plain.png"), path("astronaut.jpg"), "--csv", path("faces.csv"),
               "--overlay", path("seen/here"), "-o", path("faces.jsonl")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const std::vector<json> lines = lines_of(base::read_file(path("faces.jsonl")));
  ASSERT_THAT(lines, SizeIs(3));
  const std::string table = base::read_file(path("faces.csv"));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(table, '\n')),
            1 + lines[0]["faces"].size() + lines[2]["faces"].size());
  EXPECT_THAT(table, StartsWith("source,face,confidence,score,box_x,"));
  const cv::Mat before = cv::imread(path("astronaut.jpg")),
                after = cv::imread(path("seen/here/astronaut.jpg"));
  ASSERT_EQ(after.size(), before.size());
  EXPECT_GT(cv::norm(before, after, cv::NORM_INF), 50);
  EXPECT_TRUE(fs::exists(path("seen/here/plain.png")));
  EXPECT_TRUE(fs::exists(path("seen/here/astronaut_2.jpg")));
}

TEST_F(AnalyzeTest, prints_the_table_alone_where_asked) {
  const Outcome outcome = analyze({path("plain.png"), "--csv", "-"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, StartsWith("source,face,"));
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
}

TEST_F(AnalyzeTest, turns_pictures_upright) {
  base::write_file(
      path("turned.jpg"),
      spiga::testing::with_orientation(spiga::testing::encoded(spiga::testing::quarters(64, 40), ".jpg"), 6));
  EXPECT_EQ(lines_of(analyze({path("turned.jpg")}).out).at(0)["width"], 40);
}

// ---- Bad pictures

TEST_F(AnalyzeTest, complains_of_a_missing_file) { expect_one_complaint(path("absent.jpg"), "No such file"); }

TEST_F(AnalyzeTest, complains_of_a_file_that_is_no_picture) {
  base::write_file(path("notes.jpg"), "Dear diary,\n");
  expect_one_complaint(path("notes.jpg"), "not a picture");
}

TEST_F(AnalyzeTest, complains_of_an_empty_file) {
  base::write_file(path("empty.jpg"), "");
  expect_one_complaint(path("empty.jpg"), "the file is empty");
}

TEST_F(AnalyzeTest, complains_of_a_truncated_jpeg) {
  base::write_file(path("cut.jpg"), base::read_file("samples/astronaut.jpg").substr(0, 30000));
  expect_one_complaint(path("cut.jpg"), "cut short: the file ends at byte 30000");
}

TEST_F(AnalyzeTest, complains_of_a_bomb) {
  std::string png = spiga::testing::encoded(spiga::testing::quarters(16, 16), ".png");
  png[16] = 0x7F;
  base::write_file(path("bomb.png"), png);
  expect_one_complaint(path("bomb.png"), "more than the limit");
}

TEST_F(AnalyzeTest, complains_of_a_folder_that_cannot_be_read) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  fs::create_directory(path("locked"));
  fs::permissions(path("locked"), fs::perms::none);
  expect_one_complaint(path("locked"), "cannot read the folder: Permission denied");
  fs::permissions(path("locked"), fs::perms::owner_all);
}

TEST_F(AnalyzeTest, looks_at_a_picture_of_one_pixel) {
  base::write_file(path("dot.png"),
                   spiga::testing::encoded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(9, 9, 9)), ".png"));
  const Outcome outcome = analyze({path("dot.png")});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(lines_of(outcome.out).at(0)["faces"], IsEmpty());
  base::write_file(path("boxes.json"), R"([{"imgpath": "dot.png", "bbox": [0, 0, 1, 1]}])");
  EXPECT_THAT(lines_of(analyze({path("dot.png"), "--boxes", path("boxes.json")}).out).at(0)["faces"],
              SizeIs(1));
}

// ---- Boxes

TEST_F(AnalyzeTest, uses_given_boxes) {
  const Outcome outcome = analyze_boxes({"[170, 80, 100, 100]", "[10.5, 20, 30, 40]"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json faces = lines_of(outcome.out).at(0)["faces"];
  ASSERT_THAT(faces, SizeIs(2));
  EXPECT_EQ(faces[1]["box"], json::parse("[10.5, 20, 30, 40]"));
  EXPECT_EQ(faces[1]["score"], 1);
}

TEST_F(AnalyzeTest, complains_of_a_box_outside_the_picture) {
  const Outcome outcome = analyze_boxes({"[170, 80, 100, 100]", "[600, 20, 30, 40]"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(lines_of(outcome.out).at(0)["faces"], SizeIs(1));
  EXPECT_EQ(
      outcome.err,
      "spiga: " + path("astronaut.jpg") +
          ": box [600.000000, 20.000000, 30.000000, 40.000000]: lies outside the picture of 512 x 512\n");
}

TEST_F(AnalyzeTest, complains_of_boxes_that_are_no_numbers) {
  for (const char* box : {"[null, 20, 30, 40]", "[NaN, 20, 30, 40]", "[1, 20, -Infinity, 40]", "[1, 20, 30]",
                          "[1, 2, 0, 4]", "[\"1\", 2, 3, 4]"}) {
    const Outcome outcome = analyze_boxes({"[170, 80, 100, 100]", box});
    EXPECT_EQ(outcome.status, 1) << box;
    EXPECT_THAT(outcome.out.empty() ? json::array() : lines_of(outcome.out).at(0)["faces"], SizeIs(1)) << box;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("boxes.json: face 1 (astronaut.jpg): bbox: expected")) << box;
  }
}

TEST_F(AnalyzeTest, complains_of_a_picture_without_a_record) {
  const Outcome outcome = analyze_boxes({"[170, 80, 100, 100]"}, "plain.png");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "spiga: " + path("plain.png") + ": no record in " + path("boxes.json") + "\n");
}

TEST_F(AnalyzeTest, stops_at_a_boxes_file_that_cannot_be_used) {
  EXPECT_EQ(analyze({path("plain.png"), "--boxes", path("absent.json")}).status, 3);
  base::write_file(path("broken.json"), "[{\"imgpath\"");
  const Outcome outcome = analyze({path("plain.png"), "--boxes", path("broken.json")});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("broken.json: malformed JSON at line 1"));
}

// ---- The run as a whole

TEST_F(AnalyzeTest, needs_a_model) {
  const auto with_model = [this](const std::string& model) {
    return spiga::testing::run_program(SPIGA_PROGRAM, {"analyze", path("plain.png"), "--model", model});
  };
  const Outcome absent = with_model(path("absent.safetensors"));
  EXPECT_EQ(absent.status, 3);
  EXPECT_THAT(absent.err, HasSubstr("absent.safetensors"));
  const std::string whole = base::read_file(path("model.safetensors"));
  base::write_file(path("cut.safetensors"), whole.substr(0, whole.size() - 100));
  const Outcome cut = with_model(path("cut.safetensors"));
  EXPECT_EQ(cut.status, 4);
  EXPECT_THAT(cut.err, HasSubstr("cut.safetensors"));
  EXPECT_EQ(cut.out, "");
}

TEST_F(AnalyzeTest, finds_its_model_through_the_environment) {
  const auto with = [this](const std::string& model) {
    return spiga::testing::run_program(SPIGA_PROGRAM, {"analyze", path("plain.png")}, "",
                                       {"SPIGA_MODEL=" + model});
  };
  EXPECT_EQ(with(path("model.safetensors")).status, 0);
  const Outcome absent = with(path("absent"));
  EXPECT_EQ(absent.status, 3);
  EXPECT_THAT(absent.err, HasSubstr("SPIGA_MODEL names a file that is not there"));
}

TEST_F(AnalyzeTest, explains_mistakes_on_the_command_line) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"a.jpg", "--precision", "f8"},
                                             {"a.jpg", "--frobnicate"},
                                             {"a.jpg", "--detector", "haar"},
                                             {"a.jpg", "--batch", "0"},
                                             {"a.jpg", "--min-face", "2"}}) {
    const Outcome outcome = analyze(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  const Outcome help = analyze({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("spiga analyze portrait.jpg"));
}

TEST_F(AnalyzeTest, leaves_no_file_behind_where_it_cannot_write) {
  const Outcome nowhere = analyze({path("plain.png"), "--csv", path("absent/faces.csv")});
  EXPECT_EQ(nowhere.status, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("absent"));
  const Outcome full = analyze({path("plain.png"), "-o", "/dev/full"});
  EXPECT_NE(full.status, 0);
  EXPECT_EQ(std::ranges::count(full.err, '\n'), 1) << full.err;
}

TEST_F(AnalyzeTest, says_that_the_disk_is_full) {
  const Outcome outcome = spiga::testing::run_program(
      "/bin/sh", {"-c", std::string(SPIGA_PROGRAM) + " analyze --model " + path("model.safetensors") + " " +
                            path("plain.png") + " > /dev/full"});
  EXPECT_EQ(outcome.status, 6);
  EXPECT_EQ(outcome.err, "spiga: standard output: cannot write: No space left on device\n");
}

TEST_F(AnalyzeTest, ctrl_c_leaves_whole_lines_and_a_whole_table) {
  std::string list;
  for (int i = 0; i < 2000; ++i) list += path("astronaut.jpg") + "\n";
  spiga::testing::RunningProgram program(
      SPIGA_PROGRAM, {"analyze", "--model", path("model.safetensors"), "-", "--csv", path("faces.csv")},
      list);
  while (std::ranges::count(program.out(), '\n') < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.err, "");
  const std::vector<json> lines = lines_of(outcome.out);
  EXPECT_LT(lines.size(), 2000u);
  std::size_t faces = 0;
  for (const json& line : lines) faces += line["faces"].size();
  const std::string table = base::read_file(path("faces.csv"));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(table, '\n')), 1 + faces);
}

}  // namespace
}  // namespace spiga
