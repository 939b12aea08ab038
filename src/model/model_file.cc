// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/model_file.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "geometry/affine.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;
using base::printable;

constexpr const char* kConfig = "spiga.config";
constexpr const char* kDetector = "spiga.detector";
constexpr const char* kDatabase = "spiga.database";
constexpr const char* kProvenance = "spiga.provenance";
constexpr const char* kLicence = "spiga.licence";
constexpr const char* kUncertainty = "spiga.uncertainty";
constexpr const char* kInt8 = "spiga.int8";
constexpr const char* kSpread = "spiga.spread";  // its name up to version 0.1

std::string value_of(const weights::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

// Throws Error(bad_data) where the text is no JSON.
nlohmann::json parse(const std::string& text, std::string_view where) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    throw Error(ErrorCode::bad_data, concat(where, ": expected JSON, found '", printable(text, 40), "'"));
  }
  return json;
}

// Where a configuration is, for messages. Throws Error(bad_data) where the file has none.
std::string place_of(const weights::SafetensorsFile& file, const char* key, const char* what) {
  const std::string where = concat(file.path().native(), ": metadata ", key);
  if (!file.metadata().contains(key))
    throw Error(ErrorCode::bad_data, concat(where, ": expected, found none: not a ", what));
  return where;
}

}  // namespace

nlohmann::json describe(const ModelInfo& info) {
  const scheme::Database& database = scheme::find_database(info.config.database);
  nlohmann::json edges = nlohmann::json::array();
  for (const scheme::Edge& edge : database.edges)
    edges.push_back({{"name", edge.name}, {"landmarks", edge.landmarks}});
  return {{"database", info.config.database},   {"landmark_ids", database.ids},
          {"edges", std::move(edges)},          {"config", to_json(info.config)},
          {"map_size", info.config.map_size()}, {"crop_margin", geometry::kCropMargin},
          {"provenance", info.provenance},      {"licence", info.licence}};
}

weights::Metadata metadata_of(const ModelInfo& info) {
  weights::Metadata metadata = {{kConfig, to_json(info.config).dump()},
                                {kDatabase, info.config.database},
                                {kProvenance, info.provenance},
                                {kLicence, info.licence}};
  if (info.uncertainty) metadata[kUncertainty] = to_json(*info.uncertainty).dump();
  if (!info.quantization.empty()) set_quantization(metadata, info.quantization);
  return metadata;
}

ModelInfo read_info(const weights::SafetensorsFile& file) {
  const weights::Metadata& metadata = file.metadata();
  const std::string where = place_of(file, kConfig, "model file of spiga");
  ModelInfo info{config_from_json(parse(metadata.at(kConfig), where), where), value_of(metadata, kProvenance),
                 value_of(metadata, kLicence)};
  const char* key = metadata.contains(kUncertainty) ? kUncertainty : kSpread;
  const std::string uncertainty = value_of(metadata, key);
  if (!uncertainty.empty()) {
    const std::string uncertainty_where = concat(file.path().native(), ": metadata ", key);
    info.uncertainty = uncertainty_from_json(parse(uncertainty, uncertainty_where), uncertainty_where);
  }
  info.quantization = read_quantization(file);
  const std::string database = value_of(metadata, kDatabase);
  if (!database.empty() && database != info.config.database) {
    throw Error(ErrorCode::bad_data, concat(file.path().native(), ": metadata ", kDatabase, ": expected '",
                                            info.config.database, "', found '", printable(database), "'"));
  }
  return info;
}

bool is_detector_file(const weights::SafetensorsFile& file) { return file.metadata().contains(kDetector); }

DetectorConfig read_detector_config(const weights::SafetensorsFile& file) {
  const std::string where = place_of(file, kDetector, "detector's model file");
  return detector_config_from_json(parse(file.metadata().at(kDetector), where), where);
}

Quantization read_quantization(const weights::SafetensorsFile& file) {
  const std::string text = value_of(file.metadata(), kInt8);
  if (text.empty()) return {};
  const std::string where = concat(file.path().native(), ": metadata ", kInt8);
  return quantization_from_json(parse(text, where), where);
}

void set_quantization(weights::Metadata& metadata, const Quantization& quantization) {
  metadata[kInt8] = to_json(quantization).dump();
}

}  // namespace spiga::model
