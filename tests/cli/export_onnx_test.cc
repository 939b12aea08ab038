// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/model_files.h"
#include "support/run_program.h"

namespace spiga {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::run_program;

class ExportOnnx : public ::testing::Test {
 protected:
  void expect_refused(std::vector<std::string> arguments, int status, const std::string& words) const {
    arguments.insert(arguments.begin(), {"export", "--onnx"});
    const Outcome outcome = run_program(SPIGA_PROGRAM, arguments);
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, ::testing::MatchesRegex("spiga: [^\n]*\n"));
    EXPECT_THAT(outcome.err, HasSubstr(words));
    EXPECT_FALSE(std::filesystem::exists(output_));
  }

  const testing::TemporaryFolder folder_;
  const std::string model_ = folder_.path() / "m.safetensors", output_ = folder_.path() / "m.onnx";
};

TEST_F(ExportOnnx, WritesAFileWithoutTheTrainer) {
  testing::write_made_up_model(model_);
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"export", "-o", output_, "--onnx", model_});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const std::string content = base::read_file(output_);
  EXPECT_THAT(outcome.err, HasSubstr(std::to_string(content.size()) + " bytes"));
  EXPECT_THAT(content, HasSubstr("GridSample"));
}

TEST_F(ExportOnnx, ExplainsItself) {
  const Outcome outcome = run_program(SPIGA_PROGRAM, {"export", "--onnx", "--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
}

TEST_F(ExportOnnx, RefusesWhatItCannotExport) {
  expect_refused({"/nowhere/m.safetensors", "-o", output_}, 3, "/nowhere/m.safetensors");
  expect_refused({"LICENSE", "-o", output_}, 4, "LICENSE");
  expect_refused({"models/default.safetensors"}, 2, "--output");
  expect_refused({"-o", output_}, 2, "--config");
  expect_refused({"models/default.safetensors", "--config", "default", "-o", output_}, 2, "--config");
  expect_refused({"models/default.safetensors", "--config", "huge", "-o", output_}, 2, "huge");
  expect_refused({"models/default.safetensors", "--half", "-o", output_}, 2, "--half");
}

}  // namespace
}  // namespace spiga
