// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/detector_config.h"
#include "spiga/face.h"

// What the detector's outputs mean. Shared by the engine's program and by training, so that both mean the
// same. Coordinates are pixel indices of the network's input: (0, 0) is the centre of its top left pixel.
namespace spiga::model {

// A level's cells: cell (row, column) looks at the stride x stride pixels that it covers.
struct CellGrid {
  int stride = 8;
  int height = 0;
  int width = 0;

  int cells() const { return height * width; }
  // Centre of the pixels that a column (or row) covers.
  float centre(int index) const {
    return (static_cast<float>(index) + 0.5F) * static_cast<float>(stride) - 0.5F;
  }
};

// The levels of an input of that size, which is a multiple of DetectorConfig::kMaxStride.
std::array<CellGrid, DetectorConfig::kLevels> cell_grids(int height, int width);

// What a cell says, kOutputs numbers: logit of the score; offset of the box's centre from the cell's (x, y),
// in strides; logarithm of its width and height, in strides; then five points (right eye, left eye, nose tip,
// right and left corner of the mouth, as the person has them) relative to the cell's centre, in strides.
struct CellFace {
  Box box;
  std::array<Point, DetectorConfig::kPoints> points;
};
CellFace decode_cell(const CellGrid& grid, int row, int column, const float* outputs);

struct ScoredFace {
  CellFace face;
  float score = 0;  // sigmoid of the logit
};

// The faces with a score of at least `threshold`, surest first; of those whose boxes overlap by more than
// `most_overlap` (IoU) only the surest. `outputs` [cells, kOutputs] per level.
std::vector<ScoredFace> faces_of_cells(std::span<const CellGrid> grids, std::span<const float* const> outputs,
                                       float threshold, float most_overlap);

}  // namespace spiga::model
