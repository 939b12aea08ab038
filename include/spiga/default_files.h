// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace spiga {

// The model file that is used where nobody names one: the file that the environment variable SPIGA_MODEL
// names, or default.safetensors, installed with the library, in the project's models/, or in ./models.
// Throws Error(not_found) that says where it was looked for.
std::string default_model_path();

// Likewise the face detector's: SPIGA_DETECTOR, or detector.safetensors in the same places.
std::string default_detector_path();

// Likewise the morphable head's (spiga/face3d.h): SPIGA_HEAD, or head.safetensors in the same places.
std::string default_head_path();

}  // namespace spiga
