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
#include "train/reducer.h"

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

// How many rows the statistics are of: those of all processes, who have as many each.
double shared_rows(const Layout& layout) { return static_cast<double>(layout.rows()) * process_count(); }

// Rows of the [4, C] float32 tensor that a normalisation keeps for its gradient.
enum Statistic { kScale, kShift, kMean, kInverse };

torch::Tensor batch_statistics(const torch::Tensor& x, const Layout& layout,
                               const torch::Tensor& running_mean, const torch::Tensor& running_var) {
  const std::int64_t channels = layout.channels();
  // Sums of differences to a pixel, or to what all processes have: no cancellation where the mean is large.
  const torch::Tensor pivot =
      reducer() ? running_mean.clone() : x.as_strided({channels}, {1}).to(torch::kFloat32);
  torch::Tensor partial = torch::zeros({layout.groups(), 2, channels}, torch::kFloat32);
  const auto& table = kernels::best();
  layout.for_pieces([&](std::int64_t group, const Rows& rows, std::int64_t x_at, std::int64_t x_stride,
                        std::int64_t, std::int64_t) {
    table.moments(element_of(x), rows, at_element(x, x_at), x_stride, pivot.data_ptr<float>(),
                  partial.data_ptr<float>() + group * 2 * channels);
  });
  const torch::Tensor sums = sum_over_processes(total(partial));
  const double count = shared_rows(layout);
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
  // The parameters' gradients are those of our own faces; x's goes by way of everybody's statistics.
  const torch::Tensor sums = total(partial), shared = training ? sum_over_processes(sums) : sums;
  const double *sum = sums.data_ptr<double>(), *product = sum + channels;
  const double *shared_sum = shared.data_ptr<double>(), *shared_product = shared_sum + channels;
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
    const double count = shared_rows(layout);
    const double slope = -scale * inverse * inverse * shared_product[i] / count;
    b[i] = static_cast<float>(slope);
    c[i] = static_cast<float>(-scale * shared_sum[i] / count - slope * s[kMean * channels + i]);
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

// The sum over all processes; its gradient is summed likewise.
class SharedSum : public torch::autograd::Function<SharedSum> {
 public:
  static torch::Tensor forward(AutogradContext*, const torch::Tensor& x) { return sum_over_processes(x); }
  static variable_list backward(AutogradContext*, variable_list gradients) {
    return {sum_over_processes(gradients[0])};
  }
};

// batch_norm by the statistics of all processes.
torch::Tensor composed_over_processes(const torch::Tensor& x, const Norm& norm) {
  const std::vector<std::int64_t> shape =
      x.dim() == 4 ? std::vector<std::int64_t>{1, -1, 1, 1} : std::vector<std::int64_t>{1, -1};
  const std::vector<std::int64_t> rows =
      x.dim() == 4 ? std::vector<std::int64_t>{0, 2, 3} : std::vector<std::int64_t>{0};
  const double count = static_cast<double>(x.numel() / x.size(1)) * process_count();
  const torch::Tensor pivot = norm.running_mean.clone();
  const torch::Tensor moved = x.to(torch::kFloat32) - pivot.view(shape);
  const torch::Tensor moments =
      SharedSum::apply(torch::stack({moved.sum(rows), moved.square().sum(rows)})) / count;
  const torch::Tensor mean = moments[0], variance = (moments[1] - mean.square()).clamp_min(0);
  {
    torch::NoGradGuard no_grad;
    norm.running_mean.lerp_(pivot + mean, kMomentum);
    norm.running_var.lerp_(variance * (count > 1 ? count / (count - 1) : 1), kMomentum);
  }
  const torch::Tensor scale = norm.weight * (variance + kEpsilon).rsqrt();
  return ((moved - mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)).to(x.scalar_type());
}

torch::Tensor composed(const torch::Tensor& x, const Norm& norm, Activation activation) {
  const torch::Tensor y = norm.training && reducer()
                              ? composed_over_processes(x, norm)
                              : at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                                               norm.training, kMomentum, kEpsilon, /*cudnn_enabled=*/true);
  return activation == Activation::relu ? at::relu(y) : y;
}

