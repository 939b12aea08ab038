// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <csignal>
#include <limits>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/tiny_run.h"

namespace spiga::train {
namespace {

using testing::differing_tensors;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TemporaryFolder;
using testing::tiny_config;

class TrainerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = std::make_unique<TemporaryFolder>();
    testing::pack_drawn_faces(data_->path() / "train.pack", 16, 1);
    testing::pack_drawn_faces(data_->path() / "wflw.pack", 2, 1, "wflw");
  }
  static void TearDownTestSuite() { data_.reset(); }

  static std::filesystem::path data(const char* name = "train.pack") { return data_->path() / name; }
  TrainConfig config(const char* folder, int steps = 6) const {
    return tiny_config(runs_.path() / folder, data(), steps);
  }
  std::filesystem::path checkpoint(const char* folder) const {
    return runs_.path() / folder / "checkpoint.safetensors";
  }
  static bool never() { return false; }
  // Trains to the end.
  static void train(const TrainConfig& config, TrainEvents events = {}) {
    Trainer trainer(config, std::move(events));
    EXPECT_EQ(trainer.run(never), TrainOutcome::finished);
  }
  // Trains until `step` of `stage` has been taken.
  static void train_until(const TrainConfig& config, int stage, std::int64_t step, bool resume) {
    bool stop = false;
    Trainer trainer(config, {.on_step = [&](const StepReport& report) {
                      stop = report.stage == stage && report.step == step;
                    }});
    if (resume) trainer.resume(trainer.checkpoint_path());
    EXPECT_EQ(trainer.run([&] { return stop; }), TrainOutcome::interrupted);
  }
  static void train_on(const TrainConfig& config) {
    Trainer trainer(config, {});
    trainer.resume(trainer.checkpoint_path());
    EXPECT_EQ(trainer.run(never), TrainOutcome::finished);
  }

  TemporaryFolder runs_;

 private:
  static inline std::unique_ptr<TemporaryFolder> data_;
};

TEST_F(TrainerTest, OverfitsSixteenFaces) {
  TrainConfig config = this->config("run");
  config.valid_data = config.train_data;
  config.batch = 16;
  config.network.width = 24;
  config.network.embedding = config.network.shape_hidden = config.network.gat_width = 32;
  for (StageConfig& stage : config.stages) {
    stage.faces = 16 * 300;
    stage.learning_rate = 1e-2;
    stage.ema_decay = 0.9;
    stage.cascade_beta = 0.25;
    stage.loss.attention = 0;
    stage.loss.cross_entropy = 1;
  }
  std::vector<Validation> validations;
  train(config, {.on_validation = [&](const StepReport&, const Validation& v) { validations.push_back(v); }});
  ASSERT_EQ(validations.size(), 2);  // at the end of each stage
  EXPECT_LT(validations[0].nme, 2.5);
  EXPECT_LT(validations[1].nme, 1);
  EXPECT_LT(validations[1].pose_deg, 4);
  EXPECT_EQ(validations[1].failure_rate, 0);
  EXPECT_EQ(validations[1].face_nme.size(), 16);
  EXPECT_EQ(validations[1].face_landmarks.at(15).size(), 2 * 68);
}

TEST_F(TrainerTest, SameSeedGivesTheSameNumbers) {
  std::vector<double> losses;
  const TrainEvents listen = {.on_step = [&](const StepReport& report) { losses.push_back(report.loss); }};
  TrainConfig first = config("a");
  first.stages[0].augment = AugmentOptions{};
  train(first, listen);
  TrainConfig second = first;
  second.folder = config("b").folder;
  train(second);
  EXPECT_THAT(differing_tensors(checkpoint("a"), checkpoint("b")), IsEmpty());
  TrainConfig third = first;
  third.folder = config("c").folder;
  third.seed = 2;
  train(third);
  EXPECT_THAT(differing_tensors(checkpoint("a"), checkpoint("c")), Not(IsEmpty()));
  ASSERT_EQ(losses.size(), 12);
  EXPECT_LT(losses[5], losses[0]);
}

class ResumeTest : public TrainerTest, public ::testing::WithParamInterface<bool> {};

