// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/program.h"
#include "model/config.h"
#include "model/detector_config.h"
#include "model/quantization.h"
#include "model/uncertainty.h"
#include "spiga/precision.h"

namespace spiga::model {

using spiga::Precision;
class ActivationObserver;
class Builder;
class WeightSource;

// A network of landmarks or of a detector with its weights, ready to compute: batch norm folded into
// convolutions, weights packed once for this processor. Immutable and shared; safe from any thread.
class CompiledNetwork {
 public:
  // Reads a model file (docs/model-file.md) of either kind; the file is not needed afterwards. Throws
  // Error(not_found, bad_data) naming file and tensor; Error(unsupported) where bf16 or int8 is asked for and
  // this processor cannot compute it; Error(invalid_argument) where int8 is asked for and the file has no
  // scales.
  static std::shared_ptr<const CompiledNetwork> load(const std::filesystem::path& path,
                                                     Precision precision = Precision::automatic);
  // The same from tensors that come from anywhere; without a formula, default_uncertainty(). Throws
  // Error(bad_data) where a name in `quantization` is of nothing that may be stored as 8 bits.
  static std::shared_ptr<const CompiledNetwork> load(const NetworkConfig& config, WeightSource& weights,
                                                     Precision precision = Precision::automatic,
                                                     std::optional<UncertaintyFormula> uncertainty = {},
                                                     const Quantization& quantization = {});
  static std::shared_ptr<const CompiledNetwork> load(const DetectorConfig& config, WeightSource& weights,
                                                     Precision precision = Precision::automatic,
                                                     const Quantization& quantization = {});
  ~CompiledNetwork();

  bool is_detector() const;
  // Of a network of landmarks; Error(invalid_argument) of a detector, and the other way round.
  const NetworkConfig& config() const;
  const DetectorConfig& detector_config() const;
  const UncertaintyFormula& uncertainty() const;

  // What `automatic` came to: f32, bf16 or int8.
  Precision precision() const;
  // Bytes of packed weights in memory.
  std::size_t weight_bytes() const;

  // For sessions: what a program is compiled for.
  struct Run {
    int threads = 1;
    int batch = 1;
    int max_batch = 1;                                                       // memory is laid out for it
    std::map<std::string, std::vector<float>, std::less<>>* taps = nullptr;  // where tap() copies to
    ActivationObserver* observer = nullptr;                                  // of those that may have 8 bits
  };
  // Adds the network's layers to a builder; run once to lay out memory, once more to compile.
  using Walk = std::function<void(Builder&)>;

  std::size_t workspace_bytes(const Run& run, const Walk& walk) const;
  // The program works in `memory`, workspace_bytes() that must outlive it.
  std::unique_ptr<engine::Program> compile(const Run& run, std::byte* memory, const Walk& walk) const;

 private:
  struct Impl;
  using Config = std::variant<NetworkConfig, DetectorConfig>;
  static std::shared_ptr<const CompiledNetwork> load(std::unique_ptr<Impl> impl, WeightSource& weights,
                                                     Precision precision, const Walk& walk);
  explicit CompiledNetwork(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::model
