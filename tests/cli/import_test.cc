// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/exit_status.h"
#include "support/pickle_writer.h"
#include "support/run_program.h"
#include "support/temporary_folder.h"
#include "support/zip_writer.h"

namespace spiga::cli {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::PickleWriter;

class ImportCommand : public ::testing::Test {
 protected:
  // The outcome of importing the checkpoint, which must be one line of complaint and no file.
  Outcome refused(const char* database = "wflw") const {
    const Outcome outcome = testing::run_program(
        SPIGA_PROGRAM, {"import", checkpoint_.string(), "--database", database, "-o", model_.string()});
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(model_));
    return outcome;
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path checkpoint_ = folder_.path() / "c.pt";
  const std::filesystem::path model_ = folder_.path() / "m.safetensors";
};

TEST_F(ImportCommand, MissingCheckpoint) {
  const Outcome outcome = refused();
  EXPECT_EQ(outcome.status, kNotFound);
  EXPECT_THAT(outcome.err, HasSubstr("c.pt: cannot open: No such file or directory"));
}

TEST_F(ImportCommand, UnknownDatabase) {
  const Outcome outcome = refused("lfw");
  EXPECT_EQ(outcome.status, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("wflw,300wpublic,300wprivate,cofw68,merlrav"));
}

TEST_F(ImportCommand, NotACheckpoint) {
  testing::overwrite(checkpoint_, "no zip archive at all");
  const Outcome outcome = refused();
  EXPECT_EQ(outcome.status, kBadData);
  EXPECT_THAT(outcome.err, HasSubstr("c.pt: expected a checkpoint of PyTorch 1.6 or later"));
}

// What Python's own unpickling would run leaves no trace here.
TEST_F(ImportCommand, NothingInACheckpointIsRun) {
  const std::filesystem::path trace = folder_.path() / "trace";
  PickleWriter pickle;
  pickle.global("os", "system").raw("(").text("touch " + trace.string()).raw("tR.");
  testing::write_zip(checkpoint_, {{"c/data.pkl", pickle.str()}});
  const Outcome outcome = refused();
  EXPECT_EQ(outcome.status, kBadData);
  EXPECT_THAT(outcome.err, HasSubstr("c.pt: c/data.pkl: offset 2: global 'os.system'"));
  EXPECT_FALSE(std::filesystem::exists(trace));
}

TEST_F(ImportCommand, AnotherNetwork) {
  PickleWriter pickle;
  pickle.ordered_dict().raw("(").text("w").tensor("FloatStorage", "0", 1, 0, {1}, {1}).raw("u.");
  testing::write_zip(checkpoint_, {{"c/data.pkl", pickle.str()}, {"c/data/0", std::string(4, '\0')}});
  const Outcome outcome = refused();
  EXPECT_EQ(outcome.status, kBadData);
  EXPECT_THAT(outcome.err,
              HasSubstr("not the network of wflw: none of its 1643 tensors found; unknown (1): w"));
}

}  // namespace
}  // namespace spiga::cli
