// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/text.h"
#include "model/detector.h"
#include "model/random_weights.h"
#include "model/session.h"
#include "model/tensors.h"
#include "support/error_of.h"
#include "support/made_up_weights.h"
#include "support/model_files.h"
#include "support/run_program.h"

namespace spiga::onnx {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

constexpr double kTolerance = 1e-4;  // crop units
constexpr double kAngleTolerance = 1e-3;
constexpr double kUncertaintyTolerance = 1e-3;  // pixels of the crop: 100 of them are no rarity in noise

std::string node_modules() {
  const char* chosen = std::getenv("SPIGA_NODE_MODULES");
  return chosen ? chosen : SPIGA_NODE_MODULES;
}

struct Results {
  std::vector<float> landmarks, pose, uncertainty;
};

class Export : public ::testing::Test {
 protected:
  // Crops of noise, [batch, S, S, 3].
  static void fill(std::span<float> crops) {
    std::minstd_rand generator(7);
    std::uniform_real_distribution<float> uniform(0, 1);
    for (float& value : crops) value = uniform(generator);
  }

  static Results engine(const std::shared_ptr<const model::CompiledNetwork>& network, int batch) {
    model::Session session(network, {.threads = 2, .max_batch = batch});
    fill(session.input(batch));
    session.run(batch);
    const auto copy = [](std::span<const float> values) {
      return std::vector<float>(values.begin(), values.end());
    };
    return {copy(session.landmarks()), copy(session.pose()), copy(session.uncertainty())};
  }

  // What ONNX Runtime makes of the file.
  Results onnx_runtime(const model::NetworkConfig& config, int batch) const {
    const auto pixels = static_cast<std::size_t>(config.input_size) * config.input_size;
    std::vector<float> crops(static_cast<std::size_t>(batch) * pixels * 3), planes(crops.size());
    fill(crops);
    for (std::size_t i = 0; i < crops.size(); ++i) {
      const std::size_t face = i / (3 * pixels), pixel = i / 3 % pixels;
      planes[(face * 3 + i % 3) * pixels + pixel] = crops[i];
    }
    testing::overwrite(folder_.path() / "crops",
                       {reinterpret_cast<const char*>(planes.data()), 4 * planes.size()});
    const testing::Outcome outcome =
        testing::run_program("/usr/bin/env",
                             {"node", "tests/onnx/run_onnx.cjs", file(), folder_.path() / "crops",
                              std::to_string(batch), folder_.path() / "results"},
                             "", {"SPIGA_NODE_MODULES=" + node_modules()});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, base::concat(batch, "x", config.landmarks, "x2 ", batch, "x6 ", batch, "x",
                                        config.landmarks, "\n"));
    const std::string bytes = base::read_file(folder_.path() / "results");
    std::vector<float> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    const auto first = values.begin();
    const auto points = static_cast<std::ptrdiff_t>(batch) * config.landmarks;
    return {{first, first + 2 * points},
            {first + 2 * points, first + 2 * points + 6 * batch},
            {first + 2 * points + 6 * batch, values.end()}};
  }

  static void expect_near(const std::vector<float>& found, const std::vector<float>& expected,
                          double tolerance, const char* what) {
    ASSERT_EQ(found.size(), expected.size()) << what;
    double largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
      largest = difference <= largest ? largest : difference;
    }
    EXPECT_LE(largest, tolerance) << what;
    RecordProperty(what, std::to_string(largest));
    std::printf("%s: largest difference %.2g\n", what, largest);
  }

  void expect_agreement(const std::shared_ptr<const model::CompiledNetwork>& network, int batch) const {
    const Results found = onnx_runtime(network->config(), batch), expected = engine(network, batch);
    expect_near(found.landmarks, expected.landmarks, kTolerance, "landmarks");
    expect_near(found.pose, expected.pose, kAngleTolerance, "pose");
    expect_near(found.uncertainty, expected.uncertainty, kUncertaintyTolerance, "uncertainty");
  }

  template <typename Weights>
  void expect_agreement(const model::NetworkConfig& config, int batch) const {
    Weights weights;
    write_network({config, "made up by a test", "none"}, weights, file());
    expect_agreement(model::CompiledNetwork::load(config, weights, Precision::f32), batch);
  }

  std::string file() const { return folder_.path() / "network.onnx"; }

  const TemporaryFolder folder_;
};

class InOnnxRuntime : public Export {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(node_modules() + "/onnxruntime-node"))
      GTEST_SKIP() << "onnxruntime-node is not installed: scripts/install_node_packages.sh fetches it";
  }
};

TEST_F(InOnnxRuntime, SmallNetworkAgrees) {
  expect_agreement<testing::MadeUpWeights>(testing::tiny_network(), 3);
}

