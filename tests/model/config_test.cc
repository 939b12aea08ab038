// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/tensors.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using ::testing::HasSubstr;

// What config_from_json says against this JSON.
std::string complaint(const nlohmann::json& json) {
  try {
    config_from_json(json, "test.safetensors: spiga.config");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_data);
    return error.what();
  }
  return "";
}

// The default configuration's JSON with one value replaced.
nlohmann::json with(const char* key, const nlohmann::json& value) {
  nlohmann::json json = to_json(named_config("default"));
  json[key] = value;
  return json;
}

TEST(Config, EveryNamedConfigurationIsValidAndSurvivesJson) {
  for (const char* name : {"wflw-full", "300w-full", "default"}) {
    const NetworkConfig config = named_config(name);
    EXPECT_NO_THROW(validate(config, name));
    EXPECT_EQ(config_from_json(nlohmann::json::parse(to_json(config).dump()), name), config);
  }
}

TEST(Config, DerivedSizes) {
  const NetworkConfig full = named_config("wflw-full");
  EXPECT_EQ(full.map_size(), 64);
  EXPECT_EQ(full.core_size(), 4);
  const NetworkConfig compact = named_config("default");
  EXPECT_EQ(compact.map_size(), 32);
  EXPECT_EQ(compact.core_size(), 4);
}

TEST(Config, UnknownNameNamesTheKnownOnes) {
  try {
    named_config("tiny");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("wflw-full, 300w-full or default"));
    EXPECT_THAT(error.what(), HasSubstr("'tiny'"));
  }
}

TEST(Config, MissingKeysKeepDefaults) {
  EXPECT_EQ(config_from_json(nlohmann::json::object(), "x"), NetworkConfig{});
}

TEST(Config, MistakesAreNamed) {
  EXPECT_THAT(complaint(nlohmann::json::array()), HasSubstr("expected an object, found array"));
  EXPECT_THAT(complaint(with("widht", 128)), HasSubstr("spiga.config: unknown key 'widht'"));
  EXPECT_THAT(complaint(with("width", "128")), HasSubstr("width: expected a whole number from 2 to 1024"));
  EXPECT_THAT(complaint(with("width", 128.5)), HasSubstr("width"));
  EXPECT_THAT(complaint(with("width", 127)), HasSubstr("width: expected an even number, found 127"));
  EXPECT_THAT(complaint(with("stacks", 0)),
              HasSubstr("stacks: expected a whole number from 1 to 8, found 0"));
  EXPECT_THAT(complaint(with("stacks", -1)), HasSubstr("stacks"));
  EXPECT_THAT(complaint(with("database", 3)), HasSubstr("database: expected a string, found 3"));
  EXPECT_THAT(complaint(with("database", "helen")), HasSubstr("expected one of wflw, 300wpublic"));
  EXPECT_THAT(complaint(with("landmarks", 98)), HasSubstr("landmarks: expected 68 (300wpublic), found 98"));
  EXPECT_THAT(complaint(with("edges", 15)), HasSubstr("edges: expected 13 (300wpublic), found 15"));
  EXPECT_THAT(complaint(with("initial_shape", "mean")), HasSubstr("initial_shape: expected \"projection\""));
  EXPECT_THAT(complaint(with("gat_heads", 3)), HasSubstr("multiple of gat_heads = 3"));
  EXPECT_THAT(complaint(with("stem_stride", 3)), HasSubstr("stem_stride: expected a power of two"));
  EXPECT_THAT(complaint(with("hourglass_depth", 4)), HasSubstr("input_size: expected 512"));
}

TEST(Config, HostileSizesAreRefusedBeforeAnythingIsAllocated) {
  EXPECT_THAT(complaint(with("width", 1 << 30)), HasSubstr("width: expected a whole number from 2 to 1024"));
  EXPECT_THAT(complaint(with("width", 18446744073709551615ULL)), HasSubstr("found 18446744073709551615"));
  nlohmann::json json = to_json(named_config("default"));
  json.update({{"width", 1024}, {"embedding", 2048}, {"window_grid", 15}, {"gat_width", 2048}, {"steps", 8}});
  EXPECT_THAT(complaint(json), HasSubstr("at most 1000000000 parameters"));
}

// A line of a published checkpoint's list, "name 64x6x7x7 float32".
std::string line_of(const TensorSpec& spec) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : spec.shape) sizes.push_back(std::to_string(size));
  const std::string shape = base::join(sizes, "x");
  const bool mask = spec.name == "diagonal_mask";
  const char* dtype = spec.role == TensorRole::counter ? "int64" : mask ? "bool" : "float32";
  return base::concat(spec.name, ' ', shape.empty() ? "scalar" : shape, ' ', dtype);
}

void expect_published_list(const char* config_name, const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> published;
  for (std::string line; std::getline(in, line);) published.push_back(line);
  std::vector<std::string> ours;
  for (const TensorSpec& spec : checkpoint_tensors(named_config(config_name))) ours.push_back(line_of(spec));
  EXPECT_EQ(ours, published);
}

TEST(Tensors, PublishedWflwCheckpoint) {
  expect_published_list("wflw-full", "tests/golden/state_dict_wflw98.txt");
}

TEST(Tensors, Published300wCheckpoint) {
  expect_published_list("300w-full", "tests/golden/state_dict_300w68.txt");
}

TEST(Tensors, ModelFilesHoldWeightsOnly) {
  for (const TensorSpec& spec : expected_tensors(named_config("300w-full"))) {
    EXPECT_EQ(spec.role, TensorRole::weight) << spec.name;
    EXPECT_THAT(spec.name, ::testing::Not(HasSubstr("num_batches_tracked")));
  }
}

TEST(Tensors, LastHeadsBelongToTheNetworkOnlyWhereTheyMakeTheInitialShape) {
  NetworkConfig config = named_config("default");  // two stacks, heatmap
  const std::string last = "visual_cnn.outs_points.1.0.conv.weight";
  const auto has_last = [&] {
    const std::vector<TensorSpec> specs = expected_tensors(config);
    return std::any_of(specs.begin(), specs.end(), [&](const TensorSpec& spec) { return spec.name == last; });
  };
  EXPECT_TRUE(has_last());
  EXPECT_FALSE(is_training_only(last, config));
  config.initial_shape = InitialShape::projection;
  EXPECT_FALSE(has_last());
  EXPECT_TRUE(is_training_only(last, config));
  EXPECT_FALSE(is_training_only("visual_cnn.outs_points.0.0.conv.weight", config));
  EXPECT_TRUE(is_training_only("pose_heads.0.weight", config));
}

}  // namespace
}  // namespace spiga::model
