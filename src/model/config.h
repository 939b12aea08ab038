// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace spiga::model {

// Where the cascade starts from.
enum class InitialShape {
  projection,  // the 3-D mean face, projected with the predicted pose (the paper)
  heatmap,     // the expectation of the last stack's landmark maps: closer where the face is seen well
};

// Every size of the network. The defaults are the published network for 300-W; compact networks change
// numbers, never code. Written as JSON into a model file's metadata under "spiga.config" and read back from
// there; the trainer's TOML section [network] has the same keys.
struct NetworkConfig {
  std::string database = "300wpublic";  // scheme of the landmarks: ids, edges, mean face
  int landmarks = 68;                   // L
  int edges = 13;                       // E
  int input_size = 256;                 // the crop is input_size x input_size
  int stem_width = 64;  // channels of the first convolution; the stem widens to 2x, then to width
  int stem_stride = 2;  // stride of the first 7x7 convolution; the second one always halves
  int width = 256;      // C
  int stacks = 4;
  int hourglass_depth = 4;  // the core is map_size() >> hourglass_depth wide
  int embedding = 512;      // node feature width
  int shape_hidden = 256;   // hidden widths of the shape encoder's MLP
  int window_grid = 7;      // samples along each side of a landmark's window
  int gat_width = 256;
  int gat_layers = 4;
  int gat_heads = 4;
  int steps = 3;
  InitialShape initial_shape = InitialShape::projection;

  int map_size() const { return input_size / (2 * stem_stride); }
  int core_size() const { return map_size() >> hourglass_depth; }
  bool operator==(const NetworkConfig&) const = default;
};

// Named configurations: "wflw-full", "300w-full" (published sizes) and "default" (the shipped model's).
// Throws Error(invalid_argument) naming the known ones.
NetworkConfig named_config(std::string_view name);

// Throws Error(bad_data), prefixed with `where`, naming the field, what was expected and what was found.
void validate(const NetworkConfig& config, std::string_view where);

nlohmann::json to_json(const NetworkConfig& config);
// Missing keys keep their defaults; unknown keys and wrong types throw Error(bad_data), prefixed with
// `where`.
NetworkConfig config_from_json(const nlohmann::json& json, std::string_view where);

}  // namespace spiga::model
