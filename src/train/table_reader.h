// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <toml++/toml.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "spiga/error.h"

// How recipes are read: one place for their messages. For .cc files only: toml++ is slow to compile.
namespace spiga::train {

// Reads the keys of one TOML table; finish() refuses those that nobody asked for.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string file, std::string path)
      : table_(table), file_(std::move(file)), path_(std::move(path)) {}

  void read(const char* key, double& value, double low, double high) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_number()) fail(*node, key, "a number");
    value = *node->value<double>();
    if (!(value >= low && value <= high))
      fail(*node, key, "a number in [" + number(low) + ", " + number(high) + "]");
  }

  template <typename Integer>
  void read_integer(const char* key, Integer& value, Integer low, Integer high) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto found = node->value_exact<std::int64_t>();
    if (!found || *found < static_cast<std::int64_t>(low) || *found > static_cast<std::int64_t>(high))
      fail(*node, key, "a whole number in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
    value = static_cast<Integer>(*found);
  }

  void read(const char* key, bool& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_boolean()) fail(*node, key, "true or false");
    value = *node->value<bool>();
  }

  void read(const char* key, std::string& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (!node->is_string()) fail(*node, key, "a text in quotes");
    value = *node->value<std::string>();
  }

  template <typename Choice>
  void read(const char* key, Choice& value, std::initializer_list<std::pair<const char*, Choice>> choices) {
    const toml::node* node = find(key);
    if (!node) return;
    std::string names;
    for (const auto& [name, choice] : choices) {
      if (node->value_exact<std::string>() == name) {
        value = choice;
        return;
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    fail(*node, key, "one of " + names);
  }

  void read(const char* key, std::vector<double>& values, double low, double high) {
    const toml::node* node = find(key);
    if (!node) return;
    const toml::array* array = node->as_array();
    if (!array) fail(*node, key, "a list of numbers");
    values.clear();
    for (const toml::node& item : *array) {
      const auto value = item.value<double>();
      if (!value || !(*value >= low && *value <= high))
        fail(item, key, "numbers in [" + number(low) + ", " + number(high) + "]");
      values.push_back(*value);
    }
  }

  // The sub-table under `key`, or null.
  const toml::table* table(const char* key) {
    const toml::node* node = find(key);
    if (!node) return nullptr;
    if (!node->is_table()) fail(*node, key, "a table");
    return node->as_table();
  }

  const toml::node* find(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }

  void finish() const {
    for (const auto& [key, node] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      std::string names;
      for (const std::string& name : known_) names += (names.empty() ? "" : ", ") + name;
      throw Error(ErrorCode::bad_data, where(node) + ": unknown key '" + name_of(std::string(key.str())) +
                                           "', expected one of: " + names);
    }
  }

  [[noreturn]] void fail(const toml::node& node, const std::string& key, const std::string& expected) const {
    std::ostringstream found;
    node.visit([&](const auto& concrete) { found << concrete; });
    throw Error(ErrorCode::bad_data,
                where(node) + ": '" + name_of(key) + "' must be " + expected + ", found " + found.str());
  }

 private:
  static std::string number(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
  }
  std::string where(const toml::node& node) const {
    return file_ + ":" + std::to_string(node.source().begin.line);
  }
  std::string name_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  const toml::table& table_;
  std::string file_;
  std::string path_;
  std::set<std::string> known_;
};

// A recipe as it is. Throws Error(not_found, bad_data).
inline toml::table parse_recipe(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    if (at.line == 0)
      throw Error(ErrorCode::not_found, path + ": cannot be read: " + std::string(error.description()));
    throw Error(ErrorCode::bad_data, path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                                         ": " + std::string(error.description()));
  }
}

inline nlohmann::json json_from_table(const toml::table& table) {
  std::ostringstream text;
  text << toml::json_formatter{table};
  return nlohmann::json::parse(text.str());
}

}  // namespace spiga::train
