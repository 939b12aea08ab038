// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// Loops of the fused losses (fused_losses.h) over one face's maps in channels-last memory: cell (y, x) of map
// k lies at (y * side + x) * maps + k. Compiled for several instruction sets, chosen at run time; the results
// are the same up to rounding. Nothing here allocates, throws or knows LibTorch.
namespace spiga::train {

// Of the Adaptive Wing loss; epsilon is 1.
inline constexpr float kWingAlpha = 2.1F, kWingOmega = 14, kWingTheta = 0.5F;

// Sums over the cells of a map under p = softmax(heat), in this order. Places are (x + 0.5) * unit - 32 and
// likewise y: 64ths of the crop from its centre, with unit = 64 / side.
enum HeatSum : std::int64_t {
  kLogSum,    // log sum exp heat
  kMeanX,     // sum p x
  kMeanY,     // sum p y
  kSquareX,   // sum p x^2
  kSquareY,   // sum p y^2
  kProduct,   // sum p x y
  kExpected,  // sum target heat, target(y, x) = target_y(y) target_x(x)
  kHeatSums
};

// heat [side * side, maps], target_x and target_y [side, maps]; writes sums [kHeatSums, maps].
void heat_sums(const float* heat, std::int64_t side, std::int64_t maps, const float* target_x,
               const float* target_y, float* sums);

// The gradient to heat, where `gradient` [kHeatSums, maps] is that to the sums.
void heat_sums_backward(const float* heat, std::int64_t side, std::int64_t maps, const float* target_x,
                        const float* target_y, const float* sums, const float* gradient,
                        float* heat_gradient);

// Adaptive Wing loss between maps and target [cells, maps]: writes the sum over each map [maps] and the
// derivative of each cell's loss [cells, maps].
void adaptive_wing(const float* values, const float* target, std::int64_t cells, std::int64_t maps,
                   float* sums, float* derivative);

}  // namespace spiga::train
