// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>

// Operations that LibTorch composes of several passes over memory, done in one or two on the CPU, with their
// gradients; on other devices, and for other types than float32 and bfloat16, the composition itself. Sums
// over rows are made in a fixed order: results do not depend on the number of threads.
namespace spiga::train {

enum class Activation { none, relu };

// Parameters and statistics of a batch normalisation, [C] float32 each. `training`: normalise by the batch's
// own statistics and move the running ones towards them (momentum 0.1, unbiased variance); else by the
// running ones.
struct Norm {
  torch::Tensor weight;
  torch::Tensor bias;
  torch::Tensor running_mean;
  torch::Tensor running_var;
  bool training;
};

// activation(batch_norm(x)), x [N, C, H, W] (channels-last) or rows [R, C].
torch::Tensor normalize(const torch::Tensor& x, const Norm& norm, Activation activation);

// The same, and x itself for whoever else reads it: its gradient joins in the same pass.
std::pair<torch::Tensor, torch::Tensor> normalize_and_fork(const torch::Tensor& x, const Norm& norm,
                                                           Activation activation);

// add + activation(batch_norm(depth_to_space(wide))): wide [N, 4 C, H, W] with channels (row, column, c)
// becomes [N, C, 2 H, 2 W].
torch::Tensor normalize_shuffled(const torch::Tensor& wide, const Norm& norm, Activation activation,
                                 const torch::Tensor& add);

// [N, 4 C, H, W], channels (row, column, c), to [N, C, 2 H, 2 W] in channels-last memory.
torch::Tensor depth_to_space(const torch::Tensor& wide);

// Bilinear samples of `field` [N, C, M, M] around points [N, L, 2] (crop units), clamped at the border, at
// map pixels M p + (window - 1) / 2 (k - c) / c with k = 0..grid-1 along x and y, c = (grid - 1) / 2. Returns
// rows [N L, grid * grid * C], channels fastest, x before y. Without gradient to the points.
torch::Tensor sample_windows(const torch::Tensor& field, const torch::Tensor& points, std::int64_t grid,
                             double window);

// The maps of a stack's heads: [N, L, M, M] and [N, E, M, M] in channels-last memory. heat holds the product
// twice: in float32 for losses, in the logits' type for the next stack.
struct HeadMaps {
  torch::Tensor points, edges, heat, heat_typed;
};

// What belongs to which edge: `incidence` [E, L] and `one` [L], 1 for landmarks without an edge; float32.
struct EdgeIncidence {
  torch::Tensor incidence, one;
};

// points = sigmoid, edges = sigmoid, near = min(1, incidence^T edges + one), heat = features points near, of
// logits [N, channels, M, M] whose channels are the points, edges and features, each followed by padding to a
// multiple of 16 channels.
HeadMaps head_maps(const torch::Tensor& logits, const EdgeIncidence& edges);

// A multiple of 16 that is at least `channels`.
constexpr std::int64_t padded(std::int64_t channels) { return (channels + 15) / 16 * 16; }

// Attention among the nodes of every face. qkv: rows [N nodes, 3 D] of queries, keys and values; channel c of
// each belongs to head c mod heads. Returns rows [N nodes, D], channels in the same order.
torch::Tensor attend(const torch::Tensor& qkv, std::int64_t nodes, std::int64_t heads);

// Turns the fused operations off or on again (they are on at first): for comparisons. Not for use while
// another thread computes.
void set_fused(bool on);

}  // namespace spiga::train