// --- windows

// Offsets of the samples from the landmark, in map pixels.
torch::Tensor window_offsets(std::int64_t grid, double window) {
  const double centre = static_cast<double>(grid - 1) / 2;
  return (torch::arange(grid, torch::kFloat32) - centre) / centre * ((window - 1) / 2);
}

kernels::Windows windows_of(const torch::Tensor& field, const torch::Tensor& points,
                            const torch::Tensor& offsets) {
  return {field.size(3), field.size(1), points.size(1), offsets.size(0), offsets.data_ptr<float>()};
}

class WindowFunction : public torch::autograd::Function<WindowFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& field,
                               const torch::Tensor& points, const torch::Tensor& offsets) {
    const torch::Tensor rows = as_rows(field), starts = points.contiguous();
    const kernels::Windows windows = windows_of(rows, starts, offsets);
    const std::int64_t per_face = windows.grid * windows.grid * windows.channels * windows.nodes;
    torch::Tensor samples =
        torch::empty({rows.size(0) * windows.nodes, per_face / windows.nodes}, rows.options());
    at::parallel_for(0, rows.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n)
        kernels::best().sample_windows(
            element_of(rows), windows, starts.data_ptr<float>() + n * 2 * windows.nodes,
            at_element(rows, n * rows.stride(0)), at_element(samples, n * per_face));
    });
    context->save_for_backward({starts, offsets});
    context->saved_data["shape"] = rows.sizes().vec();
    return samples;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto shape = context->saved_data["shape"].toIntVector();
    const torch::Tensor samples = gradients[0].contiguous();
    torch::Tensor field =
        torch::empty(shape, torch::TensorOptions(torch::kFloat32), torch::MemoryFormat::ChannelsLast);
    field.zero_();
    const kernels::Windows windows = windows_of(field, saved[0], saved[1]);
    const std::int64_t per_face = samples.numel() / shape[0];
    at::parallel_for(0, shape[0], 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n)
        kernels::best().scatter_windows(
            element_of(samples), windows, saved[0].data_ptr<float>() + n * 2 * windows.nodes,
            at_element(samples, n * per_face), field.data_ptr<float>() + n * field.stride(0));
    });
    return {field.to(samples.scalar_type()), {}, {}};
  }
};

// --- heads

constexpr std::int64_t kGroupPixels = 256;

// A head's maps as the kernels take them, from pixel `pixel`; undefined maps are null.
kernels::HeadMaps maps_at(const variable_list& maps, std::int64_t pixel) {
  const auto at = [&](std::size_t i) -> void* {
    if (!maps[i].defined()) return nullptr;
    return const_cast<char*>(at_element(maps[i], pixel * maps[i].size(1)));
  };
  return {at(0), at(1), static_cast<float*>(at(2)), at(3)};
}

// Calls body(heads, first pixel, scratch) for groups of pixels.
template <class Body>
void for_pixels(const torch::Tensor& logits, const torch::Tensor& incidence, const torch::Tensor& one,
                std::int64_t landmarks, Body body) {
  const std::int64_t pixels = logits.size(0) * logits.size(2) * logits.size(3);
  kernels::Heads heads = {0,
                          landmarks,
                          incidence.size(1),
                          incidence.size(0),
                          padded(incidence.size(0)),
                          incidence.data_ptr<float>(),
                          one.data_ptr<float>()};
  at::parallel_for(
      0, (pixels + kGroupPixels - 1) / kGroupPixels, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> scratch(static_cast<std::size_t>(heads.padded_landmarks + heads.padded_edges));
        for (std::int64_t first = begin * kGroupPixels; first < std::min(end * kGroupPixels, pixels);
             first += kGroupPixels) {
          kernels::Heads group = heads;
          group.pixels = std::min(kGroupPixels, pixels - first);
          body(group, first, scratch.data());
        }
      });
}

