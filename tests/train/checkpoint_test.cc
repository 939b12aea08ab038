// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "train/tiny_run.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

using ::testing::HasSubstr;

// A network and all that a checkpoint holds of its training, with values that differ everywhere.
struct Training {
  explicit Training(const model::NetworkConfig& config)
      : network(config), parameters(*network), buffers(flat_buffers(*network)) {
    adamw = {torch::rand_like(parameters.values()), torch::rand_like(parameters.values()), 0};
    average = torch::rand_like(parameters.values());
    buffers.values().copy_(torch::rand_like(buffers.values()));
    averaged_buffers = torch::rand_like(buffers.values());
  }
  TrainingState state() { return {parameters, buffers, adamw, average, averaged_buffers}; }
  void save(const std::string& path, const CheckpointMeta& meta) { save_checkpoint(path, state(), meta); }
  CheckpointMeta load(const std::string& path) { return load_checkpoint(path, state(), network->config()); }

  SpigaNetwork network;
  FlatParameters parameters;
  FlatTensors buffers;
  AdamWState adamw;
  torch::Tensor average, averaged_buffers;
};

class CheckpointTest : public ::testing::Test {
 protected:
  static CheckpointMeta meta() {
    return {.stage = 1,
            .step = 1234567890123,
            .optimizer_steps = 77,
            .smooth_loss = 0.1 + 0.2,
            .seconds = 12.5,
            .batch = 16,
            .network = testing::tiny_network()};
  }
  std::string path() const { return (folder_.path() / "checkpoint.safetensors").string(); }

  // The checkpoint at path() with other metadata.
  void rewrite(const std::function<void(weights::Metadata&)>& change) const {
    weights::Metadata metadata;
    const std::string copy = path() + ".copy";
    {
      const weights::SafetensorsFile file(path());
      metadata = file.metadata();
      change(metadata);
      weights::write_safetensors(copy, file.tensors(), metadata);
    }
    std::filesystem::rename(copy, path());
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(CheckpointTest, BringsEverythingBack) {
  Training saved(testing::tiny_network());
  saved.save(path(), meta());
  Training loaded(testing::tiny_network());
  const CheckpointMeta found = loaded.load(path());
  EXPECT_EQ(found.stage, 1);
  EXPECT_EQ(found.step, 1234567890123);
  EXPECT_EQ(found.optimizer_steps, 77);
  EXPECT_EQ(found.smooth_loss, 0.1 + 0.2);
  EXPECT_EQ(found.seconds, 12.5);
  EXPECT_EQ(found.batch, 16);
  EXPECT_TRUE(loaded.parameters.values().equal(saved.parameters.values()));
  EXPECT_TRUE(loaded.buffers.values().equal(saved.buffers.values()));
  EXPECT_TRUE(loaded.average.equal(saved.average));
  EXPECT_TRUE(loaded.averaged_buffers.equal(saved.averaged_buffers));
  EXPECT_TRUE(loaded.adamw.mean.equal(saved.adamw.mean));
  EXPECT_TRUE(loaded.adamw.variance.equal(saved.adamw.variance));
  // The network's own tensors are views of them.
  EXPECT_TRUE(loaded.network->parameters()[3].equal(saved.network->parameters()[3]));
  EXPECT_TRUE(loaded.network->buffers()[3].equal(saved.network->buffers()[3]));
}

TEST_F(CheckpointTest, OneOfAnEarlierVersionLacksSomeNumbers) {
  Training training(testing::tiny_network());
  training.save(path(), meta());
  rewrite([](weights::Metadata& metadata) {
    metadata["spiga.training"] = R"({"stage":1,"step":2,"optimizer_steps":3,"smooth_loss":4})";
  });
  const CheckpointMeta found = training.load(path());
  EXPECT_EQ(found.step, 2);
  EXPECT_EQ(found.seconds, 0);
  EXPECT_EQ(found.batch, 0);
}

TEST_F(CheckpointTest, NamesWhatIsWrong) {
  Training training(testing::tiny_network());
  training.save(path(), meta());
  const auto complaint = [&] { return testing::bad_data_of([&] { training.load(path()); }); };

  rewrite([](weights::Metadata& m) { m["spiga.training"] = R"({"stage":-1,"step":2})"; });
  EXPECT_THAT(complaint(),
              HasSubstr("checkpoint.safetensors: metadata 'spiga.training.stage' must be a number"));
  rewrite([](weights::Metadata& m) { m["spiga.training"] = "later"; });
  EXPECT_THAT(complaint(), HasSubstr("metadata 'spiga.training' must be a JSON object, found later"));
  rewrite([](weights::Metadata& m) { m.erase("spiga.training"); });
  EXPECT_THAT(complaint(),
              HasSubstr("metadata 'spiga.training' is missing: not a checkpoint of spiga train"));
  rewrite([](weights::Metadata& m) {
    nlohmann::json config = nlohmann::json::parse(m["spiga.config"]);
    config["gat_layers"] = 3;
    m["spiga.config"] = config.dump();
  });
  EXPECT_THAT(complaint(), HasSubstr("made by another network: gat_layers is 3 there and 1 here"));

  const std::string whole = base::read_file(path());
  base::write_file(path(), whole.substr(0, whole.size() / 2));
  EXPECT_THAT(complaint(), HasSubstr("checkpoint.safetensors"));
  std::filesystem::remove(path());
  EXPECT_EQ(testing::error_of([&] { training.load(path()); }).code(), ErrorCode::not_found);
}

TEST_F(CheckpointTest, ReadsLikeAModelFile) {
  Training training(testing::tiny_network());
  training.save(path(), meta());
  SpigaNetwork other(testing::tiny_network());
  EXPECT_TRUE(load_matching_weights(path(), *other).empty());
  const FlatParameters flat(*other);
  EXPECT_TRUE(flat.values().equal(training.average));
}

}  // namespace
}  // namespace spiga::train
