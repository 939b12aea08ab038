// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/detector_config.h"

namespace spiga::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  TrainConfig read(const std::string& text) const {
    base::write_file(path(), text);
    return read_train_config(path().string());
  }
  std::string complaint(const std::string& text) const {
    return testing::bad_data_of([&] { read(text); });
  }
  std::filesystem::path path() const { return folder_.path() / "recipe.toml"; }

 private:
  testing::TemporaryFolder folder_;
};

constexpr const char* kLeast = "[data]\ntrain = 'a.pack'\n[[stage]]\n";

TEST_F(ConfigTest, EverythingHasADefault) {
  const TrainConfig config = read(kLeast);
  EXPECT_EQ(config.train_data, "a.pack");
  EXPECT_EQ(config.network, model::NetworkConfig());
  EXPECT_EQ(config.batch, 16);
  EXPECT_EQ(config.device, "cpu");
  ASSERT_EQ(config.stages.size(), 1);
  EXPECT_EQ(config.stages[0].part, Part::backbone);
  EXPECT_EQ(config.stages[0].loss.attention, BackboneLossWeights().attention);
  EXPECT_EQ(config.stages[0].augment.rotation_deg, AugmentOptions().rotation_deg);
}

TEST_F(ConfigTest, ReadsWhatIsGiven) {
  const TrainConfig config = read(R"(
[network]
preset = "default"
stacks = 1
[data]
train = "t.pack"
valid = "v.pack"
[run]
folder = "runs/x"
seed = 9
threads = 2
batch = 32
bf16 = false
device = "cuda:1"
checkpoint_minutes = 0.5
validate_minutes = 1
log_steps = 3
beta2 = 0.99
[augment]
rotation_deg = 20
[[stage]]
name = "one"
faces = 1000
schedule = "step"
step_at = [0.5, 0.75]
[stage.loss]
pose = 0
[[stage]]
part = "all"
frozen_batch_norm = true
[stage.augment]
rotation_deg = 5
)");
  EXPECT_EQ(config.network.stacks, 1);
  EXPECT_EQ(config.network.width, model::named_config("default").width);
  EXPECT_EQ(config.valid_data, "v.pack");
  EXPECT_EQ(config.seed, 9);
  EXPECT_FALSE(config.bf16);
  EXPECT_EQ(config.device, "cuda:1");
  EXPECT_EQ(config.checkpoint_minutes, 0.5);
  EXPECT_EQ(config.log_steps, 3);
  EXPECT_EQ(config.optimizer.beta2, 0.99);
  ASSERT_EQ(config.stages.size(), 2);
  EXPECT_EQ(config.stages[0].faces, 1000);
  EXPECT_EQ(config.stages[0].loss.pose, 0);
  EXPECT_EQ(config.stages[0].augment.rotation_deg, 20);
  EXPECT_EQ(config.stages[1].part, Part::all);
  EXPECT_EQ(config.stages[1].loss.pose, BackboneLossWeights().pose);
  EXPECT_EQ(config.stages[1].augment.rotation_deg, 5);
}

TEST_F(ConfigTest, UnknownKeysAreRefusedWithTheirLine) {
  EXPECT_THAT(
      complaint("[data]\ntrain = 'a'\n[run]\nbatchsize = 3\n[[stage]]\n"),
      AllOf(HasSubstr("recipe.toml:4: unknown key 'run.batchsize', expected one of: "), HasSubstr("batch,")));
  EXPECT_THAT(complaint(std::string(kLeast) + "speed = 1\n"), HasSubstr(":4: unknown key 'stage[0].speed'"));
  EXPECT_THAT(complaint(std::string(kLeast) + "[stage.loss]\nposes = 1\n"),
              HasSubstr("'stage[0].loss.poses'"));
  EXPECT_THAT(complaint(std::string(kLeast) + "[augment]\nzoom = 1\n"), HasSubstr("'augment.zoom'"));
  EXPECT_THAT(complaint(std::string(kLeast) + "[network]\ndepth = 1\n"), HasSubstr("unknown key 'depth'"));
  EXPECT_THAT(complaint(std::string(kLeast) + "[extra]\n"), HasSubstr("unknown key 'extra'"));
}

