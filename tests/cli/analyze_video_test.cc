// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "support/picture_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using spiga::testing::Outcome;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kSide = 320;  // of the portrait's part that is played

// `spiga analyze` on videos, as people run it, with the default model: a portrait that moves.
class AnalyzeVideoTest : public ::testing::Test {
 protected:
  // Raw frames: the portrait, a pixel further left in each.
  static std::string frames(int count) {
    const cv::Mat picture = cv::imread("samples/astronaut.jpg");
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      const cv::Mat part = picture({60 + i, 0, kSide, kSide}).clone();
      bytes.append(reinterpret_cast<const char*>(part.data), part.total() * part.elemSize());
    }
    return bytes;
  }
  static std::string raw() { return "raw:" + std::to_string(kSide) + "x" + std::to_string(kSide); }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static Outcome analyze(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "analyze");
    return spiga::testing::run_program(SPIGA_PROGRAM, arguments, input);
  }

  static std::vector<json> lines_of(const std::string& text) {
    EXPECT_TRUE(text.empty() || text.ends_with('\n'));
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }

  spiga::testing::TemporaryFolder folder_;
};

TEST_F(AnalyzeVideoTest, one_face_has_one_id_and_every_output_tells_of_it) {
  const Outcome outcome = analyze({raw(), "--fps", "12.5", "--csv", path("faces.csv"), "--overlay",
                                   path("seen.mp4"), "--summary", path("story.html")},
                                  frames(12));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::vector<json> lines = lines_of(outcome.out);
  ASSERT_THAT(lines, SizeIs(12));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(lines[i]["frame"], i);
    EXPECT_NEAR(lines[i]["time_s"].get<double>(), i / 12.5, 1e-3);
    ASSERT_THAT(lines[i]["faces"], SizeIs(1)) << i;
    EXPECT_EQ(lines[i]["faces"][0]["id"], 0);
    EXPECT_THAT(lines[i]["faces"][0]["landmarks"], SizeIs(68));
  }
  // Landmarks go left with the face: a pixel per frame.
  const double moved = lines[11]["faces"][0]["landmarks"][30][0].get<double>() -
                       lines[1]["faces"][0]["landmarks"][30][0].get<double>();
  EXPECT_NEAR(moved, -10, 3);

  const std::string table = base::read_file(path("faces.csv"));
  EXPECT_EQ(std::ranges::count(table, '\n'), 13);
  EXPECT_THAT(table, StartsWith("frame,face_id,timestamp,confidence,success,"));
  EXPECT_THAT(table, HasSubstr(",x_0,"));
  EXPECT_GT(fs::file_size(path("seen.mp4")), 1000U);
  EXPECT_THAT(base::read_file(path("story.html")), HasSubstr("<svg"));

  // What was written can be read: the overlay as a video, the table as boxes.
  const Outcome again = analyze({path("seen.mp4"), "--detector", "boxes:" + path("faces.csv")});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(lines_of(again.out), SizeIs(12));
}

TEST_F(AnalyzeVideoTest, the_same_video_gives_the_same_lines) {
  const std::string input = frames(8);
  EXPECT_EQ(analyze({raw()}, input).out, analyze({raw()}, input).out);
}

TEST_F(AnalyzeVideoTest, a_bad_box_is_a_complaint_and_the_video_goes_on) {
  base::write_file(
      path("boxes.csv"),
      "frame,x,y,width,height\n0,100,80,120,120\n1,-500,-500,10,10\n1,100,80,120,120\n2,no,box,at,all\n");
  const Outcome outcome = analyze({raw(), "--boxes", path("boxes.csv")}, frames(4));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(lines_of(outcome.out), SizeIs(4));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("boxes.csv: frame 1: box [-500"));
  EXPECT_THAT(outcome.err, HasSubstr("boxes.csv:5: expected a frame's number and a box"));
}

