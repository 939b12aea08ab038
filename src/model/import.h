// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "model/model_file.h"
#include "weights/tensor.h"

namespace spiga::model {

// The published network of a database: 98 or 68 landmarks, full size. Throws Error(invalid_argument) naming
// the known databases.
NetworkConfig published_config(std::string_view database);

struct ImportResult {
  std::size_t tensors = 0;        // written to the model file
  std::int64_t parameters = 0;    // their elements
  std::size_t constants = 0;      // known, and left out: constants of the network and batch counters
  std::size_t training_only = 0;  // known, and left out: heads that only training needs
};

// Makes a model file from a PyTorch checkpoint (a state dict, possibly under the key "state_dict") of the
// network info.config. Every tensor is accounted for: one that is missing, unknown, of another shape or not
// of floating point is an Error(bad_data) that names all of them; so are values that are not finite, and a
// landmark-to-edge matrix that is not the database's. Weights are stored as `storage` (f32, f16 or bf16). The
// output is written whole or not at all.
ImportResult import_checkpoint(const std::filesystem::path& checkpoint, const ModelInfo& info,
                               const std::filesystem::path& output,
                               weights::DType storage = weights::DType::f32);

}  // namespace spiga::model
