// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "engine/data_type.h"

namespace spiga::engine {

// How a pixel of the map heads is laid out: `points` values, as many features, then the edges; the first two
// padded to a multiple of 16 channels, as heat maps are. At most kMaxPoints and kMaxEdges.
constexpr int kMaxPoints = 1008;
constexpr int kMaxEdges = 1000;
struct HeatLayout {
  int points = 0;               // padded number of points
  int edges = 0;                // not padded
  int channels = 0;             // of a heads pixel
  const float* incidence = {};  // [edges + 1, points]: how near each edge is to each point, then a constant

  int features_offset() const { return points; }
  int edges_offset() const { return 2 * points; }
};

// What soft_argmax says of one map, in units of the map's side.
struct Peak {
  float x, y;      // expectation; cell j's centre lies at (j + 0.5) / side
  float variance;  // of the position: x's and y's together
  float height;    // probability of the likeliest cell
};

// Where a landmark's window is sampled: grid x grid places, `radius` map pixels from the landmark to the
// outermost, on maps of side x side pixels with `channels` values each.
struct WindowLayout {
  int side = 0;
  int channels = 0;
  int grid = 0;
  float radius = 0;
};

// The network's own passes over activations, between oneDNN's kernels. Each works on one thread on a range
// that the caller chose; activations are [.., channels] without gaps, of the DataType given (f32 or bf16
// unless another is named). There is a portable form and one for AVX-512; they agree to rounding.
struct Operations {
  const char* name;

  // y = max(0, x scale + shift), per channel. `copy`, unless null, becomes x.
  void (*scale_shift_relu)(DataType type, const void* x, void* y, void* copy, const float* scale,
                           const float* shift, std::int64_t pixels, int channels);

  // y[2 r + i, 2 c + j, :] += x[r, c, 2 i + j, :] for rows r in [begin, end) of x [rows, width, 4, channels].
  void (*depth_to_space_add)(DataType type, const void* x, void* y, std::int64_t begin, std::int64_t end,
                             int width, int channels);

  // y[r, c, i, j, :] = image[block r + i, block c + j, :], rows r in [begin, end); image [rows, size, 3]
  // float32.
  void (*space_to_depth)(DataType type, const float* image, void* y, std::int64_t begin, std::int64_t end,
                         int size, int block);

  // heat = feature sigmoid(point) min(1, incidence [sigmoid(edges); 1]) for each pixel: heads [pixels,
  // channels] to heat [pixels, points].
  void (*heat_maps)(DataType type, const HeatLayout& layout, const void* heads, void* heat,
                    std::int64_t pixels);

  // Softmax over the cells of maps [side, side, channels], for channels [begin, end).
  void (*soft_argmax)(const float* maps, int side, int channels, int begin, int end, Peak* peaks);

  // samples [landmarks, grid, grid, channels]: bilinear, clamped at the border, around landmarks [begin, end)
  // of `points` ([.., 2], x and y in parts of the side).
  void (*sample_windows)(DataType type, const WindowLayout& layout, const void* field, const float* points,
                         std::int64_t begin, std::int64_t end, void* samples);

  // weights = softmax of each row of scores [rows, columns]; overwrites the scores.
  void (*softmax)(DataType type, float* scores, void* weights, std::int64_t rows, int columns);

  // differences [count, count - 1, 2]: points[i] - points[j], j != i in order, for i in [begin, end).
  void (*pairwise_differences)(DataType type, const float* points, int count, int begin, int end,
                               void* differences);

  // What follows writes 8 bits: the nearest whole number, within what the type holds.

  // y = x factor, as u8 or s8.
  void (*to_8_bit)(DataType type, const void* x, DataType y_type, void* y, float factor, std::int64_t count);
  // scale_shift_relu with y as u8.
  void (*scale_shift_relu_u8)(DataType type, const void* x, std::uint8_t* y, void* copy, const float* scale,
                              const float* shift, std::int64_t pixels, int channels);
  // sample_windows with samples times factor as u8; the field is f32, bf16 or u8.
  void (*sample_windows_u8)(DataType type, const WindowLayout& layout, const void* field, const float* points,
                            std::int64_t begin, std::int64_t end, float factor, std::uint8_t* samples);
  // y[r, c, :] = y[r, c, :] y_factor + x[r / 2, c / 2, :] x_factor for rows r in [begin, end) of y [rows,
  // width, channels]; x [rows / 2, width / 2, channels].
  void (*repeat_add_u8)(const std::uint8_t* x, std::uint8_t* y, std::int64_t begin, std::int64_t end,
                        int width, int channels, float x_factor, float y_factor);
};

const Operations& portable_operations();
// Null where it was not compiled in; the caller must know that the processor has AVX-512 (F, BW, DQ, VL).
const Operations* avx512_operations();
// The faster one that instruction_set() allows.
const Operations& operations();

// Between stored activations of any type and float32; 8 bits are whole numbers here, whatever their scale.
void to_float32(DataType type, const void* from, float* to, std::int64_t count);
void from_float32(DataType type, const float* from, void* to, std::int64_t count);

}  // namespace spiga::engine
