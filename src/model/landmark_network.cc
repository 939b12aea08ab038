// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/landmark_network.h"

#include <cmath>
#include <utility>

#include "base/text.h"

namespace spiga::model {
namespace {

using base::concat;

// Module names have a trailing dot, as PyTorch's prefixes.
class LandmarkNetwork {
 public:
  LandmarkNetwork(Layers& layers, const NetworkConfig& config)
      : l_(layers),
        config_(config),
        database_(scheme::find_database(config.database)),
        width_(config.width) {}

  LandmarkOutputs describe(const UncertaintyFormula& uncertainty) {
    constants();
    LandmarkOutputs outputs;
    outputs.image = l_.image("crop", config_.input_size);
    Value field = backbone(outputs);
    Peaks start = initial_landmarks(field, outputs.pose);
    outputs.landmarks = {start.places};
    for (int s = 0; s < config_.steps; ++s)
      outputs.landmarks.push_back(step(s, field, outputs.landmarks.back()));
    outputs.uncertainty = l_.uncertainty(uncertainty, outputs.landmarks, start.deviation);
    return outputs;
  }

 private:
  // What published checkpoints carry although it follows from the configuration.
  void constants() {
    const auto constant = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      l_.unused(name, shape, TensorRole::constant);
    };
    const int size = config_.input_size, map = config_.map_size();
    constant("diagonal_mask", {config_.landmarks, config_.landmarks});
    constant("visual_cnn.pre.0.xx_channel", {1, 1, size, size});
    constant("visual_cnn.pre.0.yy_channel", {1, 1, size, size});
    constant("visual_cnn.E2Ptransform.ones", {1, map, map});
    constant("visual_cnn.E2Ptransform.edge2point", {config_.landmarks, config_.edges + 1});
    for (int s = 0; s < config_.steps; ++s) constant(concat("theta_S.", s), {2, 2});
  }

  // --- Backbone, sections 1 to 3

  // The last stack's visual field.
  Value backbone(LandmarkOutputs& outputs) {
    Value x = stem("visual_cnn.pre.", outputs.image);
    l_.tap("pre", x);
    for (int i = 0;; ++i) {
      const bool last = i + 1 == config_.stacks;
      Value core;
      Value h = hourglass(concat("visual_cnn.hgs.", i, "."), last ? std::move(x) : x, config_.hourglass_depth,
                          last || l_.wants_unused() ? &core : nullptr);
      if (core) core = reduced(concat("visual_cnn.hgs_core.", i, "."), std::move(core));
      if (last) {
        l_.tap("core", core);
        outputs.pose = l_.pose("pose_fc", core);
      }
      Value field = visual_field(concat("visual_cnn.hgs_out.", i, "."), std::move(h));
      l_.tap(concat("field.", i), field);
      if (last) return field;
      x = merged(i, std::move(x), field);
    }
  }

  Value stem(const std::string& p, const Value& image) {
    const int stem = config_.stem_width, wide = 2 * stem;
    Value x = l_.convolve_with_coordinates(unit(p + "1.", stem, 7, config_.stem_stride), image);
    x = residual(p + "2.", std::move(x), wide);
    x = l_.convolve(unit(p + "3.", wide, 2, 2), x);
    x = residual(p + "4.", std::move(x), wide);
    return residual(p + "5.", std::move(x), width_);
  }

  // Convolution, batch norm, ReLU.
  static Convolution unit(const std::string& p, int out, int kernel, int stride) {
    return {
        .name = p + "conv", .norm = p + "bn", .relu = true, .out = out, .kernel = kernel, .stride = stride};
  }

  // Pre-activation bottleneck.
  Value residual(const std::string& p, Value x, int out) {
    const int in = x->channels;
    const std::string skip = p + "skip_layer.conv";
    Value hidden, sum;
    if (in == out) {
      hidden = l_.norm_relu(p + "bn1", std::move(x), &sum);
      l_.unused(skip + ".weight", {out, in, 1, 1}, TensorRole::weight);
    } else {
      hidden = l_.norm_relu(p + "bn1", x);
      sum = l_.convolve({.name = skip, .out = out}, x);
      x.reset();
    }
    Convolution inner = {
        .name = p + "conv1.conv", .norm = p + "bn2", .relu = true, .inner = true, .out = out / 2};
    hidden = l_.convolve(inner, hidden);
    inner.name = p + "conv2.conv";
    inner.norm = p + "bn3";
    inner.kernel = 3;
    hidden = l_.convolve(inner, hidden);
    return l_.convolve({.name = p + "conv3.conv", .out = out}, hidden, std::move(sum));
  }

  // `core`, unless null, becomes the innermost map.
  Value hourglass(const std::string& p, Value x, int depth, Value* core) {
    Value low = l_.convolve(unit(p + "pool1.", width_, 2, 2), x);
    Value y = residual(p + "up1.", std::move(x), width_);
    low = residual(p + "low1.", std::move(low), width_);
    if (depth > 1) {
      low = hourglass(p + "low2.", std::move(low), depth - 1, core);
    } else {
      low = residual(p + "low2.", std::move(low), width_);
      if (core != nullptr) *core = low;
    }
    low = residual(p + "low3.", std::move(low), width_);
    return l_.enlarge(p + "up2.", low, std::move(y));
  }

