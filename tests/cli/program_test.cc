// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spiga/version.h"
#include "support/run_program.h"

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
