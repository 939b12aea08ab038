// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "annotations/annotations.h"

namespace spiga::eval {

// For every annotated face the index of its prediction. Lists in the same order match one to one (picture
// names are compared without extension); lists in different order match by picture, which then must have one
// face each. Throws Error(bad_data) where the lists differ in length, naming the first picture that is
// missing or too many, or cannot be matched. Every annotated face has exactly one prediction afterwards, and
// every prediction is used.
std::vector<std::size_t> match_predictions(const annotations::FaceList& truth,
                                           const annotations::FaceList& predictions);

}  // namespace spiga::eval
