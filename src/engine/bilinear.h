// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "engine/operations.h"

namespace spiga::engine {

// Between which two pixels of a row or column a sample lies.
struct BilinearTap {
  int first;
  int second;
  float part;  // of the second
};

// The index-th sample of a window around `centre` (in parts of the side), along one axis. Pixel j has its
// centre at j; beyond the border lies the border's value. NaN counts as the border, too.
inline BilinearTap bilinear_tap(const WindowLayout& layout, float centre, int index) {
  const float middle = static_cast<float>(layout.grid - 1) / 2;
  const float last = static_cast<float>(layout.side - 1);
  float position = centre * static_cast<float>(layout.side) +
                   layout.radius * (static_cast<float>(index) - middle) / middle;
  position = position > 0 ? position : 0;
  position = position < last ? position : last;
  const int first = static_cast<int>(position);
  return {first, first + 1 < layout.side ? first + 1 : first, position - static_cast<float>(first)};
}

}  // namespace spiga::engine
