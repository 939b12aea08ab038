// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/export.h"

#include <functional>

#include "base/file.h"
#include "base/text.h"
#include "model/file_weights.h"
#include "model/tensors.h"
#include "onnx/network.h"
#include "spiga/error.h"

namespace spiga::onnx {
namespace {

// The parameters of a network are known before its weights are read.
void check_size(std::int64_t parameters, const std::filesystem::path& output) {
  constexpr std::int64_t kMostParameters = 500'000'000;  // 2 GB of float32
  if (parameters >= kMostParameters) {
    throw Error(ErrorCode::unsupported, base::concat(output.native(), ": ONNX files hold fewer than ",
                                                     kMostParameters, " numbers, found ", parameters));
  }
}

std::size_t write(const std::filesystem::path& output, const std::function<Graph()>& build,
                  const weights::Metadata& metadata) {
  base::AtomicFile file(output);  // says so now where it cannot be written
  const std::string bytes = build().model(metadata);
  file.write(bytes);
  file.commit();
  return bytes.size();
}

std::size_t write_detector(const model::DetectorConfig& config, model::WeightSource& weights,
                           const weights::Metadata& metadata, const std::filesystem::path& output) {
  std::int64_t parameters = 0;
  for (const model::TensorSpec& spec : model::detector_tensors(config)) parameters += spec.elements();
  check_size(parameters, output);
  return write(
      output, [&] { return build_graph(config, weights); }, metadata);
}

}  // namespace

std::size_t write_network(const model::ModelInfo& info, model::WeightSource& weights,
                          const std::filesystem::path& output) {
  check_size(model::parameter_count(info.config), output);
  const model::UncertaintyFormula uncertainty =
      info.uncertainty.value_or(model::default_uncertainty(info.config.initial_shape));
  return write(
      output, [&] { return build_graph(info.config, weights, uncertainty); }, model::metadata_of(info));
}

std::size_t write_detector(const model::DetectorConfig& config, model::WeightSource& weights,
                           const std::filesystem::path& output) {
  return write_detector(config, weights, {}, output);
}

std::size_t convert_model(const std::filesystem::path& path, const std::filesystem::path& output) {
  const weights::SafetensorsFile file(path);
  model::FileWeights weights(file);
  if (model::is_detector_file(file))
    return write_detector(model::read_detector_config(file), weights, file.metadata(), output);
  return write_network(model::read_info(file), weights, output);
}

}  // namespace spiga::onnx
