// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/tensors.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "model/detector_network.h"
#include "model/landmark_network.h"

namespace spiga::model {
namespace {

using base::concat;
using Shape = std::vector<std::int64_t>;

// Writes down the tensors of each layer.
class TensorLister : public Layers {
 public:
  std::vector<TensorSpec> take() { return std::move(specs_); }

  void unused(const std::string& name, const Shape& shape, TensorRole role) override {
    specs_.push_back({name, shape, role});
  }
  bool wants_unused() const override { return true; }

  Value image(const std::string&, int side) override { return map(side, side, 3); }
  Value picture_blocks(const std::string&, int height, int width, int block) override {
    return map(height / block, width / block, 3 * block * block);
  }

  Value convolve(const Convolution& layer, const Value& x, Value) override {
    weight(layer.name + ".weight", {layer.out, x->channels, layer.kernel, layer.kernel});
    if (layer.bias) weight(layer.name + ".bias", {layer.out});
    if (!layer.norm.empty()) norm(layer.norm, layer.out);
    return map(x->height / layer.stride, x->width / layer.stride, layer.out);
  }
  Value convolve_with_coordinates(const Convolution& layer, const Value& image) override {
    return convolve(layer, map(image->height, image->width, 6), {});
  }
  Value norm_relu(const std::string& prefix, Value x, Value* kept) override {
    norm(prefix, x->channels);
    if (kept != nullptr) *kept = x;
    return x;
  }
  Value enlarge(const std::string& prefix, const Value& x, Value plus) override {
    weight(prefix + "deconv.weight", {x->channels, x->channels, 2, 2});
    norm(prefix + "bn", x->channels);
    return plus;
  }
  Value repeat(const std::string&, const Value&, Value plus) override { return plus; }

  Value pose(const std::string& name, const Value& x) override {
    biased(name, {6, x->channels});
    return map(1, 1, 6);
  }
  Value heat_maps(const HeatMaps& heads, const scheme::Database& database, const Value& field) override {
    weight(heads.points + ".weight", {database.landmarks, field->channels, 1, 1});
    weight(heads.edges + ".weight", {database.edge_count(), field->channels, 1, 1});
    weight(heads.features + ".weight", {database.landmarks, field->channels, 1, 1});
    return map(field->height, field->width, database.landmarks);
  }
  Peaks peaks(const Value& heat) override { return {map(heat->channels, 1, 2), map(heat->channels, 1, 1)}; }
  Value projection(const scheme::Database& database, const Value&) override {
    return map(database.landmarks, 1, 2);
  }

  Value windows(const std::string& name, const Value& field, const Value& points, int grid, double,
                int out) override {
    biased(name, {out, field->channels, grid, grid});
    return map(points->height, 1, out);
  }
  Value differences(const std::string&, const Value& points) override {
    return map(points->height, 1, 2 * (points->height - 1));
  }
  Value dense(const Dense& layer, const Value& x, Value) override {
    biased(layer.name, {layer.out, x->channels, 1});
    if (!layer.norm.empty()) norm(layer.norm, layer.out);
    return map(x->height, 1, layer.out);
  }
  Value attend(const Attention& layer, const Value& x) override {
    const int width = x->channels;
    for (const char* part : {".attn.merge", ".attn.proj.0", ".attn.proj.1", ".attn.proj.2"})
      biased(layer.prefix + part, {width, width, 1});
    return dense({.name = layer.prefix + ".mlp.0", .norm = layer.prefix + ".mlp.1", .out = 2 * width},
                 map(x->height, 1, 2 * width), {});
  }
  Value move(const std::string& name, const Value& x, const Value& points, double) override {
    biased(name, {2, x->channels, 1});
    return points;
  }
  Value uncertainty(const UncertaintyFormula&, const std::vector<Value>& landmarks, const Value&) override {
    return landmarks.back();
  }

 private:
  static Value map(int height, int width, int channels) {
    auto made = std::make_shared<Activation>();
    made->height = height;
    made->width = width;
    made->channels = channels;
    return made;
  }
  void weight(const std::string& name, const Shape& shape) {
    specs_.push_back({name, shape, TensorRole::weight});
  }
  void biased(const std::string& name, const Shape& shape) {
    weight(name + ".weight", shape);
    weight(name + ".bias", {shape[0]});
  }
  void norm(const std::string& prefix, std::int64_t channels) {
    for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"})
      weight(prefix + name, {channels});
    specs_.push_back({prefix + ".num_batches_tracked", {}, TensorRole::counter});
  }

  std::vector<TensorSpec> specs_;
};

// PyTorch lists a module's parts in the order in which its constructor makes them: theirs, by name.
constexpr std::string_view kPublishedOrder[] = {"diagonal_mask",
                                                "visual_cnn",
                                                "pose_fc",
                                                "shape_encoder",
                                                "theta_S",
                                                "conv_window",
                                                "gcn",
                                                "pre",
                                                "hgs",
                                                "hgs_out",
                                                "hgs_core",
                                                "outs_points",
                                                "outs_edges",
                                                "E2Ptransform",
                                                "outs_features",
                                                "merge_preds",
                                                "merge_features",  // visual_cnn
                                                "xx_channel",
                                                "yy_channel",
                                                "ones",
                                                "edge2point",  // its constants
                                                "up1",
                                                "pool1",
                                                "low1",
                                                "low2",
                                                "low3",
                                                "up2",  // hourglass
                                                "bn1",
                                                "conv1",
                                                "bn2",
                                                "conv2",
                                                "bn3",
                                                "conv3",
                                                "skip_layer",  // residual
                                                "encoder",
                                                "gat",
                                                "decoder",
                                                "reshape",
                                                "attention",
                                                "attn",
                                                "merge",
                                                "proj",
                                                "mlp",  // cascade
                                                "conv",
                                                "deconv",
                                                "bn",
                                                "weight",
                                                "bias",
                                                "running_mean",
                                                "running_var",
                                                "num_batches_tracked"};

// A name's parts as numbers: those that are numbers as they are, the others by their place above.
std::vector<std::int64_t> place_of(std::string_view name) {
  std::vector<std::int64_t> place;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.find_first_not_of("0123456789") == std::string_view::npos) {
      place.push_back(std::stoll(std::string(part)));
    } else {
      place.push_back(std::find(std::begin(kPublishedOrder), std::end(kPublishedOrder), part) -
                      std::begin(kPublishedOrder));
    }
    begin = end + 1;
  }
  return place;
}

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

std::vector<TensorSpec> checkpoint_tensors(const NetworkConfig& config) {
  TensorLister lister;
  describe_network(lister, config, {});
  std::vector<std::pair<std::vector<std::int64_t>, TensorSpec>> placed;
  for (TensorSpec& spec : lister.take()) placed.emplace_back(place_of(spec.name), std::move(spec));
  std::ranges::stable_sort(
      placed, std::ranges::less(), [](const auto& one) -> const auto& { return one.first; });
  std::vector<TensorSpec> specs;
  for (auto& [place, spec] : placed) specs.push_back(std::move(spec));
  return specs;
}

std::vector<TensorSpec> detector_tensors(const DetectorConfig& config) {
  TensorLister lister;
  describe_detector(lister, config, 2 * DetectorConfig::kMaxStride, 2 * DetectorConfig::kMaxStride);
  std::vector<TensorSpec> specs = lister.take();
  std::erase_if(specs, [](const TensorSpec& spec) { return spec.role != TensorRole::weight; });
  return specs;
}

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
