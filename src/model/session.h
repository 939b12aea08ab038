// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/compiled_network.h"
#include "model/config.h"
#include "model/uncertainty.h"

namespace spiga::model {

struct SessionOptions {
  int threads = 0;     // of one run; 0 = OpenMP's default (OMP_NUM_THREADS or the number of processors)
  int max_batch = 16;  // faces of one run at most; address space, not memory, grows with it
  bool keep_intermediates = false;         // for tests: intermediate() works, at the cost of copies
  ActivationObserver* observer = nullptr;  // sees activations of each run; must outlive the session
};

// The workspace of one thread: fill input(n), run(n), read the results, which stay until the next run. One
// session serves one thread at a time; many sessions on one network may run in parallel threads and give the
// same bits as alone. Units: crop units are parts of the crop's side, so 0.5 is the middle.
class Session {
 public:
  // Throws Error(invalid_argument) where an option makes no sense or the network is a detector.
  explicit Session(std::shared_ptr<const CompiledNetwork> network, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const CompiledNetwork& network() const;
  const SessionOptions& options() const;

  // [n, S, S, 3]: n crops, B G R in [0, 1]; S = network().config().input_size. Always the same memory; a
  // larger n keeps what was written. Throws Error(invalid_argument) unless 1 <= n <= max_batch.
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
  std::span<const float> step_landmarks(
      int step) const;  // [n, L, 2] after step 0 <= step < network().config().steps

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