TEST_F(AnalyzeVideoTest, pictures_that_change_size_go_on) {
  const cv::Mat picture = cv::imread("samples/astronaut.jpg");
  for (int i = 0; i < 8; ++i) {
    cv::Mat part = picture({60, 0, kSide, kSide}).clone();
    if (i >= 4) part = picture({60, 0, kSide, kSide - 40}).clone();
    base::write_file(path(std::string("f") + std::to_string(i) + ".png"),
                     spiga::testing::encoded(part, ".png"));
  }
  base::write_file(path("f5.png"), "no picture");
  const Outcome outcome = analyze({path("f%d.png"), "--overlay", path("seen.mp4")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, StartsWith("spiga: " + path("f5.png")));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  const std::vector<json> lines = lines_of(outcome.out);
  ASSERT_THAT(lines, SizeIs(7));
  EXPECT_EQ(lines[6]["height"], kSide - 40);
  for (const json& line : lines) {
    ASSERT_THAT(line["faces"], SizeIs(1)) << line["frame"];
    EXPECT_EQ(line["faces"][0]["id"], 0);
  }
}

TEST_F(AnalyzeVideoTest, a_stream_cut_short_is_told_and_the_rest_done) {
  std::string input = frames(4);
  input.resize(input.size() - 1000);
  const Outcome outcome = analyze({raw()}, input);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(lines_of(outcome.out), SizeIs(3));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
}

TEST_F(AnalyzeVideoTest, a_full_disk_is_told_once_and_what_was_written_is_whole) {
  // No file may be larger than 20 KB: writing fails like on a full disk.
  const auto with_little_room = [&](const std::string& arguments) {
    return spiga::testing::run_program(
        "/bin/sh", {"-c", "trap '' XFSZ; ulimit -f 40; " SPIGA_PROGRAM " analyze " + raw() + arguments},
        frames(24));
  };
  const Outcome lines = with_little_room(" -o " + path("faces.jsonl"));
  EXPECT_EQ(lines.status, 6);
  EXPECT_EQ(std::ranges::count(lines.err, '\n'), 1) << lines.err;
  EXPECT_THAT(lines.err, HasSubstr("faces.jsonl"));
  const std::size_t kept = lines_of(base::read_file(path("faces.jsonl"))).size();
  EXPECT_GT(kept, 2U);
  EXPECT_LT(kept, 24U);

  const Outcome table = with_little_room(" --csv " + path("faces.csv") + " > /dev/full");
  EXPECT_EQ(table.status, 6);
  EXPECT_EQ(std::ranges::count(table.err, '\n'), 1) << table.err;
  EXPECT_THAT(base::read_file(path("faces.csv")), StartsWith("frame,"));

  const Outcome video = with_little_room(" -o /dev/null --overlay " + path("seen.mp4"));
  EXPECT_EQ(video.status, 6);
  EXPECT_EQ(std::ranges::count(video.err, '\n'), 1) << video.err;
  EXPECT_THAT(video.err, HasSubstr("seen.mp4"));
}

TEST_F(AnalyzeVideoTest, ctrl_c_leaves_whole_lines_a_whole_table_and_a_video_that_plays) {
  spiga::testing::RunningProgram program(
      SPIGA_PROGRAM, {"analyze", raw(), "--csv", path("faces.csv"), "--overlay", path("seen.mp4")},
      frames(120));
  while (std::ranges::count(program.out(), '\n') < 3)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted after "));
  const std::size_t done = lines_of(outcome.out).size();
  EXPECT_LT(done, 120U);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(base::read_file(path("faces.csv")), '\n')), 1 + done);
  const Outcome played = analyze({path("seen.mp4"), "--boxes", path("faces.csv")});
  EXPECT_EQ(played.status, 0) << played.err;
  EXPECT_THAT(lines_of(played.out), SizeIs(done));
}

TEST_F(AnalyzeVideoTest, refuses_what_makes_no_sense) {
  base::write_file(path("text.mp4"), "no video");
  const std::vector<std::pair<std::vector<std::string>, int>> mistakes = {
      {{path("absent.mp4")}, 3},
      {{path("text.mp4")}, 4},
      {{"raw:20"}, 2},
      {{raw(), "samples/astronaut.jpg"}, 2},
      {{raw(), "--overlay", path("seen.gif")}, 2},
      {{raw(), "--overlay", path("none/seen.mp4")}, 3},
      {{raw(), "--smooth", "-1"}, 2},
      {{raw(), "--detector", "haar"}, 2},
      {{raw(), "--detector", "yunet:" + path("absent.onnx")}, 3},
      {{raw(), "--detector", "boxes:" + path("absent.csv")}, 3},
      {{"samples/astronaut.jpg", "--show"}, 2},
  };
  for (const auto& [arguments, status] : mistakes) {
    const Outcome outcome = analyze(arguments, frames(1));
    EXPECT_EQ(outcome.status, status) << arguments.back() << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments.back();
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("spiga: "));
  }
}

}  // namespace
}  // namespace spiga
