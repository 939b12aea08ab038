// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace spiga::model {

// The face detector: a small convolutional backbone, a feature pyramid of three levels, and per cell of each
// level a score, a box and five points (docs/detector.md). Written as JSON into a model file's metadata under
// "spiga.detector"; the recipe's [network] has the same keys.
struct DetectorConfig {
  static constexpr int kLevels = 3;
  static constexpr int kBlock = 2;  // the network sees blocks of 2 x 2 pixels as one of 12 channels
  static constexpr int kPoints = 5;
  static constexpr int kOutputs = 1 + 4 + 2 * kPoints;  // per cell, see decode_cell
  static constexpr int kMaxStride = 32;                 // pictures are padded to multiples of it

  int stem_width = 32;                          // channels at stride 4
  std::array<int, kLevels> width{32, 64, 128};  // at strides 8, 16, 32
  std::array<int, kLevels> blocks{1, 2, 1};     // residual blocks there
  int neck = 32;                                // channels of the pyramid

  static constexpr int stride(int level) { return 8 << level; }
  bool operator==(const DetectorConfig&) const = default;
};

// Throws Error(bad_data), prefixed with `where`, naming the field, what was expected and what was found.
void validate(const DetectorConfig& config, std::string_view where);

nlohmann::json to_json(const DetectorConfig& config);
// Missing keys keep their defaults; unknown keys and wrong types throw Error(bad_data), prefixed with
// `where`.
DetectorConfig detector_config_from_json(const nlohmann::json& json, std::string_view where);

}  // namespace spiga::model
