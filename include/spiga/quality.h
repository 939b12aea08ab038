// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace spiga {

// How much work is spent on a face.
enum class Quality {
  fast,    // one look at the box
  normal,  // turned faces are looked at once more, upright
  best,    // every face, upright, as the mean of mirrored and shifted looks
};

}  // namespace spiga
