// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/fused.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "train/kernels.h"

namespace spiga::train {
namespace {

using kernels::Element;
using kernels::Rows;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kMomentum = 0.1;
constexpr double kEpsilon = 1e-5;
constexpr std::int64_t kGroupRows = 512;  // rows that one partial sum covers

std::atomic<bool> fused_on{true};

bool is_fused(const torch::Tensor& x) {
  return fused_on && x.is_cpu() &&
         (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
}

Element element_of(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat32 ? Element::f32 : Element::bf16;
}

// In memory as rows of channels.
torch::Tensor as_rows(const torch::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(torch::MemoryFormat::ChannelsLast) : x.contiguous();
}

const char* at_element(const torch::Tensor& x, std::int64_t offset) {
  return static_cast<const char*>(x.data_ptr()) + offset * static_cast<std::int64_t>(x.element_size());
}
char* at_element(torch::Tensor& x, std::int64_t offset) {
  return static_cast<char*>(x.data_ptr()) + offset * static_cast<std::int64_t>(x.element_size());
}

// How the rows of x lie against those of y: side by side, or as depth-to-space has them. Work is cut into
// groups that do not depend on the number of threads.
class Layout {
 public:
  static Layout plain(const torch::Tensor& x) {
    Layout layout;
    layout.channels_ = x.size(1);
    layout.rows_ = x.numel() / layout.channels_;
    layout.groups_ = (layout.rows_ + kGroupRows - 1) / kGroupRows;
    return layout;
  }

  static Layout shuffled(const torch::Tensor& wide) {
    Layout layout;
    layout.channels_ = wide.size(1) / 4;
    layout.rows_ = wide.numel() / layout.channels_;
    layout.height_ = wide.size(2);
    layout.width_ = wide.size(3);
    layout.groups_ = wide.size(0);
    return layout;
  }

  std::int64_t channels() const { return channels_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t groups() const { return groups_; }

  // Calls body(group, rows, offset in x, stride in x, offset in y, stride in y) for every piece.
  template <class Body>
  void for_pieces(Body body) const {
    at::parallel_for(0, groups_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t group = begin; group < end; ++group)
        width_ == 0 ? plain_group(group, body) : image(group, body);
    });
  }

 private:
  template <class Body>
  void plain_group(std::int64_t group, Body& body) const {
    const std::int64_t first = group * kGroupRows, count = std::min(kGroupRows, rows_ - first);
    body(group, Rows{1, count, channels_}, first * channels_, std::int64_t{0}, first * channels_,
         std::int64_t{0});
  }

  // Pixels (2 w, 2 w + 1) of an output line are adjacent in both memories.
  template <class Body>
  void image(std::int64_t image, Body& body) const {
    const std::int64_t line = 2 * width_ * channels_;
    for (std::int64_t h = 0; h < height_; ++h)
      for (std::int64_t i = 0; i < 2; ++i)
        body(image, Rows{width_, 2, channels_}, (image * height_ + h) * 2 * line + i * 2 * channels_,
             4 * channels_, ((image * height_ + h) * 2 + i) * line, 2 * channels_);
  }

  std::int64_t channels_ = 0, rows_ = 0, groups_ = 0;
  std::int64_t height_ = 0, width_ = 0;  // 0: plain
};

// Adds up the groups' sums: [2, C] float64.
torch::Tensor total(const torch::Tensor& partial) { return partial.to(torch::kFloat64).sum(0); }

// Rows of the [4, C] float32 tensor that a normalisation keeps for its gradient.
enum Statistic { kScale, kShift, kMean, kInverse };

torch::Tensor batch_statistics(const torch::Tensor& x, const Layout& layout,
                               const torch::Tensor& running_mean, const torch::Tensor& running_var) {
  const std::int64_t channels = layout.channels();
  // Sums of differences to a pixel: no cancellation where the mean is large.
  const torch::Tensor pivot = x.as_strided({channels}, {1}).to(torch::kFloat32);
  torch::Tensor partial = torch::zeros({layout.groups(), 2, channels}, torch::kFloat32);
  const auto& table = kernels::best();
  layout.for_pieces([&](std::int64_t group, const Rows& rows, std::int64_t x_at, std::int64_t x_stride,
                        std::int64_t, std::int64_t) {
    table.moments(element_of(x), rows, at_element(x, x_at), x_stride, pivot.data_ptr<float>(),
                  partial.data_ptr<float>() + group * 2 * channels);
  });
  const torch::Tensor sums = total(partial);
  const auto count = static_cast<double>(layout.rows());
  torch::Tensor result = torch::empty({2, channels}, torch::kFloat32);
  const double *sum = sums.data_ptr<double>(), *square = sum + channels;
  float *mean = result.data_ptr<float>(), *variance = mean + channels;
  float *moving_mean = running_mean.data_ptr<float>(), *moving_variance = running_var.data_ptr<float>();
  const float* centre = pivot.data_ptr<float>();
  const double unbiased = count > 1 ? count / (count - 1) : 1;
  for (std::int64_t c = 0; c < channels; ++c) {
    const double d = sum[c] / count, m = centre[c] + d, v = std::max(square[c] / count - d * d, 0.0);
    mean[c] = static_cast<float>(m);
    variance[c] = static_cast<float>(v);
    moving_mean[c] = static_cast<float>((1 - kMomentum) * moving_mean[c] + kMomentum * m);
    moving_variance[c] = static_cast<float>((1 - kMomentum) * moving_variance[c] + kMomentum * v * unbiased);
  }
  return result;
}

torch::Tensor statistics_of(const torch::Tensor& x, const Layout& layout, const Norm& norm) {
  const std::int64_t channels = layout.channels();
  torch::Tensor moments;
  if (norm.training) moments = batch_statistics(x, layout, norm.running_mean, norm.running_var);
  const float* mean = norm.training ? moments.data_ptr<float>() : norm.running_mean.data_ptr<float>();
  const float* variance = norm.training ? mean + channels : norm.running_var.data_ptr<float>();
  const float *weight = norm.weight.data_ptr<float>(), *bias = norm.bias.data_ptr<float>();
  torch::Tensor result = torch::empty({4, channels}, torch::kFloat32);
  float* out = result.data_ptr<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + kEpsilon);
    const double scale = weight[c] * inverse;
    out[kScale * channels + c] = static_cast<float>(scale);
    out[kShift * channels + c] = static_cast<float>(bias[c] - mean[c] * scale);
    out[kMean * channels + c] = mean[c];
    out[kInverse * channels + c] = static_cast<float>(inverse);
  }
  return result;
}

