// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/optimizer.h"

#include <ATen/Parallel.h>
#include <torch/nn/module.h>

#include <cmath>

namespace spiga::train {

FlatParameters::FlatParameters(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  std::int64_t total = 0;
  const auto parameters = module.named_parameters();
  for (const auto& item : parameters) {
    ranges_.push_back({item.key(), total, item.value().numel(), item.value().sizes().vec()});
    total += item.value().numel();
  }
  const auto options = parameters.is_empty() ? torch::TensorOptions() : parameters.begin()->value().options();
  values_ = torch::empty({total}, options.requires_grad(false));
  gradients_ = torch::zeros({total}, options.requires_grad(false));
  std::size_t index = 0;
  for (const auto& item : parameters) {
    const Range& range = ranges_[index++];
    torch::Tensor view = values_.narrow(0, range.begin, range.size).view(range.shape);
    view.copy_(item.value());
    torch::Tensor parameter = item.value();
    parameter.set_data(view);
    parameter.mutable_grad() = gradients_.narrow(0, range.begin, range.size).view(range.shape);
  }
}

torch::Tensor FlatParameters::mask_of(const std::vector<torch::Tensor>& trained) const {
  torch::Tensor mask = torch::zeros_like(values_);
  const float* base = values_.data_ptr<float>();
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

void adamw_on_cpu(float* value, const float* gradient, float* mean, float* variance, const float* mask,
                  const float* decay, std::int64_t count, const AdamWFactors& f) {
  at::parallel_for(0, count, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (mask[i] == 0) continue;
      const float g = gradient[i];
      const float m = f.keep1 * mean[i] + f.take1 * g;
      const float v = f.keep2 * variance[i] + f.take2 * g * g;
      mean[i] = m;
      variance[i] = v;
      const float kept = value[i] * (1 - f.decay * decay[i]);
      value[i] = kept - f.step_size * m / (std::sqrt(v) * f.correction + f.epsilon);
    }
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

double clip_gradients(torch::Tensor gradients, const torch::Tensor& mask, double max_norm) {
  torch::NoGradGuard no_grad;
  const double norm = (gradients * mask).norm().item<double>();
  if (norm > max_norm) gradients.mul_(max_norm / (norm + 1e-6));
  return norm;
}

void update_average(torch::Tensor average, const torch::Tensor& values, double decay) {
  torch::NoGradGuard no_grad;
  average.lerp_(values, 1 - decay);
}

}  // namespace spiga::train