  // Down to one pixel.
  Value reduced(const std::string& p, Value core) {
    for (int i = 0; core->height > 1; ++i) {
      core = residual(concat(p, 2 * i, "."), std::move(core), width_);
      core = l_.convolve(unit(concat(p, 2 * i + 1, "."), width_, 2, 2), core);
    }
    return core;
  }

  Value visual_field(const std::string& p, Value h) {
    return l_.convolve(unit(p + "1.", width_, 1, 1), residual(p + "0.", std::move(h), width_));
  }

  Value heat_maps(int i, const Value& field, bool exact) {
    const auto head = [&](const char* name, const char* suffix) {
      return concat("visual_cnn.outs_", name, ".", i, suffix);
    };
    const Value heat = l_.heat_maps({.name = concat("visual_cnn.heat.", i),
                                     .points = head("points", ".0.conv"),
                                     .edges = head("edges", ".0.conv"),
                                     .features = head("features", ".conv"),
                                     .exact = exact},
                                    database_, field);
    l_.tap(concat("heat.", i), heat);
    return heat;
  }

  // What the next stack works on.
  Value merged(int i, Value x, const Value& field) {
    const Value heat = heat_maps(i, field, false);
    x = l_.convolve({.name = concat("visual_cnn.merge_features.", i, ".conv"), .out = width_}, field,
                    std::move(x));
    return l_.convolve({.name = concat("visual_cnn.merge_preds.", i, ".conv"), .out = width_}, heat,
                       std::move(x));
  }

  // --- Section 4
  Peaks initial_landmarks(const Value& field, const Value& pose) {
    if (config_.initial_shape == InitialShape::projection)
      return {.places = l_.projection(database_, pose), .deviation = {}};
    return l_.peaks(heat_maps(config_.stacks - 1, field, true));
  }

  // --- The cascade, section 5

  // The landmarks after step s.
  Value step(int s, const Value& field, const Value& points) {
    const double part = window_part(s);
    Value nodes =
        l_.windows(concat("conv_window.", s), field, points, config_.window_grid, part, config_.embedding);
    nodes = shape(concat("shape_encoder.", s), points, std::move(nodes));
    for (int i = 0; i < config_.gat_layers; ++i)
      nodes = attention(concat("gcn.", s, ".gat.", i, "."), std::move(nodes));
    return moved(concat("gcn.", s, ".decoder.decoder."), std::move(nodes), points, part / 2);
  }

  Value shape(const std::string& name, const Value& points, Value nodes) {
    const std::string p = name + ".encoder.";
    const int hidden = config_.shape_hidden;
    Value x = l_.differences(name, points);
    x = l_.dense({.name = p + "0", .norm = p + "1", .relu = true, .out = hidden}, x);
    x = l_.dense({.name = p + "3", .norm = p + "4", .relu = true, .out = hidden}, x);
    return l_.dense({.name = p + "6", .out = config_.embedding}, x, std::move(nodes));
  }

  // x, brought to the right width, plus what the attention over all landmarks says.
  Value attention(const std::string& p, Value x) {
    const int out = config_.gat_width;
    const bool same = x->channels == out;
    const Value message = l_.attend({.prefix = p + "attention", .heads = config_.gat_heads}, x);
    Value sum = same ? std::move(x) : l_.dense({.name = p + "reshape.0", .out = out}, x);
    return l_.dense({.name = p + "attention.mlp.3", .out = out}, message, std::move(sum));
  }

  Value moved(const std::string& p, Value x, const Value& points, double reach) {
    const std::vector<int> widths = decoder_widths(config_);
    const std::size_t hidden_layers = widths.size() - 2;
    for (std::size_t i = 0; i < hidden_layers; ++i)
      x = l_.dense({.name = concat(p, 3 * i),
                    .norm = concat(p, 3 * i + 1),
                    .relu = true,
                    .exact = i + 1 == hidden_layers,
                    .out = widths[i + 1]},
                   x);
    return l_.move(concat(p, 3 * hidden_layers), x, points, reach);
  }

  // Window of step s as part of the map's side.
  static double window_part(int s) { return 0.25 / (1 << s); }

  Layers& l_;
  const NetworkConfig& config_;
  const scheme::Database& database_;
  const int width_;
};

}  // namespace

LandmarkOutputs describe_network(Layers& layers, const NetworkConfig& config,
                                 const UncertaintyFormula& uncertainty) {
  return LandmarkNetwork(layers, config).describe(uncertainty);
}

std::vector<float> coordinate_channels(int size) {
  std::vector<float> channels;
  channels.reserve(static_cast<std::size_t>(size) * size * 3);
  for (int r = 0; r < size; ++r) {
    for (int c = 0; c < size; ++c) {
      const double row = 2.0 * r / (size - 1) - 1, column = 2.0 * c / (size - 1) - 1;
      channels.push_back(static_cast<float>(row));
      channels.push_back(static_cast<float>(column));
      channels.push_back(static_cast<float>(std::hypot(row - 0.5, column - 0.5)));
    }
  }
  return channels;
}

}  // namespace spiga::model
