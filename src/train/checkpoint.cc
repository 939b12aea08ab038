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

struct Buffer {
  std::string name;
  torch::Tensor value;
};

// Float buffers in the module's order: batch-norm statistics.
std::vector<Buffer> float_buffers(torch::nn::Module& module) {
  std::vector<Buffer> buffers;
  for (const auto& item : module.named_buffers())
    if (item.value().is_floating_point()) buffers.push_back({item.key(), item.value()});
  return buffers;
}

// Collects tensors for one file and keeps their CPU copies alive.
class TensorList {
 public:
  void add(const std::string& name, const torch::Tensor& tensor) {
    kept_.push_back(tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous());
    const torch::Tensor& t = kept_.back();
    tensors_.push_back({name, weights::view_of({t.data_ptr<float>(), static_cast<std::size_t>(t.numel())},
                                               {t.sizes().begin(), t.sizes().end()})});
  }
  void add_ranges(const std::string& prefix, const torch::Tensor& flat, const FlatParameters& layout) {
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
                 const FlatParameters& layout) {
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

void require_same_network(const SafetensorsFile& file, const model::NetworkConfig& found,
                          const model::NetworkConfig& expected) {
  if (found == expected) return;
  const nlohmann::json a = to_json(found);
  const nlohmann::json b = to_json(expected);
  std::string differences;
  for (const auto& [key, value] : b.items())
    if (a.value(key, nlohmann::json()) != value)
      differences += (differences.empty() ? "" : ", ") + key + " is " +
                     a.value(key, nlohmann::json()).dump() + " there and " + value.dump() + " here";
  throw Error(ErrorCode::bad_data, file.path().string() + ": made by another network: " + differences);
}

template <typename Value>
Value field(const nlohmann::json& json, const char* key, const SafetensorsFile& file) {
  if (!json.contains(key) || !json[key].is_number())
    throw Error(ErrorCode::bad_data,
                file.path().string() + ": metadata '" + kStateKey + "." + key + "' must be a number");
  return json[key].get<Value>();
}

}  // namespace

void save_checkpoint(const std::string& path, SpigaNetworkImpl& network, const FlatParameters& flat,
                     const AdamWState& adamw, const torch::Tensor& average,
                     const std::vector<torch::Tensor>& averaged_buffers, const CheckpointMeta& meta) {
  TensorList list;
  list.add_ranges("", average, flat);
  const std::vector<Buffer> buffers = float_buffers(network);
  for (std::size_t i = 0; i < buffers.size(); ++i) list.add(buffers[i].name, averaged_buffers[i]);
  list.add_ranges(kLive, flat.values(), flat);
  for (const Buffer& buffer : buffers) list.add(kLive + buffer.name, buffer.value);
  list.add_ranges(kMean, adamw.mean, flat);
  list.add_ranges(kVariance, adamw.variance, flat);
  const nlohmann::json state = {{"stage", meta.stage},
                                {"step", meta.step},
                                {"optimizer_steps", meta.optimizer_steps},
                                {"smooth_loss", meta.smooth_loss}};
  weights::write_safetensors(path, list.tensors(),
                             {{kConfigKey, to_json(meta.network).dump()}, {kStateKey, state.dump()}});
}

CheckpointMeta load_checkpoint(const std::string& path, SpigaNetworkImpl& network, FlatParameters& flat,
                               AdamWState& adamw, torch::Tensor& average,
                               std::vector<torch::Tensor>& averaged_buffers,
                               const model::NetworkConfig& expected) {
  const SafetensorsFile file(path);
  CheckpointMeta meta;
  meta.network =
      model::config_from_json(metadata_json(file, kConfigKey), path + ": metadata '" + kConfigKey + "'");
  require_same_network(file, meta.network, expected);
  const nlohmann::json state = metadata_json(file, kStateKey);
  meta.stage = field<int>(state, "stage", file);
  meta.step = field<std::int64_t>(state, "step", file);
  meta.optimizer_steps = field<std::int64_t>(state, "optimizer_steps", file);
  meta.smooth_loss = field<double>(state, "smooth_loss", file);
  load_ranges(file, "", average, flat);
  load_ranges(file, kLive, flat.values(), flat);
  load_ranges(file, kMean, adamw.mean, flat);
  load_ranges(file, kVariance, adamw.variance, flat);
  const std::vector<Buffer> buffers = float_buffers(network);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const weights::Shape shape(buffers[i].value.sizes().begin(), buffers[i].value.sizes().end());
    copy_into(averaged_buffers[i], file.at(buffers[i].name, shape));
    copy_into(buffers[i].value, file.at(kLive + buffers[i].name, shape));
  }
  return meta;
}

std::vector<std::string> load_matching_weights(const std::string& path, SpigaNetworkImpl& network) {
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
  for (const Buffer& buffer : float_buffers(network)) take(buffer.name, buffer.value);
  return missing;
}

}  // namespace spiga::train