TEST_F(ConfigTest, WrongValuesAreNamed) {
  const auto run = [&](const std::string& line) {
    return complaint("[data]\ntrain = 'a'\n[run]\n" + line + "\n[[stage]]\n");
  };
  EXPECT_THAT(run("batch = 0"),
              HasSubstr("recipe.toml:4: 'run.batch' must be a whole number in [1, 65536], found 0"));
  EXPECT_THAT(run("batch = 2.5"), HasSubstr("'run.batch' must be a whole number"));
  EXPECT_THAT(run("bf16 = 1"), HasSubstr("'run.bf16' must be true or false, found 1"));
  EXPECT_THAT(run("folder = 1"), HasSubstr("'run.folder' must be a text in quotes"));
  EXPECT_THAT(run("folder = ''"), HasSubstr("'run.folder' must name a folder"));
  EXPECT_THAT(run("device = 'tpu'"),
              HasSubstr("'run.device' must be \"cpu\", \"cuda\" or \"cuda:N\", found 'tpu'"));
  EXPECT_THAT(run("beta1 = nan"), HasSubstr("'run.beta1' must be a number in [0, 1]"));
  const auto stage = [&](const std::string& line) { return complaint(kLeast + line + "\n"); };
  EXPECT_THAT(stage("part = 'head'"),
              HasSubstr("'stage[0].part' must be one of \"backbone\", \"cascade\", \"all\", found 'head'"));
  EXPECT_THAT(stage("learning_rate = 'fast'"), HasSubstr("'stage[0].learning_rate' must be a number, found"));
  EXPECT_THAT(stage("learning_rate = -1"), HasSubstr("must be a number in [0, 10]"));
  EXPECT_THAT(stage("step_at = 0.5"), HasSubstr("must be a list of numbers"));
  EXPECT_THAT(stage("step_at = [0.5, 2]"), HasSubstr("must be numbers in [0, 1]"));
  EXPECT_THAT(stage("[stage.loss]\ncoordinates = 0\nattention = 0\npose = 0"), HasSubstr("found all 0"));
}

TEST_F(ConfigTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(complaint("[[stage]]\n"), HasSubstr("'data.train' is missing"));
  EXPECT_THAT(complaint("[data]\ntrain = 'a'\n"), HasSubstr("no [[stage]] is given"));
  EXPECT_THAT(complaint("[data]\ntrain = 'a'\n[stage]\n"), HasSubstr("written as [[stage]]"));
  EXPECT_THAT(complaint("[data\n"), HasSubstr("recipe.toml:1:"));
  const Error error = testing::error_of([] { read_train_config("absent/recipe.toml"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("absent/recipe.toml"));
}

TEST_F(ConfigTest, EveryRecipeOfTheProjectReads) {
  int recipes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("configs")) {
    if (entry.path().extension() != ".toml") continue;
    const std::string path = entry.path().string();
    EXPECT_NO_THROW(is_detector_recipe(path) ? void(read_detector_config(path))
                                             : void(read_train_config(path)))
        << path;
    ++recipes;
  }
  EXPECT_GE(recipes, 3);
}

TEST(LearningRate, WarmsUpAndFollowsItsSchedule) {
  StageConfig stage;
  stage.learning_rate = 1;
  stage.final_learning_rate = 0.1;
  stage.warmup_steps = 10;
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 0, 110), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 9, 110), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 10, 110), 1);
  EXPECT_NEAR(learning_rate_at(stage, 60, 110), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate_at(stage, 109, 110), 0.1, 1e-3);
  stage.schedule = Schedule::constant;
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 109, 110), 1);
  stage.schedule = Schedule::step;
  stage.step_at = {0.5, 0.75};
  stage.step_factor = 0.1;
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 49, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(stage, 50, 100), 0.1);
  EXPECT_NEAR(learning_rate_at(stage, 99, 100), 0.01, 1e-12);
}

}  // namespace
}  // namespace spiga::train
