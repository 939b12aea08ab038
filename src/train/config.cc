// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/text.h"
#include "spiga/error.h"
#include "train/table_reader.h"

namespace spiga::train {
namespace {

constexpr double kHuge = 1e12;
constexpr std::int64_t kManyFaces = 1'000'000'000'000;

void read_loss(const toml::table* table, const std::string& file, const std::string& path,
               BackboneLossWeights& loss) {
  if (!table) return;
  TableReader reader(*table, file, path);
  for_each_weight(loss, [&](const char* key, double& value) { reader.read(key, value, 0, kHuge); });
  reader.finish();
}

void read_augment(const toml::table* table, const std::string& file, const std::string& path,
                  AugmentOptions& augment) {
  if (!table) return;
  TableReader reader(*table, file, path);
  for_each_option(augment, [&](const char* key, double& value, double low, double high) {
    reader.read(key, value, low, high);
  });
  reader.finish();
}

StageConfig read_stage(const toml::table& table, const std::string& file, const std::string& path,
                       const StageConfig& defaults) {
  StageConfig stage = defaults;
  TableReader reader(table, file, path);
  reader.read("name", stage.name);
  reader.read("part", stage.part,
              {{"backbone", Part::backbone}, {"cascade", Part::cascade}, {"all", Part::all}});
  reader.read_integer("faces", stage.faces, std::int64_t{1}, kManyFaces);
  reader.read("learning_rate", stage.learning_rate, 0, 10);
  reader.read("final_learning_rate", stage.final_learning_rate, 0, 10);
  reader.read("schedule", stage.schedule,
              {{"constant", Schedule::constant}, {"cosine", Schedule::cosine}, {"step", Schedule::step}});
  reader.read("step_at", stage.step_at, 0, 1);
  reader.read("step_factor", stage.step_factor, 0, 1);
  reader.read_integer("warmup_steps", stage.warmup_steps, std::int64_t{0}, kManyFaces);
  reader.read("weight_decay", stage.weight_decay, 0, 1);
  reader.read("clip_norm", stage.clip_norm, 1e-6, kHuge);
  reader.read("ema_decay", stage.ema_decay, 0, 1);
  reader.read("frozen_batch_norm", stage.frozen_batch_norm);
  reader.read("cascade_weight", stage.cascade_weight, 0, kHuge);
  reader.read("cascade_beta", stage.cascade_beta, 1e-6, kHuge);
  reader.read("start_projection", stage.start.projection, 0, 1);
  reader.read("start_noise", stage.start.noise, 0, 1);
  reader.read("start_shift", stage.start.shift, 0, 1);
  reader.read("start_size", stage.start.size, 0, 1);
  reader.read("start_turn_deg", stage.start.turn_deg, 0, 180);
  reader.read("start_landmark", stage.start.landmark, 0, 1);
  read_loss(reader.table("loss"), file, path + ".loss", stage.loss);
  read_augment(reader.table("augment"), file, path + ".augment", stage.augment);
  reader.finish();
  const BackboneLossWeights& loss = stage.loss;
  if (stage.part != Part::cascade && loss.coordinates + loss.attention + loss.cross_entropy + loss.pose <= 0)
    throw Error(ErrorCode::bad_data, file + ": '" + path +
                                         ".loss' must give one loss of the backbone a weight, "
                                         "found all 0");
  return stage;
}

void read_network(const toml::table* table, const std::string& file, model::NetworkConfig& network) {
  if (!table) return;
  nlohmann::json json = json_from_table(*table);
  nlohmann::json base = to_json(network);
  if (json.contains("preset")) {
    if (!json["preset"].is_string())
      throw Error(ErrorCode::bad_data, file + ": 'network.preset' must be a text");
    base = to_json(model::named_config(json["preset"].get<std::string>()));
    json.erase("preset");
  }
  base.update(json);
  network = model::config_from_json(base, file + ": [network]");
  model::validate(network, file + ": [network]");
}

bool is_device(const std::string& name) {
  if (name == "cpu" || name == "cuda") return true;
  return name.starts_with("cuda:") && base::parse_int(name.substr(5)).value_or(-1) >= 0 && name.size() <= 8;
}

void read_run(const toml::table* table, const std::string& file, TrainConfig& config) {
  if (!table) return;
  TableReader run(*table, file, "run");
  run.read("folder", config.folder);
  run.read_integer("seed", config.seed, std::uint64_t{0}, static_cast<std::uint64_t>(kManyFaces));
  run.read_integer("threads", config.threads, 1, 1024);
  run.read_integer("batch", config.batch, 1, 65536);
  run.read("bf16", config.bf16);
  run.read("device", config.device);
  if (!is_device(config.device)) run.fail(*run.find("device"), "device", "\"cpu\", \"cuda\" or \"cuda:N\"");
  run.read("checkpoint_minutes", config.checkpoint_minutes, 0, kHuge);
  run.read("validate_minutes", config.validate_minutes, 0, kHuge);
  run.read_integer("log_steps", config.log_steps, 1, 1'000'000);
  run.read("beta1", config.optimizer.beta1, 0, 1);
  run.read("beta2", config.optimizer.beta2, 0, 1);
  run.read("epsilon", config.optimizer.epsilon, 0, 1);
  run.finish();
}

}  // namespace

TrainConfig read_train_config(const std::string& path) {
  const toml::table root = parse_recipe(path);
  TrainConfig config;
  TableReader reader(root, path, "");
  read_network(reader.table("network"), path, config.network);
  if (const toml::table* data = reader.table("data")) {
    TableReader data_reader(*data, path, "data");
    data_reader.read("train", config.train_data);
    data_reader.read("valid", config.valid_data);
    data_reader.finish();
  }
  read_run(reader.table("run"), path, config);
  StageConfig defaults;
  read_augment(reader.table("augment"), path, "augment", defaults.augment);
  if (const toml::node* stages = reader.find("stage")) {
    const toml::array* list = stages->as_array();
    if (!list || !list->is_homogeneous(toml::node_type::table))
      reader.fail(*stages, "stage", "written as [[stage]]");
    for (const toml::node& stage : *list)
      config.stages.push_back(read_stage(*stage.as_table(), path,
                                         "stage[" + std::to_string(config.stages.size()) + "]", defaults));
  }
  reader.finish();
  if (config.train_data.empty()) throw Error(ErrorCode::bad_data, path + ": 'data.train' is missing");
  if (config.folder.empty()) throw Error(ErrorCode::bad_data, path + ": 'run.folder' must name a folder");
  if (config.stages.empty()) throw Error(ErrorCode::bad_data, path + ": no [[stage]] is given");
  return config;
}

double learning_rate_at(const StageConfig& stage, std::int64_t step, std::int64_t steps) {
  if (step < stage.warmup_steps)
    return stage.learning_rate * static_cast<double>(step + 1) / static_cast<double>(stage.warmup_steps);
  const double progress =
      std::min(1.0, static_cast<double>(step - stage.warmup_steps) /
                        static_cast<double>(std::max<std::int64_t>(1, steps - stage.warmup_steps)));
  switch (stage.schedule) {
    case Schedule::constant:
      return stage.learning_rate;
    case Schedule::cosine:
      return stage.final_learning_rate + (stage.learning_rate - stage.final_learning_rate) * 0.5 *
                                             (1 + std::cos(std::numbers::pi * progress));
    case Schedule::step:
      break;
  }
  const auto passed = std::count_if(stage.step_at.begin(), stage.step_at.end(), [&](double at) {
    return static_cast<double>(step) >= at * static_cast<double>(steps);
  });
  return stage.learning_rate * std::pow(stage.step_factor, static_cast<double>(passed));
}

}  // namespace spiga::train
