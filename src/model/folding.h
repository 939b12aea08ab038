// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "model/layer_store.h"

// How a checkpoint's tensors become the weights that the engine computes with. `source` is read under the
// published names. Everything is folded in float64 where sums are short, in float32 where they are long.
namespace spiga::model {

// Batch norm in inference: y = scale x + shift, per channel.
struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

// PREFIX.weight, .bias, .running_mean, .running_var; eps 1e-5.
Affine read_norm(WeightSource& source, const std::string& prefix, int channels);

// Multiplies output channel o of [out, ..] weights and bias by scale[o], then adds shift[o] to the bias.
void fold_norm(PlainWeights& layer, const Affine& norm);

// A convolution without bias, [out, in, kernel, kernel].
PlainWeights read_convolution(WeightSource& source, const std::string& name, int in, int out, int kernel);

// A 2 x 2 transposed convolution of stride 2, NAME [in, out, 2, 2], as a 1 x 1 convolution to 4 out channels,
// sub-pixel (row, column) slowest; with its batch norm.
PlainWeights read_deconvolution(WeightSource& source, const std::string& name, const std::string& norm,
                                int channels);

// A 7 x 7 convolution of a stride (padding 3) over an image is a convolution of stride 1 over its stride x
// stride blocks: sizes of the latter.
struct BlockKernel {
  int size = 1;
  int pad_begin = 0;
  int pad_end = 0;
};
BlockKernel block_kernel(int stride);
// Weights [out, 3, 7, 7] as [out, stride * stride * 3, size, size], input channels in space_to_depth's order.
std::vector<float> to_block_kernel(const std::vector<float>& weights, int out, int stride);

// A dense layer PREFIX.weight [out, in, 1], PREFIX.bias.
PlainWeights read_dense(WeightSource& source, const std::string& prefix, int in, int out);

// conv_window [out, channels, grid, grid] with bias, its inputs reordered to [grid, grid, channels].
PlainWeights read_window(WeightSource& source, const std::string& prefix, int channels, int out, int grid);

// Query, key or value of attention: output channel c of the checkpoint belongs to head c mod heads,
// coordinate c div heads; here heads come one after another. All is multiplied by `scale`.
PlainWeights read_projection(WeightSource& source, const std::string& prefix, int width, int heads,
                             float scale);

// The first layer of an attention layer's MLP over [x; merge(a)], with its batch norm, in two: the part over
// x (with all of the bias), and the part over a, heads one after another. merge is linear, so it folds in.
PlainWeights read_message_over_x(WeightSource& source, const std::string& prefix, int width);
PlainWeights read_message_over_attended(WeightSource& source, const std::string& prefix, int width,
                                        int heads);

}  // namespace spiga::model
