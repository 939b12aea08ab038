// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector_config.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

constexpr int kWidest = 1024;
constexpr int kMostBlocks = 32;

[[noreturn]] void refuse(std::string_view where, std::string_view field, std::string_view expected,
                         const std::string& found) {
  throw Error(ErrorCode::bad_data,
              base::concat(where, ": '", field, "': expected ", expected, ", found ", found));
}

void check(std::string_view where, std::string_view field, int value, int low, int high) {
  if (value < low || value > high)
    refuse(where, field, base::concat("a number from ", low, " to ", high), base::concat(value));
}

void read(const nlohmann::json& json, std::string_view where, const char* field, int& value) {
  if (!json.is_number_integer()) refuse(where, field, "a whole number", json.dump());
  const auto wide = json.get<std::int64_t>();
  value = wide < 0 || wide > kWidest ? -1 : static_cast<int>(wide);
}

void read(const nlohmann::json& json, std::string_view where, const char* field,
          std::array<int, DetectorConfig::kLevels>& values) {
  if (!json.is_array() || json.size() != values.size())
    refuse(where, field, base::concat("a list of ", values.size(), " numbers"), json.dump());
  for (std::size_t i = 0; i < values.size(); ++i) read(json[i], where, field, values[i]);
}

}  // namespace

void validate(const DetectorConfig& config, std::string_view where) {
  check(where, "stem_width", config.stem_width, 1, kWidest);
  for (const int width : config.width) check(where, "width", width, 1, kWidest);
  for (const int blocks : config.blocks) check(where, "blocks", blocks, 0, kMostBlocks);
  check(where, "neck", config.neck, 1, kWidest);
}

nlohmann::json to_json(const DetectorConfig& config) {
  return {{"stem_width", config.stem_width},
          {"width", config.width},
          {"blocks", config.blocks},
          {"neck", config.neck}};
}

DetectorConfig detector_config_from_json(const nlohmann::json& json, std::string_view where) {
  if (!json.is_object()) refuse(where, "", "a JSON object", json.dump());
  DetectorConfig config;
  for (const auto& [key, value] : json.items()) {
    if (key == "stem_width")
      read(value, where, "stem_width", config.stem_width);
    else if (key == "width")
      read(value, where, "width", config.width);
    else if (key == "blocks")
      read(value, where, "blocks", config.blocks);
    else if (key == "neck")
      read(value, where, "neck", config.neck);
    else
      refuse(where, base::printable(key), "stem_width, width, blocks or neck", "an unknown key");
  }
  validate(config, where);
  return config;
}

}  // namespace spiga::model
