// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "cli/exit_status.h"
#include "support/picture_files.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace spiga::cli {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;

// A .pts file of 68 points between 50 and 130, or of another number; 300-W counts from 1.
std::string pts(int points = 68, const std::string& last = "") {
  std::ostringstream text;
  text << "version: 1\nn_points: " << points << "\n{\n";
  for (int i = 0; i < points; ++i)
    if (i + 1 < points || last.empty())
      text << 50 + i % 9 * 10 << ".5 " << 50 + i / 9 * 11 << ".25\n";
    else
      text << last << '\n';
  text << "}\n";
  return text.str();
}

class PackCommand : public ::testing::Test {
 protected:
  void add_picture(const std::string& name) const {
    testing::overwrite(folder_.path() / name, testing::encoded(testing::quarters(200, 200), ".png"));
  }
  void add_face(const std::string& stem, const std::string& points = pts()) const {
    add_picture(stem + ".png");
    testing::overwrite(folder_.path() / (stem + ".pts"), points);
  }
  Outcome pack(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"pack", folder_.path().string(), "-o", output_.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run_program(SPIGA_PROGRAM, arguments);
  }

  const testing::TemporaryFolder folder_;
  const testing::TemporaryFolder output_folder_;
  const std::filesystem::path output_ = output_folder_.path() / "faces.pack";
};

TEST(PackTurned, AddsViewsFromTheSide) {
  const testing::TemporaryFolder folder;
  const auto pack = [&](const std::string& name) {
    return testing::run_program(
        SPIGA_PROGRAM, {"pack", "samples/astronaut.json", "--turned", "6", "--turned-pictures",
                        (folder.path() / name).string(), "-o", (folder.path() / (name + ".pack")).string()});
  };
  const Outcome outcome = pack("first");
  ASSERT_EQ(outcome.status, kDone) << outcome.err;
  const auto views = nlohmann::json::parse(base::read_file(folder.path() / "first" / "views.json"));
  ASSERT_GE(views.size(), 3U);  // some are drawn out too much
  EXPECT_THAT(outcome.err,
              HasSubstr(": " + std::to_string(views.size() + 1) + " faces packed, 0 skipped\nof them " +
                        std::to_string(views.size()) + " turned views"));
  for (const auto& view : views) {
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "first" / view["imgpath"].get<std::string>()));
    const double yaw = std::abs(view["headpose"][0].get<double>());
    EXPECT_TRUE(yaw > 22 && yaw < 92) << yaw;
    EXPECT_GT(view["landmarks"].size(), 30U);
  }
  ASSERT_EQ(pack("second").status, kDone);
  EXPECT_EQ(base::read_file(folder.path() / "first.pack"), base::read_file(folder.path() / "second.pack"));
}

TEST(PackTurned, IsForFacesOnly) {
  const Outcome outcome =
      testing::run_program(SPIGA_PROGRAM, {"pack", "a.json", "--scenes", "--turned", "1", "-o", "b.pack"});
  EXPECT_EQ(outcome.status, kUsage);
}

TEST_F(PackCommand, PacksAFolderOf300W) {
  add_face("a");
  add_face("b");
  const Outcome outcome = pack();
  EXPECT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, output_.string() + ": 2 faces packed, 0 skipped\n");
  // Two crops, 3 bytes a pixel; their squares of 2.4 x 80 pixels a side hang over the border a little.
  EXPECT_GT(std::filesystem::file_size(output_), 2U * 180 * 180 * 3);
}

TEST_F(PackCommand, NamesBadRecordsAndPacksTheRest) {
  add_face("good");
  add_face("outside", pts(68, "400 300"));
  add_face("few", pts(67));
  add_face("nan", pts(68, "nan 3"));
  add_face("damaged");
  testing::overwrite(folder_.path() / "damaged.png", "no picture");
  const Outcome outcome = pack();
  EXPECT_EQ(outcome.status, kSomeFailed) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 5) << outcome.err;
  for (const char* name : {"outside", "few", "nan", "damaged"}) EXPECT_THAT(outcome.err, HasSubstr(name));
  EXPECT_THAT(outcome.err, HasSubstr(": 1 faces packed, 4 skipped\n"));
}

TEST_F(PackCommand, TakesPicturesFromAnotherFolder) {
  add_picture("a.png");
  std::ostringstream json;
  json << "[{\"imgpath\": \"a.png\", \"bbox\": [50, 50, 80, 80], \"headpose\": null, \"ids\": [17, 16, 18, "
          "7], "
       << "\"landmarks\": [[60, 60], [70, 60], [80, 60], [90, 90]], \"visible\": [1, 1, 1, 1]}]";
  const auto list = output_folder_.path() / "faces.json";
  testing::overwrite(list, json.str());
  const std::vector<std::string> arguments = {"pack", list.string(), "-o", output_.string()};
  EXPECT_EQ(testing::run_program(SPIGA_PROGRAM, arguments).status, kBadData) << "the picture is elsewhere";
  std::vector<std::string> with_folder = arguments;
  with_folder.insert(with_folder.end(), {"--pictures", folder_.path().string()});
  const Outcome outcome = testing::run_program(SPIGA_PROGRAM, with_folder);
  EXPECT_EQ(outcome.status, kDone) << outcome.err;
}

TEST_F(PackCommand, ASmallerSideMakesASmallerFile) {
  add_face("a");
  ASSERT_EQ(pack().status, kDone);
  const auto large = std::filesystem::file_size(output_);
  ASSERT_EQ(pack({"--max-side", "96"}).status, kDone);
  EXPECT_LT(std::filesystem::file_size(output_), large / 3);
}

TEST_F(PackCommand, AnEmptySetEndsWithoutAFile) {
  EXPECT_NE(pack().status, kDone);
  EXPECT_FALSE(std::filesystem::exists(output_));
  add_face("bad", pts(5));
  const Outcome outcome = pack();
  EXPECT_EQ(outcome.status, kBadData) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("expected faces to pack, found none"));
  EXPECT_FALSE(std::filesystem::exists(output_));
}

TEST_F(PackCommand, RefusesWhatMakesNoSense) {
  add_face("a");
  EXPECT_EQ(pack({"--max-side", "2"}).status, kUsage);
  EXPECT_EQ(pack({"--margin", "0.5"}).status, kUsage);
  EXPECT_EQ(pack({"--database", "lfw"}).status, kUsage);
  EXPECT_EQ(testing::run_program(SPIGA_PROGRAM, {"pack", "/nowhere.json", "-o", output_.string()}).status,
            kNotFound);
  EXPECT_FALSE(std::filesystem::exists(output_));
}

}  // namespace
}  // namespace spiga::cli
