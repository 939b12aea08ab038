// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/layer_store.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace spiga::model {
namespace {

// Each output channel's largest weight becomes 127.
RoundedWeights rounded(const PlainWeights& plain, float input_scale) {
  constexpr float kLargest = 127;
  const std::size_t channels = plain.bias.size(), each = plain.weights.size() / channels;
  RoundedWeights result{std::vector<std::int8_t>(plain.weights.size()), std::vector<float>(channels),
                        std::vector<float>(channels)};
  for (std::size_t o = 0; o < channels; ++o) {
    const float* row = plain.weights.data() + o * each;
    float largest = 0;
    for (std::size_t i = 0; i < each; ++i) largest = std::max(largest, std::abs(row[i]));
    const float step = largest > 0 ? largest / kLargest : 1;
    for (std::size_t i = 0; i < each; ++i) engine::store(result.weights[o * each + i], row[i] / step);
    result.steps[o] = step;
    result.bias[o] = plain.bias[o] / (step * input_scale);
  }
  return result;
}

}  // namespace

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
    variants.push_back(first_packed(layer, kernel, fold));
  }
  return variants.back();
}

std::shared_ptr<const engine::PackedWeights> LayerStore::first_packed(const std::string& layer,
                                                                      const engine::Kernel& kernel,
                                                                      const Fold& fold) {
  const auto rounded = rounded_.find(layer);
  if (rounded != rounded_.end()) {
    const std::vector<std::int8_t> weights = std::move(rounded->second.weights);
    rounded->second.weights = {};
    return std::make_shared<const engine::PackedWeights>(kernel, weights, rounded->second.bias);
  }
  if (source_ == nullptr) throw std::logic_error("layer " + layer + " was not loaded");
  const PlainWeights plain = fold(*source_);
  return std::make_shared<const engine::PackedWeights>(kernel, plain.weights, plain.bias);
}

const std::vector<float>& LayerStore::weight_steps(const std::string& layer, float input_scale,
                                                   const Fold& fold) {
  const std::lock_guard lock(mutex_);
  const auto found = rounded_.find(layer);
  if (found != rounded_.end()) return found->second.steps;
  if (source_ == nullptr) throw std::logic_error("layer " + layer + " was not loaded");
  return rounded_.emplace(layer, rounded(fold(*source_), input_scale)).first->second.steps;
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
  for (const auto& [layer, rounded] : rounded_)
    sum += (rounded.steps.size() + rounded.bias.size()) * sizeof(float) + rounded.weights.size();
  for (const auto& [name, values] : constants_) sum += values.size() * sizeof(float);
  return sum;
}

}  // namespace spiga::model
