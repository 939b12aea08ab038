// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "spiga/detector.h"

namespace spiga::vision {

// Our own network (docs/detector.md) on our own engine, from a detector's model file. Its boxes are landmark
// boxes as they are. Scores are told so that the network's 0.5 is 0 and certainty is 1. Throws
// Error(not_found, bad_data) where the file is missing or something else.
std::unique_ptr<Detector> make_builtin_detector(const std::string& file, const DetectorOptions& options);

}  // namespace spiga::vision