// Outputs: points, edges, heat, heat_typed. Incidence [E, padded L], one [padded L].
class HeadFunction : public torch::autograd::Function<HeadFunction> {
 public:
  static variable_list forward(AutogradContext* context, const torch::Tensor& logits,
                               const torch::Tensor& incidence, const torch::Tensor& one,
                               std::int64_t landmarks) {
    const torch::Tensor rows = as_rows(logits);
    const auto maps = [&](std::int64_t channels, torch::ScalarType type) {
      return torch::empty({rows.size(0), channels, rows.size(2), rows.size(3)}, rows.options().dtype(type),
                          torch::MemoryFormat::ChannelsLast);
    };
    const auto type = rows.scalar_type();
    const variable_list outputs = {maps(landmarks, type), maps(incidence.size(0), type),
                                   maps(landmarks, torch::kFloat32), maps(landmarks, type)};
    for_pixels(rows, incidence, one, landmarks,
               [&](const kernels::Heads& heads, std::int64_t first, float* scratch) {
                 kernels::best().heads(element_of(rows), heads, at_element(rows, first * heads.logits()),
                                       maps_at(outputs, first), scratch);
               });
    context->set_materialize_grads(false);
    context->save_for_backward({rows, incidence, one});
    context->saved_data["landmarks"] = landmarks;
    return outputs;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    for (torch::Tensor& gradient : gradients)
      if (gradient.defined()) gradient = as_rows(gradient);
    torch::Tensor result = torch::empty_like(saved[0]);
    for_pixels(saved[0], saved[1], saved[2], context->saved_data["landmarks"].toInt(),
               [&](const kernels::Heads& heads, std::int64_t first, float* scratch) {
                 kernels::best().heads_gradient(
                     element_of(result), heads, at_element(saved[0], first * heads.logits()),
                     maps_at(gradients, first), at_element(result, first * heads.logits()), scratch);
               });
    return {result, {}, {}, {}};
  }
};

HeadMaps composed_heads(const torch::Tensor& logits, const EdgeIncidence& e) {
  const std::int64_t landmarks = e.incidence.size(1), edges = e.incidence.size(0);
  const auto type = logits.scalar_type();
  HeadMaps maps;
  maps.points = at::sigmoid(logits.narrow(1, 0, landmarks));
  maps.edges = at::sigmoid(logits.narrow(1, padded(landmarks), edges));
  const torch::Tensor weights = e.incidence.t().reshape({landmarks, edges, 1, 1}).to(type);
  const torch::Tensor near =
      at::clamp_max(at::conv2d(maps.edges, weights) + e.one.to(type).view({1, landmarks, 1, 1}), 1);
  const torch::Tensor features = logits.narrow(1, padded(landmarks) + padded(edges), landmarks);
  maps.heat_typed = features * maps.points * near;
  maps.heat = maps.heat_typed.to(torch::kFloat32);
  return maps;
}

// --- attention

// Calls body(first face's index, scratch) for every face.
template <class Body>
void for_faces(std::int64_t faces, const kernels::Attention& attention, Body body) {
  at::parallel_for(0, faces, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scratch(static_cast<std::size_t>(kernels::best().attention_scratch(attention)));
    for (std::int64_t face = begin; face < end; ++face)
      body(face * attention.nodes * attention.width, scratch.data());
  });
}

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& qkv, std::int64_t nodes,
                               std::int64_t heads) {
    const torch::Tensor rows = qkv.contiguous();
    const kernels::Attention attention = {nodes, rows.size(1) / 3, heads};
    torch::Tensor out = torch::empty({rows.size(0), attention.width}, rows.options());
    for_faces(rows.size(0) / nodes, attention, [&](std::int64_t at, float* scratch) {
      kernels::best().attention(element_of(rows), attention, at_element(rows, 3 * at), at_element(out, at),
                                scratch);
    });
    context->save_for_backward({rows});
    context->saved_data["nodes"] = nodes;
    context->saved_data["heads"] = heads;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor rows = context->get_saved_variables()[0], out = gradients[0].contiguous();
    const kernels::Attention attention = {context->saved_data["nodes"].toInt(), rows.size(1) / 3,
                                          context->saved_data["heads"].toInt()};
    torch::Tensor result = torch::empty_like(rows);
    for_faces(rows.size(0) / attention.nodes, attention, [&](std::int64_t at, float* scratch) {
      kernels::best().attention_gradient(element_of(rows), attention, at_element(rows, 3 * at),
                                         at_element(out, at), at_element(result, 3 * at), scratch);
    });
    return {result, {}, {}};
  }
};

