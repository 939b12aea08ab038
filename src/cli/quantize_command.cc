// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/progress.h"
#include "cli/sampled_network.h"
#include "engine/calibration.h"
#include "engine/primitives.h"
#include "model/activation_statistics.h"
#include "model/model_file.h"
#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga::cli {
namespace {

using model::Clipping;
using model::Quantization;

struct QuantizeOptions {
  std::string model;
  std::string samples;
  std::string images;
  std::string output;
  std::size_t most_samples = 128;
  Clipping clipping = {};
  double most_difference = 0;  // 0: none
  bool sensitivity = false;
};

// The layers of one block are kept or left out together: "a.b.conv1.conv" is of "a.b".
std::string block_of(std::string name) {
  const auto strip = [&name](std::string_view last) {
    if (name.ends_with(last)) name.resize(name.size() - last.size());
  };
  strip(".conv");
  for (const char* inner : {".bn1", ".conv1", ".conv2"}) strip(inner);
  return name;
}

using Blocks = std::map<std::string, Quantization>;

Blocks blocks_of(const Quantization& all) {
  Blocks blocks;
  for (const auto& [name, scale] : all.results) blocks[block_of(name)].results[name] = scale;
  for (const auto& [name, scale] : all.inputs) blocks[block_of(name)].inputs[name] = scale;
  return blocks;
}

Quantization together(const Blocks& blocks) {
  Quantization all;
  for (const auto& [block, part] : blocks) {
    all.results.insert(part.results.begin(), part.results.end());
    all.inputs.insert(part.inputs.begin(), part.inputs.end());
  }
  return all;
}

// What the answers differ by where one block alone computes in int8: the most sensitive first.
using Sensitivities = std::vector<std::pair<double, std::string>>;

Sensitivities sensitivities(const SampledNetwork& network, const Blocks& blocks,
                            const std::vector<float>& exact) {
  constexpr std::size_t kSamples = 32;
  const std::size_t count = std::min(network.samples(), kSamples);
  const std::vector<float> expected(
      exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(network.answers({}, count).size()));
  Sensitivities found;
  Progress progress("layers", blocks.size());
  for (const auto& [block, part] : blocks) {
    found.emplace_back(network.difference(expected, network.answers(part, count)), block);
    progress.advance(found.size());
  }
  progress.wipe();
  std::ranges::sort(found, std::greater());
  return found;
}

// Leaves out the most sensitive blocks until the answers differ by no more than what is allowed.
double leave_out(const SampledNetwork& network, const Sensitivities& order, const std::vector<float>& exact,
                 double most, Blocks& blocks) {
  double difference = network.difference(exact, network.answers(together(blocks), network.samples()));
  for (const auto& [alone, block] : order) {
    if (difference <= most || blocks.size() == 1) break;
    blocks.erase(block);
    std::printf("left out          %s\n", block.c_str());
    difference = network.difference(exact, network.answers(together(blocks), network.samples()));
  }
  return difference;
}

void write(const QuantizeOptions& options, const Quantization& quantization) {
  const weights::SafetensorsFile file(options.model);
  weights::Metadata metadata = file.metadata();
  model::set_quantization(metadata, quantization);
  weights::write_safetensors(options.output, file.tensors(), metadata);
}

int run_quantize(const QuantizeOptions& options) {
  if (!engine::supports(engine::DataType::u8)) {
    throw Error(ErrorCode::unsupported, base::concat("quantize: needs a processor with VNNI, found ",
                                                     engine::name_of(engine::instruction_set())));
  }
  const auto network =
      open_sampled_network(options.model, options.samples, options.images, options.most_samples);
  model::ActivationStatistics statistics;
  const std::vector<float> exact = network->answers({}, network->samples(), &statistics);
  Quantization all = statistics.scales(options.clipping);
  // A picture's bytes are what they are.
  if (const auto picture = all.results.find("picture"); picture != all.results.end())
    picture->second = 1.0F / 255;
  Blocks blocks = blocks_of(all);
  std::printf("samples           %zu\n", network->samples());
  double difference = network->difference(exact, network->answers(all, network->samples()));
  const bool too_far = options.most_difference > 0 && difference > options.most_difference;
  if (options.sensitivity || too_far) {
    const Sensitivities order = sensitivities(*network, blocks, exact);
    if (options.sensitivity)
      for (const auto& [alone, block] : order) std::printf("alone %10.5f  %s\n", alone, block.c_str());
    if (too_far) difference = leave_out(*network, order, exact, options.most_difference, blocks);
  }
  const Quantization chosen = together(blocks);
  std::printf("scales            %zu, of %zu that there could be\n",
              chosen.results.size() + chosen.inputs.size(), all.results.size() + all.inputs.size());
  std::printf("difference        %.4f %s\n", difference, network->difference_unit().c_str());
  if (!options.output.empty()) write(options, chosen);
  return kDone;
}

}  // namespace

void add_quantize(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<QuantizeOptions>();
  CLI::App* command =
      program.add_subcommand("quantize", "Find a model's scales for int8 from faces or pictures");
  command->add_option("MODEL", options->model, "Model file, of landmarks or of a detector")->required();
  command
      ->add_option("--calibrate", options->samples,
                   "Packed faces, annotated faces or a folder of pictures; for a detector packed scenes or a "
                   "folder")
      ->type_name("SOURCE")
      ->required();
  command
      ->add_option("--images", options->images,
                   "Folder that the annotations' picture names are relative to [their own]")
      ->type_name("DIR");
  command->add_option("-o,--output", options->output, "Model file to write: the same weights, and the scales")
      ->type_name("FILE");
  command->add_option("--samples", options->most_samples, "Faces or pictures to look at, evenly spaced")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""))
      ->capture_default_str();
  static const std::map<std::string, Clipping::Rule> rules = {{"mean-square", Clipping::Rule::mean_square},
                                                              {"percentile", Clipping::Rule::percentile},
                                                              {"largest", Clipping::Rule::largest}};
  command
      ->add_option_function<std::string>(
          "--clipping", [options](const std::string& name) { options->clipping.rule = rules.at(name); },
          "Largest activation that 8 bits hold: of the least mean square error, the 99.99th percentile, or "
          "the largest seen")
      ->type_name("RULE")
      ->check(CLI::IsMember({"mean-square", "percentile", "largest"}).description(""))
      ->default_str("mean-square");
  command
      ->add_option("--most-difference", options->most_difference,
                   "Leave out the most sensitive layers until answers differ by no more; 0: leave out none")
      ->type_name("D")
      ->check(CLI::Range(0.0, 1e6).description(""))
      ->capture_default_str();
  command->add_flag("--sensitivity", options->sensitivity,
                    "Print how much answers differ with each layer alone in int8");
  command->footer(
      "Choose pictures that the model was trained on: those it is judged by should have no part in it.\n\n"
      "Examples:\n"
      "  spiga quantize model.safetensors --calibrate train.pack -o model8.safetensors\n"
      "  spiga quantize detector.safetensors --calibrate scenes.pack -o detector8.safetensors");
  command->callback([options, &chosen] { chosen = [options] { return run_quantize(*options); }; });
}

}  // namespace spiga::cli
