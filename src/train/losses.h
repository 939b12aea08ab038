// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "model/config.h"
#include "train/batch.h"

namespace spiga::train {

struct BackboneOutput;

// Weights and shapes of the backbone's losses; the defaults are the published ones. A part whose weight is 0
// is not computed. Stack h = 0, 1 ... counts 2^h.
struct BackboneLossWeights {
  double coordinates = 4;       // smooth-L1 of the maps' expectations
  double coordinate_beta = 1;   // where it turns from quadratic to linear, in 64ths of the crop
  double attention = 50;        // Adaptive Wing between points and edges maps and their targets
  double point_sigma = 1.5;     // map cells
  double edge_sigma = 1;        // map cells
  double cross_entropy = 0;     // between softmax(heat) and a Gaussian around the landmark
  double heat_sigma = 1;        // map cells
  double star = 0;              // STAR: coordinates weighed by how sure the map is in each direction
  double star_restriction = 1;  // keeps the maps from growing wide to be forgiven more, within STAR
  double pose = 1;              // squared differences in units of the usual spread (kPoseSpread)
};

// Calls visit(name, value) for every field; the names are those of [stage.loss] in a recipe.
template <typename Weights, typename Visit>
void for_each_weight(Weights& w, Visit&& visit) {
  visit("coordinates", w.coordinates);
  visit("coordinate_beta", w.coordinate_beta);
  visit("attention", w.attention);
  visit("point_sigma", w.point_sigma);
  visit("edge_sigma", w.edge_sigma);
  visit("cross_entropy", w.cross_entropy);
  visit("heat_sigma", w.heat_sigma);
  visit("star", w.star);
  visit("star_restriction", w.star_restriction);
  visit("pose", w.pose);
}

// Yaw, pitch, roll in degrees and the translation: what one unit of pose error is.
inline constexpr double kPoseSpread[6] = {25, 12, 20, 0.3, 0.3, 0.5};

struct Losses {
  torch::Tensor total;                         // scalar, with gradient
  std::map<std::string, torch::Tensor> parts;  // scalars without gradient: the last stack's, unweighted
};

// Every loss is a mean over what is annotated in the batch.
Losses backbone_loss(const BackboneOutput& output, const Batch& batch, const BackboneLossWeights& weights,
                     const model::NetworkConfig& config);

// Smooth-L1 of the landmarks after each step, all steps alike. steps[s] is [N, L, 2] in crop units.
Losses cascade_loss(const std::vector<torch::Tensor>& steps, const Batch& batch, double beta = 1);

// The parts, each a scalar. `visible` [N, L] weighs landmarks, or edges.
// Smooth-L1 of coordinates in 64ths of the crop.
torch::Tensor coordinate_loss(const torch::Tensor& landmarks, const torch::Tensor& target,
                              const torch::Tensor& visible, double beta);
// Adaptive Wing loss (Wang, Bo and Fuxin, ICCV 2019), alpha 2.1, omega 14, epsilon 1, theta 0.5; maps [N, K,
// M, M].
torch::Tensor adaptive_wing_loss(const torch::Tensor& maps, const torch::Tensor& target,
                                 const torch::Tensor& visible);
// -sum over cells of target log softmax(heat), heat [N, L, M, M], landmarks [N, L, 2] in crop units.
torch::Tensor heat_cross_entropy(const torch::Tensor& heat, const torch::Tensor& landmarks,
                                 const torch::Tensor& visible, double sigma);
// STAR (Zhou et al., CVPR 2023, equations 4 to 6): the error of softmax(heat)'s expectation along the
// principal axes of its covariance, smooth-L1 in 64ths of the crop, each divided by the standard deviation
// along its axis; plus `restriction` times the mean variance with the crop 2 units wide.
torch::Tensor star_loss(const torch::Tensor& heat, const torch::Tensor& landmarks,
                        const torch::Tensor& visible, double beta, double restriction);
// Mean over faces that have a pose.
torch::Tensor pose_loss(const torch::Tensor& pose, const torch::Tensor& target,
                        const torch::Tensor& has_pose);

}  // namespace spiga::train
