// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/uncertainty.h"
#include "spiga/precision.h"

namespace spiga::engine {
class Program;
}

namespace spiga::model {

using spiga::Precision;
class WeightSource;

// A network with its weights, ready to compute: batch norm folded into convolutions, weights packed once for
// this processor. Immutable and shared; safe from any thread.
class Model {
 public:
  struct Impl;

  // Reads a model file (docs/model-file.md); the file is not needed afterwards. Throws Error(not_found,
  // bad_data) naming file and tensor; Error(unsupported) where bf16 is asked for and this processor cannot
  // compute it.
  static std::shared_ptr<const Model> load(const std::filesystem::path& path,
                                           Precision precision = Precision::automatic);
  // The same from tensors that come from anywhere; without a formula, default_uncertainty().
  static std::shared_ptr<const Model> load(const NetworkConfig& config, WeightSource& weights,
                                           Precision precision = Precision::automatic,
                                           std::optional<UncertaintyFormula> uncertainty = {});
  ~Model();

  const NetworkConfig& config() const;
  // What `automatic` came to: f32 or bf16.
  Precision precision() const;
  // Bytes of packed weights in memory.
  std::size_t weight_bytes() const;

  Impl& impl() const { return *impl_; }

 private:
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct SessionOptions {
  int threads = 0;     // of one run; 0 = OpenMP's default (OMP_NUM_THREADS or the number of processors)
  int max_batch = 16;  // faces of one run at most; address space, not memory, grows with it
  bool keep_intermediates = false;  // for tests: intermediate() works, at the cost of copies
};

// The workspace of one thread: fill input(n), run(n), read the results, which stay until the next run. One
// session serves one thread at a time; many sessions on one model may run in parallel threads and give the
// same bits as alone. Units: crop units are parts of the crop's side, so 0.5 is the middle.
class Session {
 public:
  // Throws Error(invalid_argument) where an option makes no sense.
  explicit Session(std::shared_ptr<const Model> model, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const Model& model() const;
  const SessionOptions& options() const;

  // [n, S, S, 3]: n crops, B G R in [0, 1]; S = config().input_size. Always the same memory; a larger n keeps
  // what was written. Throws Error(invalid_argument) unless 1 <= n <= max_batch.
  std::span<float> input(int n);

  // Runs the network on the first n crops. The first run of a batch size compiles for it (milliseconds) and
  // allocates; later ones do neither.
  void run(int n);
  // That first run's preparation alone.
  void prepare(int n);

  // Of the last run:
  std::span<const float> landmarks() const;    // [n, L, 2] x, y in crop units
  std::span<const float> pose() const;         // [n, 6] yaw, pitch, roll in degrees, tx, ty, tz
  std::span<const float> uncertainty() const;  // [n, L] expected error in crop units
  std::span<const UncertaintyFeatures> uncertainty_features() const;  // [n, L] what uncertainty() is made of
  std::span<const float> initial_landmarks() const;                   // [n, L, 2] where the cascade started
  std::span<const float> step_landmarks(int step) const;  // [n, L, 2] after step 0 <= step < config().steps

  // For tests, with keep_intermediates: maps [n, H, W, channels] and matrices [n, rows, columns] as float32,
  // by the names that intermediate_names() lists.
  std::vector<std::string> intermediate_names() const;
  std::span<const float> intermediate(std::string_view name) const;

  // For benchmarks: the compiled steps of a batch size.
  engine::Program& program(int n);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::model
