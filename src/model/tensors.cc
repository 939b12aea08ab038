// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/tensors.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace spiga::model {
namespace {

using base::concat;
using Shape = std::vector<std::int64_t>;

// Lists tensors the way PyTorch's modules register them; `p` is the module's name with a trailing dot.
class Lister {
 public:
  explicit Lister(const NetworkConfig& config) : config_(config), width_(config.width) {}

  std::vector<TensorSpec> list() {
    constant("diagonal_mask", {config_.landmarks, config_.landmarks});
    backbone("visual_cnn.");
    weight("pose_fc.weight", {6, width_});
    weight("pose_fc.bias", {6});
    for (int s = 0; s < config_.steps; ++s) shape_encoder(concat("shape_encoder.", s, ".encoder."));
    for (int s = 0; s < config_.steps; ++s) constant(concat("theta_S.", s), {2, 2});
    for (int s = 0; s < config_.steps; ++s) {
      const int grid = config_.window_grid;
      biased(concat("conv_window.", s, "."), {config_.embedding, width_, grid, grid});
    }
    for (int s = 0; s < config_.steps; ++s) step(concat("gcn.", s, "."));
    return std::move(specs_);
  }

 private:
  void weight(std::string name, Shape shape) { specs_.push_back({std::move(name), std::move(shape), {}}); }
  void constant(std::string name, Shape shape) {
    specs_.push_back({std::move(name), std::move(shape), TensorRole::constant});
  }

  void biased(const std::string& p, const Shape& shape) {
    weight(p + "weight", shape);
    weight(p + "bias", {shape[0]});
  }

  void norm(const std::string& p, std::int64_t channels) {
    for (const char* name : {"weight", "bias", "running_mean", "running_var"}) weight(p + name, {channels});
    specs_.push_back({p + "num_batches_tracked", {}, TensorRole::counter});
  }

  // Convolution and batch norm.
  void conv(const std::string& p, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    weight(p + "conv.weight", {out, in, kernel, kernel});
    norm(p + "bn.", out);
  }

  void residual(const std::string& p, std::int64_t in, std::int64_t out) {
    norm(p + "bn1.", in);
    weight(p + "conv1.conv.weight", {out / 2, in, 1, 1});
    norm(p + "bn2.", out / 2);
    weight(p + "conv2.conv.weight", {out / 2, out / 2, 3, 3});
    norm(p + "bn3.", out / 2);
    weight(p + "conv3.conv.weight", {out, out / 2, 1, 1});
    weight(p + "skip_layer.conv.weight", {out, in, 1, 1});
  }

  void stem(const std::string& p) {
    const int size = config_.input_size;
    const int stem = config_.stem_width;
    constant(p + "0.xx_channel", {1, 1, size, size});
    constant(p + "0.yy_channel", {1, 1, size, size});
    conv(p + "1.", 6, stem, 7);
    residual(p + "2.", stem, 2 * stem);
    conv(p + "3.", 2 * stem, 2 * stem, 2);
    residual(p + "4.", 2 * stem, 2 * stem);
    residual(p + "5.", 2 * stem, width_);
  }

  void hourglass(const std::string& p, int depth) {
    residual(p + "up1.", width_, width_);
    conv(p + "pool1.", width_, width_, 2);
    residual(p + "low1.", width_, width_);
    if (depth > 1) {
      hourglass(p + "low2.", depth - 1);
    } else {
      residual(p + "low2.", width_, width_);
    }
    residual(p + "low3.", width_, width_);
    weight(p + "up2.deconv.weight", {width_, width_, 2, 2});
    norm(p + "up2.bn.", width_);
  }

  void core(const std::string& p) {
    for (int i = 0; i < 2; ++i) {
      residual(concat(p, 2 * i, "."), width_, width_);
      conv(concat(p, 2 * i + 1, "."), width_, width_, 2);
    }
  }

  // One 1x1 convolution per stack: p0suffix, p1suffix, ...
  void maps(const std::string& p, const char* suffix, int count, std::int64_t out, std::int64_t in) {
    for (int i = 0; i < count; ++i) weight(concat(p, i, suffix), {out, in, 1, 1});
  }

