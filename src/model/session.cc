// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/session.h"

#include <map>
#include <utility>

#include "base/text.h"
#include "engine/calibration.h"
#include "engine/parallel.h"
#include "engine/program.h"
#include "model/file_weights.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/uncertainty.h"
#include "model/weight_source.h"
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

// --- Model

struct Model::Impl {
  NetworkConfig config;
  DataType type = DataType::f32;
  UncertaintyFormula uncertainty;
  // Both only grow, behind their locks: kernels and layouts of batch sizes that nobody had asked for yet.
  LayerStore layers;
  engine::KernelCache kernels;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

std::shared_ptr<const Model> Model::load(const NetworkConfig& config, WeightSource& weights,
                                         Precision precision, std::optional<UncertaintyFormula> uncertainty) {
  validate(config, "network");
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->uncertainty = uncertainty.value_or(default_uncertainty(config.initial_shape));
  impl->type = data_type_of(precision);
  const engine::ThreadScope scope(1);  // what most sessions run with
  impl->layers.start_loading(weights);
  Builder builder(
      {.kernels = &impl->kernels, .layers = &impl->layers, .type = impl->type, .threads = scope.threads()});
  build_network(builder, config, impl->uncertainty);
  impl->layers.finish_loading();
  return std::shared_ptr<const Model>(new Model(std::move(impl)));
}

std::shared_ptr<const Model> Model::load(const std::filesystem::path& path, Precision precision) {
  const weights::SafetensorsFile file(path);
  const ModelInfo info = read_info(file);
  FileWeights source(file);
  return load(info.config, source, precision, info.uncertainty);
}

const NetworkConfig& Model::config() const { return impl_->config; }
Precision Model::precision() const { return impl_->type == DataType::f32 ? Precision::f32 : Precision::bf16; }
std::size_t Model::weight_bytes() const { return impl_->layers.bytes(); }

// --- Session

struct Session::Impl {
  std::shared_ptr<const Model> model;
  SessionOptions options;
  engine::Arena memory;
  std::map<int, std::unique_ptr<engine::Program>> programs;  // by batch size
  std::map<std::string, std::vector<float>, std::less<>> taps;
  NetworkResults results;  // the same places for every batch size
  int batch = 0;           // of the last run

  void check(int n) const {
    if (n < 1 || n > options.max_batch) {
      throw Error(ErrorCode::invalid_argument,
                  concat("batch: expected 1 to ", options.max_batch, " faces, found ", n));
    }
  }

  BuildContext context(int n) {
    Model::Impl& shared = model->impl();
    return {.type = shared.type, .threads = options.threads, .batch = n, .max_batch = options.max_batch};
  }

  // Places everything, for the largest batch.
  void plan() {
    Builder builder(context(options.max_batch));
    build_network(builder, model->config(), model->impl().uncertainty);
    memory = engine::Arena(builder.arena_bytes());
  }

  std::unique_ptr<engine::Program> build(int n) {
    const engine::ThreadScope scope(options.threads);
    auto program = std::make_unique<engine::Program>(options.threads);
    BuildContext all = context(n);
    all.kernels = &model->impl().kernels;
    all.layers = &model->impl().layers;
    all.program = program.get();
    all.memory = memory.data();
    if (options.keep_intermediates) all.taps = &taps;
    Builder builder(all);
    results = build_network(builder, model->config(), model->impl().uncertainty);
    program->finish();
    return program;
  }

  engine::Program& program(int n) {
    check(n);
    auto& program = programs[n];
    // Copies of intermediate values belong to one batch size.
    if (!program || options.keep_intermediates) program = build(n);
    return *program;
  }

  std::span<const float> result(const float* values, int per_face) const {
    return {values, static_cast<std::size_t>(batch) * per_face};
  }
};

Session::Session(std::shared_ptr<const Model> model, const SessionOptions& options)
    : impl_(std::make_unique<Impl>()) {
  if (options.threads < 0 || options.max_batch < 1) {
    throw Error(ErrorCode::invalid_argument,
                concat("session: expected threads >= 0 and max_batch >= 1, found ", options.threads, " and ",
                       options.max_batch));
  }
  impl_->model = std::move(model);
  impl_->options = options;
  impl_->options.threads = engine::ThreadScope(options.threads).threads();
  impl_->plan();
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const Model& Session::model() const { return *impl_->model; }
const SessionOptions& Session::options() const { return impl_->options; }

std::span<float> Session::input(int n) {
  impl_->check(n);
  // The first tensor that the network places.
  const int size = impl_->model->config().input_size;
  return {reinterpret_cast<float*>(impl_->memory.data()), static_cast<std::size_t>(n) * size * size * 3};
}

void Session::prepare(int n) { impl_->program(n); }

void Session::run(int n) {
  const engine::Program& program = impl_->program(n);
  program.run();
  impl_->batch = n;
}

engine::Program& Session::program(int n) { return impl_->program(n); }

std::span<const float> Session::landmarks() const { return step_landmarks(impl_->model->config().steps - 1); }

std::span<const float> Session::pose() const { return impl_->result(impl_->results.pose, 6); }

std::span<const float> Session::uncertainty() const {
  return impl_->result(impl_->results.uncertainty, impl_->model->config().landmarks);
}

std::span<const UncertaintyFeatures> Session::uncertainty_features() const {
  return {impl_->results.uncertainty_features,
          static_cast<std::size_t>(impl_->batch) * impl_->model->config().landmarks};
}

std::span<const float> Session::initial_landmarks() const { return step_landmarks(-1); }

std::span<const float> Session::step_landmarks(int step) const {
  const auto index = static_cast<std::size_t>(step + 1);
  if (impl_->batch == 0) return {};
  return impl_->result(impl_->results.landmarks.at(index), 2 * impl_->model->config().landmarks);
}

std::vector<std::string> Session::intermediate_names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : impl_->taps) names.push_back(name);
  return names;
}

std::span<const float> Session::intermediate(std::string_view name) const {
  const auto found = impl_->taps.find(name);
  if (found == impl_->taps.end()) {
    throw Error(ErrorCode::invalid_argument, concat("intermediate: no such name, found '", name, "'"));
  }
  return found->second;
}

}  // namespace spiga::model
