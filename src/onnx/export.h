// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <filesystem>

#include "model/detector_config.h"
#include "model/model_file.h"
#include "model/weight_source.h"

namespace spiga::onnx {

// Writes a network as an ONNX file of float32 (docs/onnx.md); returns its size in bytes. The file appears
// whole or not at all. Throws Error: bad_data for weights that do not fit, unsupported where the file would
// exceed the 2 GB that the format allows, io.
std::size_t write_network(const model::ModelInfo& info, model::WeightSource& weights,
                          const std::filesystem::path& output);

// A detector's.
std::size_t write_detector(const model::DetectorConfig& config, model::WeightSource& weights,
                           const std::filesystem::path& output);

// The same of a model file of either kind, with all of its metadata.
std::size_t convert_model(const std::filesystem::path& path, const std::filesystem::path& output);

}  // namespace spiga::onnx
