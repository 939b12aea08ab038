// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

namespace spiga::train {

// Lengths in losses are in 64ths of the crop whatever the map size, so that weights keep their meaning.
inline constexpr double kLossUnits = 64;

// What the losses want to know of landmark maps, each [N, L] and with gradient: moments of p = softmax(heat)
// in 64ths of the crop from its centre, and what cross-entropy needs.
struct HeatStatistics {
  torch::Tensor log_sum;     // log sum exp heat
  torch::Tensor x, y;        // expectation
  torch::Tensor xx, yy, xy;  // of the squares and the product
  torch::Tensor expected;    // sum target heat
};

// heat [N, L, M, M]; the target over cells is target_y(y) target_x(x), [N, L, M] each. On the CPU one pass
// there and one back (loss_kernels.h), elsewhere a composition of tensor operations.
HeatStatistics heat_statistics(const torch::Tensor& heat, const torch::Tensor& target_x,
                               const torch::Tensor& target_y);

// Mean Adaptive Wing loss of each map, [N, K] with gradient to maps [N, K, M, M]; target [N, K, M, M].
// Likewise.
torch::Tensor adaptive_wing_means(const torch::Tensor& maps, const torch::Tensor& target);

// The compositions, for comparison.
HeatStatistics composed_heat_statistics(const torch::Tensor& heat, const torch::Tensor& target_x,
                                        const torch::Tensor& target_y);
torch::Tensor composed_adaptive_wing_means(const torch::Tensor& maps, const torch::Tensor& target);

}  // namespace spiga::train
