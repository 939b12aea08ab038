// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/shared_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <thread>
#include <vector>

#include "base/text.h"
#include "spiga/analyzer.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

constexpr int kMostThreads = 1024;
constexpr int kLargestBatch = 1024;
const char* const kGroup = "Network";

}  // namespace

std::string NetworkOptions::model_path() const { return model.empty() ? default_model_path() : model; }

int NetworkOptions::thread_count() const {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void NetworkOptions::apply_to(AnalyzerOptions& analyzer) const {
  analyzer.model = model_path();
  analyzer.precision = precision;
  analyzer.threads = thread_count();
  analyzer.max_batch = batch;
}

double parse_moment(std::string_view option, std::string_view text) {
  const std::vector<std::string_view> parts = base::split(text, ':');
  double seconds = 0;
  bool good = parts.size() <= 3;
  for (std::size_t i = 0; i < parts.size() && good; ++i) {
    const double part = base::parse_double(parts[i]).value_or(-1);
    const bool whole = i + 1 == parts.size() || part == std::floor(part);
    good = std::isfinite(part) && part >= 0 && whole && (i == 0 || part < 60);
    seconds = 60 * seconds + part;
  }
  if (!good)
    throw Error(ErrorCode::invalid_argument, base::concat(option, ": expected seconds, m:s or h:m:s, found '",
                                                          base::printable(text), "'"));
  return seconds;
}

void add_precision_option(CLI::App& command, Precision& precision) {
  static const std::map<std::string, Precision> names = {{"automatic", Precision::automatic},
                                                         {"f32", Precision::f32},
                                                         {"bf16", Precision::bf16},
                                                         {"int8", Precision::int8}};
  command
      .add_option_function<std::string>(
          "--precision", [&precision](const std::string& name) { precision = names.at(name); },
          "automatic, f32, bf16 or int8")
      ->type_name("P")
      ->group(kGroup)
      ->check(CLI::IsMember({"automatic", "f32", "bf16", "int8"}).description(""))
      ->default_str("automatic");
}

void add_quality_option(CLI::App& command, const std::string& group, const std::string& usual,
                        std::function<void(Quality)> choose) {
  static const std::map<std::string, Quality> qualities = {
      {"fast", Quality::fast}, {"normal", Quality::normal}, {"best", Quality::best}};
  command
      .add_option_function<std::string>(
          "--quality", [choose = std::move(choose)](const std::string& name) { choose(qualities.at(name)); },
          "fast: one look at a face; normal: turned ones again, upright; best: the mean of four upright "
          "looks")
      ->type_name("Q")
      ->group(group)
      ->check(CLI::IsMember({"fast", "normal", "best"}).description(""))
      ->default_str(usual);
}

void add_network_options(CLI::App& command, NetworkOptions& options) {
  command.add_option("--model", options.model, "Model file [the default model, see docs/cli.md]")
      ->type_name("FILE")
      ->group(kGroup);
  add_precision_option(command, options.precision);
  command.add_option("--threads", options.threads, "Processor threads to use; 0 is one per processor")
      ->type_name("N")
      ->group(kGroup)
      ->check(CLI::Range(0, kMostThreads).description(""))
      ->capture_default_str();
  command.add_option("--batch", options.batch, "Faces of one network call at most")
      ->type_name("N")
      ->group(kGroup)
      ->check(CLI::Range(1, kLargestBatch).description(""))
      ->capture_default_str();
}

}  // namespace spiga::cli
