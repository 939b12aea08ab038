// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/picture_files.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace spiga {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class LabelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() / "some" / "where");
    base::write_file(folder_.path() / "some/where/a.jpg", base::read_file("samples/astronaut.jpg"));
    base::write_file(folder_.path() / "some/plain.png", testing::encoded(testing::quarters(120, 80), ".png"));
  }
  Outcome label(std::vector<std::string> more) const {
    more.insert(more.begin(), {"label", (folder_.path() / "some").string(), "-o", labels_});
    return run_program(SPIGA_PROGRAM, more);
  }
  json faces() const { return json::parse(base::read_file(labels_)); }

  const testing::TemporaryFolder folder_;
  const std::string labels_ = folder_.path() / "labels.json";
};

TEST_F(LabelTest, WritesAnnotationsThatPackReads) {
  const Outcome outcome = label({"--precision", "f32"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("faces      1 of 1 kept"));
  const json found = faces();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["imgpath"], "where/a.jpg");

  // As the picture is marked by hand, to a few per cent of the face.
  const json truth = json::parse(base::read_file("samples/astronaut.json"))[0];
  const double side = std::sqrt(truth["bbox"][2].get<double>() * truth["bbox"][3].get<double>());
  double sum = 0;
  for (std::size_t i = 0; i < found[0]["ids"].size(); ++i)
    for (std::size_t k = 0; k < truth["ids"].size(); ++k)
      if (truth["ids"][k] == found[0]["ids"][i])
        sum += std::hypot(truth["landmarks"][k][0].get<double>() - found[0]["landmarks"][i][0].get<double>(),
                          truth["landmarks"][k][1].get<double>() - found[0]["landmarks"][i][1].get<double>());
  EXPECT_GE(found[0]["ids"].size(), 60u);
  EXPECT_LT(sum / static_cast<double>(found[0]["ids"].size()), 0.04 * side);

  const Outcome packed =
      run_program(SPIGA_PROGRAM, {"pack", labels_, "--pictures", (folder_.path() / "some").string(), "-o",
                                  (folder_.path() / "x.pack").string()});
  EXPECT_EQ(packed.status, 0) << packed.err;
}

TEST_F(LabelTest, LeavesOutWhatLooksDisagreeOn) {
  ASSERT_EQ(label({"--landmark-difference", "0.4", "--least-landmarks", "0"}).status, 0);
  EXPECT_LT(faces().at(0)["ids"].size(), 60u);
  ASSERT_EQ(label({"--landmark-difference", "0.4", "--least-landmarks", "0.95"}).status, 0);
  EXPECT_TRUE(faces().empty());
  ASSERT_EQ(label({"--face-difference", "0.05"}).status, 0);
  EXPECT_TRUE(faces().empty());
  ASSERT_EQ(label({"--min-side", "200"}).status, 0);
  EXPECT_TRUE(faces().empty());
}

TEST_F(LabelTest, GoesOnBehindABrokenPicture) {
  base::write_file(folder_.path() / "some/broken.jpg", "nothing of a picture");
  const Outcome outcome = label({});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("broken.jpg"));
  EXPECT_EQ(faces().size(), 1u);
}

TEST_F(LabelTest, NamesAFolderWithoutPictures) {
  std::filesystem::create_directories(folder_.path() / "empty");
  const std::string empty = folder_.path() / "empty";
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"label", empty, "-o", labels_});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr(empty + ": no pictures"));
  EXPECT_FALSE(std::filesystem::exists(labels_));
}

}  // namespace
}  // namespace spiga