TEST_P(ResumeTest, InterruptedAndResumedEqualsUninterrupted) {
  TrainConfig whole = config("whole");
  whole.bf16 = GetParam();
  for (StageConfig& stage : whole.stages) stage.augment = AugmentOptions{};
  train(whole);
  TrainConfig parts = whole;
  parts.folder = config("parts").folder;
  train_until(parts, 0, 2, false);
  train_until(parts, 0, 3, true);
  train_until(parts, 1, 0, true);
  train_on(parts);
  EXPECT_THAT(differing_tensors(checkpoint("whole"), checkpoint("parts")), IsEmpty());
  EXPECT_THAT(
      differing_tensors(runs_.path() / "whole/stage0.safetensors", runs_.path() / "parts/stage0.safetensors"),
      IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Types, ResumeTest, ::testing::Bool(),
                         [](const auto& type) { return type.param ? "bf16" : "f32"; });

TEST_F(TrainerTest, ValidationAndCheckpointsChangeNothing) {
  train(config("plain"));
  TrainConfig busy = config("busy");
  busy.valid_data = busy.train_data;
  busy.checkpoint_minutes = busy.validate_minutes = 0;  // after every step
  int validations = 0;
  train(busy, {.on_validation = [&](const StepReport&, const Validation&) { ++validations; }});
  EXPECT_EQ(validations, 14);
  EXPECT_THAT(differing_tensors(checkpoint("plain"), checkpoint("busy")), IsEmpty());
}

TEST_F(TrainerTest, GoesOnWithAStageThatWasAppended) {
  const TrainConfig all = config("all");
  train(all);
  TrainConfig grown = config("grown");
  const StageConfig last = grown.stages.back();
  grown.stages.pop_back();
  train(grown);
  train_on(grown);  // nothing left to do
  grown.stages.push_back(last);
  train_on(grown);
  EXPECT_THAT(differing_tensors(checkpoint("all"), checkpoint("grown")), IsEmpty());
}

TEST_F(TrainerTest, CascadeStageLeavesTheBackboneAlone) {
  train(config("run"));
  const auto before = testing::tensors_of(runs_.path() / "run/stage0.safetensors");
  const auto after = testing::tensors_of(runs_.path() / "run/stage1.safetensors");
  for (const auto& [name, bytes] : before) {
    const bool of_backbone = name.starts_with("visual_cnn") || name.starts_with("pose");
    if (of_backbone) {
      EXPECT_EQ(after.at(name), bytes) << name;
    } else if (name.starts_with("gcn")) {
      EXPECT_NE(after.at(name), bytes) << name;
    }
  }
}

TEST_F(TrainerTest, StageEndsWithAveragedWeights) {
  train(config("run"));
  const auto tensors = testing::tensors_of(checkpoint("run"));
  int compared = 0;
  for (const auto& [name, bytes] : tensors)
    if (name.starts_with("live/")) {
      EXPECT_EQ(bytes, tensors.at(name.substr(5))) << name;
      ++compared;
    } else if (name.starts_with("adamw/")) {
      EXPECT_EQ(bytes.find_first_not_of('\0'), std::string::npos) << name;
    }
  EXPECT_GT(compared, 100);
}

TEST_F(TrainerTest, NotANumberStopsAndKeepsTheCheckpoint) {
  TrainConfig config = this->config("run");
  train_until(config, 0, 2, false);
  const auto before = testing::tensors_of(checkpoint("run"));
  Trainer trainer(config, {.on_step = [&](const StepReport& report) {
                    if (report.step < 4) return;
                    torch::NoGradGuard no_grad;
                    trainer.network()->parameters()[0].fill_(std::numeric_limits<float>::quiet_NaN());
                  }});
  trainer.resume(trainer.checkpoint_path());
  EXPECT_THAT(
      testing::bad_data_of([&] { trainer.run(never); }),
      ::testing::MatchesRegex("training stopped at step 5 of stage 'backbone': the (loss|gradient) is not "
                              "finite; the last checkpoint is kept"));
  EXPECT_EQ(testing::tensors_of(checkpoint("run")), before);
}

TEST_F(TrainerTest, JumpingLossStops) {
  TrainConfig config = this->config("run", 300);
  config.batch = 2;
  Trainer trainer(config, {.on_step = [&](const StepReport& report) {
                    if (report.step != 250) return;
                    torch::NoGradGuard no_grad;
                    for (torch::Tensor& parameter : trainer.network()->parameters()) parameter.mul_(30);
                  }});
  EXPECT_THAT(testing::bad_data_of([&] { trainer.run(never); }),
              HasSubstr("stopped at step 251 of stage 'backbone': the loss jumped to"));
}

// Files cannot grow beyond `bytes` while it lives, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(TrainerTest, FullDiskLeavesTheOldCheckpointWhole) {
  TrainConfig config = this->config("run");
  train_until(config, 0, 2, false);
  const auto before = testing::tensors_of(checkpoint("run"));
  config.checkpoint_minutes = 0;
  std::vector<std::string> warnings;
  Trainer trainer(config, {.on_warning = [&](const std::string& message) { warnings.push_back(message); }});
  trainer.resume(trainer.checkpoint_path());
  {
    const FullDisk full(10'000);
    const Error error = testing::error_of([&] { trainer.run(never); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.what(), HasSubstr("checkpoint.safetensors"));
  }
  ASSERT_EQ(warnings.size(), 3);  // after each step; the end of the stage is the error
  EXPECT_THAT(warnings[0], HasSubstr("the checkpoint before is kept, training goes on"));
  EXPECT_EQ(testing::tensors_of(checkpoint("run")), before);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(runs_.path() / "run"))
    ++files;
  EXPECT_EQ(files, 1);
  train_on(config);
}

TEST_F(TrainerTest, RefusesACheckpointOfAnotherRecipe) {
  TrainConfig config = this->config("run");
  train_until(config, 0, 2, false);
  TrainConfig wider = config;
  wider.network.width = 24;
  wider.network.steps = 1;
  const std::string message =
      testing::bad_data_of([&] { Trainer(wider, {}).resume(checkpoint("run").string()); });
  EXPECT_THAT(message, HasSubstr("checkpoint.safetensors: made by another network: "));
  EXPECT_THAT(message, HasSubstr("steps is 2 there and 1 here"));
  EXPECT_THAT(message, HasSubstr("width is 16 there and 24 here"));

  TrainConfig batch = config;
  batch.batch = 4;
  EXPECT_THAT(testing::bad_data_of([&] { Trainer(batch, {}).resume(checkpoint("run").string()); }),
              HasSubstr("stage 0 was begun with run.batch 8, the configuration has 4"));

  TrainConfig shorter = config;
  train_until(config, 1, 2, true);
  shorter.stages.pop_back();
  EXPECT_THAT(testing::bad_data_of([&] { Trainer(shorter, {}).resume(checkpoint("run").string()); }),
              HasSubstr("is in stage 1, the configuration's last stage is 0"));
}

TEST_F(TrainerTest, RefusesDataThatDoesNotFit) {
  TrainConfig config = this->config("run");
  config.train_data = data("wflw.pack").string();
  EXPECT_THAT(testing::bad_data_of([&] { Trainer(config, {}); }),
              HasSubstr("wflw.pack: has 98 landmarks a face, the network has 68"));
  config = this->config("run");
  config.valid_data = data("wflw.pack").string();
  EXPECT_THAT(testing::bad_data_of([&] { Trainer(config, {}); }), HasSubstr("wflw.pack"));
  config.valid_data = data("absent.pack").string();
  const Error error = testing::error_of([&] { Trainer(config, {}); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("absent.pack"));
  config = this->config("run");
  config.device = "cuda:63";
  EXPECT_EQ(testing::error_of([&] { Trainer(config, {}); }).code(), ErrorCode::unsupported);
}

TEST_F(TrainerTest, TakesOverWeightsThatFit) {
  TrainConfig config = this->config("run");
  train(config);
  TrainConfig other = config;
  other.network.steps = 1;
  other.network.gat_width = 8;
  Trainer trainer(other, {});
  const std::vector<std::string> missing = trainer.load_weights(checkpoint("run").string());
  EXPECT_THAT(missing, Not(IsEmpty()));
  for (const std::string& name : missing) EXPECT_THAT(name, HasSubstr("gcn.0"));

  const auto nothing = runs_.path() / "nothing.safetensors";
  base::write_file(nothing, std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_THAT(testing::bad_data_of([&] { trainer.load_weights(nothing.string()); }),
              HasSubstr("holds no tensor of this network"));
}

TEST_F(TrainerTest, ReportsHowFarItIs) {
  std::vector<StepReport> reports;
  train(config("run"), {.on_step = [&](const StepReport& report) { reports.push_back(report); }});
  ASSERT_EQ(reports.size(), 12);
  EXPECT_EQ(reports[0].faces, 8);
  EXPECT_EQ(reports[7].stage, 1);
  EXPECT_EQ(reports[7].step, 1);
  EXPECT_EQ(reports[7].steps, 6);
  EXPECT_EQ(reports[7].faces, 64);
  EXPECT_GT(reports[7].eta_seconds, 0);
  EXPECT_EQ(reports[11].eta_seconds, 0);
  EXPECT_GT(reports[11].seconds, reports[0].seconds);
  EXPECT_THAT(reports[0].losses, ::testing::Contains(::testing::Key("cross_entropy")));
  EXPECT_THAT(reports[11].losses, ::testing::Contains(::testing::Key("step1")));
}

}  // namespace
}  // namespace spiga::train
