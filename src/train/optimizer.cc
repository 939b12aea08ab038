// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/optimizer.h"

#include <ATen/Parallel.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace spiga::train {

namespace {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

NamedTensors parameters_of(torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

}  // namespace

FlatTensors::FlatTensors(const NamedTensors& tensors) {
  torch::NoGradGuard no_grad;
  std::int64_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    ranges_.push_back({name, total, tensor.numel(), tensor.sizes().vec()});
    total += tensor.numel();
  }
  const auto options = tensors.empty() ? torch::TensorOptions() : tensors.front().second.options();
  values_ = torch::empty({total}, options.requires_grad(false));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    torch::Tensor tensor = tensors[i].second;
    const torch::Tensor view = values_.narrow(0, ranges_[i].begin, ranges_[i].size).view(ranges_[i].shape);
    view.copy_(tensor);
    tensor.set_data(view);
  }
}

FlatParameters::FlatParameters(torch::nn::Module& module) : FlatTensors(parameters_of(module)) {
  gradients_ = torch::zeros_like(values());
  std::size_t index = 0;
  for (torch::Tensor& parameter : module.parameters()) {
    const Range& range = ranges()[index++];
    parameter.mutable_grad() = gradients_.narrow(0, range.begin, range.size).view(range.shape);
  }
}

FlatTensors flat_buffers(torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_buffers())
    if (item.value().is_floating_point()) tensors.emplace_back(item.key(), item.value());
  return FlatTensors(tensors);
}

torch::Tensor FlatParameters::mask_of(const std::vector<torch::Tensor>& trained) const {
  torch::Tensor mask = torch::zeros_like(values());
  const float* base = values().data_ptr<float>();
  for (const torch::Tensor& parameter : trained)
    mask.narrow(0, parameter.data_ptr<float>() - base, parameter.numel()).fill_(1);
  return mask;
}

namespace {

struct AdamWFactors {
  float keep1, take1, keep2, take2, step_size, correction, epsilon, decay;
};

AdamWFactors factors_of(std::int64_t steps, double learning_rate, const AdamWOptions& options) {
  const double bias1 = 1 - std::pow(options.beta1, static_cast<double>(steps));
  const double bias2 = 1 - std::pow(options.beta2, static_cast<double>(steps));
  return {
      static_cast<float>(options.beta1),         static_cast<float>(1 - options.beta1),
      static_cast<float>(options.beta2),         static_cast<float>(1 - options.beta2),
      static_cast<float>(learning_rate / bias1), static_cast<float>(1 / std::sqrt(bias2)),
      static_cast<float>(options.epsilon),       static_cast<float>(learning_rate * options.weight_decay)};
}

constexpr std::int64_t kBlock = 2048;  // elements that are looked at together

// How much of a block the mask marks.
enum class Marked { none, some, all };

Marked marked(const float* mask, std::int64_t count) {
  std::int64_t ones = 0;
  for (std::int64_t i = 0; i < count; ++i) ones += mask[i] != 0;
  return ones == 0 ? Marked::none : ones == count ? Marked::all : Marked::some;
}

// Calls body(begin, count, marked) for every block of which something is marked. Most stages train a part of
// the network, and memory is what these passes wait for.
template <typename Body>
void for_marked_blocks(const float* mask, std::int64_t count, Body body) {
  at::parallel_for(0, (count + kBlock - 1) / kBlock, 32, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      const std::int64_t begin = block * kBlock, size = std::min(kBlock, count - begin);
      const Marked part = marked(mask + begin, size);
      if (part != Marked::none) body(begin, size, part);
    }
  });
}

// Without branches, so that it becomes vector instructions.
void adamw_block(float* value, const float* gradient, float* mean, float* variance, const float* decay,
                 std::int64_t count, const AdamWFactors& f) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i];
    const float m = f.keep1 * mean[i] + f.take1 * g;
    const float v = f.keep2 * variance[i] + f.take2 * g * g;
    mean[i] = m;
    variance[i] = v;
    const float kept = value[i] * (1 - f.decay * decay[i]);
    value[i] = kept - f.step_size * m / (std::sqrt(v) * f.correction + f.epsilon);
  }
}

