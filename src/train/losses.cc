// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/losses.h"

#include <torch/torch.h>

#include <cmath>

#include "scheme/scheme.h"
#include "train/fused_losses.h"
#include "train/network.h"
#include "train/reducer.h"
#include "train/targets.h"

namespace spiga::train {
namespace {

// In 64ths of the crop, squared; keeps STAR finite where a map shows a single cell.
constexpr double kLeastVariance = 1e-2;

// With several processes: the mean over everybody's faces, counted as often as there are processes, so that
// the mean of the processes' gradients is the gradient of the whole batch's mean.
torch::Tensor mean_where(const torch::Tensor& values, const torch::Tensor& weights) {
  return (values * weights).sum() * process_count() / sum_over_processes(weights.sum()).clamp_min(1);
}

std::vector<std::vector<int>> edges_of(const model::NetworkConfig& config) {
  std::vector<std::vector<int>> edges;
  for (const scheme::Edge& edge : scheme::find_database(config.database).edges)
    edges.push_back(edge.landmarks);
  return edges;
}

// What the maps of every stack are compared with.
struct MapTargets {
  torch::Tensor points, edges, edge_visible;
};

MapTargets map_targets(const Batch& batch, const BackboneLossWeights& weights,
                       const model::NetworkConfig& config) {
  const auto edges = edges_of(config);
  return {point_maps(batch.landmarks, config.map_size(), weights.point_sigma),
          edge_maps(batch.landmarks, edges, config.map_size(), weights.edge_sigma),
          edge_visible(batch.visible, edges)};
}

HeatStatistics statistics_of(const torch::Tensor& heat, const torch::Tensor& landmarks, double sigma) {
  const int map_size = static_cast<int>(heat.size(3));
  return heat_statistics(heat, axis_distribution(landmarks.select(2, 0), map_size, sigma),
                         axis_distribution(landmarks.select(2, 1), map_size, sigma));
}

// The expectation as landmarks in crop units.
torch::Tensor landmarks_of(const HeatStatistics& s) { return torch::stack({s.x, s.y}, 2) / kLossUnits + 0.5; }

torch::Tensor cross_entropy_of(const HeatStatistics& s, const torch::Tensor& visible) {
  return mean_where(s.log_sum - s.expected, visible);
}

torch::Tensor star_of(const HeatStatistics& heat, const torch::Tensor& landmarks,
                      const torch::Tensor& visible, double beta, double restriction) {
  const torch::Tensor xx = heat.xx - heat.x.square(), yy = heat.yy - heat.y.square();
  const torch::Tensor xy = heat.xy - heat.x * heat.y;
  // The principal axes of a symmetric 2 x 2 matrix, in closed form; no gradient through their direction.
  const torch::Tensor mean = (xx + yy) / 2;
  const torch::Tensor root = ((xx - yy).square() / 4 + xy.square() + kLeastVariance).sqrt();
  const torch::Tensor angle = (torch::atan2(2 * xy, xx - yy) / 2).detach();
  const torch::Tensor c = angle.cos(), s = angle.sin();
  const torch::Tensor dx = heat.x - kLossUnits * (landmarks.select(2, 0) - 0.5);
  const torch::Tensor dy = heat.y - kLossUnits * (landmarks.select(2, 1) - 0.5);
  const auto certain = [&](const torch::Tensor& error, const torch::Tensor& variance) {
    const torch::Tensor distance =
        torch::smooth_l1_loss(error, torch::zeros_like(error), at::Reduction::None, beta);
    return distance / (variance.clamp_min(0) + kLeastVariance).sqrt();
  };
  const torch::Tensor loss = certain(c * dx + s * dy, mean + root) + certain(c * dy - s * dx, mean - root);
  return mean_where(loss + restriction * (4 / (kLossUnits * kLossUnits)) * mean, visible);
}

// Collects weighted parts of one total.
class Sum {
 public:
  void add(const std::string& name, double weight, const torch::Tensor& value) {
    const torch::Tensor weighted = weight * value;
    losses_.total = losses_.total.defined() ? losses_.total + weighted : weighted;
    losses_.parts[name] = value.detach();
  }
  Losses finish(const torch::Tensor& like) {
    if (!losses_.total.defined()) losses_.total = torch::zeros({}, like.options().dtype(torch::kFloat));
    return losses_;
  }

