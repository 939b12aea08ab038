// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <vector>

namespace spiga::train {

// What the maps of the backbone should show. Everywhere: landmarks [N, L, 2] in crop units, visible [N, L] 0
// or 1, maps of M x M cells, cell j's centre at (j + 0.5) / M, sigma in cells. Tensor operations on the
// landmarks' device.

// Points: exp(-d^2 / 2 sigma^2) of the distance to the landmark, [N, L, M, M].
torch::Tensor point_maps(const torch::Tensor& landmarks, int map_size, double sigma);

// Edges: exp(-d^2 / 2 sigma^2) of the distance to the line through an edge's landmarks, 0 from 3 sigma on,
// [N, E, M, M]. edges[e] lists landmark indices in the order in which the line visits them.
torch::Tensor edge_maps(const torch::Tensor& landmarks, const std::vector<std::vector<int>>& edges,
                        int map_size, double sigma);

// [N, E]: 1 where all landmarks of the edge are visible.
torch::Tensor edge_visible(const torch::Tensor& visible, const std::vector<std::vector<int>>& edges);

// What softmax(heat) should be, along one axis: coordinates [N, L] in crop units to normalised Gaussians [N,
// L, M]. The distribution over cells is the product of its two axes.
torch::Tensor axis_distribution(const torch::Tensor& coordinates, int map_size, double sigma);

}  // namespace spiga::train
