// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "base/file.h"
#include "spiga/version.h"
#include "support/picture_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using spiga::testing::Outcome;
using spiga::testing::RunningProgram;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kSide = 320;  // of the portrait's part that is shown

// `spiga analyze --out` as people run it, with the default model.
class AnalyzeManyTest : public ::testing::Test {
 protected:
  AnalyzeManyTest() { fs::create_directories(in() / "sub"); }

  fs::path in() const { return folder_.path() / "in"; }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  static cv::Mat portrait(int shift) {
    return cv::imread("samples/astronaut.jpg")({60 + shift, 0, kSide, kSide}).clone();
  }
  void add_picture(const std::string& name, int shift = 0) const {
    base::write_file(in() / name,
                     spiga::testing::encoded(portrait(shift), fs::path(name).extension().string()));
  }
  // The portrait, a pixel further left in each frame.
  void add_video(const std::string& name, int frames, int shift = 0) const {
    std::string bytes;
    for (int i = 0; i < frames; ++i) {
      const cv::Mat part = portrait(shift + i);
      bytes.append(reinterpret_cast<const char*>(part.data), part.total() * part.elemSize());
    }
    const std::string raw = "raw:" + std::to_string(kSide) + "x" + std::to_string(kSide);
    const Outcome outcome = analyze({raw, "--fps", "10", "--overlay", (in() / name).string()}, bytes);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }

  static Outcome analyze(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "analyze");
    return spiga::testing::run_program(SPIGA_PROGRAM, arguments, input);
  }

  // Content of every file below a folder, hidden ones included, by its relative name.
  static std::map<std::string, std::string> tree(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file())
        files[entry.path().lexically_relative(folder)] = base::read_file(entry.path());
    return files;
  }
  static std::size_t manifests(const fs::path& folder) {
    if (!fs::exists(folder)) return 0;
    const auto entries = fs::recursive_directory_iterator(folder);
    return static_cast<std::size_t>(
        std::count_if(begin(entries), end(entries), [](const fs::directory_entry& e) {
          const std::string name = e.path().filename();
          return name.ends_with(".manifest.json") && !name.starts_with('.');
        }));
  }
  static std::ptrdiff_t lines_of(const std::string& file) {
    return std::ranges::count(base::read_file(file), '\n');
  }

  // Names of files that are not the same in both folders.
  static std::vector<std::string> different(const fs::path& a, const fs::path& b) {
    std::vector<std::string> names;
    const auto files = tree(a), others = tree(b);
    for (const auto& [name, content] : files)
      if (!others.contains(name) || others.at(name) != content) names.push_back(name);
    for (const auto& [name, content] : others)
      if (!files.contains(name)) names.push_back(name);
    return names;
  }

  // Runs until so many inputs are done, and is killed there and then.
  void run_and_kill(std::vector<std::string> arguments, const std::string& out, std::size_t done) const {
    arguments.insert(arguments.begin(), "analyze");
    RunningProgram program(SPIGA_PROGRAM, arguments);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (manifests(out) < done && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.send(SIGKILL);
    EXPECT_EQ(program.wait().status, 128 + SIGKILL);
  }

  spiga::testing::TemporaryFolder folder_;
};

