// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/model.h"

#include <utility>

#include "model/compiled_network.h"
#include "spiga/error.h"

namespace spiga {
namespace {

const char* name_of(ModelKind kind) {
  return kind == ModelKind::detector ? "a detector" : "a network of landmarks";
}

}  // namespace

Model::Model(std::string path, std::shared_ptr<const model::CompiledNetwork> network)
    : path_(std::move(path)), network_(std::move(network)) {}

Model Model::load(const std::string& path, Precision precision) {
  return {path, model::CompiledNetwork::load(path, precision)};
}

ModelKind Model::kind() const { return network_->is_detector() ? ModelKind::detector : ModelKind::landmarks; }
Precision Model::precision() const { return network_->precision(); }
std::size_t Model::weight_bytes() const { return network_->weight_bytes(); }

const std::shared_ptr<const model::CompiledNetwork>& Model::network(ModelKind wanted) const {
  if (kind() != wanted) {
    throw Error(ErrorCode::bad_data,
                path_ + ": expected the model file of " + name_of(wanted) + ", found " + name_of(kind()));
  }
  return network_;
}

}  // namespace spiga
