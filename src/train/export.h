// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "weights/tensor.h"

namespace spiga::train {

struct ExportOptions {
  // f32, f16 or bf16; vectors (norms, biases) are float32 always.
  weights::DType matrices = weights::DType::f16;
  std::string provenance = {};  // how the weights came to be
  std::string licence = {};     // under which terms they may be used
};

struct ExportSummary {
  std::size_t tensors = 0;
  std::int64_t parameters = 0;
  std::uintmax_t bytes = 0;  // of the file
};

// Turns a checkpoint of spiga train into the model file that the engine loads: the averaged weights, without
// what only training needs (heads of the last stack unless they make the initial shape, pose heads of the
// other stacks, live weights, the optimiser's moments). Throws Error(not_found, bad_data) naming file and
// tensor where the checkpoint lacks one, it has another shape, or holds a value that is not finite (or not in
// `matrices`).
ExportSummary export_model(const std::filesystem::path& checkpoint, const std::filesystem::path& model,
                           const ExportOptions& options);

}  // namespace spiga::train