TEST_F(AnalyzeManyTest, every_input_has_files_of_its_own_in_its_folder) {
  add_picture("a.png");
  add_picture("sub/b.jpg", 5);
  add_video("sub/c.mp4", 6);
  base::write_file(in() / "sub" / "notes.txt", "no input");
  const Outcome outcome =
      analyze({in(), "-r", "--out", path("out"), "--write", "lines,csv,overlay,summary", "--jobs", "2"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, path("out") + ": 3 inputs: 3 done, 0 complete before, 0 failed, 0 with gaps\n");
  std::vector<std::string> names;
  for (const auto& [name, content] : tree(path("out"))) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("a.png.csv", "a.png.jsonl", "a.png.manifest.json", "a.png.overlay.png",
                                 "sub/b.jpg.csv", "sub/b.jpg.jsonl", "sub/b.jpg.manifest.json",
                                 "sub/b.jpg.overlay.jpg", "sub/c.mp4.csv", "sub/c.mp4.html",
                                 "sub/c.mp4.jsonl", "sub/c.mp4.manifest.json", "sub/c.mp4.overlay.mp4"));
  EXPECT_EQ(lines_of(path("out/a.png.jsonl")), 1);
  EXPECT_EQ(lines_of(path("out/sub/c.mp4.jsonl")), 6);
  // What a run of one input prints.
  EXPECT_TRUE(base::read_file(path("out/sub/c.mp4.jsonl")) ==
              analyze({(in() / "sub" / "c.mp4").string(), "--threads", "1"}).out);
  EXPECT_TRUE(base::read_file(path("out/a.png.jsonl")) ==
              analyze({(in() / "a.png").string(), "--threads", "1"}).out);
  const json manifest = json::parse(base::read_file(path("out/sub/c.mp4.manifest.json")));
  EXPECT_EQ(manifest["spiga"], SPIGA_VERSION);
  EXPECT_EQ(manifest["input"]["name"], "sub/c.mp4");
  EXPECT_EQ(manifest["pictures"], 6);
  EXPECT_EQ(manifest["faces"], 6);
}

TEST_F(AnalyzeManyTest, a_run_killed_twice_and_resumed_has_the_files_of_one_that_was_not) {
  for (int i = 0; i < 6; ++i) add_picture(std::string("p") + std::to_string(i) + ".png", i);
  add_video("sub/v.mp4", 12);
  add_video("w.mp4", 8, 20);
  // Without overlays: encoders of videos do not write the same bytes twice.
  const std::vector<std::string> inputs = {in(), "-r", "--write", "lines,csv,summary"};
  const auto into = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(), inputs.begin(), inputs.end());
    more.insert(more.end(), {"--out", out});
    return more;
  };
  const Outcome whole = analyze(into(path("whole"), {"--jobs", "1"}));
  ASSERT_EQ(whole.status, 0) << whole.err;
  run_and_kill(into(path("killed"), {"--jobs", "2"}), path("killed"), 2);
  run_and_kill(into(path("killed"), {"--jobs", "1", "--resume"}), path("killed"), 5);
  EXPECT_LT(manifests(path("killed")), 8U);
  // What a killed writer leaves behind.
  base::write_file(path("killed/.p5.png.jsonl.tmp-0123456789ab"), "half a li");
  base::write_file(path("killed/p5.png.jsonl"), "of another run");
  fs::remove(path("killed/p5.png.manifest.json"));
  const Outcome last = analyze(into(path("killed"), {"--jobs", "2", "--resume"}));
  ASSERT_EQ(last.status, 0) << last.err;
  EXPECT_THAT(last.err, HasSubstr(" complete before, 0 failed"));
  EXPECT_THAT(last.err, Not(HasSubstr(" 0 complete before")));
  EXPECT_THAT(different(path("killed"), path("whole")), IsEmpty());
}

