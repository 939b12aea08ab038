// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/import.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "model/tensors.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "weights/torch_checkpoint.h"

namespace spiga::model {
namespace {

using base::concat;
using base::printable;
using weights::DType;
using weights::PickledTensor;
using weights::TorchCheckpoint;

constexpr const char* kEdgeMatrix = "visual_cnn.E2Ptransform.edge2point";

// Everything that is wrong with a checkpoint's list of tensors, to be said at once.
class Complaints {
 public:
  void missing(const TensorSpec& spec) { missing_.push_back(spec.name); }
  void unknown(const PickledTensor& tensor) { unknown_.push_back(printable(tensor.name, 200)); }
  void misshapen(const TensorSpec& spec, const PickledTensor& tensor) {
    misshapen_.push_back(concat(spec.name, " (expected ", weights::to_string(spec.shape), ", found ",
                                weights::to_string(tensor.shape), ")"));
  }
  void wrong_dtype(const TensorSpec& spec, const PickledTensor& tensor) {
    wrong_dtype_.push_back(concat(spec.name, " (", weights::name_of(tensor.dtype), ")"));
  }

  // `weights` is how many there must be: where not one is there, their names would say nothing.
  void throw_if_any(const std::filesystem::path& checkpoint, const NetworkConfig& config,
                    std::size_t weights) const {
    std::vector<std::string> parts;
    if (missing_.size() == weights) {
      parts.push_back(concat("none of its ", weights, " tensors found"));
    } else {
      add(parts, "missing", missing_);
    }
    add(parts, "unknown", unknown_);
    add(parts, "of another shape", misshapen_);
    add(parts, "not of floating point", wrong_dtype_);
    if (parts.empty()) return;
    throw Error(ErrorCode::bad_data, concat(checkpoint.native(), ": not the network of ", config.database,
                                            ": ", base::join(parts, "; ")));
  }

 private:
  static void add(std::vector<std::string>& parts, const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) parts.push_back(concat(what, " (", names.size(), "): ", base::join(names)));
  }

  std::vector<std::string> missing_, unknown_, misshapen_, wrong_dtype_;
};

using TensorsByName = std::unordered_map<std::string_view, const PickledTensor*>;

TensorsByName by_name(const TorchCheckpoint& checkpoint) {
  TensorsByName tensors;
  for (const PickledTensor& tensor : checkpoint.tensors()) tensors.emplace(tensor.name, &tensor);
  return tensors;
}

// Holds the checkpoint's list against the network's; takes out of `found` what the network knows. A constant
// or counter may be absent (PyTorch saves buffers only if told to), a weight may not.
void check_known(const std::vector<TensorSpec>& specs, TensorsByName& found, ImportResult& result,
                 Complaints& complaints) {
  for (const TensorSpec& spec : specs) {
    const auto at = found.find(spec.name);
    if (at == found.end()) {
      if (spec.role == TensorRole::weight) complaints.missing(spec);
      continue;
    }
    const PickledTensor& tensor = *at->second;
    found.erase(at);
    if (tensor.shape != spec.shape) {
      complaints.misshapen(spec, tensor);
    } else if (spec.role != TensorRole::weight) {
      ++result.constants;
    } else if (!weights::is_floating_point(tensor.dtype)) {
      complaints.wrong_dtype(spec, tensor);
    }
  }
}

ImportResult check_names_and_shapes(const TorchCheckpoint& checkpoint, const NetworkConfig& config) {
  ImportResult result;
  Complaints complaints;
  TensorsByName found = by_name(checkpoint);
  const std::vector<TensorSpec> specs = checkpoint_tensors(config);
  check_known(specs, found, result, complaints);
  for (const PickledTensor& tensor : checkpoint.tensors()) {
    if (!found.contains(tensor.name)) continue;
    if (is_training_only(tensor.name, config)) {
      ++result.training_only;
    } else {
      complaints.unknown(tensor);
    }
  }
  const auto weights = std::count_if(specs.begin(), specs.end(),
                                     [](const TensorSpec& spec) { return spec.role == TensorRole::weight; });
  complaints.throw_if_any(checkpoint.path(), config, static_cast<std::size_t>(weights));
  return result;
}

std::vector<float> read_floats(const TorchCheckpoint& checkpoint, const PickledTensor& tensor) {
  const std::vector<std::uint8_t> bytes = checkpoint.read(tensor);
  const weights::TensorView view{tensor.dtype, tensor.shape, bytes};
  weights::require_finite(view, tensor.name, checkpoint.path().native());
  return weights::to_float32(view);
}

void check_edge_matrix(const TorchCheckpoint& checkpoint, const TensorsByName& tensors,
                       const NetworkConfig& config) {
  const auto found = tensors.find(kEdgeMatrix);
  if (found == tensors.end()) return;
  if (read_floats(checkpoint, *found->second) != scheme::find_database(config.database).edge2point) {
    throw Error(ErrorCode::bad_data,
                concat(checkpoint.path().native(), ": tensor '", kEdgeMatrix,
                       "': expected the landmarks and edges of ", config.database, ", found others"));
  }
}

}  // namespace

NetworkConfig published_config(std::string_view database) {
  const scheme::Database& known = scheme::find_database(database);
  NetworkConfig config = named_config(known.landmarks == 98 ? "wflw-full" : "300w-full");
  config.database = known.name;
  return config;
}

ImportResult import_checkpoint(const std::filesystem::path& checkpoint_path, const ModelInfo& info,
                               const std::filesystem::path& output, DType storage) {
  const TorchCheckpoint checkpoint(checkpoint_path);
  ImportResult result = check_names_and_shapes(checkpoint, info.config);
  const TensorsByName tensors = by_name(checkpoint);
  check_edge_matrix(checkpoint, tensors, info.config);
  const std::vector<TensorSpec> specs = expected_tensors(info.config);
  std::vector<std::vector<std::uint8_t>> values;
  std::vector<weights::NamedTensor> written;
  for (const TensorSpec& spec : specs) {
    values.push_back(weights::from_float32(read_floats(checkpoint, *tensors.at(spec.name)), storage));
    written.push_back({spec.name, {storage, spec.shape, values.back()}});
    weights::require_finite(written.back().tensor, spec.name,
                            concat("stored as ", weights::name_of(storage)));
    result.parameters += spec.elements();
  }
  weights::write_safetensors(output, written, metadata_of(info));
  result.tensors = written.size();
  return result;
}

}  // namespace spiga::model
