// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "spiga/version.h"
#include "support/picture_files.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"

namespace spiga {
namespace {

using spiga::testing::Outcome;
using spiga::testing::run_program;
using ::testing::HasSubstr;

TEST(Program, says_its_version) {
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "spiga " SPIGA_VERSION "\n");
}

TEST(Program, says_which_parts_are_in) {
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"--version", "--verbose"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, ::testing::StartsWith("spiga " SPIGA_VERSION "\n"));
  const auto line = [](const std::string& name, const std::string& option, bool built) {
    return "\n  " + name + (built ? ": yes\n" : ": no (" + option + "=OFF)\n");
  };
  EXPECT_THAT(outcome.out, HasSubstr(line("detector dlib", "SPIGA_WITH_DLIB", SPIGA_HAS_DLIB)));
  EXPECT_THAT(outcome.out, HasSubstr(line("analyze --show", "SPIGA_WITH_SHOW", SPIGA_HAS_SHOW)));
  EXPECT_THAT(outcome.out, HasSubstr(line("serve", "SPIGA_WITH_SERVE", SPIGA_HAS_SERVE)));
  EXPECT_THAT(outcome.out, HasSubstr("\n  train, export: "));
  EXPECT_EQ(run_program(SPIGA_PROGRAM, {"--verbose", "--version"}).out, outcome.out);
}

// What each optional part is asked by, and the option that a build without it names.
TEST(Program, names_the_option_of_a_part_that_is_left_out) {
  const std::string picture = "samples/astronaut.jpg";
  const spiga::testing::TemporaryFolder folder;
  const std::string bitmap = (folder.path() / "x.bmp").string();
  base::write_file(bitmap, spiga::testing::encoded(spiga::testing::quarters(8, 8), ".bmp"));
  const struct {
    bool built;
    std::vector<std::string> arguments;
    std::string error;
  } kParts[] = {
      {SPIGA_HAS_DLIB, {"analyze", picture, "--detector", "dlib"}, "detector dlib: .*SPIGA_WITH_DLIB=OFF"},
      {SPIGA_HAS_YUNET,
       {"analyze", picture, "--detector", "yunet:x.onnx"},
       "detector yunet: .*SPIGA_WITH_YUNET=OFF"},
      {SPIGA_HAS_IMGCODECS, {"analyze", bitmap}, ".*x.bmp: .*SPIGA_WITH_IMGCODECS=OFF"},
      {SPIGA_HAS_VIDEO, {"analyze", "camera:0"}, "cameras: .*SPIGA_WITH_VIDEO=OFF"},
      {SPIGA_HAS_SHOW, {"analyze", "samples", "--sequence", "--show"}, "--show: .*SPIGA_WITH_SHOW=OFF"},
      {SPIGA_HAS_IMPORT, {"import", "x.pt", "--database", "wflw"}, "spiga import: .*SPIGA_WITH_IMPORT=OFF"},
      {SPIGA_HAS_EVALUATE, {"evaluate", "x.json"}, "spiga evaluate: .*SPIGA_WITH_EVALUATE=OFF"},
      {SPIGA_HAS_SERVE, {"serve", "--port", "0"}, "spiga serve: .*SPIGA_WITH_SERVE=OFF"},
  };
  for (const auto& part : kParts) {
    if (part.built) continue;
    const Outcome outcome = run_program(SPIGA_PROGRAM, part.arguments);
    EXPECT_NE(outcome.status, 0);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, ::testing::MatchesRegex("spiga: " + part.error + "\n"));
  }
}

TEST(Program, lists_its_commands) {
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("analyze"));
  EXPECT_EQ(outcome.err, "");
}

TEST(Program, refuses_what_it_does_not_know) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{}, {"frob"}, {"--frob"}}) {
    const Outcome outcome = run_program(SPIGA_PROGRAM, arguments);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, ::testing::MatchesRegex("spiga: [^\n]*\n"));
  }
}

}  // namespace
}  // namespace spiga