  void backbone(const std::string& p) {
    stem(p + "pre.");
    for (int i = 0; i < config_.stacks; ++i) hourglass(concat(p, "hgs.", i, "."), config_.hourglass_depth);
    for (int i = 0; i < config_.stacks; ++i) {
      residual(concat(p, "hgs_out.", i, ".0."), width_, width_);
      conv(concat(p, "hgs_out.", i, ".1."), width_, width_, 1);
    }
    for (int i = 0; i < config_.stacks; ++i) core(concat(p, "hgs_core.", i, "."));
    const int merges = config_.stacks - 1;
    const int heads = config_.initial_shape == InitialShape::heatmap ? config_.stacks : merges;
    const int map = config_.map_size();
    maps(p + "outs_points.", ".0.conv.weight", heads, config_.landmarks, width_);
    maps(p + "outs_edges.", ".0.conv.weight", heads, config_.edges, width_);
    constant(p + "E2Ptransform.ones", {1, map, map});
    constant(p + "E2Ptransform.edge2point", {config_.landmarks, config_.edges + 1});
    maps(p + "outs_features.", ".conv.weight", heads, config_.landmarks, width_);
    maps(p + "merge_preds.", ".conv.weight", merges, width_, config_.landmarks);
    maps(p + "merge_features.", ".conv.weight", merges, width_, width_);
  }

  // 1x1 convolutions with bias, batch norm and ReLU between them: widths w0 -> w1 -> ...
  void mlp(const std::string& p, const std::vector<int>& widths) {
    int index = 0;
    for (std::size_t i = 1; i < widths.size(); ++i, index += 3) {
      biased(concat(p, index, "."), {widths[i], widths[i - 1], 1});
      if (i + 1 < widths.size()) norm(concat(p, index + 1, "."), widths[i]);
    }
  }

  void shape_encoder(const std::string& p) {
    const int hidden = config_.shape_hidden;
    mlp(p, {2 * (config_.landmarks - 1), hidden, hidden, config_.embedding});
  }

  void attention_layer(const std::string& p, int in, int out) {
    if (in != out) biased(p + "reshape.0.", {out, in, 1});
    biased(p + "attention.attn.merge.", {in, in, 1});
    for (int i = 0; i < 3; ++i) biased(concat(p, "attention.attn.proj.", i, "."), {in, in, 1});
    mlp(p + "attention.mlp.", {2 * in, 2 * in, out});
  }

  void step(const std::string& p) {
    const int out = config_.gat_width;
    for (int i = 0; i < config_.gat_layers; ++i) {
      attention_layer(concat(p, "gat.", i, "."), i == 0 ? config_.embedding : out, out);
    }
    mlp(p + "decoder.decoder.", decoder_widths(config_));
  }

  const NetworkConfig& config_;
  const int width_;
  std::vector<TensorSpec> specs_;
};

}  // namespace

std::vector<int> decoder_widths(const NetworkConfig& config) {
  const int g = config.gat_width;
  return {g, g, g / 2, g / 4, g / 8, 2};
}

std::int64_t TensorSpec::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::vector<TensorSpec> checkpoint_tensors(const NetworkConfig& config) { return Lister(config).list(); }

std::vector<TensorSpec> expected_tensors(const NetworkConfig& config) {
  std::vector<TensorSpec> specs = checkpoint_tensors(config);
  std::erase_if(specs, [](const TensorSpec& spec) { return spec.role != TensorRole::weight; });
  return specs;
}

bool is_training_only(std::string_view name, const NetworkConfig& config) {
  if (name.starts_with("pose_heads.")) return true;
  if (config.initial_shape == InitialShape::heatmap) return false;
  for (const char* head : {"outs_points.", "outs_edges.", "outs_features."}) {
    if (name.starts_with(concat("visual_cnn.", head, config.stacks - 1, "."))) return true;
  }
  return false;
}

std::int64_t parameter_count(const NetworkConfig& config) {
  std::int64_t count = 0;
  for (const TensorSpec& spec : expected_tensors(config)) count += spec.elements();
  return count;
}

}  // namespace spiga::model
