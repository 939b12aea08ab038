// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "model/weight_source.h"
#include "weights/safetensors.h"

namespace spiga::model {

// A model file's tensors. What has been read is handed back to the system, so that the file and what is made
// of it are never in memory together. The file must outlive this.
class FileWeights : public WeightSource {
 public:
  explicit FileWeights(const weights::SafetensorsFile& file) : file_(file) {}

  std::vector<float> read(std::string_view name, const std::vector<std::int64_t>& shape) override;

 private:
  const weights::SafetensorsFile& file_;
};

}  // namespace spiga::model
