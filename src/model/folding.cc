// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/folding.h"

#include <algorithm>
#include <cmath>

namespace spiga::model {
namespace {

constexpr double kNormEps = 1e-5;

// Where the checkpoint's channel c of attention goes when heads come one after another.
int by_head(int channel, int width, int heads) { return channel % heads * (width / heads) + channel / heads; }

// The message MLP's first layer, [2 width, 2 width], with its batch norm.
PlainWeights read_message_layer(WeightSource& source, const std::string& prefix, int width) {
  PlainWeights layer = read_dense(source, prefix + ".mlp.0", 2 * width, 2 * width);
  fold_norm(layer, read_norm(source, prefix + ".mlp.1", 2 * width));
  return layer;
}

// floor(a / b) for b > 0
int floor_div(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace

Affine read_norm(WeightSource& source, const std::string& prefix, int channels) {
  const std::vector<float> weight = source.read(prefix + ".weight", {channels});
  const std::vector<float> bias = source.read(prefix + ".bias", {channels});
  const std::vector<float> mean = source.read(prefix + ".running_mean", {channels});
  const std::vector<float> variance = source.read(prefix + ".running_var", {channels});
  Affine norm;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double scale = weight[c] / std::sqrt(variance[c] + kNormEps);
    norm.scale.push_back(static_cast<float>(scale));
    norm.shift.push_back(static_cast<float>(bias[c] - mean[c] * scale));
  }
  return norm;
}

void fold_norm(PlainWeights& layer, const Affine& norm) {
  const std::size_t out = norm.scale.size();
  const std::size_t inner = layer.weights.size() / out;
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < inner; ++i) layer.weights[o * inner + i] *= norm.scale[o];
    layer.bias[o] = layer.bias[o] * norm.scale[o] + norm.shift[o];
  }
}

PlainWeights read_convolution(WeightSource& source, const std::string& name, int in, int out, int kernel) {
  return {source.read(name, {out, in, kernel, kernel}), std::vector<float>(static_cast<std::size_t>(out))};
}

PlainWeights read_deconvolution(WeightSource& source, const std::string& name, const std::string& norm,
                                int channels) {
  const std::vector<float> weights = source.read(name, {channels, channels, 2, 2});
  const Affine affine = read_norm(source, norm, channels);
  const auto count = static_cast<std::size_t>(channels);
  PlainWeights layer{std::vector<float>(weights.size()), std::vector<float>(4 * count)};
  for (std::size_t part = 0; part < 4; ++part) {
    for (std::size_t o = 0; o < count; ++o) {
      layer.bias[part * count + o] = affine.shift[o];
      float* row = &layer.weights[(part * count + o) * count];
      for (std::size_t i = 0; i < count; ++i) row[i] = weights[(i * count + o) * 4 + part] * affine.scale[o];
    }
  }
  return layer;
}

BlockKernel block_kernel(int stride) {
  const int first = floor_div(-3, stride);
  const int last = floor_div(3, stride);
  return {last - first + 1, -first, last};
}

std::vector<float> to_block_kernel(const std::vector<float>& weights, int out, int stride) {
  const BlockKernel block = block_kernel(stride);
  const int in = 3 * stride * stride;
  std::vector<float> folded(static_cast<std::size_t>(out) * in * block.size * block.size);
  const auto place = [&](int tap) { return tap - 3 + block.pad_begin * stride; };  // in the blocks' pixels
  for (int o = 0; o < out; ++o) {
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 7; ++y) {
        for (int x = 0; x < 7; ++x) {
          const int channel = (place(y) % stride * stride + place(x) % stride) * 3 + c;
          const int row = place(y) / stride, column = place(x) / stride;
          folded[static_cast<std::size_t>(((o * in + channel) * block.size + row) * block.size + column)] =
              weights[static_cast<std::size_t>(((o * 3 + c) * 7 + y) * 7 + x)];
        }
      }
    }
  }
  return folded;
}

PlainWeights read_dense(WeightSource& source, const std::string& prefix, int in, int out) {
  return {source.read(prefix + ".weight", {out, in, 1}), source.read(prefix + ".bias", {out})};
}

PlainWeights read_window(WeightSource& source, const std::string& prefix, int channels, int out, int grid) {
  const std::vector<float> weights = source.read(prefix + ".weight", {out, channels, grid, grid});
  const auto samples = static_cast<std::size_t>(grid) * grid, inner = static_cast<std::size_t>(channels);
  PlainWeights layer{std::vector<float>(weights.size()), source.read(prefix + ".bias", {out})};
  for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o) {
    const float* from = &weights[o * inner * samples];
    float* to = &layer.weights[o * inner * samples];
    for (std::size_t s = 0; s < samples; ++s) {
      for (std::size_t c = 0; c < inner; ++c) to[s * inner + c] = from[c * samples + s];
    }
  }
  return layer;
}

PlainWeights read_projection(WeightSource& source, const std::string& prefix, int width, int heads,
                             float scale) {
  const PlainWeights from = read_dense(source, prefix, width, width);
  PlainWeights layer = from;
  const auto inner = static_cast<std::size_t>(width);
  for (int c = 0; c < width; ++c) {
    const auto to = static_cast<std::size_t>(by_head(c, width, heads)), row = static_cast<std::size_t>(c);
    layer.bias[to] = from.bias[row] * scale;
    for (std::size_t i = 0; i < inner; ++i) {
      layer.weights[to * inner + i] = from.weights[row * inner + i] * scale;
    }
  }
  return layer;
}

PlainWeights read_message_over_x(WeightSource& source, const std::string& prefix, int width) {
  const std::vector<float> merge_bias = source.read(prefix + ".attn.merge.bias", {width});
  const PlainWeights first = read_message_layer(source, prefix, width);
  const auto inner = static_cast<std::size_t>(width);
  PlainWeights layer{std::vector<float>(2 * inner * inner), std::vector<float>(2 * inner)};
  for (std::size_t o = 0; o < 2 * inner; ++o) {
    const float* row = &first.weights[o * 2 * inner];
    std::copy(row, row + inner, &layer.weights[o * inner]);
    double bias = first.bias[o];
    for (std::size_t i = 0; i < inner; ++i) bias += static_cast<double>(row[inner + i]) * merge_bias[i];
    layer.bias[o] = static_cast<float>(bias);
  }
  return layer;
}

PlainWeights read_message_over_attended(WeightSource& source, const std::string& prefix, int width,
                                        int heads) {
  const std::vector<float> merge = source.read(prefix + ".attn.merge.weight", {width, width, 1});
  const PlainWeights first = read_message_layer(source, prefix, width);
  const auto inner = static_cast<std::size_t>(width), out = 2 * inner;
  std::vector<float> over_merged(out * inner);
  for (std::size_t o = 0; o < out; ++o) {
    const float* row = &first.weights[(o * 2 + 1) * inner];
    std::copy(row, row + inner, &over_merged[o * inner]);
  }
  std::vector<float> product(out * inner);
  engine::multiply(2 * width, width, width, over_merged.data(), merge.data(), product.data());
  PlainWeights layer{std::vector<float>(out * inner), std::vector<float>(out)};
  for (std::size_t o = 0; o < out; ++o) {
    for (int c = 0; c < width; ++c) {
      layer.weights[o * inner + static_cast<std::size_t>(by_head(c, width, heads))] =
          product[o * inner + static_cast<std::size_t>(c)];
    }
  }
  return layer;
}

}  // namespace spiga::model
