// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "spiga/detector.h"

namespace spiga::vision {

// dlib's frontal face detector: histograms of oriented gradients (Dalal and Triggs, 2005) under five linear
// filters for faces that look ahead, to either side, or are tilted. Finds faces turned up to about 45
// degrees.
std::unique_ptr<Detector> make_dlib_detector(const DetectorOptions& options);

}  // namespace spiga::vision
