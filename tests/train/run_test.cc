// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/program.h"
#include "train/tiny_run.h"
#include "train/training_log.h"

namespace spiga::train {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Program;

// The program, from recipe to files.
class RunTest : public ::testing::Test {
 protected:
  RunTest() { testing::pack_drawn_faces(data(), 16, 2); }

  std::filesystem::path data() const { return folder_.path() / "faces.pack"; }
  std::filesystem::path folder(const std::string& name) const { return folder_.path() / name; }
  std::string recipe(const std::string& name, const std::string& run_keys = "") const {
    return testing::write_tiny_recipe(folder(name), data(), "batch = 8\n" + run_keys, "faces = 80\n");
  }
  std::unique_ptr<Program> start(const std::vector<std::string>& arguments) const {
    return std::make_unique<Program>(SPIGA_TRAIN_PROGRAM, arguments,
                                     std::map<std::string, std::string>{{"OMP_NUM_THREADS", "1"}},
                                     folder_.path() / "errors");
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(RunTest, TerminationLeavesACheckpointThatResumesExactly) {
  const std::string whole = recipe("whole", "log_steps = 1\n");
  const auto uninterrupted = start({"train", whole});
  ASSERT_EQ(uninterrupted->wait(), 0) << uninterrupted->errors();

  const std::string parts = recipe("parts", "log_steps = 1\n");
  const auto interrupted = start({"train", parts});
  const auto log = folder("parts") / "log.csv";
  for (int i = 0; i < 3000 && !(std::filesystem::exists(log) && std::filesystem::file_size(log) > 200); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  interrupted->signal(SIGTERM);
  ASSERT_EQ(interrupted->wait(), 130) << interrupted->errors();
  EXPECT_TRUE(std::filesystem::exists(folder("parts") / "checkpoint.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder("parts") / "stage1.safetensors"));

  const auto resumed = start({"train", parts, "--resume"});
  ASSERT_EQ(resumed->wait(), 0) << resumed->errors();
  EXPECT_THAT(testing::differing_tensors(folder("whole") / "checkpoint.safetensors",
                                         folder("parts") / "checkpoint.safetensors"),
              IsEmpty());
  const TrainingLog a = TrainingLog::resumed(folder("whole") / "log.csv", {99, 0});
  const TrainingLog b = TrainingLog::resumed(folder("parts") / "log.csv", {99, 0});
  EXPECT_EQ(a.rows(), 20);
  for (const char* column : {"stage", "step", "faces", "loss"}) EXPECT_EQ(a.column(column), b.column(column));
}

TEST_F(RunTest, WritesLogsAndReport) {
  const auto program = start({"train", recipe("run", "validate_minutes = 0\n")});
  ASSERT_EQ(program->wait(), 0) << program->errors();
  EXPECT_THAT(base::read_file(folder("run") / "validation.csv"),
              HasSubstr("stage,step,faces,seconds,nme,initial_nme,failure_rate,yaw_deg"));
  EXPECT_EQ(TrainingLog::resumed(folder("run") / "validation.csv", {99, 0}).rows(), 22);
  EXPECT_EQ(TrainingLog::resumed(folder("run") / "log.csv", {99, 0}).rows(), 2);
  EXPECT_THAT(base::read_file(folder("run") / "report.html"), HasSubstr("Worst validation faces"));
  EXPECT_THAT(program->errors(), HasSubstr("validation: NME"));
}

TEST_F(RunTest, DoesNotOverwriteARunUnasked) {
  const std::string path = recipe("run");
  ASSERT_EQ(start({"train", path})->wait(), 0);
  const auto again = start({"train", path});
  EXPECT_EQ(again->wait(), 2);
  EXPECT_THAT(again->errors(), HasSubstr("go on from it with --resume, or begin anew with --overwrite"));
  EXPECT_EQ(start({"train", path, "--overwrite"})->wait(), 0);
}

TEST_F(RunTest, StartsFromOtherWeights) {
  ASSERT_EQ(start({"train", recipe("first")})->wait(), 0);
  const std::string weights = (folder("first") / "checkpoint.safetensors").string();
  const auto second = start({"train", recipe("second"), "--init", weights});
  ASSERT_EQ(second->wait(), 0) << second->errors();
  EXPECT_THAT(testing::differing_tensors(folder("first") / "stage0.safetensors",
                                         folder("second") / "stage0.safetensors"),
              ::testing::Not(IsEmpty()));
  const auto third = start({"train", recipe("third"), "--init", recipe("third")});
  EXPECT_EQ(third->wait(), 4);
}

TEST_F(RunTest, WhatIsMissingIsOneLine) {
  const auto program = start({"train", "absent.toml"});
  EXPECT_EQ(program->wait(), 3);
  EXPECT_EQ(program->errors(), "spiga: absent.toml: cannot be read: File could not be opened for reading\n");
}

}  // namespace
}  // namespace spiga::train
