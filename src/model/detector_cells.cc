// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector_cells.h"

#include <algorithm>
#include <cmath>

#include "geometry/boxes.h"

namespace spiga::model {
namespace {

// A face is at most e^kLargest strides wide: keeps nonsense finite.
constexpr float kLargest = 6;

float logit(float probability) { return std::log(probability / (1 - probability)); }

}  // namespace

std::array<CellGrid, DetectorConfig::kLevels> cell_grids(int height, int width) {
  std::array<CellGrid, DetectorConfig::kLevels> grids;
  for (int level = 0; level < DetectorConfig::kLevels; ++level) {
    const int stride = DetectorConfig::stride(level);
    grids[static_cast<std::size_t>(level)] = {stride, height / stride, width / stride};
  }
  return grids;
}

CellFace decode_cell(const CellGrid& grid, int row, int column, const float* outputs) {
  const auto stride = static_cast<float>(grid.stride);
  const float x = grid.centre(column), y = grid.centre(row);
  const float width = stride * std::exp(std::clamp(outputs[3], -kLargest, kLargest));
  const float height = stride * std::exp(std::clamp(outputs[4], -kLargest, kLargest));
  CellFace face;
  face.box = {x + stride * outputs[1] - width / 2, y + stride * outputs[2] - height / 2, width, height};
  for (std::size_t i = 0; i < face.points.size(); ++i)
    face.points[i] = {x + stride * outputs[5 + 2 * i], y + stride * outputs[6 + 2 * i]};
  return face;
}

std::vector<ScoredFace> faces_of_cells(std::span<const CellGrid> grids, std::span<const float* const> outputs,
                                       float threshold, float most_overlap) {
  const float least = logit(std::clamp(threshold, 1e-6F, 1 - 1e-6F));
  std::vector<ScoredFace> found;
  for (std::size_t level = 0; level < grids.size(); ++level) {
    const CellGrid& grid = grids[level];
    const float* cell = outputs[level];
    for (int row = 0; row < grid.height; ++row)
      for (int column = 0; column < grid.width; ++column, cell += DetectorConfig::kOutputs)
        if (cell[0] >= least)
          found.push_back({decode_cell(grid, row, column, cell), 1 / (1 + std::exp(-cell[0]))});
  }
  std::ranges::stable_sort(found, std::ranges::greater(), &ScoredFace::score);
  std::vector<ScoredFace> kept;
  for (const ScoredFace& one : found)
    if (std::ranges::none_of(kept, [&](const ScoredFace& surer) {
          return geometry::intersection_over_union(surer.face.box, one.face.box) > most_overlap;
        }))
      kept.push_back(one);
  return kept;
}

}  // namespace spiga::model