TEST_F(AnalyzeManyTest, resume_does_again_what_has_changed_and_says_why) {
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) add_picture(name);
  const std::vector<std::string> arguments = {in(), "--out", path("out"), "--resume"};
  ASSERT_EQ(analyze(arguments).status, 0);
  const auto before = tree(path("out"));

  add_picture("a.png", 9);                                            // another content
  base::write_file(in() / "b.png", base::read_file(in() / "b.png"));  // another time only
  base::write_file(path("out/c.png.jsonl"), "cut");                   // a result that is not whole
  json old = json::parse(base::read_file(path("out/d.png.manifest.json")));
  old["spiga"] = "0.0.9";
  base::write_file(path("out/d.png.manifest.json"), old.dump());
  const Outcome again = analyze(arguments);
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.err, path("out") +
                           ": 4 inputs: 3 done, 1 complete before, 0 failed, 0 with gaps\n"
                           "  done again: 1 with inputs that have changed\n"
                           "  done again: 1 with results of spiga 0.0.9\n"
                           "  done again: 1 with results that are not whole\n");
  auto after = tree(path("out"));
  EXPECT_NE(after.at("a.png.jsonl"), before.at("a.png.jsonl"));
  for (const char* name :
       {"b.png.jsonl", "b.png.manifest.json", "c.png.jsonl", "d.png.jsonl", "d.png.manifest.json"})
    EXPECT_EQ(after.at(name), before.at(name)) << name;

  base::write_file(path("out/a.png.manifest.json"), "{\"spiga\": 3");
  std::vector<std::string> other = arguments;
  other.insert(other.end(), {"--max-faces", "1"});
  EXPECT_THAT(analyze(other).err, HasSubstr("  done again: 3 with results of other options or models\n"
                                            "  done again: 1 with results whose manifest cannot be read\n"));
}

TEST_F(AnalyzeManyTest, what_fails_is_a_line_each_and_a_table_at_the_end) {
  add_picture("good.png");
  base::write_file(in() / "bad.png", "junk");
  base::write_file(in() / "worse.mp4", "junk");
  const std::string gone = path("in/gone.jpg");
  const Outcome outcome = analyze({in(), gone, "--out", path("out"), "--jobs", "1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("spiga: " + gone + ": cannot open"));
  EXPECT_THAT(outcome.err, HasSubstr(": 4 inputs: 1 done, 0 complete before, 3 failed, 0 with gaps\n"));
  EXPECT_THAT(outcome.err,
              HasSubstr("\n  failed  " + path("in/worse.mp4") + "  expected a video, found nothing"));
  EXPECT_EQ(manifests(path("out")), 1U);
  EXPECT_FALSE(fs::exists(path("out/bad.png.jsonl")));
}

TEST_F(AnalyzeManyTest, shards_share_the_work_whatever_the_order) {
  std::vector<std::string> names;
  for (int i = 5; i >= 0; --i) {
    names.push_back(path(std::string("in/p") + std::to_string(i) + ".png"));
    add_picture(std::string("p") + std::to_string(i) + ".png", i);
  }
  std::map<std::string, std::string> all;
  for (int i = 1; i <= 3; ++i) {
    const std::string out = path(std::string("out") + std::to_string(i)), shard = std::to_string(i) + "/3";
    ASSERT_EQ(analyze({in(), "--out", out, "--shard", shard}).status, 0);
    for (const auto& [name, content] : tree(out)) EXPECT_TRUE(all.emplace(name, content).second) << name;
    // The files themselves, in another order: the same part.
    std::vector<std::string> arguments = names;
    arguments.insert(arguments.end(), {"--out", out + "b", "--shard", shard});
    ASSERT_EQ(analyze(arguments).status, 0);
    for (const auto& [name, content] : tree(out + "b")) EXPECT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(tree(out + "b").size(), tree(out).size());
  }
  EXPECT_THAT(all, SizeIs(12));
}

TEST_F(AnalyzeManyTest, lists_keep_their_folders_and_name_a_place_once) {
  add_picture("a.png");
  add_picture("sub/a.png", 3);
  const std::string a = path("in/a.png"), b = path("in/sub/a.png");
  const Outcome listed = analyze({"-", "--out", path("out")}, a + "\n" + b + "\n" + a + "\n");
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.err, HasSubstr(": 2 inputs: 2 done"));
  const auto files = tree(path("out"));
  EXPECT_THAT(files, Contains(Key(fs::path(b).relative_path().string() + ".jsonl")));
  const Outcome clash = analyze({a, b, "--out", path("other")});
  EXPECT_EQ(clash.status, 1);
  EXPECT_THAT(clash.err,
              HasSubstr(b + ": another input has its results in a.png, too; name the folder above both"));
}

TEST_F(AnalyzeManyTest, results_within_the_inputs_are_no_inputs) {
  add_picture("a.png");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = analyze({in(), "-r", "--out", (in() / "results").string(), "--write", "overlay"});
    EXPECT_THAT(outcome.err, HasSubstr(": 1 inputs: 1 done")) << i;
  }
}

