// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "model/session.h"
#include "spiga/error.h"
#include "support/golden_fill.h"
#include "train/checkpoint.h"
#include "train/network.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExportTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A checkpoint whose averaged weights are the network's.
  void save(SpigaNetworkImpl& network) const {
    FlatParameters parameters(network);
    const FlatTensors buffers = flat_buffers(network);
    AdamWState adamw = {torch::zeros_like(parameters.values()), torch::zeros_like(parameters.values()), 0};
    save_checkpoint(checkpoint_,
                    {parameters, buffers, adamw, parameters.values().clone(), buffers.values().clone()},
                    {.network = network.config()});
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("spiga-export-" + std::to_string(::getpid()));
  std::string checkpoint_ = (folder_ / "checkpoint.safetensors").string();
  std::filesystem::path model_ = folder_ / "model.safetensors";
};

void fill(SpigaNetworkImpl& network) {
  torch::NoGradGuard no_grad;
  const auto fill_one = [](const std::string& name, torch::Tensor tensor) {
    tensor.copy_(
        torch::tensor(spiga::testing::fill_tensor(name, tensor.sizes().vec())).reshape(tensor.sizes()));
  };
  for (const auto& item : network.named_parameters()) fill_one(item.key(), item.value());
  for (const auto& item : network.named_buffers()) fill_one(item.key(), item.value());
}

double worst_difference(const torch::Tensor& theirs, std::span<const float> ours) {
  const torch::Tensor values = torch::tensor(std::vector<float>(ours.begin(), ours.end()));
  return (theirs.flatten() - values).abs().max().item<double>();
}

// Engine and LibTorch on the same weights and pictures, float32: the one holds the other.
void expect_parity(const model::NetworkConfig& config, const std::filesystem::path& file,
                   SpigaNetwork& network) {
  torch::NoGradGuard no_grad;
  network->eval();
  const torch::Tensor images = torch::rand({2, 3, config.input_size, config.input_size});
  const BackboneOutput output = network->backbone(images, false);
  const torch::Tensor initial = network->initial_landmarks(output);
  const auto steps = network->cascade(output.field, initial);

  model::Session session(model::CompiledNetwork::load(file, model::Precision::f32),
                         {.threads = 2, .max_batch = 2});
  const torch::Tensor pixels = images.permute({0, 2, 3, 1}).contiguous();
  const std::span<float> input = session.input(2);
  std::copy_n(pixels.data_ptr<float>(), input.size(), input.begin());
  session.run(2);
  EXPECT_LT(worst_difference(output.pose.back(), session.pose()), 1e-3);  // degrees
  EXPECT_LT(worst_difference(initial, session.initial_landmarks()), 1e-4);
  EXPECT_LT(worst_difference(steps.back(), session.landmarks()), 1e-4);
}

TEST_F(ExportTest, EngineAgreesWithLibTorch) {
  for (const char* name : {"default", "300w-full"}) {
    SCOPED_TRACE(name);
    torch::manual_seed(21);
    SpigaNetwork network(model::named_config(name));
    fill(*network);
    save(*network);
    export_model(checkpoint_, model_, {.matrices = weights::DType::f32});
    expect_parity(network->config(), model_, network);
  }
}

TEST_F(ExportTest, LeavesOutWhatOnlyTrainingNeeds) {
  model::NetworkConfig config = model::named_config("default");
  config.width = 16;
  config.initial_shape = model::InitialShape::projection;
  SpigaNetwork network(config);
  save(*network);
  const ExportSummary summary =
      export_model(checkpoint_, model_, {.provenance = "made by a test", .licence = "none"});
  const weights::SafetensorsFile file(model_);
  EXPECT_EQ(summary.tensors, file.tensors().size());
  EXPECT_EQ(summary.bytes, std::filesystem::file_size(model_));
  EXPECT_EQ(file.metadata().at("spiga.provenance"), "made by a test");
  for (const weights::NamedTensor& tensor : file.tensors()) {
    EXPECT_THAT(tensor.name, Not(HasSubstr("/"))) << "of the optimiser";
    EXPECT_THAT(tensor.name, Not(HasSubstr("pose_heads")));
    EXPECT_THAT(tensor.name, Not(HasSubstr("outs_points.1")));
    EXPECT_EQ(tensor.tensor.dtype, tensor.tensor.shape.size() > 1 ? weights::DType::f16 : weights::DType::f32)
        << tensor.name;
  }
}

std::string complaint(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(ExportTest, NamesWhatCannotBeExported) {
  model::NetworkConfig config = model::named_config("default");
  config.width = 16;
  SpigaNetwork network(config);
  torch::NoGradGuard no_grad;
  network->named_parameters()["pose_fc.bias"].fill_(NAN);
  save(*network);
  EXPECT_THAT(complaint([&] { export_model(checkpoint_, model_, {}); }), HasSubstr("pose_fc.bias"));
  network->named_parameters()["pose_fc.bias"].zero_();
  network->named_parameters()["pose_fc.weight"].fill_(1e6);
  save(*network);
  EXPECT_THAT(complaint([&] { export_model(checkpoint_, model_, {}); }), HasSubstr("pose_fc.weight"));
  EXPECT_FALSE(std::filesystem::exists(model_));
  export_model(checkpoint_, model_, {.matrices = weights::DType::bf16});
  EXPECT_TRUE(std::filesystem::exists(model_));
}

}  // namespace
}  // namespace spiga::train
