// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/config.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/tensors.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;
using base::printable;

struct IntField {
  const char* name;
  int NetworkConfig::*member;
  int min;
  int max;
};

// Limits far above anything sensible, and far below what would exhaust a machine.
constexpr IntField kIntFields[] = {
    {"landmarks", &NetworkConfig::landmarks, 2, 1000},
    {"edges", &NetworkConfig::edges, 1, 1000},
    {"input_size", &NetworkConfig::input_size, 16, 1024},
    {"stem_width", &NetworkConfig::stem_width, 1, 512},
    {"stem_stride", &NetworkConfig::stem_stride, 1, 16},
    {"width", &NetworkConfig::width, 2, 1024},
    {"stacks", &NetworkConfig::stacks, 1, 8},
    {"hourglass_depth", &NetworkConfig::hourglass_depth, 1, 6},
    {"embedding", &NetworkConfig::embedding, 1, 2048},
    {"shape_hidden", &NetworkConfig::shape_hidden, 1, 2048},
    {"window_grid", &NetworkConfig::window_grid, 2, 15},
    {"gat_width", &NetworkConfig::gat_width, 1, 2048},
    {"gat_layers", &NetworkConfig::gat_layers, 1, 16},
    {"gat_heads", &NetworkConfig::gat_heads, 1, 64},
    {"steps", &NetworkConfig::steps, 1, 8},
};
constexpr int kMaxMapSize = 128;
constexpr int kCoreSize = 4;
constexpr std::int64_t kMaxParameters = 1'000'000'000;

constexpr const char* kShapeNames[] = {"projection", "heatmap"};  // in the order of InitialShape

[[noreturn]] void fail(std::string_view where, std::string_view field, const std::string& expected,
                       const std::string& found) {
  throw Error(ErrorCode::bad_data, concat(where, ": ", field, ": expected ", expected, ", found ", found));
}

std::string shown(const nlohmann::json& value) {
  if (value.is_array() || value.is_object()) return value.type_name();
  return printable(value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace), 40);
}

int read_int(const nlohmann::json& value, std::string_view where, const IntField& field) {
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= static_cast<unsigned>(field.max)
                        : value.is_number_integer() && value.get<std::int64_t>() >= field.min;
  if (!fits)
    fail(where, field.name, concat("a whole number from ", field.min, " to ", field.max), shown(value));
  return value.get<int>();
}

std::string read_string(const nlohmann::json& value, std::string_view where, const char* field) {
  if (!value.is_string()) fail(where, field, "a string", shown(value));
  return value.get<std::string>();
}

InitialShape read_shape(const nlohmann::json& value, std::string_view where) {
  const auto* found = std::find(std::begin(kShapeNames), std::end(kShapeNames),
                                value.is_string() ? value.get<std::string>() : std::string());
  if (found == std::end(kShapeNames))
    fail(where, "initial_shape", "\"projection\" or \"heatmap\"", shown(value));
  return static_cast<InitialShape>(found - std::begin(kShapeNames));
}

void read_key(const std::string& key, const nlohmann::json& value, std::string_view where,
              NetworkConfig& config) {
  const auto* field = std::find_if(std::begin(kIntFields), std::end(kIntFields),
                                   [&](const IntField& candidate) { return key == candidate.name; });
  if (field != std::end(kIntFields)) {
    config.*field->member = read_int(value, where, *field);
  } else if (key == "database") {
    config.database = read_string(value, where, "database");
  } else if (key == "initial_shape") {
    config.initial_shape = read_shape(value, where);
  } else {
    throw Error(ErrorCode::bad_data, concat(where, ": unknown key '", printable(key), "'"));
  }
}

