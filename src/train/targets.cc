// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/targets.h"

#include <torch/torch.h>

namespace spiga::train {
namespace {

// Where the cells' centres lie, in cells: 0.5, 1.5, ...
torch::Tensor cell_centres(int map_size, const torch::Tensor& like) {
  return torch::arange(map_size, like.options()) + 0.5;
}

// exp(-d^2 / 2 sigma^2) of the distance along one axis, [..., M].
torch::Tensor axis_gaussian(const torch::Tensor& coordinates, int map_size, double sigma) {
  const torch::Tensor offset = cell_centres(map_size, coordinates) - map_size * coordinates.unsqueeze(-1);
  return torch::exp(offset.square() * (-0.5 / (sigma * sigma)));
}

torch::Tensor index_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kLong).to(device);
}

}  // namespace

torch::Tensor point_maps(const torch::Tensor& landmarks, int map_size, double sigma) {
  const torch::Tensor x = axis_gaussian(landmarks.select(2, 0), map_size, sigma);
  const torch::Tensor y = axis_gaussian(landmarks.select(2, 1), map_size, sigma);
  return y.unsqueeze(3) * x.unsqueeze(2);
}

torch::Tensor edge_maps(const torch::Tensor& landmarks, const std::vector<std::vector<int>>& edges,
                        int map_size, double sigma) {
  const torch::Tensor cells = cell_centres(map_size, landmarks);
  std::vector<torch::Tensor> maps;
  for (const std::vector<int>& edge : edges) {
    const torch::Tensor line =
        map_size * landmarks.index_select(1, index_tensor({edge.begin(), edge.end()}, landmarks.device()));
    const auto pieces = static_cast<std::int64_t>(edge.size()) - 1;
    const torch::Tensor from = line.narrow(1, 0, pieces).unsqueeze(2).unsqueeze(3);  // [N, pieces, 1, 1, 2]
    const torch::Tensor along = line.narrow(1, 1, pieces).unsqueeze(2).unsqueeze(3) - from;
    const torch::Tensor dx = cells.view({1, 1, 1, -1}) - from.select(4, 0);  // [N, pieces, 1, M]
    const torch::Tensor dy = cells.view({1, 1, -1, 1}) - from.select(4, 1);  // [N, pieces, M, 1]
    const torch::Tensor ax = along.select(4, 0), ay = along.select(4, 1);
    const torch::Tensor length = (ax.square() + ay.square()).clamp_min(1e-12);
    const torch::Tensor t = ((dx * ax + dy * ay) / length).clamp(0, 1);  // [N, pieces, M, M]
    const torch::Tensor distance = (dx - t * ax).square() + (dy - t * ay).square();
    maps.push_back(distance.amin(1));
  }
  const torch::Tensor distance = torch::stack(maps, 1);
  return torch::exp(distance * (-0.5 / (sigma * sigma))) * (distance < 9 * sigma * sigma);
}

torch::Tensor edge_visible(const torch::Tensor& visible, const std::vector<std::vector<int>>& edges) {
  std::vector<torch::Tensor> all;
  for (const std::vector<int>& edge : edges)
    all.push_back(
        visible.index_select(1, index_tensor({edge.begin(), edge.end()}, visible.device())).amin(1));
  return torch::stack(all, 1);
}

torch::Tensor axis_distribution(const torch::Tensor& coordinates, int map_size, double sigma) {
  // Softmax of the exponent, so that a landmark off the map still has a distribution: on the nearest cells.
  const torch::Tensor offset = cell_centres(map_size, coordinates) - map_size * coordinates.unsqueeze(-1);
  return torch::softmax(offset.square() * (-0.5 / (sigma * sigma)), -1);
}

}  // namespace spiga::train
