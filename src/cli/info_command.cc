// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/shared_options.h"
#include "model/model_file.h"
#include "model/tensors.h"
#include "weights/safetensors.h"

namespace spiga::cli {
namespace {

struct InfoOptions {
  std::string model;
  bool tensors = false;
  bool json = false;
};

// "f32" or, where several are stored, "bf16 + f32".
std::string storage_of(const weights::SafetensorsFile& file) {
  std::map<std::string, int> names;
  for (const weights::NamedTensor& named : file.tensors()) ++names[std::string(name_of(named.tensor.dtype))];
  std::vector<std::string> kinds;
  for (const auto& [name, count] : names) kinds.push_back(name);
  return base::join(kinds, " + ");
}

nlohmann::json describe(const weights::SafetensorsFile& file, const model::ModelInfo& info,
                        bool with_tensors) {
  std::int64_t numbers = 0;
  for (const weights::NamedTensor& named : file.tensors()) numbers += named.tensor.count();
  nlohmann::json json = model::describe(info);
  json["file"] = file.path().native();
  json["tensors"] = file.tensors().size();
  json["numbers"] = numbers;
  json["storage"] = storage_of(file);
  if (!with_tensors) return json;
  for (const weights::NamedTensor& named : file.tensors()) {
    json["tensor_list"].push_back({{"name", named.name},
                                   {"shape", named.tensor.shape},
                                   {"dtype", std::string(name_of(named.tensor.dtype))}});
  }
  return json;
}

// Text from the file, on one line.
std::string shown(const nlohmann::json& value) {
  return value.is_string() ? base::printable(value.get<std::string>(), 2000) : value.dump();
}

void print(const nlohmann::json& json) {
  const auto line = [](const std::string& key, const std::string& value) {
    std::printf("%-16s %s\n", key.c_str(), value.c_str());
  };
  line("file", json["file"].get<std::string>());
  for (const char* key : {"database", "provenance", "licence", "tensors", "numbers", "storage", "map_size"}) {
    line(key, shown(json[key]));
  }
  for (const auto& [key, value] : json["config"].items()) {
    if (key != "database") line(key, shown(value));
  }
  line("landmark_ids", json["landmark_ids"].dump());
  if (!json.contains("tensor_list")) return;
  for (const auto& tensor : json["tensor_list"]) {
    line(shown(tensor["dtype"]), shown(tensor["name"]) + " " + tensor["shape"].dump());
  }
}

int run_info(const InfoOptions& options) {
  NetworkOptions network;
  network.model = options.model;
  const weights::SafetensorsFile file(network.model_path());
  const nlohmann::json json = describe(file, model::read_info(file), options.tensors);
  if (options.json) {
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    print(json);
  }
  return kDone;
}

}  // namespace

void add_info(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = program.add_subcommand("info", "Say what is in a model file");
  command->add_option("MODEL", options->model, "Model file [the default model, see docs/cli.md]");
  command->add_flag("--tensors", options->tensors, "Name, shape and type of every tensor, too");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example:\n  spiga info models/default.safetensors");
  command->callback([options, &chosen] { chosen = [options] { return run_info(*options); }; });
}

}  // namespace spiga::cli