void validate_database(const NetworkConfig& config, std::string_view where) {
  const std::vector<std::string> names = scheme::database_names();
  if (std::find(names.begin(), names.end(), config.database) == names.end()) {
    fail(where, "database", "one of " + base::join(names), "'" + printable(config.database) + "'");
  }
  const scheme::Database& database = scheme::find_database(config.database);
  if (config.landmarks != database.landmarks) {
    fail(where, "landmarks", concat(database.landmarks, " (", database.name, ")"), concat(config.landmarks));
  }
  if (config.edges != database.edge_count()) {
    fail(where, "edges", concat(database.edge_count(), " (", database.name, ")"), concat(config.edges));
  }
}

// Sizes that must divide each other so that every layer's output has a whole size.
void validate_relations(const NetworkConfig& config, std::string_view where) {
  if ((config.stem_stride & (config.stem_stride - 1)) != 0) {
    fail(where, "stem_stride", "a power of two", concat(config.stem_stride));
  }
  if (config.width % 2 != 0) fail(where, "width", "an even number", concat(config.width));
  const int step = 2 * config.stem_stride << config.hourglass_depth;
  if (config.input_size != step * kCoreSize) {
    fail(where, "input_size",
         concat(step * kCoreSize, " (2 x stem_stride x 2^hourglass_depth x ", kCoreSize, ")"),
         concat(config.input_size));
  }
  if (config.map_size() > kMaxMapSize) {
    fail(where, "stem_stride", concat("a map of at most ", kMaxMapSize, " pixels"),
         concat(config.map_size()));
  }
  if (config.embedding % config.gat_heads != 0) {
    fail(where, "embedding", concat("a multiple of gat_heads = ", config.gat_heads),
         concat(config.embedding));
  }
  if (config.gat_width % config.gat_heads != 0) {
    fail(where, "gat_width", concat("a multiple of gat_heads = ", config.gat_heads),
         concat(config.gat_width));
  }
}

NetworkConfig published(const char* database, int landmarks, int edges) {
  return {.database = database, .landmarks = landmarks, .edges = edges};
}

// The shipped model's: a quarter of the published map, half of its widths, half of its stacks.
NetworkConfig compact() {
  return {.database = "300wpublic",
          .landmarks = 68,
          .edges = 13,
          .stem_width = 32,
          .stem_stride = 4,
          .width = 128,
          .stacks = 2,
          .hourglass_depth = 3,
          .embedding = 128,
          .shape_hidden = 128,
          .gat_width = 128,
          .initial_shape = InitialShape::heatmap};
}

}  // namespace

NetworkConfig named_config(std::string_view name) {
  if (name == "wflw-full") return published("wflw", 98, 15);
  if (name == "300w-full") return published("300wpublic", 68, 13);
  if (name == "default") return compact();
  throw Error(
      ErrorCode::invalid_argument,
      concat("configuration: expected wflw-full, 300w-full or default, found '", printable(name), "'"));
}

void validate(const NetworkConfig& config, std::string_view where) {
  for (const IntField& field : kIntFields) {
    const int value = config.*field.member;
    if (value < field.min || value > field.max) {
      fail(where, field.name, concat("a whole number from ", field.min, " to ", field.max), concat(value));
    }
  }
  validate_database(config, where);
  validate_relations(config, where);
  const std::int64_t parameters = parameter_count(config);
  if (parameters > kMaxParameters) {
    fail(where, "width, embedding, gat_width, window_grid", concat("at most ", kMaxParameters, " parameters"),
         concat(parameters));
  }
}

nlohmann::json to_json(const NetworkConfig& config) {
  nlohmann::json json = {{"database", config.database},
                         {"initial_shape", kShapeNames[static_cast<int>(config.initial_shape)]}};
  for (const IntField& field : kIntFields) json[field.name] = config.*field.member;
  return json;
}

NetworkConfig config_from_json(const nlohmann::json& json, std::string_view where) {
  if (!json.is_object()) {
    throw Error(ErrorCode::bad_data, concat(where, ": expected an object, found ", json.type_name()));
  }
  NetworkConfig config;
  for (const auto& [key, value] : json.items()) read_key(key, value, where, config);
  validate(config, where);
  return config;
}

}  // namespace spiga::model
