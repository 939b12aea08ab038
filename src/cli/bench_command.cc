// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "cli/bench_pictures.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/shared_options.h"
#include "engine/calibration.h"
#include "engine/program.h"
#include "model/random_weights.h"
#include "model/session.h"
#include "model/tensors.h"

namespace spiga::cli {
namespace {

using engine::DataType;

struct BenchOptions {
  std::string model;
  std::string config;
  Precision precision = Precision::automatic;
  int threads = 1;
  int batch = 1;
  double seconds = 2;
  bool layers = false;
  bool json = false;
  std::string pictures;  // folder, for end to end
};

struct Times {
  double median = 0;
  double best = 0;
};

Times summary(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front()};
}

template <typename Action>
double seconds_of(const Action& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of this process, in bytes; field as /proc/self/status spells it.
double memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == field && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

struct Layer {
  const engine::Step* step = nullptr;
  double seconds = 0;
};

struct Measurement {
  Times network;
  Times products;
  double peak = 0;           // multiply-adds per second
  double multiply_adds = 0;  // of one run
  double resident = 0, most_resident = 0;
  std::vector<Layer> layers;
};

// Network and products alone take turns, so that both see the same machine.
void measure_times(model::Session& session, const BenchOptions& options, Measurement& result) {
  engine::Program& program = session.program(options.batch);
  std::vector<double> network, products;
  const auto once = [&] {
    network.push_back(seconds_of([&] { session.run(options.batch); }));
    products.push_back(seconds_of([&] { program.run_products(); }));
  };
  once();  // fills caches
  network.clear();
  products.clear();
  constexpr std::size_t kFewest = 5;
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> limit(options.seconds);
  while (network.size() < kFewest || std::chrono::steady_clock::now() - start < limit) once();
  result.network = summary(std::move(network));
  result.products = summary(std::move(products));
}

std::shared_ptr<const model::CompiledNetwork> load(const BenchOptions& options) {
  if (!options.config.empty()) {
    model::RandomWeights weights;
    return model::CompiledNetwork::load(model::named_config(options.config), weights, options.precision);
  }
  NetworkOptions network;
  network.model = options.model;
  return model::CompiledNetwork::load(network.model_path(), options.precision);
}

// Of what most products are made.
DataType data_type_of(Precision precision) {
  if (precision == Precision::int8) return DataType::u8;
  return precision == Precision::bf16 ? DataType::bf16 : DataType::f32;
}

Measurement measure(const BenchOptions& options, model::Session& session) {
  Measurement result;
  std::minstd_rand generator(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (float& value : session.input(options.batch)) value = uniform(generator);
  measure_times(session, options, result);
  result.resident = memory("VmRSS:");
  result.most_resident = memory("VmHWM:");
  const engine::Program& program = session.program(options.batch);
  result.multiply_adds = static_cast<double>(program.multiply_adds());
  if (options.layers) {
    constexpr int kRepeats = 5;
    const std::vector<double> seconds = program.time_steps(kRepeats);
    for (std::size_t i = 0; i < seconds.size(); ++i)
      result.layers.push_back({&program.steps()[i], seconds[i]});
  }
  result.peak = engine::measured_peak(data_type_of(session.network().precision()), session.options().threads);
  return result;
}

nlohmann::json to_json(const Layer& layer) {
  nlohmann::json json = {{"layer", layer.step->layer},
                         {"operation", layer.step->operation},
                         {"shape", layer.step->shape},
                         {"implementation", layer.step->implementation},
                         {"ms", layer.seconds * 1e3}};
  if (layer.step->is_product()) {
    json["gmac_per_s"] = static_cast<double>(layer.step->multiply_adds) / layer.seconds * 1e-9;
  }
  return json;
}

// Milliseconds per face, and what follows from them.
nlohmann::json to_json(const BenchOptions& options, const model::Session& session, const Measurement& m) {
  const double faces = options.batch;
  nlohmann::json json = {
      {"network", options.config.empty() ? session.network().config().database : options.config},
      {"parameters", model::parameter_count(session.network().config())},
      {"precision", name_of(session.network().precision())},
      {"instruction_set", engine::name_of(engine::instruction_set())},
      {"threads", session.options().threads},
      {"batch", options.batch},
      {"ms_per_face", {{"median", m.network.median / faces * 1e3}, {"best", m.network.best / faces * 1e3}}},
      {"products_ms_per_face",
       {{"median", m.products.median / faces * 1e3}, {"best", m.products.best / faces * 1e3}}},
      {"network_over_products", m.network.median / m.products.median},
      {"gmac_per_face", m.multiply_adds / faces * 1e-9},
      {"gmac_per_s", m.multiply_adds / m.network.median * 1e-9},
      {"peak_gmac_per_s", m.peak * 1e-9},
      {"part_of_peak", m.multiply_adds / m.network.median / m.peak},
      {"weights_mb", static_cast<double>(session.network().weight_bytes()) * 1e-6},
      {"resident_mb", m.resident * 1e-6},
      {"most_resident_mb", m.most_resident * 1e-6}};
  for (const Layer& layer : m.layers) json["layers"].push_back(to_json(layer));
  return json;
}

void print_layers(const Measurement& m) {
  double sum = 0;
  for (const Layer& layer : m.layers) sum += layer.seconds;
  std::printf("\n%9s %6s %7s  %-18s %-30s %-44s %s\n", "ms", "%", "GMAC/s", "operation", "implementation",
              "shape", "layer");
  for (const Layer& layer : m.layers) {
    const engine::Step& step = *layer.step;
    char rate[16] = "";
    if (step.is_product()) {
      std::snprintf(rate, sizeof rate, "%.1f",
                    static_cast<double>(step.multiply_adds) / layer.seconds * 1e-9);
    }
    std::printf("%9.4f %6.2f %7s  %-18s %-30s %-44s %s\n", layer.seconds * 1e3, layer.seconds / sum * 100,
                rate, step.operation.c_str(), step.implementation.c_str(), step.shape.c_str(),
                step.layer.c_str());
  }
}

void print(const nlohmann::json& j, const Measurement& m) {
  const auto number = [&](const char* key) { return j[key].get<double>(); };
  const auto of = [&](const char* key, const char* part) { return j[key][part].get<double>(); };
  std::printf("network       %s, %.1f M parameters, %.2f GMAC per face\n",
              j["network"].get<std::string>().c_str(), number("parameters") * 1e-6, number("gmac_per_face"));
  std::printf("precision     %s on %s, threads %d, batch %d\n", j["precision"].get<std::string>().c_str(),
              j["instruction_set"].get<std::string>().c_str(), j["threads"].get<int>(),
              j["batch"].get<int>());
  std::printf("per face      %.3f ms median, %.3f ms best\n", of("ms_per_face", "median"),
              of("ms_per_face", "best"));
  std::printf("products      %.3f ms median, %.3f ms best: its convolutions and matrix products alone\n",
              of("products_ms_per_face", "median"), of("products_ms_per_face", "best"));
  std::printf("ratio         %.3f: network over products\n", number("network_over_products"));
  std::printf("rate          %.1f GMAC/s, %.0f %% of this machine's measured peak of %.1f\n",
              number("gmac_per_s"), number("part_of_peak") * 100, number("peak_gmac_per_s"));
  std::printf("memory        %.0f MB resident, %.0f MB at most, of it %.0f MB weights\n",
              number("resident_mb"), number("most_resident_mb"), number("weights_mb"));
  if (!m.layers.empty()) print_layers(m);
}

int run_bench(const BenchOptions& options) {
  if (!options.pictures.empty())
    return bench_pictures({.folder = options.pictures,
                           .model = options.model,
                           .precision = options.precision,
                           .threads = options.threads,
                           .json = options.json});
  model::Session session(load(options), {.threads = options.threads, .max_batch = options.batch});
  const Measurement measurement = measure(options, session);
  const nlohmann::json json = to_json(options, session, measurement);
  if (options.json) {
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    print(json, measurement);
  }
  return kDone;
}

}  // namespace

void add_bench(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = program.add_subcommand("bench", "Measure how fast a network runs here");
  CLI::Option* model =
      command->add_option("MODEL", options->model, "Model file [the default model, see docs/cli.md]");
  CLI::Option* config =
      command
          ->add_option("--config", options->config, "Random weights of this network instead of a model file")
          ->type_name("NAME")
          ->excludes(model)
          ->check(CLI::IsMember({"wflw-full", "300w-full", "default"}));
  add_precision_option(*command, options->precision);
  command
      ->add_option("--threads", options->threads,
                   "Threads of one run, or pictures at a time; 0 is one per processor")
      ->type_name("N")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  CLI::Option* batch = command->add_option("--batch", options->batch, "Faces of one run")
                           ->type_name("N")
                           ->check(CLI::Range(1, 1024).description(""))
                           ->capture_default_str();
  CLI::Option* time = command->add_option("--time", options->seconds, "Measure for about this many seconds")
                          ->type_name("S")
                          ->check(CLI::Range(0.0, 3600.0).description(""))
                          ->capture_default_str();
  CLI::Option* layers =
      command->add_flag("--layers", options->layers, "Every step's time, rate and implementation, too");
  command
      ->add_option("--end-to-end", options->pictures,
                   "Instead: analyse this folder's pictures, and tell pictures a second and where the "
                   "processor's time goes")
      ->type_name("FOLDER")
      ->excludes(config)
      ->excludes(batch)
      ->excludes(time)
      ->excludes(layers);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "The ratio compares the network with nothing but its convolutions and matrix products, back to "
      "back.\n\n"
      "Example:\n  spiga bench --config wflw-full --threads 1 --precision bf16 --layers\n"
      "  spiga bench --end-to-end holiday/ --threads 2");
  command->callback([options, &chosen] { chosen = [options] { return run_bench(*options); }; });
}

}  // namespace spiga::cli
