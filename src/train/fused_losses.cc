// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/fused_losses.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "train/loss_kernels.h"

namespace spiga::train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Maps in float32, cells outside and maps inside: [N, M, M, K] without gaps.
Tensor maps_last(const Tensor& maps) { return maps.to(torch::kFloat).permute({0, 2, 3, 1}).contiguous(); }

// Calls work(face) for every face, spread over LibTorch's threads.
template <typename Work>
void for_each_face(std::int64_t faces, Work&& work) {
  at::parallel_for(0, faces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) work(n);
  });
}

class HeatSums : public torch::autograd::Function<HeatSums> {
 public:
  // heat [N, M, M, L], targets [N, M, L]; gives [N, kHeatSums, L].
  static Tensor forward(AutogradContext* context, const Tensor& heat, const Tensor& target_x,
                        const Tensor& target_y) {
    const std::int64_t faces = heat.size(0), side = heat.size(1), maps = heat.size(3);
    Tensor sums = torch::empty({faces, kHeatSums, maps}, heat.options());
    const auto *h = heat.data_ptr<float>(), *x = target_x.data_ptr<float>(), *y = target_y.data_ptr<float>();
    float* out = sums.data_ptr<float>();
    for_each_face(faces, [&](std::int64_t n) {
      heat_sums(h + n * side * side * maps, side, maps, x + n * side * maps, y + n * side * maps,
                out + n * kHeatSums * maps);
    });
    context->save_for_backward({heat, target_x, target_y, sums});
    return sums;
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &heat = saved[0], gradient = gradients[0].contiguous();
    const std::int64_t side = heat.size(1), maps = heat.size(3);
    Tensor heat_gradient = torch::empty_like(heat);
    const auto *h = heat.data_ptr<float>(), *x = saved[1].data_ptr<float>(), *y = saved[2].data_ptr<float>();
    const auto *sums = saved[3].data_ptr<float>(), *g = gradient.data_ptr<float>();
    float* out = heat_gradient.data_ptr<float>();
    for_each_face(heat.size(0), [&](std::int64_t n) {
      const std::int64_t face = n * side * side * maps, of_sums = n * kHeatSums * maps;
      heat_sums_backward(h + face, side, maps, x + n * side * maps, y + n * side * maps, sums + of_sums,
                         g + of_sums, out + face);
    });
    return {heat_gradient, Tensor(), Tensor()};
  }
};

class AdaptiveWing : public torch::autograd::Function<AdaptiveWing> {
 public:
  // maps and target [N, M, M, K]; gives the sum over each map, [N, K].
  static Tensor forward(AutogradContext* context, const Tensor& maps, const Tensor& target) {
    const std::int64_t faces = maps.size(0), cells = maps.size(1) * maps.size(2), count = maps.size(3);
    Tensor sums = torch::empty({faces, count}, maps.options()), derivative = torch::empty_like(maps);
    const auto *m = maps.data_ptr<float>(), *t = target.data_ptr<float>();
    float *out = sums.data_ptr<float>(), *d = derivative.data_ptr<float>();
    for_each_face(faces, [&](std::int64_t n) {
      const std::int64_t face = n * cells * count;
      adaptive_wing(m + face, t + face, cells, count, out + n * count, d + face);
    });
    context->save_for_backward({derivative});
    return sums;
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const Tensor derivative = context->get_saved_variables()[0];
    return {derivative * gradients[0].unsqueeze(1).unsqueeze(1), Tensor()};
  }
};

}  // namespace

HeatStatistics heat_statistics(const Tensor& heat, const Tensor& target_x, const Tensor& target_y) {
  if (!heat.device().is_cpu()) return composed_heat_statistics(heat, target_x, target_y);
  const Tensor sums = HeatSums::apply(maps_last(heat), target_x.transpose(1, 2).contiguous(),
                                      target_y.transpose(1, 2).contiguous());
  const auto sum = [&](HeatSum which) { return sums.select(1, which); };
  return {sum(kLogSum),  sum(kMeanX),   sum(kMeanY),   sum(kSquareX),
          sum(kSquareY), sum(kProduct), sum(kExpected)};
}

Tensor adaptive_wing_means(const Tensor& maps, const Tensor& target) {
  if (!maps.device().is_cpu()) return composed_adaptive_wing_means(maps, target);
  return AdaptiveWing::apply(maps_last(maps), maps_last(target)) /
         static_cast<double>(maps.size(2) * maps.size(3));
}

HeatStatistics composed_heat_statistics(const Tensor& heat, const Tensor& target_x, const Tensor& target_y) {
  const std::int64_t side = heat.size(3);
  const Tensor logits = heat.to(torch::kFloat).contiguous();
  const Tensor cells = torch::softmax(logits.flatten(2), 2).view_as(logits);
  const Tensor places =
      (torch::arange(side, cells.options()) + 0.5) * (kLossUnits / static_cast<double>(side)) -
      kLossUnits / 2;
  const Tensor columns = cells.sum(2), rows = cells.sum(3), squares = places.square();
  const Tensor expected = (logits * target_x.unsqueeze(2) * target_y.unsqueeze(3)).sum({2, 3});
  return {torch::logsumexp(logits.flatten(2), 2),
          columns.matmul(places),
          rows.matmul(places),
          columns.matmul(squares),
          rows.matmul(squares),
          cells.matmul(places).matmul(places),
          expected};
}

Tensor composed_adaptive_wing_means(const Tensor& maps, const Tensor& target) {
  const Tensor power = kWingAlpha - target;
  const Tensor distance = (maps.to(torch::kFloat) - target).abs();
  const Tensor at_theta = torch::pow(kWingTheta, power);
  const Tensor slope = kWingOmega / (1 + at_theta) * power * at_theta / kWingTheta;
  const Tensor offset = kWingTheta * slope - kWingOmega * torch::log1p(at_theta);
  // The floor keeps the power's gradient finite where maps and target agree.
  const Tensor near = kWingOmega * torch::log1p(torch::pow(distance.clamp_min(1e-8), power));
  return torch::where(distance < kWingTheta, near, slope * distance - offset).mean({2, 3});
}

}  // namespace spiga::train
