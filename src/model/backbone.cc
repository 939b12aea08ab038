// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "model/folding.h"
#include "model/network.h"

namespace spiga::model {
namespace {

using base::concat;
using engine::DataType;
using engine::Epilogue;
using engine::operations;

constexpr Epilogue kPlain = {};
constexpr Epilogue kRelu = {.relu = true};
constexpr Epilogue kAccumulate = {.accumulate = true};
constexpr Epilogue kAccumulateRelu = {.accumulate = true, .relu = true};
constexpr int kLanes = 16;       // channels of maps and heads are padded to it
constexpr int kPassGrain = 256;  // pixels that are worth a thread

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

void* at(void* data, DataType type, std::int64_t index) {
  return data == nullptr ? nullptr
                         : static_cast<std::byte*>(data) + index * static_cast<std::int64_t>(size_of(type));
}
const void* at(const void* data, DataType type, std::int64_t index) {
  return at(const_cast<void*>(data), type, index);
}

// Input channels [first, first + 3) of the stem's weights [out, 6, 7, 7].
std::vector<float> stem_channels(const std::vector<float>& weights, int out, int first) {
  constexpr int kTaps = 49;
  std::vector<float> part;
  part.reserve(static_cast<std::size_t>(out) * 3 * kTaps);
  for (int o = 0; o < out; ++o) {
    const auto begin = weights.begin() + (o * 6 + first) * kTaps;
    part.insert(part.end(), begin, begin + 3 * kTaps);
  }
  return part;
}

class Backbone {
 public:
  Backbone(Builder& builder, const NetworkConfig& config, const scheme::Database& database)
      : b_(builder), config_(config), database_(database) {}

  BackboneTensors build(const Tensor& image) {
    BackboneTensors result;
    Tensor x = stem("visual_cnn.pre.", image);
    b_.tap("pre", x);
    for (int i = 0; i < config_.stacks; ++i) {
      const bool last = i + 1 == config_.stacks;
      Tensor core;
      const Tensor h = hourglass(concat("visual_cnn.hgs.", i, "."), x, config_.hourglass_depth, !last,
                                 last ? &core : nullptr);
      if (last) result.pose = pose(concat("visual_cnn.hgs_core.", i, "."), std::move(core));
      const Tensor field = visual_field(concat("visual_cnn.hgs_out.", i, "."), h);
      b_.tap(concat("field.", i), field);
      if (!last) merge(i, x, field);
      if (last && config_.initial_shape == InitialShape::heatmap) result.peaks = peaks(i, field);
      if (last) result.field = field;
    }
    return result;
  }

 private:
  LayerStore::Fold convolution(const std::string& name, const std::string& norm, int in, int out,
                               int kernel) {
    return [=](WeightSource& source) {
      PlainWeights layer = read_convolution(source, name + ".conv.weight", in, out, kernel);
      if (!norm.empty()) fold_norm(layer, read_norm(source, norm, out));
      return layer;
    };
  }

  // Conv(a, b, k, s): convolution, batch norm, ReLU.
  Tensor conv(const std::string& p, const Tensor& x, int out, int kernel, int stride) {
    return b_.convolve(p + "conv", x, {.out = out, .kernel = kernel, .stride = stride}, kRelu,
                       convolution(p.substr(0, p.size() - 1), p + "bn", x.channels, out, kernel));
  }

  // relu(norm(x)); `copy`, unless null, becomes x.
  Tensor norm_relu(const std::string& norm, const Tensor& x, const Tensor* copy) {
    const int channels = x.channels;
    const float* scale = b_.constant(
        norm + ".scale", [=](WeightSource& source) { return read_norm(source, norm, channels).scale; });
    const float* shift = b_.constant(
        norm + ".shift", [=](WeightSource& source) { return read_norm(source, norm, channels).shift; });
    const Tensor y = b_.like(x);
    b_.pass(norm, "scale-shift-relu", x.pixels() * b_.batch(), kPassGrain,
            [=, type = x.type, from = x.data, to = y.data, kept = copy == nullptr ? nullptr : copy->data](
                std::int64_t begin, std::int64_t end) {
              const std::int64_t first = begin * channels;
              operations().scale_shift_relu(type, at(from, type, first), at(to, type, first),
                                            at(kept, type, first), scale, shift, end - begin, channels);
            });
    return y;
  }

