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
};

// The best that this machine runs; `portable()` runs everywhere.
const Table& best();
const Table& portable();

}  // namespace spiga::train::kernels