kernels::Affine affine_of(const torch::Tensor& statistics, bool relu) {
  const float* s = statistics.data_ptr<float>();
  return {s + kScale * statistics.size(1), s + kShift * statistics.size(1), relu};
}

// y = activation(norm(x)) (+ add), rows of y as the layout has them.
void apply_norm(const torch::Tensor& x, const Layout& layout, const torch::Tensor& statistics, bool relu,
                const torch::Tensor& add, torch::Tensor& y) {
  const auto& table = kernels::best();
  const kernels::Affine affine = affine_of(statistics, relu);
  layout.for_pieces([&](std::int64_t, const Rows& rows, std::int64_t x_at, std::int64_t x_stride,
                        std::int64_t y_at, std::int64_t y_stride) {
    table.apply(element_of(x), rows, affine, at_element(x, x_at), x_stride,
                add.defined() ? at_element(add, y_at) : nullptr, at_element(y, y_at), y_stride);
  });
}

struct NormGradients {
  torch::Tensor x, weight, bias;
};

// Gradients of apply_norm; `add` is a further gradient of x.
NormGradients norm_backward(const torch::Tensor& x, const Layout& layout, const torch::Tensor& statistics,
                            const torch::Tensor& dy, bool relu, bool training, const torch::Tensor& add) {
  const std::int64_t channels = layout.channels();
  const auto& table = kernels::best();
  const kernels::Affine affine = affine_of(statistics, relu);
  const float* s = statistics.data_ptr<float>();
  torch::Tensor partial = torch::zeros({layout.groups(), 2, channels}, torch::kFloat32);
  layout.for_pieces([&](std::int64_t group, const Rows& rows, std::int64_t x_at, std::int64_t x_stride,
                        std::int64_t y_at, std::int64_t y_stride) {
    table.gradient_sums(element_of(x), rows, affine, at_element(x, x_at), x_stride, at_element(dy, y_at),
                        y_stride, s + kMean * channels, partial.data_ptr<float>() + group * 2 * channels);
  });
  const torch::Tensor sums = total(partial);
  const double *sum = sums.data_ptr<double>(), *product = sum + channels;
  NormGradients result;
  result.weight = torch::empty({channels}, torch::kFloat32);
  result.bias = torch::empty({channels}, torch::kFloat32);
  torch::Tensor coefficients = torch::zeros({2, channels}, torch::kFloat32);
  float *b = coefficients.data_ptr<float>(), *c = b + channels;
  for (std::int64_t i = 0; i < channels; ++i) {
    const double inverse = s[kInverse * channels + i], scale = s[kScale * channels + i];
    result.weight.data_ptr<float>()[i] = static_cast<float>(product[i] * inverse);
    result.bias.data_ptr<float>()[i] = static_cast<float>(sum[i]);
    if (!training) continue;
    const auto count = static_cast<double>(layout.rows());
    const double slope = -scale * inverse * inverse * product[i] / count;
    b[i] = static_cast<float>(slope);
    c[i] = static_cast<float>(-scale * sum[i] / count - slope * s[kMean * channels + i]);
  }
  result.x = torch::empty_like(x);
  layout.for_pieces([&](std::int64_t, const Rows& rows, std::int64_t x_at, std::int64_t x_stride,
                        std::int64_t y_at, std::int64_t y_stride) {
    table.gradient_apply(element_of(x), rows, affine, at_element(x, x_at), x_stride, at_element(dy, y_at),
                         y_stride, s + kScale * channels, b, c,
                         add.defined() ? at_element(add, x_at) : nullptr, at_element(result.x, x_at));
  });
  return result;
}

