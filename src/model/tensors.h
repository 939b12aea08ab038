// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/detector_config.h"

namespace spiga::model {

enum class TensorRole {
  weight,    // learned, or batch-norm statistics: what a model file holds
  constant,  // follows from the configuration; published checkpoints carry it, model files do not
  counter,   // num_batches_tracked; as constant
};

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  TensorRole role = TensorRole::weight;

  std::int64_t elements() const;
};

// Widths of a cascade step's offset decoder from input to output: G, G, G/2, G/4, G/8, 2 with G = gat_width
// (256, 256, 128, 64, 32, 2 as published).
std::vector<int> decoder_widths(const NetworkConfig& config);

// Every tensor of a PyTorch checkpoint of this network, in the published order. The heads of the last stack
// are there only where the network uses them (initial_shape is heatmap).
std::vector<TensorSpec> checkpoint_tensors(const NetworkConfig& config);

// What a model file of this network holds: the weights of the above, same order.
std::vector<TensorSpec> expected_tensors(const NetworkConfig& config);

// Whether a tensor of this name belongs to heads that only training needs (maps of the last stack unless they
// make the initial shape, pose heads of the stacks): not an error where it is found, not kept either.
bool is_training_only(std::string_view name, const NetworkConfig& config);

// What a detector's model file holds, in the order of its layers.
std::vector<TensorSpec> detector_tensors(const DetectorConfig& config);

// Elements of expected_tensors together.
std::int64_t parameter_count(const NetworkConfig& config);

}  // namespace spiga::model
