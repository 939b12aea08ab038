// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/export.h"

#include "base/file.h"
#include "base/text.h"
#include "model/file_weights.h"
#include "model/tensors.h"
#include "onnx/network.h"
#include "spiga/error.h"

namespace spiga::onnx {

std::size_t write_network(const model::ModelInfo& info, model::WeightSource& weights,
                          const std::filesystem::path& output) {
  constexpr std::int64_t kMostParameters = 500'000'000;  // 2 GB of float32
  const std::int64_t parameters = model::parameter_count(info.config);
  if (parameters >= kMostParameters) {
    throw Error(ErrorCode::unsupported, base::concat(output.native(), ": ONNX files hold fewer than ",
                                                     kMostParameters, " numbers, found ", parameters));
  }
  const model::UncertaintyFormula uncertainty =
      info.uncertainty.value_or(model::default_uncertainty(info.config.initial_shape));
  base::AtomicFile file(output);  // says so now where it cannot be written
  const std::string bytes = build_graph(info.config, weights, uncertainty).model(model::metadata_of(info));
  file.write(bytes);
  file.commit();
  return bytes.size();
}

std::size_t convert_model(const std::filesystem::path& path, const std::filesystem::path& output) {
  const weights::SafetensorsFile file(path);
  model::FileWeights weights(file);
  return write_network(model::read_info(file), weights, output);
}

}  // namespace spiga::onnx