  // Pre-activation bottleneck. Works on x's own memory unless `keep` says that somebody needs x afterwards.
  Tensor residual(const std::string& p, const Tensor& x, int out, bool keep) {
    Tensor y = x;
    const bool widens = x.channels != out;
    if (!widens && keep) y = b_.like(x);
    Tensor hidden = norm_relu(p + "bn1", x, !widens && keep ? &y : nullptr);
    if (widens) {
      y = b_.convolve(p + "skip_layer", x, {.out = out}, kPlain,
                      convolution(p + "skip_layer", "", x.channels, out, 1));
    }
    hidden = b_.convolve(p + "conv1", hidden, {.out = out / 2}, kRelu,
                         convolution(p + "conv1", p + "bn2", x.channels, out / 2, 1));
    hidden = b_.convolve(p + "conv2", hidden, {.out = out / 2, .kernel = 3, .pad_begin = 1, .pad_end = 1},
                         kRelu, convolution(p + "conv2", p + "bn3", out / 2, out / 2, 3));
    b_.convolve_into(p + "conv3", hidden, y, {.out = out}, kAccumulate,
                     convolution(p + "conv3", "", out / 2, out, 1));
    return y;
  }

  // The first convolution sees the image and three channels that never change. What it makes of those is
  // computed once; the image goes through as stride x stride blocks, which suit the processor better than
  // three channels.
  Tensor first_convolution(const std::string& p, const Tensor& image) {
    const int stride = config_.stem_stride, out = config_.stem_width, size = config_.input_size;
    const Tensor blocks = b_.tensor(b_.type(), size / stride, size / stride, 3 * stride * stride);
    const Tensor y = b_.tensor(b_.type(), size / stride, size / stride, out);
    b_.pass(p + "image", "space-to-depth", std::int64_t{blocks.height} * b_.batch(), 16,
            [=, type = blocks.type, from = image.floats(), to = blocks.data](std::int64_t begin,
                                                                             std::int64_t end) {
              operations().space_to_depth(type, from, to, begin, end, size, stride);
            });
    const float* constant = b_.constant(
        p + "coordinates", [=, this](WeightSource& source) { return coordinates_part(source, p, y); });
    b_.pass(p + "coordinates", "copy", y.pixels() * b_.batch(), kPassGrain,
            [type = y.type, from = constant, to = y.data, channels = y.channels, pixels = y.pixels()](
                std::int64_t begin, std::int64_t end) {
              while (begin < end) {
                const std::int64_t place = begin % pixels;
                const std::int64_t count = std::min(end - begin, pixels - place);
                std::memcpy(at(to, type, begin * channels),
                            at(static_cast<const void*>(from), type, place * channels),
                            static_cast<std::size_t>(count * channels) * size_of(type));
                begin += count;
              }
            });
    const BlockKernel kernel = block_kernel(stride);
    b_.convolve_into(
        p + "conv", blocks, y,
        {.out = out, .kernel = kernel.size, .pad_begin = kernel.pad_begin, .pad_end = kernel.pad_end},
        kAccumulateRelu, [=](WeightSource& source) {
          PlainWeights layer = read_convolution(source, p + "conv.weight", 6, out, 7);
          fold_norm(layer, read_norm(source, p + "bn", out));
          layer.weights = to_block_kernel(stem_channels(layer.weights, out, 0), out, stride);
          return layer;
        });
    return y;
  }

  // The first convolution of the coordinate channels, as y stores it, in as many floats as that takes.
  std::vector<float> coordinates_part(WeightSource& source, const std::string& p, const Tensor& y) const {
    const int size = config_.input_size, out = config_.stem_width;
    PlainWeights layer = read_convolution(source, p + "conv.weight", 6, out, 7);
    fold_norm(layer, read_norm(source, p + "bn", out));
    const auto kernel =
        std::make_shared<const engine::Kernel>(engine::ConvolutionSpec{.height = size,
                                                                       .width = size,
                                                                       .in = 3,
                                                                       .out = out,
                                                                       .kernel = 7,
                                                                       .stride = config_.stem_stride,
                                                                       .pad_begin = 3,
                                                                       .pad_end = 3});
    const auto weights = std::make_shared<const engine::PackedWeights>(
        *kernel, stem_channels(layer.weights, out, 3), std::vector<float>(static_cast<std::size_t>(out)));
    const std::vector<float> channels = coordinate_channels(size);
    std::vector<float> exact(static_cast<std::size_t>(y.elements()));
    const engine::Arena scratch(kernel->scratch_bytes());
    engine::Execution execution(kernel, weights, channels.data(), exact.data());
    execution.set_scratch(scratch.data());
    execution.run();
    std::vector<float> stored((y.bytes() + sizeof(float) - 1) / sizeof(float));
    engine::from_float32(y.type, exact.data(), stored.data(), y.elements());
    return stored;
  }