Layout layout_of(const torch::Tensor& x, bool shuffle) {
  return shuffle ? Layout::shuffled(x) : Layout::plain(x);
}

torch::Tensor empty_output(const torch::Tensor& x, bool shuffle) {
  if (!shuffle) return torch::empty_like(x);
  return torch::empty({x.size(0), x.size(1) / 4, 2 * x.size(2), 2 * x.size(3)}, x.options(),
                      torch::MemoryFormat::ChannelsLast);
}

// What a NormFunction does, as bits.
enum NormFlags : std::int64_t { kTraining = 1, kRelu = 2, kShuffle = 4, kFork = 8, kAdd = 16 };

// Outputs: y and, with kFork, x as it is. `add` counts only with kAdd.
class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static variable_list forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& running_mean,
                               const torch::Tensor& running_var, const torch::Tensor& add,
                               std::int64_t flags) {
    const torch::Tensor rows = as_rows(x);
    const Layout layout = layout_of(rows, flags & kShuffle);
    const Norm norm = {weight, bias, running_mean, running_var, (flags & kTraining) != 0};
    const torch::Tensor statistics = statistics_of(rows, layout, norm);
    torch::Tensor y = empty_output(rows, flags & kShuffle);
    apply_norm(rows, layout, statistics, flags & kRelu, flags & kAdd ? as_rows(add) : torch::Tensor(), y);
    context->set_materialize_grads(false);
    context->save_for_backward({rows, statistics});
    context->saved_data["flags"] = flags;
    if (flags & kFork) return {y, x};
    return {y};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list result(7);
    const auto saved = context->get_saved_variables();
    const std::int64_t flags = context->saved_data["flags"].toInt();
    const torch::Tensor forked = flags & kFork ? gradients[1] : torch::Tensor();
    result[0] = forked;
    if (!gradients[0].defined()) return result;
    const NormGradients g =
        norm_backward(saved[0], layout_of(saved[0], flags & kShuffle), saved[1], as_rows(gradients[0]),
                      flags & kRelu, flags & kTraining, forked.defined() ? as_rows(forked) : forked);
    result[0] = g.x;
    result[1] = g.weight;
    result[2] = g.bias;
    if (flags & kAdd) result[5] = gradients[0];
    return result;
  }
};

variable_list run_norm(const torch::Tensor& x, const Norm& norm, Activation activation, std::int64_t flags,
                       const torch::Tensor& add) {
  if (norm.training) flags |= kTraining;
  if (activation == Activation::relu) flags |= kRelu;
  return NormFunction::apply(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, add, flags);
}

torch::Tensor composed(const torch::Tensor& x, const Norm& norm, Activation activation) {
  const torch::Tensor y = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                                         norm.training, kMomentum, kEpsilon, /*cudnn_enabled=*/true);
  return activation == Activation::relu ? at::relu(y) : y;
}

}  // namespace

torch::Tensor normalize(const torch::Tensor& x, const Norm& norm, Activation activation) {
  if (!is_fused(x)) return composed(x, norm, activation);
  return run_norm(x, norm, activation, 0, norm.weight)[0];
}

std::pair<torch::Tensor, torch::Tensor> normalize_and_fork(const torch::Tensor& x, const Norm& norm,
                                                           Activation activation) {
  if (!is_fused(x)) return {composed(x, norm, activation), x};
  auto outputs = run_norm(x, norm, activation, kFork, norm.weight);
  return {outputs[0], outputs[1]};
}

torch::Tensor normalize_shuffled(const torch::Tensor& wide, const Norm& norm, Activation activation,
                                 const torch::Tensor& add) {
  if (!is_fused(wide)) return composed(depth_to_space(wide), norm, activation) + add;
  return run_norm(wide, norm, activation, kShuffle | kAdd, add)[0];
}

torch::Tensor depth_to_space(const torch::Tensor& wide) {
  const std::int64_t n = wide.size(0), c = wide.size(1) / 4, h = wide.size(2), w = wide.size(3);
  return wide.permute({0, 2, 3, 1})
      .reshape({n, h, w, 2, 2, c})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({n, 2 * h, 2 * w, c})
      .permute({0, 3, 1, 2});
}

void set_fused(bool on) { fused_on = on; }

}  // namespace spiga::train
