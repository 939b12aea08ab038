// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace spiga::cli {

// Whether the words behind `spiga export` ask for an ONNX file: then no trainer is needed.
bool asks_for_onnx(const std::vector<std::string>& arguments);

// `spiga export --onnx MODEL -o FILE`; returns the exit status.
int export_onnx(std::vector<std::string> arguments);

}  // namespace spiga::cli