  Tensor stem(const std::string& p, const Tensor& image) {
    const int wide = 2 * config_.stem_width;
    Tensor x = first_convolution(p + "1.", image);
    x = residual(p + "2.", x, wide, false);
    x = conv(p + "3.", x, wide, 2, 2);
    x = residual(p + "4.", x, wide, false);
    return residual(p + "5.", x, config_.width, false);
  }

  // Hourglass(depth, C) of x, in x's own memory unless `keep`; `core`, unless null, becomes a copy of the
  // innermost map.
  Tensor hourglass(const std::string& p, const Tensor& x, int depth, bool keep, Tensor* core) {
    Tensor low = conv(p + "pool1.", x, config_.width, 2, 2);
    Tensor y = residual(p + "up1.", x, config_.width, keep);
    low = residual(p + "low1.", low, config_.width, false);
    if (depth > 1) {
      low = hourglass(p + "low2.", low, depth - 1, false, core);
    } else {
      low = residual(p + "low2.", low, config_.width, false);
      if (core != nullptr) *core = reduced_core(low);
    }
    low = residual(p + "low3.", low, config_.width, false);
    upsample_add(p + "up2.", low, y);
    return y;
  }

  // y += relu(norm(2 x 2 transposed convolution of stride 2 of x))
  void upsample_add(const std::string& p, const Tensor& x, const Tensor& y) {
    const int channels = x.channels, width = x.width;
    const Tensor parts =
        b_.convolve(p + "deconv", x, {.out = 4 * channels}, kRelu, [=](WeightSource& source) {
          return read_deconvolution(source, p + "deconv.weight", p + "bn", channels);
        });
    b_.pass(p + "deconv", "depth-to-space-add", std::int64_t{x.height} * b_.batch(),
            1 + kPassGrain / (4 * width),
            [=, type = x.type, from = parts.data, to = y.data](std::int64_t begin, std::int64_t end) {
              operations().depth_to_space_add(type, from, to, begin, end, width, channels);
            });
  }

  // The last stack's core goes two ways; this is the first half of the shorter one.
  Tensor reduced_core(const Tensor& map) {
    return residual(concat("visual_cnn.hgs_core.", config_.stacks - 1, ".0."), map, config_.width, true);
  }

  // The rest of hgs_core after reduced_core: convolution, then pairs of residual and convolution, down to one
  // pixel; then the pose.
  Tensor pose(const std::string& p, Tensor core) {
    for (int i = 0; core.height > 1; ++i) {
      if (i > 0) core = residual(concat(p, 2 * i, "."), core, config_.width, false);
      core = conv(concat(p, 2 * i + 1, "."), core, config_.width, 2, 2);
    }
    b_.tap("core", core);
    const int channels = config_.width;
    const float* weight = b_.constant("pose_fc.weight", [=](WeightSource& source) {
      return source.read("pose_fc.weight", {6, channels});
    });
    const float* bias =
        b_.constant("pose_fc.bias", [](WeightSource& source) { return source.read("pose_fc.bias", {6}); });
    const Tensor result = b_.tensor(DataType::f32, 1, 1, 6);
    const Tensor values = b_.tensor(DataType::f32, 1, 1, channels);
    b_.pass("pose_fc", "pose", b_.batch(), b_.batch(),
            [=, type = core.type, from = core.data, wide = values.floats(), to = result.floats()](
                std::int64_t begin, std::int64_t end) {
              engine::to_float32(type, from, wide, (end - begin) * channels);
              for (std::int64_t i = begin * 6; i < end * 6; ++i) {
                const float* row = weight + i % 6 * channels;
                const float* x = wide + i / 6 * channels;
                double sum = bias[i % 6];
                for (int c = 0; c < channels; ++c) sum += static_cast<double>(row[c]) * x[c];
                to[i] = static_cast<float>(sum);
              }
            });
    return result;
  }

  // hgs_out: Residual, Conv(C, C, 1, 1).
  Tensor visual_field(const std::string& p, const Tensor& h) {
    const Tensor y = residual(p + "0.", h, config_.width, false);
    return conv(p + "1.", y, config_.width, 1, 1);
  }

  int padded_points() const { return round_up(config_.landmarks, kLanes); }