TEST_F(InOnnxRuntime, SmallNetworkThatStartsFromHeatMapsAgrees) {
  model::NetworkConfig config = testing::tiny_network();
  config.initial_shape = model::InitialShape::heatmap;
  config.stem_stride = 4;
  config.input_size = 128;
  expect_agreement<testing::MadeUpWeights>(config, 1);
}

TEST_F(InOnnxRuntime, DefaultModelAgrees) {
  convert_model("models/default.safetensors", file());
  expect_agreement(model::CompiledNetwork::load("models/default.safetensors", Precision::f32), 2);
}

// What the cells say of noise, not a multiple of the strides wide: the engine pads with black, and so must
// who calls ONNX Runtime.
TEST_F(InOnnxRuntime, DetectorAgrees) {
  constexpr int kHeight = 90, kWidth = 150, kPaddedHeight = 96, kPaddedWidth = 160;
  const auto network = model::CompiledNetwork::load("models/detector.safetensors", Precision::f32);
  convert_model("models/detector.safetensors", file());
  Image picture(kWidth, kHeight, PixelFormat::bgr8);
  std::minstd_rand generator(3);
  std::vector<float> planes(3 * kPaddedHeight * kPaddedWidth);
  for (int i = 0; i < kHeight * kWidth * 3; ++i) {
    picture.data()[i] = static_cast<std::uint8_t>(generator() >> 8);
    const int row = i / 3 / kWidth, column = i / 3 % kWidth;
    planes[static_cast<std::size_t>((i % 3 * kPaddedHeight + row) * kPaddedWidth + column)] =
        static_cast<float>(picture.data()[i]) / 255;
  }
  model::DetectorSession session(network);
  session.run(picture.view(), {});
  testing::overwrite(folder_.path() / "picture",
                     {reinterpret_cast<const char*>(planes.data()), 4 * planes.size()});
  const testing::Outcome outcome = testing::run_program(
      "/usr/bin/env",
      {"node", "tests/onnx/run_onnx.cjs", file(), folder_.path() / "picture", "1", folder_.path() / "results",
       std::to_string(kPaddedHeight), std::to_string(kPaddedWidth)},
      "", {"SPIGA_NODE_MODULES=" + node_modules()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1x12x20x15 1x6x10x15 1x3x5x15\n");
  const std::string bytes = base::read_file(folder_.path() / "results");
  std::vector<float> found(bytes.size() / 4);
  std::memcpy(found.data(), bytes.data(), bytes.size());
  expect_near(found, session.outputs(), kTolerance, "cells");
}

TEST_F(InOnnxRuntime, DefaultSizeAgreesWithRandomWeights) {
  expect_agreement<model::RandomWeights>(model::named_config("default"), 1);
}

TEST_F(InOnnxRuntime, PublishedSizeAgreesWithRandomWeights) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "takes long under sanitizers, which smaller networks show as much";
#endif
  expect_agreement<testing::MadeUpWeights>(model::named_config("wflw-full"), 1);
}

TEST_F(Export, HoldsEveryWeightAndTheMetadata) {
  const std::size_t bytes = convert_model("models/default.safetensors", file());
  const weights::SafetensorsFile source("models/default.safetensors");
  const model::ModelInfo info = model::read_info(source);
  EXPECT_EQ(bytes, std::filesystem::file_size(file()));
  EXPECT_GT(static_cast<double>(bytes), 3.6 * static_cast<double>(model::parameter_count(info.config)));
  const std::string content = base::read_file(file());
  EXPECT_THAT(content, HasSubstr("spiga.config"));
  EXPECT_THAT(content, HasSubstr(info.licence));
  convert_model("models/default.safetensors", folder_.path() / "again.onnx");
  EXPECT_EQ(content, base::read_file(folder_.path() / "again.onnx"));
}

TEST_F(Export, HoldsTheDetectorAndItsMetadata) {
  const std::size_t bytes = convert_model("models/detector.safetensors", file());
  const weights::SafetensorsFile source("models/detector.safetensors");
  std::int64_t numbers = 0;
  for (const model::TensorSpec& spec : model::detector_tensors(model::read_detector_config(source))) {
    EXPECT_TRUE(source.find(spec.name)) << spec.name;
    numbers += spec.elements();
  }
  EXPECT_GT(static_cast<double>(bytes), 3.6 * static_cast<double>(numbers));
  EXPECT_THAT(base::read_file(file()), HasSubstr("spiga.detector"));
}

TEST_F(Export, RefusesWhatIsNoModel) {
  EXPECT_EQ(error_of([&] { convert_model("/nowhere", file()); }).code(), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { convert_model("LICENSE", file()); }).code(), ErrorCode::bad_data);
  EXPECT_FALSE(std::filesystem::exists(file()));
  const std::string nowhere = folder_.path() / "no/such/folder.onnx";
  EXPECT_EQ(error_of([&] { convert_model("models/default.safetensors", nowhere); }).code(),
            ErrorCode::not_found);
}

}  // namespace
}  // namespace spiga::onnx
