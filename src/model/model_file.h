// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/config.h"
#include "model/detector_config.h"
#include "model/quantization.h"
#include "model/uncertainty.h"
#include "weights/safetensors.h"

namespace spiga::model {

// What a model file's metadata says beside its tensors (docs/model-file.md): "spiga.config" (JSON), and as
// plain text "spiga.database", "spiga.provenance" and "spiga.licence".
struct ModelInfo {
  NetworkConfig config;
  std::string provenance;  // how the weights came to be: data, recipe, measures
  std::string licence;     // under which terms they may be used
  std::optional<UncertaintyFormula> uncertainty =
      {};                          // how expected errors are made ("spiga.uncertainty", JSON)
  Quantization quantization = {};  // for int8 ("spiga.int8", JSON); empty where the file has none
};

weights::Metadata metadata_of(const ModelInfo& info);

// What somebody needs who draws or reads this model's faces: database, landmark_ids, edges (name, indices of
// landmarks), config, map_size, crop_margin, provenance, licence.
nlohmann::json describe(const ModelInfo& info);

// Throws Error(bad_data) naming the file where it has no valid "spiga.config" or its "spiga.database" is
// another.
ModelInfo read_info(const weights::SafetensorsFile& file);

// A detector's file says what it is under "spiga.detector" instead (JSON).
bool is_detector_file(const weights::SafetensorsFile& file);
// Throws Error(bad_data) naming the file where that is not there or no valid configuration.
DetectorConfig read_detector_config(const weights::SafetensorsFile& file);

// Of a file of either kind; empty where it says nothing. Throws Error(bad_data) naming the file.
Quantization read_quantization(const weights::SafetensorsFile& file);
// Puts it into the metadata in place of what is there.
void set_quantization(weights::Metadata& metadata, const Quantization& quantization);

}  // namespace spiga::model