  // Points, features and edges of stack i in one convolution, then heat = feature point near: [M, M, padded
  // L].
  Tensor heat_maps(int i, const Tensor& field, DataType type) {
    const engine::HeatLayout layout = {.points = padded_points(),
                                       .edges = config_.edges,
                                       .channels = 2 * padded_points() + round_up(config_.edges, kLanes),
                                       .incidence = incidence()};
    const Tensor heads = b_.tensor(type, field.height, field.width, layout.channels);
    const int landmarks = config_.landmarks, edges = config_.edges, width = config_.width;
    b_.convolve_into(
        concat("visual_cnn.heads.", i), field, heads, {.out = layout.channels}, kPlain,
        [=](WeightSource& source) {
          PlainWeights layer{std::vector<float>(static_cast<std::size_t>(layout.channels) * width),
                             std::vector<float>(static_cast<std::size_t>(layout.channels))};
          const auto put = [&](const std::string& name, int count, int first) {
            const std::vector<float> rows = source.read(name, {count, width, 1, 1});
            std::copy(rows.begin(), rows.end(),
                      layer.weights.begin() + static_cast<std::ptrdiff_t>(first) * width);
          };
          put(concat("visual_cnn.outs_points.", i, ".0.conv.weight"), landmarks, 0);
          put(concat("visual_cnn.outs_features.", i, ".conv.weight"), landmarks, layout.features_offset());
          put(concat("visual_cnn.outs_edges.", i, ".0.conv.weight"), edges, layout.edges_offset());
          return layer;
        });
    b_.tap(concat("heads.", i), heads);
    const Tensor heat = b_.tensor(type, field.height, field.width, layout.points);
    b_.pass(concat("visual_cnn.heat.", i), "heat-maps", field.pixels() * b_.batch(), 64,
            [=, from = heads.data, to = heat.data](std::int64_t begin, std::int64_t end) {
              operations().heat_maps(type, layout,
                                     at(static_cast<const void*>(from), type, begin * layout.channels),
                                     at(to, type, begin * layout.points), end - begin);
            });
    b_.tap(concat("heat.", i), heat);
    return heat;
  }

  // edge2point, transposed and padded: [E + 1, padded L].
  const float* incidence() {
    const int points = padded_points(), columns = config_.edges + 1;
    return b_.constant("edge2point", [=, this](WeightSource&) {
      std::vector<float> table(static_cast<std::size_t>(columns) * points);
      for (int l = 0; l < config_.landmarks; ++l) {
        for (int e = 0; e < columns; ++e) {
          table[static_cast<std::size_t>(e * points + l)] =
              database_.edge2point[static_cast<std::size_t>(l * columns + e)];
        }
      }
      return table;
    });
  }

  // x += merge_preds(heat) + merge_features(field)
  void merge(int i, const Tensor& x, const Tensor& field) {
    const int landmarks = config_.landmarks, width = config_.width, points = padded_points();
    const Tensor heat = heat_maps(i, field, b_.type());
    b_.convolve_into(concat("visual_cnn.merge_features.", i), field, x, {.out = width}, kAccumulate,
                     convolution(concat("visual_cnn.merge_features.", i), "", width, width, 1));
    b_.convolve_into(concat("visual_cnn.merge_preds.", i), heat, x, {.out = width}, kAccumulate,
                     [=](WeightSource& source) {
                       const std::vector<float> weights = source.read(
                           concat("visual_cnn.merge_preds.", i, ".conv.weight"), {width, landmarks, 1, 1});
                       PlainWeights layer{std::vector<float>(static_cast<std::size_t>(width) * points),
                                          std::vector<float>(static_cast<std::size_t>(width))};
                       for (int o = 0; o < width; ++o) {
                         std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(o) * landmarks, landmarks,
                                     layer.weights.begin() + static_cast<std::ptrdiff_t>(o) * points);
                       }
                       return layer;
                     });
  }

  // Where the last stack's maps are highest: [L, 1, 4], engine::Peak.
  Tensor peaks(int i, const Tensor& field) {
    const Tensor heat = heat_maps(i, field, DataType::f32);
    const Tensor result = b_.tensor(DataType::f32, config_.landmarks, 1, 4);
    const std::int64_t groups = (config_.landmarks + kLanes - 1) / kLanes;
    b_.pass(
        "visual_cnn.peaks", "soft-argmax", groups * b_.batch(), 1,
        [=, side = heat.height, channels = heat.channels, landmarks = config_.landmarks, from = heat.floats(),
         to = static_cast<engine::Peak*>(result.data)](std::int64_t begin, std::int64_t end) {
          for (std::int64_t g = begin; g < end; ++g) {
            const std::int64_t face = g / groups;
            const int first = static_cast<int>(g % groups) * kLanes;
            operations().soft_argmax(from + face * side * side * channels, side, channels, first,
                                     std::min(first + kLanes, landmarks), to + face * landmarks);
          }
        });
    b_.tap("peaks", result);
    return result;
  }

  Builder& b_;
  const NetworkConfig& config_;
  const scheme::Database& database_;
};

}  // namespace

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

BackboneTensors build_backbone(Builder& builder, const NetworkConfig& config,
                               const scheme::Database& database, const Tensor& image) {
  return Backbone(builder, config, database).build(image);
}

}  // namespace spiga::model
