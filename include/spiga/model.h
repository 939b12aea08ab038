// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "spiga/precision.h"

namespace spiga {

namespace model {
class CompiledNetwork;
}

enum class ModelKind { landmarks, detector };

// A network with its weights, read from a model file once: landmarkers or detectors are made from it and
// share it. Immutable and safe from any thread; copies are the same model.
class Model {
 public:
  // Reads a model file (safetensors, docs/model-file.md), which is not needed afterwards. Throws
  // Error(not_found, bad_data) naming file and tensor; Error(unsupported) where bf16 is asked for and this
  // processor cannot compute it.
  static Model load(const std::string& path, Precision precision = Precision::automatic);

  ModelKind kind() const;
  // The precision that runs: never `automatic`.
  Precision precision() const;
  // Of the packed weights in memory.
  std::size_t weight_bytes() const;
  // The file that it was read from.
  const std::string& path() const { return path_; }

  // For the library itself. Throws Error(bad_data) naming the file where the model is of another kind.
  const std::shared_ptr<const model::CompiledNetwork>& network(ModelKind kind) const;

 private:
  Model(std::string path, std::shared_ptr<const model::CompiledNetwork> network);

  std::string path_;
  std::shared_ptr<const model::CompiledNetwork> network_;
};

}  // namespace spiga