void adamw_on_cpu(float* value, const float* gradient, float* mean, float* variance, const float* mask,
                  const float* decay, std::int64_t count, const AdamWFactors& f) {
  for_marked_blocks(mask, count, [&](std::int64_t begin, std::int64_t size, Marked part) {
    const auto update = [&](std::int64_t at, std::int64_t n) {
      adamw_block(value + at, gradient + at, mean + at, variance + at, decay + at, n, f);
    };
    if (part == Marked::all) return update(begin, size);
    for (std::int64_t i = begin; i < begin + size; ++i)
      if (mask[i] != 0) update(i, 1);
  });
}

// Sum of squares where marked; block by block, so that the number of threads changes nothing.
double squared_norm_on_cpu(const float* gradient, const float* mask, std::int64_t count) {
  std::vector<double> sums(static_cast<std::size_t>((count + kBlock - 1) / kBlock));
  for_marked_blocks(mask, count, [&](std::int64_t begin, std::int64_t size, Marked) {
    constexpr int kLanes = 16;
    float lanes[kLanes] = {};
    std::int64_t i = begin;
    for (; i + kLanes <= begin + size; i += kLanes)
      for (int k = 0; k < kLanes; ++k) {
        const float g = gradient[i + k] * mask[i + k];
        lanes[k] += g * g;
      }
    double sum = 0;
    for (; i < begin + size; ++i) sum += static_cast<double>(gradient[i] * mask[i]) * gradient[i];
    for (const float lane : lanes) sum += lane;
    sums[static_cast<std::size_t>(begin / kBlock)] = sum;
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

void scale_on_cpu(float* gradient, const float* mask, std::int64_t count, float factor) {
  for_marked_blocks(mask, count, [&](std::int64_t begin, std::int64_t size, Marked) {
    for (std::int64_t i = begin; i < begin + size; ++i) gradient[i] *= factor;
  });
}

}  // namespace

void adamw_step(torch::Tensor values, const torch::Tensor& gradients, AdamWState& state,
                const torch::Tensor& mask, const torch::Tensor& decay, double learning_rate,
                const AdamWOptions& options) {
  torch::NoGradGuard no_grad;
  ++state.steps;
  const AdamWFactors f = factors_of(state.steps, learning_rate, options);
  if (values.is_cpu()) {
    adamw_on_cpu(values.data_ptr<float>(), gradients.data_ptr<float>(), state.mean.data_ptr<float>(),
                 state.variance.data_ptr<float>(), mask.data_ptr<float>(), decay.data_ptr<float>(),
                 values.numel(), f);
    return;
  }
  const torch::Tensor g = gradients * mask;
  state.mean.mul_(f.keep1).add_(g, f.take1).mul_(mask);
  state.variance.mul_(f.keep2).addcmul_(g, g, f.take2).mul_(mask);
  values.mul_(1 - f.decay * decay * mask);
  values.addcdiv_(state.mean, state.variance.sqrt().mul_(f.correction).add_(f.epsilon), -f.step_size);
}

torch::Tensor clip_gradients(torch::Tensor gradients, const torch::Tensor& mask, double max_norm) {
  torch::NoGradGuard no_grad;
  if (gradients.is_cpu()) {
    float* values = gradients.data_ptr<float>();
    const float* marks = mask.data_ptr<float>();
    const double found = std::sqrt(squared_norm_on_cpu(values, marks, gradients.numel()));
    if (!(found <= max_norm))
      scale_on_cpu(values, marks, gradients.numel(), static_cast<float>(max_norm / (found + 1e-6)));
    return torch::full({}, found, torch::kFloat32);
  }
  const torch::Tensor norm = (gradients * mask).norm();
  gradients.mul_((max_norm / (norm + 1e-6)).clamp_max(1));
  return norm;
}

void update_average(torch::Tensor average, const torch::Tensor& values, double decay) {
  torch::NoGradGuard no_grad;
  average.lerp_(values, 1 - decay);
}

}  // namespace spiga::train
