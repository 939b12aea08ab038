// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/compiled_network.h"

#include <utility>

#include "base/text.h"
#include "engine/calibration.h"
#include "engine/parallel.h"
#include "model/builder.h"
#include "model/engine_layers.h"
#include "model/file_weights.h"
#include "model/model_file.h"
#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga::model {
namespace {

using base::concat;
using engine::DataType;

// What `automatic` comes to.
Precision chosen(Precision precision, const Quantization& quantization) {
  if (precision != Precision::automatic) return precision;
  if (!quantization.empty() && engine::prefers_8_bit()) return Precision::int8;
  return engine::faster_type() == DataType::bf16 ? Precision::bf16 : Precision::f32;
}

// Throws Error(unsupported) where the processor cannot compute it.
void check_support(Precision precision) {
  const DataType type = precision == Precision::int8   ? DataType::u8
                        : precision == Precision::bf16 ? DataType::bf16
                                                       : DataType::f32;
  if (engine::supports(type)) return;
  throw Error(ErrorCode::unsupported, concat("precision: ", name_of(precision), " needs a processor with ",
                                             precision == Precision::int8 ? "VNNI" : "AVX-512", ", found ",
                                             engine::name_of(engine::instruction_set())));
}

constexpr const char* kNoScales = "found no scales of 8-bit activations (spiga quantize makes them)";

// Throws Error(bad_data) naming the first scale that no layer asked for.
void check_all_found(const Quantization& quantization, const std::set<std::string>& found) {
  const auto check = [&](const char* kind, const Quantization::Scales& scales) {
    for (const auto& [name, scale] : scales) {
      if (!found.contains(kind + name)) {
        throw Error(ErrorCode::bad_data, concat(quantization.where, ": ", kind, base::printable(name),
                                                ": expected activations that may be stored as 8 bits"));
      }
    }
  };
  check("results: ", quantization.results);
  check("inputs: ", quantization.inputs);
}

}  // namespace

struct CompiledNetwork::Impl {
  Config config;
  UncertaintyFormula uncertainty = {};
  Precision precision = Precision::f32;
  DataType type = DataType::f32;   // of what has no 8 bits
  Quantization quantization = {};  // empty unless the precision is int8
  // Behind their locks; layouts only grow, with sizes that nobody had asked for yet.
  LayerStore layers;
  engine::KernelCache kernels;
};

CompiledNetwork::CompiledNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledNetwork::~CompiledNetwork() = default;

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(std::unique_ptr<Impl> impl,
                                                             WeightSource& weights, Precision precision,
                                                             const Walk& walk) {
  impl->precision = chosen(precision, impl->quantization);
  if (impl->precision == Precision::int8 && impl->quantization.empty())
    throw Error(ErrorCode::invalid_argument, concat("precision: int8: ", kNoScales));
  check_support(impl->precision);
  if (impl->precision != Precision::int8) impl->quantization = {};
  impl->type = impl->precision == Precision::int8   ? engine::faster_type()
               : impl->precision == Precision::bf16 ? DataType::bf16
                                                    : DataType::f32;
  const engine::ThreadScope scope(1);  // what most sessions run with
  impl->layers.start_loading(weights);
  std::set<std::string> found;
  Builder builder({.kernels = &impl->kernels,
                   .layers = &impl->layers,
                   .type = impl->type,
                   .quantization = &impl->quantization,
                   .scales_found = &found,
                   .threads = scope.threads()});
  walk(builder);
  check_all_found(impl->quantization, found);
  impl->layers.finish_loading();
  return std::shared_ptr<const CompiledNetwork>(new CompiledNetwork(std::move(impl)));
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const NetworkConfig& config,
                                                             WeightSource& weights, Precision precision,
                                                             std::optional<UncertaintyFormula> uncertainty,
                                                             const Quantization& quantization) {
  validate(config, "network");
  const UncertaintyFormula formula = uncertainty.value_or(default_uncertainty(config.initial_shape));
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->uncertainty = formula;
  impl->quantization = quantization;
  return load(std::move(impl), weights, precision,
              [&](Builder& builder) { build_network(builder, config, formula); });
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const DetectorConfig& config,
                                                             WeightSource& weights, Precision precision,
                                                             const Quantization& quantization) {
  validate(config, "detector");
  constexpr int kSide = 2 * DetectorConfig::kMaxStride;
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->quantization = quantization;
  return load(std::move(impl), weights, precision,
              [&](Builder& builder) { build_detector(builder, config, kSide, kSide); });
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const std::filesystem::path& path,
                                                             Precision precision) {
  const weights::SafetensorsFile file(path);
  FileWeights source(file);
  const Quantization quantization = read_quantization(file);
  if (precision == Precision::int8 && quantization.empty())
    throw Error(ErrorCode::invalid_argument, concat(path.native(), ": precision int8: ", kNoScales));
  if (is_detector_file(file)) return load(read_detector_config(file), source, precision, quantization);
  const ModelInfo info = read_info(file);
  return load(info.config, source, precision, info.uncertainty, quantization);
}

bool CompiledNetwork::is_detector() const { return std::holds_alternative<DetectorConfig>(impl_->config); }

const NetworkConfig& CompiledNetwork::config() const {
  if (is_detector())
    throw Error(ErrorCode::invalid_argument, "network: expected one of landmarks, found a detector");
  return std::get<NetworkConfig>(impl_->config);
}

const DetectorConfig& CompiledNetwork::detector_config() const {
  if (!is_detector())
    throw Error(ErrorCode::invalid_argument, "network: expected a detector, found one of landmarks");
  return std::get<DetectorConfig>(impl_->config);
}

const UncertaintyFormula& CompiledNetwork::uncertainty() const { return impl_->uncertainty; }

Precision CompiledNetwork::precision() const { return impl_->precision; }
std::size_t CompiledNetwork::weight_bytes() const { return impl_->layers.bytes(); }

std::size_t CompiledNetwork::workspace_bytes(const Run& run, const Walk& walk) const {
  Builder builder({.type = impl_->type,
                   .quantization = &impl_->quantization,
                   .threads = run.threads,
                   .batch = run.max_batch,
                   .max_batch = run.max_batch});
  walk(builder);
  return builder.arena_bytes();
}

std::unique_ptr<engine::Program> CompiledNetwork::compile(const Run& run, std::byte* memory,
                                                          const Walk& walk) const {
  const engine::ThreadScope scope(run.threads);
  auto program = std::make_unique<engine::Program>(run.threads);
  Builder builder({.kernels = &impl_->kernels,
                   .layers = &impl_->layers,
                   .program = program.get(),
                   .memory = memory,
                   .taps = run.taps,
                   .type = impl_->type,
                   .quantization = &impl_->quantization,
                   .observer = run.observer,
                   .threads = run.threads,
                   .batch = run.batch,
                   .max_batch = run.max_batch});
  walk(builder);
  program->finish();
  return program;
}

}  // namespace spiga::model
