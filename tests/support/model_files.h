// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <list>
#include <vector>

#include "model/model_file.h"
#include "model/tensors.h"
#include "support/golden_fill.h"
#include "weights/safetensors.h"

namespace spiga::testing {

// A network with every kind of layer, made and run in milliseconds; what it says of a face is nonsense.
inline model::NetworkConfig tiny_network() {
  return {.database = "300wpublic",
          .landmarks = 68,
          .edges = 13,
          .input_size = 64,
          .stem_width = 16,
          .width = 16,
          .stacks = 2,
          .hourglass_depth = 2,
          .embedding = 16,
          .shape_hidden = 4,
          .gat_width = 8,
          .gat_layers = 2,
          .steps = 2};
}

// A model file with weights by the golden fill rule.
inline void write_made_up_model(const std::filesystem::path& path,
                                const model::NetworkConfig& config = tiny_network()) {
  std::list<std::vector<float>> values;
  std::vector<weights::NamedTensor> tensors;
  for (const model::TensorSpec& spec : model::expected_tensors(config)) {
    values.push_back(fill_tensor(spec.name, spec.shape));
    tensors.push_back({spec.name, weights::view_of(values.back(), spec.shape)});
  }
  weights::write_safetensors(path, tensors, model::metadata_of({config, "made up by a test", "none"}));
}

}  // namespace spiga::testing
