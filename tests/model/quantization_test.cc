// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "engine/calibration.h"
#include "engine/primitives.h"
#include "engine/program.h"
#include "model/activation_statistics.h"
#include "model/detector.h"
#include "model/random_weights.h"
#include "model/session.h"
#include "spiga/error.h"
#include "support/error_of.h"
#include "support/made_up_weights.h"
#include "support/model_files.h"
#include "support/temporary_folder.h"
#include "weights/safetensors.h"

namespace spiga::model {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;

// --- In the file

TEST(Quantization, GoesThroughJson) {
  const Quantization quantization = {.results = {{"a", 0.25F}, {"b.conv", 1e-3F}}, .inputs = {{"c", 3.0F}}};
  EXPECT_EQ(quantization_from_json(to_json(quantization), "x"), quantization);
  EXPECT_TRUE(quantization_from_json(nlohmann::json::object(), "x").empty());
}

TEST(Quantization, NamesWhatIsWrong) {
  const auto message = [](const char* text) {
    const Error error =
        error_of([&] { quantization_from_json(nlohmann::json::parse(text), "m: spiga.int8"); });
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    EXPECT_THAT(error.what(), HasSubstr("m: spiga.int8"));
    return std::string(error.what());
  };
  EXPECT_THAT(message("[]"), HasSubstr("expected an object, found array"));
  EXPECT_THAT(message(R"({"scales": {}})"), HasSubstr("scales: expected 'results' or 'inputs'"));
  EXPECT_THAT(message(R"({"results": 3})"), HasSubstr("results: expected an object, found number"));
  for (const char* value : {"0", "-1", "\"x\"", "null", "1e40", "[1]"})
    EXPECT_THAT(message(base::concat(R"({"inputs": {"conv": )", value, "}}").c_str()),
                HasSubstr("inputs: conv: expected a positive number"));
}

// --- Scales from activations

TEST(ActivationStatistics, ScalesCoverWhatWasSeen) {
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i) * 0.01F);  // 0 to 10, evenly
  ActivationStatistics statistics;
  statistics.see({.name = "u", .non_negative = true}, values);
  statistics.see({.name = "s", .input = true}, values);
  for (float& value : values) value = -value;
  statistics.see({.name = "s", .input = true}, values);
  statistics.see({.name = "nothing", .non_negative = true}, std::vector<float>(9));
  const Quantization largest = statistics.scales({.rule = Clipping::Rule::largest});
  EXPECT_EQ(largest.results.size(), 1U) << "zeros need no scale";
  EXPECT_NEAR(largest.results.at("u"), 10.0 / 255, 1e-3 / 255 * 10);
  EXPECT_NEAR(largest.inputs.at("s"), 10.0 / 127, 1e-3 / 127 * 10);
  const Quantization half = statistics.scales({.rule = Clipping::Rule::percentile, .percentile = 0.5});
  EXPECT_NEAR(half.results.at("u"), 5.0 / 255, 0.01);
}

// One value far out is clipped where that makes the rest finer, as a search over all clips finds.
TEST(ActivationStatistics, MeanSquareClipsOutliers) {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(200000);
  for (float& value : values) value = std::abs(normal(generator));
  values.push_back(12);
  ActivationStatistics statistics;
  statistics.see({.name = "x", .non_negative = true}, values);
  const double chosen = double{statistics.scales({}).results.at("x")} * 255;
  const auto error = [&](double clip) {
    double sum = 0;
    for (const float value : values) {
      const double stored = std::round(std::min(double{value}, clip) / clip * 255) * clip / 255;
      sum += (stored - value) * (stored - value);
    }
    return sum;
  };
  EXPECT_LT(chosen, 11);
  for (const double clip : {2.0, 3.0, 4.0, 6.0, 12.0}) EXPECT_LE(error(chosen), 1.02 * error(clip)) << clip;
}

// --- Networks over 8 bits

void fill(std::span<float> input, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (float& value : input) value = uniform(generator);
}

