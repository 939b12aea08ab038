// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/session.h"

#include <map>
#include <utility>

#include "base/text.h"
#include "engine/parallel.h"
#include "model/engine_layers.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;

}  // namespace

struct Session::Impl {
  std::shared_ptr<const CompiledNetwork> network;
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

  CompiledNetwork::Run run_of(int n) {
    return {.threads = options.threads,
            .batch = n,
            .max_batch = options.max_batch,
            .taps = options.keep_intermediates ? &taps : nullptr,
            .observer = options.observer};
  }
  CompiledNetwork::Walk walk() {
    return [this](Builder& builder) {
      results = build_network(builder, network->config(), network->uncertainty());
    };
  }

  engine::Program& program(int n) {
    check(n);
    auto& program = programs[n];
    // Copies of intermediate values belong to one batch size.
    if (!program || options.keep_intermediates) program = network->compile(run_of(n), memory.data(), walk());
    return *program;
  }

  std::span<const float> result(const float* values, int per_face) const {
    return {values, static_cast<std::size_t>(batch) * per_face};
  }
};

Session::Session(std::shared_ptr<const CompiledNetwork> network, const SessionOptions& options)
    : impl_(std::make_unique<Impl>()) {
  if (options.threads < 0 || options.max_batch < 1) {
    throw Error(ErrorCode::invalid_argument,
                concat("session: expected threads >= 0 and max_batch >= 1, found ", options.threads, " and ",
                       options.max_batch));
  }
  impl_->network = std::move(network);
  impl_->options = options;
  impl_->options.threads = engine::ThreadScope(options.threads).threads();
  impl_->memory =
      engine::Arena(impl_->network->workspace_bytes(impl_->run_of(options.max_batch), impl_->walk()));
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const CompiledNetwork& Session::network() const { return *impl_->network; }
const SessionOptions& Session::options() const { return impl_->options; }

std::span<float> Session::input(int n) {
  impl_->check(n);
  // The first tensor that the network places.
  const int size = impl_->network->config().input_size;
  return {reinterpret_cast<float*>(impl_->memory.data()), static_cast<std::size_t>(n) * size * size * 3};
}

void Session::prepare(int n) { impl_->program(n); }

void Session::run(int n) {
  const engine::Program& program = impl_->program(n);
  program.run();
  impl_->batch = n;
}

engine::Program& Session::program(int n) { return impl_->program(n); }

std::span<const float> Session::landmarks() const {
  return step_landmarks(impl_->network->config().steps - 1);
}

std::span<const float> Session::pose() const { return impl_->result(impl_->results.pose, 6); }

std::span<const float> Session::uncertainty() const {
  return impl_->result(impl_->results.uncertainty, impl_->network->config().landmarks);
}

std::span<const UncertaintyFeatures> Session::uncertainty_features() const {
  return {impl_->results.uncertainty_features,
          static_cast<std::size_t>(impl_->batch) * impl_->network->config().landmarks};
}

std::span<const float> Session::initial_landmarks() const { return step_landmarks(-1); }

std::span<const float> Session::step_landmarks(int step) const {
  const auto index = static_cast<std::size_t>(step + 1);
  if (impl_->batch == 0) return {};
  return impl_->result(impl_->results.landmarks.at(index), 2 * impl_->network->config().landmarks);
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
