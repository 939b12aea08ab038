// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/primitives.h"
#include "model/weight_source.h"

namespace spiga::model {

// Weights of one convolution or product as plain arrays: [out, in, k, k] or [out, in], and [out].
struct PlainWeights {
  std::vector<float> weights;
  std::vector<float> bias;
};

// Weights of one convolution or product over 8-bit activations: steps[o] times the whole number is the
// weight.
struct RoundedWeights {
  std::vector<std::int8_t> weights;  // empty once they are packed
  std::vector<float> steps;          // one for each output channel or column
  std::vector<float> bias;           // in steps of the sums
};

// What a network knows: weights packed per layer, constants as plain arrays. While loading, what is asked for
// is read, folded and kept; afterwards it is only handed out, to any number of threads.
class LayerStore {
 public:
  using Fold = std::function<PlainWeights(WeightSource&)>;
  using Make = std::function<std::vector<float>(WeightSource&)>;

  // From here until finish_loading, layers are read from `source`.
  void start_loading(WeightSource& source) { source_ = &source; }
  void finish_loading() { source_ = nullptr; }

  // The layer's weights in the layout that the kernel wants; another layout than before is made and kept.
  std::shared_ptr<const engine::PackedWeights> packed(const std::string& layer, const engine::Kernel& kernel,
                                                      const Fold& fold);
  // The steps of a layer whose input is stored as 8 bits of this scale.
  const std::vector<float>& weight_steps(const std::string& layer, float input_scale, const Fold& fold);
  // The constant of this name; the pointer is good for the store's life.
  const float* constant(const std::string& name, const Make& make);

  std::size_t bytes() const;

 private:
  using Variants = std::vector<std::shared_ptr<const engine::PackedWeights>>;

  std::shared_ptr<const engine::PackedWeights> first_packed(const std::string& layer,
                                                            const engine::Kernel& kernel, const Fold& fold);

  WeightSource* source_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, Variants> packed_;
  std::map<std::string, RoundedWeights> rounded_;
  std::map<std::string, std::vector<float>> constants_;
};

}  // namespace spiga::model