std::shared_ptr<const CompiledNetwork> network(const NetworkConfig& config, Precision precision,
                                               const Quantization& quantization = {}) {
  testing::MadeUpWeights weights;
  return CompiledNetwork::load(config, weights, precision, {}, quantization);
}

Quantization scales_of(const NetworkConfig& config) {
  ActivationStatistics statistics;
  Session session(network(config, Precision::f32), {.threads = 1, .max_batch = 1, .observer = &statistics});
  for (unsigned seed = 0; seed < 4; ++seed) {
    fill(session.input(1), seed);
    session.run(1);
  }
  return statistics.scales({});
}

std::vector<float> landmarks(Session& session, int faces, unsigned seed) {
  fill(session.input(faces), seed);
  session.run(faces);
  return {session.landmarks().begin(), session.landmarks().end()};
}

double mean_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < a.size(); i += 2) sum += std::hypot(a[i] - b[i], a[i + 1] - b[i + 1]);
  return sum / (static_cast<double>(a.size()) / 2);
}

NetworkConfig config_of_tests() {
  NetworkConfig config = testing::tiny_network();
  config.initial_shape = InitialShape::heatmap;
  return config;
}

class Int8 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!engine::supports(engine::DataType::u8)) GTEST_SKIP() << "8 bits do not run here";
  }
};

TEST_F(Int8, LandmarksStayCloseToFloat32) {
  const NetworkConfig config = named_config("default");
  const Quantization scales = scales_of(config);
  EXPECT_GT(scales.results.size(), 60U);
  EXPECT_GT(scales.inputs.size(), 10U);
  Session exact(network(config, Precision::f32), {.threads = 1, .max_batch = 1});
  Session narrow(network(config, Precision::int8, scales), {.threads = 1, .max_batch = 1});
  EXPECT_EQ(narrow.network().precision(), Precision::int8);
  const double difference = mean_distance(landmarks(exact, 1, 9), landmarks(narrow, 1, 9));
  EXPECT_LT(difference, 2.0 / 256);
  EXPECT_GT(difference, 0) << "int8 was not used";
  EXPECT_LT(narrow.network().weight_bytes(), exact.network().weight_bytes() / 2);
  std::size_t products = 0;
  for (const engine::Step& step : narrow.program(1).steps()) {
    EXPECT_THAT(step.implementation, Not(HasSubstr("ref"))) << step.layer;
    products += step.shape.find(" u8") != std::string::npos || step.shape.find(" s8") != std::string::npos;
  }
  EXPECT_GE(products, scales.results.size());
}

TEST_F(Int8, AFaceSaysTheSameAgainAndAmongOthers) {
  const NetworkConfig config = config_of_tests();
  const auto model = network(config, Precision::int8, scales_of(config));
  Session session(model, {.threads = 1, .max_batch = 3}), other(model, {.threads = 1, .max_batch = 3});
  const std::vector<float> one = landmarks(session, 1, 5);
  EXPECT_EQ(landmarks(session, 1, 5), one);
  EXPECT_EQ(landmarks(other, 1, 5), one);
  const std::vector<float> three = landmarks(session, 3, 5);  // the first face is the same
  EXPECT_LT(mean_distance(one, std::span(three).first(one.size())), 5e-3);
}

// Any choice of places gives a network that works: what is not stored as 8 bits is copied on the way.
TEST_F(Int8, EveryPlaceMayStandAlone) {
  const NetworkConfig config = config_of_tests();
  const Quantization all = scales_of(config);
  Session exact(network(config, Precision::f32), {.threads = 1, .max_batch = 1});
  const std::vector<float> expected = landmarks(exact, 1, 6);
  const auto check = [&](const Quantization& alone, const std::string& name) {
    Session session(network(config, Precision::int8, alone), {.threads = 1, .max_batch = 1});
    EXPECT_LT(mean_distance(landmarks(session, 1, 6), expected), 0.02) << name;
  };
  for (const auto& [name, scale] : all.results) check({.results = {{name, scale}}}, name);
  for (const auto& [name, scale] : all.inputs) check({.inputs = {{name, scale}}}, name);
}

