// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/export.h"

#include <list>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "model/model_file.h"
#include "model/tensors.h"
#include "spiga/error.h"
#include "weights/safetensors.h"

namespace spiga::train {
namespace {

using weights::DType;
using weights::TensorView;

// Published checkpoints carry a skip convolution in every residual block; where the block does not change its
// number of channels nothing reads it, and our networks have none.
bool is_unused_skip(const model::TensorSpec& spec) {
  return spec.name.ends_with(".skip_layer.conv.weight") && spec.shape[0] == spec.shape[1];
}

// Converted tensors of one model file and the bytes they point to.
class Converter {
 public:
  Converter(DType matrices, std::string where) : matrices_(matrices), where_(std::move(where)) {}

  void add(const std::string& name, const TensorView& tensor) {
    weights::require_finite(tensor, name, where_);
    const DType dtype = tensor.shape.size() > 1 ? matrices_ : DType::f32;
    bytes_.push_back(weights::from_float32(weights::to_float32(tensor), dtype));
    const TensorView converted = {dtype, tensor.shape, bytes_.back()};
    if (weights::first_non_finite(converted))
      throw Error(ErrorCode::bad_data, base::concat(where_, ": tensor '", name,
                                                    "': a value is too large for ", weights::name_of(dtype)));
    tensors_.push_back({name, converted});
  }

  const std::vector<weights::NamedTensor>& tensors() const { return tensors_; }

 private:
  DType matrices_;
  std::string where_;
  std::list<std::vector<std::uint8_t>> bytes_;
  std::vector<weights::NamedTensor> tensors_;
};

constexpr const char* kDetector = "spiga.detector";

// A detector's: all averaged tensors, which are those without a prefix.
ExportSummary export_detector(const weights::SafetensorsFile& file, const std::filesystem::path& model,
                              const ExportOptions& options) {
  Converter converter(options.matrices, file.path().string());
  ExportSummary summary;
  for (const weights::NamedTensor& one : file.tensors()) {
    if (one.name.find('/') != std::string::npos) continue;
    converter.add(one.name, one.tensor);
    summary.parameters += one.tensor.count();
  }
  weights::write_safetensors(model, converter.tensors(),
                             {{kDetector, file.metadata().at(kDetector)},
                              {"spiga.provenance", options.provenance},
                              {"spiga.licence", options.licence}});
  summary.tensors = converter.tensors().size();
  summary.bytes = base::file_size(model);
  return summary;
}

}  // namespace

ExportSummary export_model(const std::filesystem::path& checkpoint, const std::filesystem::path& model,
                           const ExportOptions& options) {
  const weights::SafetensorsFile file(checkpoint);
  if (file.metadata().contains(kDetector)) return export_detector(file, model, options);
  const model::NetworkConfig config = model::read_info(file).config;
  Converter converter(options.matrices, checkpoint.string());
  ExportSummary summary;
  for (const model::TensorSpec& spec : model::expected_tensors(config)) {
    if (is_unused_skip(spec)) continue;
    converter.add(spec.name, file.at(spec.name, spec.shape));
    summary.parameters += spec.elements();
  }
  weights::write_safetensors(model, converter.tensors(),
                             model::metadata_of({config, options.provenance, options.licence}));
  summary.tensors = converter.tensors().size();
  summary.bytes = base::file_size(model);
  return summary;
}

}  // namespace spiga::train
