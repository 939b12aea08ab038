// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/checkpoint.h"

#include <torch/nn/module.h>

#include <nlohmann/json.hpp>

#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

constexpr const char* kLive = "live/";
constexpr const char* kMean = "adamw/mean/";
constexpr const char* kVariance = "adamw/variance/";
constexpr const char* kConfigKey = "spiga.config";
constexpr const char* kStateKey = "spiga.training";

using weights::NamedTensor;
using weights::SafetensorsFile;

// Collects tensors for one file and keeps their CPU copies alive.
class TensorList {
 public:
  void add(const std::string& name, const torch::Tensor& tensor) {
    kept_.push_back(tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous());
    const torch::Tensor& t = kept_.back();
    tensors_.push_back({name, weights::view_of({t.data_ptr<float>(), static_cast<std::size_t>(t.numel())},
                                               {t.sizes().begin(), t.sizes().end()})});
  }
  void add_ranges(const std::string& prefix, const torch::Tensor& flat, const FlatTensors& layout) {
    const torch::Tensor cpu = flat.detach().to(torch::kCPU).contiguous();
    for (const auto& range : layout.ranges())
      add(prefix + range.name, cpu.narrow(0, range.begin, range.size).view(range.shape));
  }
  const std::vector<NamedTensor>& tensors() const { return tensors_; }

 private:
  std::vector<torch::Tensor> kept_;
  std::vector<NamedTensor> tensors_;
};

void copy_into(torch::Tensor target, const weights::TensorView& view) {
  torch::NoGradGuard no_grad;
  std::vector<float> values = weights::to_float32(view);
  target.copy_(torch::from_blob(values.data(), target.sizes(), torch::kFloat32));
}

void load_ranges(const SafetensorsFile& file, const std::string& prefix, torch::Tensor flat,
                 const FlatTensors& layout) {
  for (const auto& range : layout.ranges())
    copy_into(flat.narrow(0, range.begin, range.size).view(range.shape),
              file.at(prefix + range.name, range.shape));
}

nlohmann::json metadata_json(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end())
    throw Error(ErrorCode::bad_data, file.path().string() + ": metadata '" + key +
                                         "' is missing: not a checkpoint of spiga train");
  nlohmann::json json = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw Error(ErrorCode::bad_data, file.path().string() + ": metadata '" + key +
                                         "' must be a JSON object, found " + found->second.substr(0, 40));
  return json;
}

void require_same_network(const SafetensorsFile& file, const nlohmann::json& found,
                          const nlohmann::json& expected) {
  if (found == expected) return;
  std::string differences;
  for (const auto& [key, value] : expected.items())
    if (found.value(key, nlohmann::json()) != value)
      differences += (differences.empty() ? "" : ", ") + key + " is " +
                     found.value(key, nlohmann::json()).dump() + " there and " + value.dump() + " here";
  throw Error(ErrorCode::bad_data, file.path().string() + ": made by another network: " + differences);
}

// A number of at least 0.
template <typename Value>
Value field(const nlohmann::json& json, const char* key, const SafetensorsFile& file) {
  if (!json.contains(key) || !json[key].is_number() || json[key].get<double>() < 0)
    throw Error(ErrorCode::bad_data, file.path().string() + ": metadata '" + kStateKey + "." + key +
                                         "' must be a number from 0 on");
  return json[key].get<Value>();
}

// The same, for what earlier versions did not write.
template <typename Value>
Value field(const nlohmann::json& json, const char* key, const SafetensorsFile& file, Value otherwise) {
  return json.contains(key) ? field<Value>(json, key, file) : otherwise;
}

CheckpointMeta load_state(const SafetensorsFile& file, const TrainingState& state) {
  CheckpointMeta meta;
  const nlohmann::json numbers = metadata_json(file, kStateKey);
  meta.stage = field<int>(numbers, "stage", file);
  meta.step = field<std::int64_t>(numbers, "step", file);
  meta.optimizer_steps = field<std::int64_t>(numbers, "optimizer_steps", file);
  meta.smooth_loss = field<double>(numbers, "smooth_loss", file);
  meta.seconds = field<double>(numbers, "seconds", file, 0);
  meta.batch = field<int>(numbers, "batch", file, 0);
  load_ranges(file, "", state.average, state.parameters);
  load_ranges(file, "", state.averaged_buffers, state.buffers);
  load_ranges(file, kLive, state.parameters.values(), state.parameters);
  load_ranges(file, kLive, state.buffers.values(), state.buffers);
  load_ranges(file, kMean, state.adamw.mean, state.parameters);
  load_ranges(file, kVariance, state.adamw.variance, state.parameters);
  return meta;
}

}  // namespace

void save_checkpoint(const std::string& path, const TrainingState& state, const CheckpointMeta& meta,
                     const std::string& key, const std::string& config) {
  TensorList list;
  list.add_ranges("", state.average, state.parameters);
  list.add_ranges("", state.averaged_buffers, state.buffers);
  list.add_ranges(kLive, state.parameters.values(), state.parameters);
  list.add_ranges(kLive, state.buffers.values(), state.buffers);
  list.add_ranges(kMean, state.adamw.mean, state.parameters);
  list.add_ranges(kVariance, state.adamw.variance, state.parameters);
  const nlohmann::json numbers = {{"stage", meta.stage},
                                  {"step", meta.step},
                                  {"optimizer_steps", meta.optimizer_steps},
                                  {"smooth_loss", meta.smooth_loss},
                                  {"seconds", meta.seconds},
                                  {"batch", meta.batch}};
  weights::write_safetensors(path, list.tensors(), {{key, config}, {kStateKey, numbers.dump()}});
}

void save_checkpoint(const std::string& path, const TrainingState& state, const CheckpointMeta& meta) {
  save_checkpoint(path, state, meta, kConfigKey, to_json(meta.network).dump());
}

CheckpointMeta load_checkpoint(const std::string& path, const TrainingState& state,
                               const model::NetworkConfig& expected) {
  const SafetensorsFile file(path);
  const model::NetworkConfig network =
      model::config_from_json(metadata_json(file, kConfigKey), path + ": metadata '" + kConfigKey + "'");
  require_same_network(file, to_json(network), to_json(expected));
  CheckpointMeta meta = load_state(file, state);
  meta.network = network;
  return meta;
}

CheckpointMeta load_checkpoint(const std::string& path, const TrainingState& state, const std::string& key,
                               const std::string& expected_config) {
  const SafetensorsFile file(path);
  require_same_network(file, metadata_json(file, key.c_str()), nlohmann::json::parse(expected_config));
  return load_state(file, state);
}

std::vector<std::string> load_matching_weights(const std::string& path, const torch::nn::Module& network) {
  const SafetensorsFile file(path);
  std::vector<std::string> missing;
  const auto take = [&](const std::string& name, const torch::Tensor& target) {
    const weights::TensorView* view = file.find(name);
    if (view && view->shape == weights::Shape(target.sizes().begin(), target.sizes().end()))
      copy_into(target, *view);
    else
      missing.push_back(name);
  };
  for (const auto& item : network.named_parameters()) take(item.key(), item.value());
  for (const auto& item : network.named_buffers())
    if (item.value().is_floating_point()) take(item.key(), item.value());
  return missing;
}

}  // namespace spiga::train
