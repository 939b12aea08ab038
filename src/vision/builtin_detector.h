// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "spiga/detector.h"

namespace spiga::vision {

// Our own network (docs/detector.md) on our own engine. Its boxes are landmark boxes as they are. Scores are
// told so that the network's operating point is 0 and certainty is 1. Throws Error(bad_data) where the model
// is none of a detector.
std::unique_ptr<Detector> make_builtin_detector(const Model& model, const DetectorOptions& options);

}  // namespace spiga::vision