// In float32 inside, whatever the type.
torch::Tensor composed_attention(const torch::Tensor& qkv, std::int64_t nodes, std::int64_t heads) {
  const std::int64_t faces = qkv.size(0) / nodes, width = qkv.size(1) / 3, head_width = width / heads;
  const torch::Tensor split =
      qkv.to(torch::kFloat32).view({faces, nodes, 3, head_width, heads}).permute({2, 0, 4, 1, 3});
  const torch::Tensor query = split[0] / std::sqrt(static_cast<double>(head_width));
  const torch::Tensor weights = at::softmax(at::matmul(query, split[1].transpose(2, 3)), -1);
  return at::matmul(weights, split[2])
      .permute({0, 2, 3, 1})
      .reshape({faces * nodes, width})
      .to(qkv.scalar_type());
}

torch::Tensor composed_windows(const torch::Tensor& field, const torch::Tensor& points,
                               const torch::Tensor& offsets) {
  const std::int64_t grid = offsets.size(0), nodes = points.size(1);
  const torch::Tensor k = offsets.to(points.device());
  const torch::Tensor window =
      torch::stack({k.view({1, grid}).expand({grid, grid}), k.view({grid, 1}).expand({grid, grid})}, -1);
  const auto map = static_cast<double>(field.size(3));
  const torch::Tensor positions = points.view({-1, nodes, 1, 1, 2}) * map + window;
  const torch::Tensor at = ((2 * positions + 1) / map - 1).view({-1, nodes, grid * grid, 2});
  // In float32 whatever the type: positions need its digits.
  const torch::Tensor samples = at::grid_sampler(field.to(torch::kFloat32), at, /*bilinear*/ 0, /*border*/ 1,
                                                 /*align_corners=*/false);  // [N, C, L, grid * grid]
  return samples.permute({0, 2, 3, 1}).reshape({field.size(0) * nodes, -1}).to(field.scalar_type());
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

torch::Tensor sample_windows(const torch::Tensor& field, const torch::Tensor& points, std::int64_t grid,
                             double window) {
  const torch::Tensor offsets = window_offsets(grid, window);
  if (!is_fused(field)) return composed_windows(field, points.detach(), offsets);
  return WindowFunction::apply(field, points.detach(), offsets);
}

HeadMaps head_maps(const torch::Tensor& logits, const EdgeIncidence& edges) {
  if (!is_fused(logits)) return composed_heads(logits, edges);
  const std::int64_t landmarks = edges.incidence.size(1), more = padded(landmarks) - landmarks;
  auto maps = HeadFunction::apply(logits, at::constant_pad_nd(edges.incidence, {0, more}),
                                  at::constant_pad_nd(edges.one, {0, more}), landmarks);
  return {maps[0], maps[1], maps[2], maps[3]};
}

torch::Tensor attend(const torch::Tensor& qkv, std::int64_t nodes, std::int64_t heads) {
  if (!is_fused(qkv)) return composed_attention(qkv, nodes, heads);
  return AttentionFunction::apply(qkv, nodes, heads);
}

void set_fused(bool on) { fused_on = on; }

}  // namespace spiga::train