 private:
  Losses losses_;
};

}  // namespace

torch::Tensor coordinate_loss(const torch::Tensor& landmarks, const torch::Tensor& target,
                              const torch::Tensor& visible, double beta) {
  const torch::Tensor loss =
      torch::smooth_l1_loss(kLossUnits * landmarks, kLossUnits * target, at::Reduction::None, beta);
  return mean_where(loss.mean(2), visible);
}

torch::Tensor adaptive_wing_loss(const torch::Tensor& maps, const torch::Tensor& target,
                                 const torch::Tensor& visible) {
  return mean_where(adaptive_wing_means(maps, target), visible);
}

torch::Tensor heat_cross_entropy(const torch::Tensor& heat, const torch::Tensor& landmarks,
                                 const torch::Tensor& visible, double sigma) {
  return cross_entropy_of(statistics_of(heat, landmarks, sigma), visible);
}

torch::Tensor star_loss(const torch::Tensor& heat, const torch::Tensor& landmarks,
                        const torch::Tensor& visible, double beta, double restriction) {
  return star_of(statistics_of(heat, landmarks, 1), landmarks, visible, beta, restriction);
}

torch::Tensor pose_loss(const torch::Tensor& pose, const torch::Tensor& target,
                        const torch::Tensor& has_pose) {
  const torch::Tensor spread =
      torch::tensor(std::vector<float>(std::begin(kPoseSpread), std::end(kPoseSpread))).to(target.device());
  return mean_where(((pose.to(torch::kFloat) - target) / spread).square().sum(1), has_pose);
}

Losses backbone_loss(const BackboneOutput& output, const Batch& batch, const BackboneLossWeights& weights,
                     const model::NetworkConfig& config) {
  Sum sum;
  MapTargets targets;
  if (weights.attention > 0) targets = map_targets(batch, weights, config);
  for (std::size_t h = 0; h < output.pose.size(); ++h) {
    const double scale = std::ldexp(1, static_cast<int>(h));
    HeatStatistics heat;
    if (weights.coordinates > 0 || weights.cross_entropy > 0 || weights.star > 0)
      heat = statistics_of(output.heat[h], batch.landmarks, weights.heat_sigma);
    if (weights.coordinates > 0)
      sum.add("coordinates", scale * weights.coordinates,
              coordinate_loss(landmarks_of(heat), batch.landmarks, batch.visible, weights.coordinate_beta));
    if (weights.cross_entropy > 0)
      sum.add("cross_entropy", scale * weights.cross_entropy, cross_entropy_of(heat, batch.visible));
    if (weights.star > 0)
      sum.add(
          "star", scale * weights.star,
          star_of(heat, batch.landmarks, batch.visible, weights.coordinate_beta, weights.star_restriction));
    if (weights.attention > 0)
      sum.add("attention", scale * weights.attention,
              adaptive_wing_loss(output.points[h], targets.points, batch.visible) +
                  adaptive_wing_loss(output.edges[h], targets.edges, targets.edge_visible));
    if (weights.pose > 0)
      sum.add("pose", scale * weights.pose, pose_loss(output.pose[h], batch.pose, batch.has_pose));
  }
  return sum.finish(batch.images);
}

Losses cascade_loss(const std::vector<torch::Tensor>& steps, const Batch& batch, double beta) {
  Sum sum;
  for (std::size_t s = 0; s < steps.size(); ++s)
    sum.add("step" + std::to_string(s), 1, coordinate_loss(steps[s], batch.landmarks, batch.visible, beta));
  return sum.finish(batch.images);
}

}  // namespace spiga::train
