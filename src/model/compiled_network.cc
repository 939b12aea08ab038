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

DataType data_type_of(Precision precision) {
  if (precision == Precision::automatic) return engine::faster_type();
  const DataType type = precision == Precision::f32 ? DataType::f32 : DataType::bf16;
  if (!engine::supports(type)) {
    throw Error(ErrorCode::unsupported, concat("precision: bf16 needs a processor with AVX-512, found ",
                                               engine::name_of(engine::instruction_set())));
  }
  return type;
}

}  // namespace

struct CompiledNetwork::Impl {
  Config config;
  UncertaintyFormula uncertainty = {};
  DataType type = DataType::f32;
  // Behind their locks; layouts only grow, with sizes that nobody had asked for yet.
  LayerStore layers;
  engine::KernelCache kernels;
};

CompiledNetwork::CompiledNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledNetwork::~CompiledNetwork() = default;

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(std::unique_ptr<Impl> impl,
                                                             WeightSource& weights, Precision precision,
                                                             const Walk& walk) {
  impl->type = data_type_of(precision);
  const engine::ThreadScope scope(1);  // what most sessions run with
  impl->layers.start_loading(weights);
  Builder builder(
      {.kernels = &impl->kernels, .layers = &impl->layers, .type = impl->type, .threads = scope.threads()});
  walk(builder);
  impl->layers.finish_loading();
  return std::shared_ptr<const CompiledNetwork>(new CompiledNetwork(std::move(impl)));
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const NetworkConfig& config,
                                                             WeightSource& weights, Precision precision,
                                                             std::optional<UncertaintyFormula> uncertainty) {
  validate(config, "network");
  const UncertaintyFormula formula = uncertainty.value_or(default_uncertainty(config.initial_shape));
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->uncertainty = formula;
  return load(std::move(impl), weights, precision,
              [&](Builder& builder) { build_network(builder, config, formula); });
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const DetectorConfig& config,
                                                             WeightSource& weights, Precision precision) {
  validate(config, "detector");
  constexpr int kSide = 2 * DetectorConfig::kMaxStride;
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  return load(std::move(impl), weights, precision,
              [&](Builder& builder) { build_detector(builder, config, kSide, kSide); });
}

std::shared_ptr<const CompiledNetwork> CompiledNetwork::load(const std::filesystem::path& path,
                                                             Precision precision) {
  const weights::SafetensorsFile file(path);
  FileWeights source(file);
  if (is_detector_file(file)) return load(read_detector_config(file), source, precision);
  const ModelInfo info = read_info(file);
  return load(info.config, source, precision, info.uncertainty);
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

Precision CompiledNetwork::precision() const {
  return impl_->type == DataType::f32 ? Precision::f32 : Precision::bf16;
}
std::size_t CompiledNetwork::weight_bytes() const { return impl_->layers.bytes(); }

std::size_t CompiledNetwork::workspace_bytes(const Run& run, const Walk& walk) const {
  Builder builder(
      {.type = impl_->type, .threads = run.threads, .batch = run.max_batch, .max_batch = run.max_batch});
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
                   .threads = run.threads,
                   .batch = run.batch,
                   .max_batch = run.max_batch});
  walk(builder);
  program->finish();
  return program;
}

}  // namespace spiga::model
