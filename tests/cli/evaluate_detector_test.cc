// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace spiga {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::Outcome;

// The portrait that travels with the project, with its face and one that is not there.
class EvaluateDetectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base::write_file(folder_.path() / "a.jpg", base::read_file("samples/astronaut.jpg"));
    const json box = json::parse(base::read_file("samples/astronaut.json"))[0]["bbox"];
    base::write_file(list_,
                     json::array({{{"imgpath", "a.jpg"}, {"boxes", {box, {400, 400, 60, 60}}}}}).dump());
  }
  Outcome evaluate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"evaluate-detector", list_});
    return testing::run_program(SPIGA_PROGRAM, more);
  }

  const testing::TemporaryFolder folder_;
  const std::string list_ = folder_.path() / "list.json";
};

TEST_F(EvaluateDetectorTest, CountsWhatIsFoundAtAnyAngle) {
  const Outcome outcome = evaluate({"--turns", "0,90", "--efforts", "fast,normal", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json runs = json::parse(outcome.out)["runs"];
  ASSERT_EQ(runs.size(), 4u);
  for (const json& run : runs) {
    EXPECT_EQ(run["faces"], 2);
    EXPECT_EQ(run["found"], 1) << run["detector"];
    EXPECT_EQ(run["others"], 0) << run["detector"];
  }
  EXPECT_EQ(runs[1]["detector"], "builtin fast, turned by 90 degrees");
}

TEST_F(EvaluateDetectorTest, WritesAPageWithWhatWasMissed) {
  const std::string folder = folder_.path() / "seen";
  const Outcome outcome = evaluate({"--report", folder});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("0 / 1 (0.0 %)"));
  const std::string page = base::read_file(folder + "/report.html");
  EXPECT_THAT(page, HasSubstr("60 px, not found, a.jpg"));
  EXPECT_THAT(page, HasSubstr("data:image/jpeg"));
  EXPECT_EQ(json::parse(base::read_file(folder + "/metrics.json"))["pictures"], 1);
}

TEST_F(EvaluateDetectorTest, NamesWhatIsWrong) {
  EXPECT_THAT(evaluate({"--detectors", "nobody"}).err, HasSubstr("nobody"));
  EXPECT_EQ(evaluate({"--efforts", "slow"}).status, 2);
  EXPECT_THAT(evaluate({"--curve-from", "1"}).err, HasSubstr("--curve-from 1 is above --min-score 0.1"));
  std::filesystem::remove(folder_.path() / "a.jpg");
  const Outcome missing = evaluate({});
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("a.jpg"));
}

}  // namespace
}  // namespace spiga
