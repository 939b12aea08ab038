// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/layer_store.h"

#include <stdexcept>

namespace spiga::model {

std::shared_ptr<const engine::PackedWeights> LayerStore::packed(const std::string& layer,
                                                                const engine::Kernel& kernel,
                                                                const Fold& fold) {
  const std::lock_guard lock(mutex_);
  Variants& variants = packed_[layer];
  for (const auto& variant : variants) {
    if (variant->fits(kernel)) return variant;
  }
  if (!variants.empty()) {
    variants.push_back(std::make_shared<const engine::PackedWeights>(kernel, *variants.front()));
  } else {
    if (source_ == nullptr) throw std::logic_error("layer " + layer + " was not loaded");
    const PlainWeights plain = fold(*source_);
    variants.push_back(std::make_shared<const engine::PackedWeights>(kernel, plain.weights, plain.bias));
  }
  return variants.back();
}

const float* LayerStore::constant(const std::string& name, const Make& make) {
  const std::lock_guard lock(mutex_);
  const auto found = constants_.find(name);
  if (found != constants_.end()) return found->second.data();
  if (source_ == nullptr) throw std::logic_error("constant " + name + " was not loaded");
  return constants_.emplace(name, make(*source_)).first->second.data();
}

std::size_t LayerStore::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [layer, variants] : packed_) {
    for (const auto& variant : variants) sum += variant->bytes();
  }
  for (const auto& [name, values] : constants_) sum += values.size() * sizeof(float);
  return sum;
}

}  // namespace spiga::model
