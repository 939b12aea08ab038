// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/primitives.h"

namespace spiga::engine {

// One thing that a program does, on memory that it is tied to.
struct Step {
  std::string layer;               // of the network: "visual_cnn.pre.2.conv1"
  std::string operation;           // "convolution", "product", "scale-shift-relu", ...
  std::string shape;               // for people
  std::string implementation;      // oneDNN's name, or that of our own passes
  std::int64_t multiply_adds = 0;  // of convolutions and products; 0 for passes
  std::function<void()> run;

  bool is_product() const { return multiply_adds > 0; }
};

// Steps in order, for one batch size and number of threads. Owns the executions and their scratch; the memory
// that they read and write belongs to somebody else. One thread at a time.
class Program {
 public:
  explicit Program(int threads) : threads_(threads) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void add(std::string layer, Execution execution);
  void add(std::string layer, std::string operation, std::string shape, std::string_view implementation,
           std::function<void()> run);
  // After the last add: gives the executions their scratch.
  void finish();

  // Allocates nothing (oneDNN's bookkeeping per primitive aside).
  void run() const;
  // The convolutions and products alone, back to back, on the same memory: what the passes between them cost
  // is the difference to run(). Leaves nonsense in that memory.
  void run_products() const;
  // Seconds of each step: the best of `repeats` runs.
  std::vector<double> time_steps(int repeats) const;

  const std::vector<Step>& steps() const { return steps_; }
  int threads() const { return threads_; }
  std::int64_t multiply_adds() const;

 private:
  int threads_;
  std::vector<Step> steps_;
  std::vector<std::unique_ptr<Execution>> executions_;
  Arena scratch_;
};

}  // namespace spiga::engine
