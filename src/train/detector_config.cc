// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_config.h"

#include <numeric>

#include "base/text.h"
#include "train/table_reader.h"

namespace spiga::train {
namespace {

constexpr std::int64_t kMany = 1'000'000'000;
constexpr double kHuge = 1e12;

void read_run(const toml::table& table, const std::string& path, DetectorTrainConfig& config) {
  TableReader run(table, path, "run");
  run.read("folder", config.folder);
  run.read_integer("seed", config.seed, std::uint64_t{0}, static_cast<std::uint64_t>(kMany));
  run.read_integer("threads", config.threads, 1, 1024);
  run.read("bf16", config.bf16);
  run.read("checkpoint_minutes", config.checkpoint_minutes, 0, kHuge);
  run.read("validate_minutes", config.validate_minutes, 0, kHuge);
  run.read_integer("log_steps", config.log_steps, 1, 1'000'000);
  run.read_integer("steps", config.steps, std::int64_t{1}, kMany);
  run.read("sides", config.sides, 64, 4096);
  run.read("side_shares", config.side_shares, 0, 1);
  run.read_integer("batch_pixels", config.batch_pixels, std::int64_t{1}, kMany);
  run.read("learning_rate", config.learning_rate, 0, 10);
  run.read("final_learning_rate", config.final_learning_rate, 0, 10);
  run.read_integer("warmup_steps", config.warmup_steps, std::int64_t{0}, kMany);
  run.read("weight_decay", config.weight_decay, 0, 1);
  run.read("clip_norm", config.clip_norm, 1e-6, kHuge);
  run.read("ema_decay", config.ema_decay, 0, 1);
  run.finish();
  for (const double side : config.sides)
    if (static_cast<int>(side) % model::DetectorConfig::kMaxStride != 0)
      run.fail(*run.find("sides"), "sides", "multiples of 32");
  if (config.sides.empty() || config.sides.size() != config.side_shares.size())
    throw Error(ErrorCode::bad_data,
                path + ": 'run.sides' and 'run.side_shares' must be lists of one length");
}

// One file or a list of them, and the share of each.
void read_training_files(TableReader& data, const std::string& path, DetectorTrainConfig& config) {
  const toml::node* node = data.find("train");
  if (node && node->is_array()) {
    for (const toml::node& item : *node->as_array()) {
      const auto file = item.value_exact<std::string>();
      if (!file) data.fail(item, "train", "a file or a list of files");
      config.train_data.push_back(*file);
    }
  } else if (node) {
    data.read("train", config.train_data.emplace_back());
  }
  config.train_shares.assign(config.train_data.size(), 1);
  data.read("shares", config.train_shares, 0, kHuge);
  if (config.train_shares.size() != config.train_data.size())
    throw Error(ErrorCode::bad_data,
                base::concat(path, ": 'data.shares': expected ", config.train_data.size(),
                             " numbers, one a file of 'data.train', found ", config.train_shares.size()));
  if (!config.train_data.empty() &&
      !(std::accumulate(config.train_shares.begin(), config.train_shares.end(), 0.0) > 0))
    throw Error(ErrorCode::bad_data, path + ": 'data.shares': expected a number above 0");
}

}  // namespace

bool is_detector_recipe(const std::string& path) {
  return parse_recipe(path)["kind"].value<std::string>() == "detector";
}

DetectorTrainConfig read_detector_config(const std::string& path) {
  const toml::table root = parse_recipe(path);
  DetectorTrainConfig config;
  TableReader reader(root, path, "");
  std::string kind;
  reader.read("kind", kind);
  if (const toml::table* network = reader.table("network"))
    config.network = model::detector_config_from_json(json_from_table(*network), path + ": [network]");
  if (const toml::table* data = reader.table("data")) {
    TableReader data_reader(*data, path, "data");
    read_training_files(data_reader, path, config);
    data_reader.read("valid", config.valid_data);
    data_reader.finish();
  }
  if (const toml::table* run = reader.table("run")) read_run(*run, path, config);
  if (const toml::table* loss = reader.table("loss")) {
    TableReader loss_reader(*loss, path, "loss");
    loss_reader.read("score", config.loss.score, 0, kHuge);
    loss_reader.read("box", config.loss.box, 0, kHuge);
    loss_reader.read("points", config.loss.points, 0, kHuge);
    loss_reader.read("inexact_box", config.loss.inexact_box, 0, kHuge);
    loss_reader.read("quality_power", config.loss.quality_power, 0, 10);
    loss_reader.finish();
  }
  if (const toml::table* augment = reader.table("augment")) {
    TableReader augment_reader(*augment, path, "augment");
    for_each_detector_option(config.augment, [&](const char* key, double& value, double low, double high) {
      augment_reader.read(key, value, low, high);
    });
    augment_reader.finish();
  }
  reader.finish();
  if (kind != "detector") throw Error(ErrorCode::bad_data, path + ": expected kind = \"detector\"");
  if (config.train_data.empty()) throw Error(ErrorCode::bad_data, path + ": 'data.train' is missing");
  if (config.folder.empty()) throw Error(ErrorCode::bad_data, path + ": 'run.folder' must name a folder");
  return config;
}

}  // namespace spiga::train