TEST_F(AnalyzeManyTest, a_part_of_a_video_keeps_its_numbers_and_times) {
  add_video("v.mp4", 20);
  const std::string video = (in() / "v.mp4").string();
  const Outcome outcome = analyze({video, "--start", "0.5", "--end", "0:01.4", "--every", "3"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::vector<int> frames;
  std::istringstream stream(outcome.out);
  for (std::string line; std::getline(stream, line);) {
    const json frame = json::parse(line);
    frames.push_back(frame["frame"]);
    EXPECT_NEAR(frame["time_s"].get<double>(), 0.1 * frames.back(), 1e-3);
  }
  EXPECT_THAT(frames, ElementsAre(5, 8, 11));
  const Outcome beyond = analyze({video, "--start", "60"});
  EXPECT_EQ(beyond.status, 1);
  EXPECT_EQ(beyond.err, "spiga: " + video + ": expected frames from 60 s on, the last one is at 1.900 s\n");
}

TEST_F(AnalyzeManyTest, as_many_faces_as_are_asked_for) {
  cv::Mat two;
  cv::hconcat(portrait(0), portrait(0), two);
  base::write_file(in() / "two.png", spiga::testing::encoded(two, ".png"));
  const std::string picture = (in() / "two.png").string();
  const auto faces = [](const Outcome& outcome) { return json::parse(outcome.out)["faces"]; };
  EXPECT_THAT(faces(analyze({picture})), SizeIs(2));
  EXPECT_THAT(faces(analyze({picture, "--max-faces", "1"})), SizeIs(1));
  const Outcome video = analyze({in(), "--sequence", "--max-faces", "1"});
  EXPECT_THAT(faces(video), SizeIs(1));
}

TEST_F(AnalyzeManyTest, each_wrong_use_is_named) {
  add_picture("a.png");
  const std::string a = (in() / "a.png").string(), out = path("out");
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } kWrong[] = {
      {{a, "--out", out, "--write", "lines,xml"},
       "--write: expected some of lines,csv,overlay,summary, found 'xml'"},
      {{a, "--out", out, "--shard", "4/3"}, "--shard: expected I/N with 1 <= I <= N, found '4/3'"},
      {{a, "--out", out, "--shard", "0/3"}, "--shard: expected I/N with 1 <= I <= N, found '0/3'"},
      {{a, "--out", out, "--shard", "3"}, "--shard: expected I/N with 1 <= I <= N, found '3'"},
      {{a, "--out", out, "--csv", "x.csv"}, "analyze: --out names the files itself: expected --write"},
      {{a, "--resume"}, "analyze: --write, --jobs, --resume, --shard and --progress need --out DIR"},
      {{"camera:0", "--out", out},
       "analyze: --out takes files, folders and lists of them: camera:0 stands alone"},
      {{"a.mp4", "b.mp4"}, "analyze: several videos need --out DIR"},
      {{a, "--start", "1"}, "analyze: --start, --end and --every are for videos"},
      {{"a.mp4", "--start", "1:75"}, "--start: expected seconds, m:s or h:m:s, found '1:75'"},
      {{"a.mp4", "--end", "-1"}, "--end: expected seconds, m:s or h:m:s, found '-1'"},
  };
  for (const auto& wrong : kWrong) {
    const Outcome outcome = analyze(wrong.arguments);
    EXPECT_EQ(outcome.status, 2) << wrong.error;
    EXPECT_THAT(outcome.err, StartsWith("spiga: " + wrong.error));
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  }
  EXPECT_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace spiga