TEST_F(Int8, AutomaticTakesItWhereThereAreScales) {
  const NetworkConfig config = config_of_tests();
  const Quantization scales = scales_of(config);
  EXPECT_EQ(network(config, Precision::automatic, scales)->precision() == Precision::int8,
            engine::prefers_8_bit());
  EXPECT_NE(network(config, Precision::automatic)->precision(), Precision::int8);
  EXPECT_EQ(network(config, Precision::f32, scales)->precision(), Precision::f32);
}

TEST_F(Int8, NeedsScales) {
  const Error error = error_of([] { network(config_of_tests(), Precision::int8); });
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(error.what(), HasSubstr("spiga quantize"));
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  testing::write_made_up_model(path, config_of_tests());
  EXPECT_THAT(error_of([&] { CompiledNetwork::load(path, Precision::int8); }).what(),
              HasSubstr("m.safetensors: precision int8"));
}

TEST_F(Int8, UnknownPlacesAreRefused) {
  const auto refused = [](const Quantization& quantization) {
    const Error error = error_of([&] { network(config_of_tests(), Precision::int8, quantization); });
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    return std::string(error.what());
  };
  EXPECT_THAT(refused({.results = {{"visual_cnn.nowhere", 1}}}), HasSubstr("results: visual_cnn.nowhere"));
  EXPECT_THAT(refused({.inputs = {{"pose_fc", 1}}}), HasSubstr("inputs: pose_fc"));
}

TEST(Int8Support, IsRefusedWhereItDoesNotRun) {
  if (engine::supports(engine::DataType::u8)) GTEST_SKIP() << "8 bits run here";
  const Error error = error_of([] {
    network(config_of_tests(), Precision::int8, {.results = {{"visual_cnn.pre.2.bn1", 1.0F}}});
  });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("VNNI"));
}

TEST_F(Int8, DetectorStaysCloseToFloat32) {
  const DetectorConfig config;
  const auto load = [&](const Quantization& quantization) {
    RandomWeights weights;
    return CompiledNetwork::load(config, weights, quantization.empty() ? Precision::f32 : Precision::int8,
                                 quantization);
  };
  std::mt19937 generator(4);
  Image picture(96, 64, PixelFormat::bgr8);
  for (int i = 0; i < 96 * 64 * 3; ++i) picture.data()[i] = static_cast<std::uint8_t>(generator());
  ActivationStatistics statistics;
  DetectorSession exact(load({}), 1, &statistics);
  exact.run(picture.view(), {});
  const std::vector<float> expected = exact.outputs();
  const Quantization scales = statistics.scales({});
  EXPECT_TRUE(scales.results.contains("picture"));
  EXPECT_TRUE(scales.results.contains("lateral0.add"));
  DetectorSession narrow(load(scales));
  narrow.run(picture.view(), {});
  const std::vector<float> found = narrow.outputs();
  ASSERT_EQ(found.size(), expected.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference += std::abs(found[i] - expected[i]);
    size += std::abs(expected[i]);
  }
  EXPECT_LT(difference, 0.1 * size);
  EXPECT_GT(difference, 0);
  for (const engine::Step& step : narrow.program(64, 96).steps())
    EXPECT_THAT(step.implementation, Not(HasSubstr("ref"))) << step.layer;
  for (const auto& [name, scale] : scales.results) {
    DetectorSession alone(load({.results = {{name, scale}}}));
    alone.run(picture.view(), {});
    double off = 0;
    const std::vector<float> said = alone.outputs();
    for (std::size_t i = 0; i < said.size(); ++i) off += std::abs(said[i] - expected[i]);
    EXPECT_LT(off, 0.1 * size) << name;
  }
}

}  // namespace
}  // namespace spiga::model
