// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "spiga/image.h"
#include "train/random.h"

namespace spiga::train {

// Letters, numbers, discs and stripes on what looks like cloth, bgr8: what a detector must not take for
// faces. Follows from the arguments alone. Thread-safe.
Image draw_texts(int width, int height, Random& random);

}  // namespace spiga::train
