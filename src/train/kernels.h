// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// Loops of the fused operations (fused.h) over dense rows of channels, one thread each. kernels.inc is
// compiled once for any machine and once for AVX-512; both give the same numbers up to rounding. Nothing here
// allocates, throws or knows LibTorch.
namespace spiga::train::kernels {

enum class Element { f32, bf16 };

// Rows of `channels` elements: `runs` runs of `run_rows` adjacent rows, runs `stride` elements apart.
struct Rows {
  std::int64_t runs;
  std::int64_t run_rows;
  std::int64_t channels;
};

// What a batch-norm with ReLU computes of x: scale x + shift per channel, then max(0, .) if relu.
struct Affine {
  const float* scale;  // [C]
  const float* shift;  // [C]
  bool relu;
};

// Sampling windows on one face's map [map, map, channels]: `grid` x `grid` bilinear samples around every
// point, at map pixels map * p + offsets[k] along x and y, clamped at the border. Samples lie as [nodes,
// grid, grid, channels] (y before x).
struct Windows {
  std::int64_t map;
  std::int64_t channels;
  std::int64_t nodes;
  std::int64_t grid;
  const float* offsets;  // [grid]
};

// The map heads of one stack over `pixels` rows of logits: [points, edges, features], each part padded with
// channels that count for nothing: points and features to padded_landmarks, edges to padded_edges (multiples
// of 16).
//     points = sigmoid, edges = sigmoid, near = min(1, edges incidence + one), heat = features points near
struct Heads {
  std::int64_t pixels;
  std::int64_t landmarks, padded_landmarks;
  std::int64_t edges, padded_edges;
  const float* incidence;  // [edges, padded_landmarks]
  const float* one;        // [padded_landmarks]
  std::int64_t logits() const { return 2 * padded_landmarks + padded_edges; }
};

// Dense maps of `Heads`, [pixels, landmarks] or [pixels, edges]; null where not wanted or, as gradient, zero.
struct HeadMaps {
  void* points;  // of the element type
  void* edges;   // of the element type
  float* heat;
  void* heat_typed;  // the same as heat, of the element type
};

// Attention among the nodes of one face: rows [nodes, 3 width] of queries, keys and values, channel c of each
// belonging to head c mod heads; softmax of scaled products over the nodes.
struct Attention {
  std::int64_t nodes;
  std::int64_t width;
  std::int64_t heads;
};

struct Table {
  // sums[c] += sum of (x - pivot), sums[C + c] += sum of (x - pivot)^2.
  void (*moments)(Element type, const Rows& rows, const void* x, std::int64_t stride, const float* pivot,
                  float* sums);
  // y = affine(x), + add where given (add lies like y).
  void (*apply)(Element type, const Rows& rows, const Affine& affine, const void* x, std::int64_t x_stride,
                const void* add, void* y, std::int64_t y_stride);
  // With g = dy where affine(x) passes its ReLU, else 0: sums[c] += sum of g, sums[C + c] += sum of g (x -
  // pivot).
  void (*gradient_sums)(Element type, const Rows& rows, const Affine& affine, const void* x,
                        std::int64_t x_stride, const void* dy, std::int64_t dy_stride, const float* pivot,
                        float* sums);
  // dx = a g + b x + c per channel, + add where given (add lies like x).
  void (*gradient_apply)(Element type, const Rows& rows, const Affine& affine, const void* x,
                         std::int64_t x_stride, const void* dy, std::int64_t dy_stride, const float* a,
                         const float* b, const float* c, const void* add, void* dx);
  // points [nodes, 2] (x, y).
  void (*sample_windows)(Element type, const Windows& windows, const float* points, const void* field,
                         void* samples);
  // The gradient: adds to field_gradient [map, map, channels].
  void (*scatter_windows)(Element type, const Windows& windows, const float* points,
                          const void* samples_gradient, float* field_gradient);
  // scratch: [padded_landmarks + padded_edges].
  void (*heads)(Element type, const Heads& heads, const void* logits, const HeadMaps& maps, float* scratch);
  void (*heads_gradient)(Element type, const Heads& heads, const void* logits, const HeadMaps& gradients,
                         void* logits_gradient, float* scratch);
  // out [nodes, width]; scratch: attention_scratch() floats.
  std::int64_t (*attention_scratch)(const Attention& attention);
  void (*attention)(Element type, const Attention& attention, const void* qkv, void* out, float* scratch);
  void (*attention_gradient)(Element type, const Attention& attention, const void* qkv,
                             const void* out_gradient, void* qkv_gradient, float* scratch);
};

// The best that this machine runs; `portable()` runs everywhere.
const Table& best();
const Table& portable();

}  // namespace spiga::train::kernels
