// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/program.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/parallel.h"

namespace spiga::engine {

void Program::add(std::string layer, Execution execution) {
  executions_.push_back(std::make_unique<Execution>(std::move(execution)));
  const Execution* bound = executions_.back().get();
  const Kernel& kernel = bound->kernel();
  const bool convolution = std::holds_alternative<ConvolutionSpec>(kernel.spec());
  steps_.push_back({.layer = std::move(layer),
                    .operation = convolution ? "convolution" : "product",
                    .shape = to_string(kernel.spec()),
                    .implementation = std::string(kernel.implementation()),
                    .multiply_adds = engine::multiply_adds(kernel.spec()),
                    .run = [bound] { bound->run(); }});
}

void Program::add(std::string layer, std::string operation, std::string shape,
                  std::string_view implementation, std::function<void()> run) {
  steps_.push_back({.layer = std::move(layer),
                    .operation = std::move(operation),
                    .shape = std::move(shape),
                    .implementation = std::string(implementation),
                    .multiply_adds = 0,
                    .run = std::move(run)});
}

void Program::finish() {
  std::size_t bytes = 0;
  for (const auto& execution : executions_) bytes = std::max(bytes, execution->kernel().scratch_bytes());
  scratch_ = Arena(bytes);
  for (const auto& execution : executions_) execution->set_scratch(scratch_.data());
}

void Program::run() const {
  const ThreadScope scope(threads_);
  for (const Step& step : steps_) step.run();
}

void Program::run_products() const {
  const ThreadScope scope(threads_);
  for (const auto& execution : executions_) execution->run();
}

std::vector<double> Program::time_steps(int repeats) const {
  using Clock = std::chrono::steady_clock;
  const ThreadScope scope(threads_);
  std::vector<double> best(steps_.size(), std::numeric_limits<double>::infinity());
  for (int i = 0; i < repeats; ++i) {
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      const auto start = Clock::now();
      steps_[s].run();
      best[s] = std::min(best[s], std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
  return best;
}

std::int64_t Program::multiply_adds() const {
  std::int64_t sum = 0;
  for (const Step& step : steps_) sum += step.multiply_adds;
  return sum;
}

}  // namespace spiga::engine
