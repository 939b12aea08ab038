// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/network.h"

#include <torch/nn/init.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <numbers>

#include "scheme/scheme.h"
#include "spiga/error.h"
#include "train/modules.h"

namespace spiga::train {
namespace {

// Where training starts: a frontal face at the usual distance; weights in units of how much each number
// varies.
constexpr double kMeanPose[6] = {0, 0, 0, 0, 0, 2.8};
constexpr double kPoseScale[6] = {25, 12, 20, 0.3, 0.3, 0.5};
constexpr double kPoseInit = 0.1;
constexpr double kOffsetInit =
    0.1;  // shrinks the decoder's last layer: first steps hardly move the landmarks

torch::Tensor table(const std::vector<float>& values, torch::IntArrayRef shape) {
  return torch::tensor(values).reshape(shape);
}

// Linear layer from the core vector to a pose, computed in float32.
class PoseHead : public torch::nn::Module {
 public:
  explicit PoseHead(std::int64_t channels) {
    weight = register_parameter("weight", torch::empty({6, channels}));
    bias = register_parameter("bias", torch::empty(6));
    torch::NoGradGuard no_grad;
    torch::nn::init::normal_(weight, 0, kPoseInit / std::sqrt(static_cast<double>(channels)));
    for (int i = 0; i < 6; ++i) {
      weight[i] *= kPoseScale[i];
      bias[i] = kMeanPose[i];
    }
  }
  torch::Tensor forward(const torch::Tensor& core) {
    return at::linear(core.flatten(1).to(torch::kFloat32), weight, bias);
  }

  torch::Tensor weight;  // [6, C]
  torch::Tensor bias;    // [6]
};

// [1, 3, S, S]: rows and columns in [-1, 1], and the distance from (0.5, 0.5) in them.
torch::Tensor coordinate_channels(std::int64_t size) {
  const torch::Tensor line = torch::arange(size, torch::kFloat32) * (2.0 / static_cast<double>(size - 1)) - 1;
  const torch::Tensor rows = line.view({size, 1}).expand({size, size});
  const torch::Tensor columns = line.view({1, size}).expand({size, size});
  const torch::Tensor radius = ((rows - 0.5).square() + (columns - 0.5).square()).sqrt();
  return torch::stack({rows, columns, radius}).unsqueeze(0);
}

int log2_of(int size) {
  int log = 0;
  while ((size >> log) > 1) ++log;
  return log;
}

}  // namespace

// The hourglass CNN. Index [stack] in every vector; merge_* have one entry less.
struct SpigaNetworkImpl::Backbone : torch::nn::Module {
  Backbone(const model::NetworkConfig& config, const scheme::Database& database);

  torch::Tensor stem(const torch::Tensor& images, torch::ScalarType type);
  torch::Tensor visual_field(std::size_t stack, const torch::Tensor& h) {
    return out_convs[stack]->forward(out_residuals[stack]->forward(h));
  }
  HeadMaps maps(std::size_t stack, const torch::Tensor& field);
  // The core vector [N, C, 1, 1].
  torch::Tensor reduce_core(std::size_t stack, torch::Tensor core) {
    for (auto& [residual, conv] : cores[stack]) core = conv->forward(residual->forward(core));
    return core;
  }

  std::shared_ptr<ConvUnit> stem1, stem3;
  std::shared_ptr<Residual> stem2, stem4, stem5;
  std::vector<std::shared_ptr<Hourglass>> hourglasses;
  std::vector<std::shared_ptr<Residual>> out_residuals;
  std::vector<std::shared_ptr<ConvUnit>> out_convs;
  std::vector<std::vector<std::pair<std::shared_ptr<Residual>, std::shared_ptr<ConvUnit>>>> cores;
  std::vector<std::shared_ptr<Projection>> points, edges, features, merge_preds, merge_features;
  torch::Tensor coordinates;  // [1, 3, S, S]
  EdgeIncidence incidence;
};

SpigaNetworkImpl::Backbone::Backbone(const model::NetworkConfig& config, const scheme::Database& database) {
  const std::int64_t c = config.width, stem = config.stem_width;
  auto pre = register_module("pre", std::make_shared<Group>());
  stem1 = pre->add(1, std::make_shared<ConvUnit>(6, stem, 7, config.stem_stride));
  stem2 = pre->add(2, std::make_shared<Residual>(stem, 2 * stem));
  stem3 = pre->add(3, std::make_shared<ConvUnit>(2 * stem, 2 * stem, 2, 2));
  stem4 = pre->add(4, std::make_shared<Residual>(2 * stem, 2 * stem));
  stem5 = pre->add(5, std::make_shared<Residual>(2 * stem, c));

  const auto group = [&](const char* name) { return register_module(name, std::make_shared<Group>()); };
  auto hgs = group("hgs"), hgs_out = group("hgs_out"), hgs_core = group("hgs_core");
  auto outs_points = group("outs_points"), outs_edges = group("outs_edges"),
       outs_features = group("outs_features");
  auto preds = group("merge_preds"), merged = group("merge_features");
  for (int i = 0; i < config.stacks; ++i) {
    hourglasses.push_back(hgs->add(i, std::make_shared<Hourglass>(config.hourglass_depth, c)));
    auto out = hgs_out->add(i, std::make_shared<Group>());
    out_residuals.push_back(out->add(0, std::make_shared<Residual>(c, c)));
    out_convs.push_back(out->add(1, std::make_shared<ConvUnit>(c, c, 1, 1)));
    auto core = hgs_core->add(i, std::make_shared<Group>());
    cores.emplace_back();
    for (int j = 0; j < log2_of(config.core_size()); ++j)
      cores.back().emplace_back(core->add(2 * j, std::make_shared<Residual>(c, c)),
                                core->add(2 * j + 1, std::make_shared<ConvUnit>(c, c, 2, 2)));
    const auto head = [&](Group& heads, std::int64_t channels) {
      return heads.add(i, std::make_shared<Group>())->add(0, std::make_shared<Projection>(c, channels));
    };
    points.push_back(head(*outs_points, config.landmarks));
    edges.push_back(head(*outs_edges, config.edges));
    features.push_back(outs_features->add(i, std::make_shared<Projection>(c, config.landmarks)));
    if (i + 1 == config.stacks) break;
    merge_preds.push_back(preds->add(i, std::make_shared<Projection>(config.landmarks, c)));
    merge_features.push_back(merged->add(i, std::make_shared<Projection>(c, c)));
  }
  coordinates = coordinate_channels(config.input_size);
  const torch::Tensor edge_to_point = table(database.edge2point, {config.landmarks, config.edges + 1});
  incidence.incidence = edge_to_point.narrow(1, 0, config.edges).t().contiguous();
  incidence.one = edge_to_point.select(1, config.edges).contiguous();
}

// points, edges and features of a stack in one convolution.
HeadMaps SpigaNetworkImpl::Backbone::maps(std::size_t stack, const torch::Tensor& field) {
  std::vector<torch::Tensor> parts;
  for (const Projection* head : {points[stack].get(), edges[stack].get(), features[stack].get()}) {
    const torch::Tensor& weight = head->weight();
    parts.push_back(weight);
    parts.push_back(weight.new_zeros({padded(weight.size(0)) - weight.size(0), weight.size(1), 1, 1}));
  }
  return head_maps(at::conv2d(field, at::cat(parts).to(field.scalar_type())), incidence);
}

torch::Tensor SpigaNetworkImpl::Backbone::stem(const torch::Tensor& images, torch::ScalarType type) {
  if (coordinates.device() != images.device()) {
    coordinates = coordinates.to(images.device());
    incidence = {incidence.incidence.to(images.device()), incidence.one.to(images.device())};
  }
  const torch::Tensor x = torch::cat({images, coordinates.expand({images.size(0), -1, -1, -1})}, 1);
  torch::Tensor y = stem1->forward(x.to(type).contiguous(torch::MemoryFormat::ChannelsLast));
  y = stem3->forward(stem2->forward(y));
  return stem5->forward(stem4->forward(y));
}

namespace {

// conv_window.<s>: a dense layer over the samples of a landmark's window, published as a convolution.
class WindowDense : public torch::nn::Module {
 public:
  WindowDense(std::int64_t in, std::int64_t out, std::int64_t grid) {
    weight = register_parameter("weight", torch::empty({out, in, grid, grid}));
    bias = register_parameter("bias", torch::zeros(out));
    torch::nn::init::normal_(weight, 0, 1 / std::sqrt(static_cast<double>(in * grid * grid)));
  }
  // samples [R, grid * grid * in], channels fastest.
  torch::Tensor forward(const torch::Tensor& samples) {
    const auto type = samples.scalar_type();
    return at::linear(samples, weight.to(type).permute({0, 2, 3, 1}).flatten(1), bias.to(type));
  }

  torch::Tensor weight;  // [embedding, C, grid, grid]
  torch::Tensor bias;    // [embedding]
};

// Vectors to the other landmarks, [N * L, 2 (L - 1)].
torch::Tensor pairwise_differences(const torch::Tensor& points) {
  const std::int64_t faces = points.size(0), nodes = points.size(1);
  // Leaving out the diagonal: drop the first element, then every (L + 1)-th one.
  const torch::Tensor all = (points.unsqueeze(2) - points.unsqueeze(1)).reshape({faces, nodes * nodes, 2});
  const torch::Tensor off = all.narrow(1, 1, nodes * nodes - 1).reshape({faces, nodes - 1, nodes + 1, 2});
  return off.narrow(2, 0, nodes).reshape({faces * nodes, 2 * (nodes - 1)});
}

}  // namespace

// One refinement of the landmarks.
struct SpigaNetworkImpl::CascadeStep {
  std::shared_ptr<Mlp> shape_encoder;
  std::shared_ptr<WindowDense> window;
  std::vector<std::shared_ptr<GraphAttention>> gat;
  std::shared_ptr<Mlp> decoder;
};

SpigaNetworkImpl::SpigaNetworkImpl(const model::NetworkConfig& config) : config_(config) {
  const scheme::Database& database = scheme::find_database(config.database);
  if (database.landmarks != config.landmarks || database.edge_count() != config.edges)
    throw Error(ErrorCode::bad_data,
                "network: database '" + config.database + "' has " + std::to_string(database.landmarks) +
                    " landmarks and " + std::to_string(database.edge_count()) + " edges, found " +
                    std::to_string(config.landmarks) + " and " + std::to_string(config.edges));
  visual_cnn_ = register_module("visual_cnn", std::make_shared<Backbone>(config, database));
  auto heads = config.stacks > 1 ? register_module("pose_heads", std::make_shared<Group>()) : nullptr;
  for (int i = 0; i + 1 < config.stacks; ++i)
    pose_.push_back(heads->add(i, std::make_shared<PoseHead>(config.width)));
  pose_.push_back(register_module("pose_fc", std::make_shared<PoseHead>(config.width)));
  std::vector<float> world;
  for (const scheme::Point3& point : database.world_points)
    for (double value : point) world.push_back(static_cast<float>(value));
  world_points_ = table(world, {config.landmarks, 3});
  build_cascade();
}

SpigaNetworkImpl::~SpigaNetworkImpl() = default;

void SpigaNetworkImpl::build_cascade() {
  auto shape_encoders = register_module("shape_encoder", std::make_shared<Group>());
  auto windows = register_module("conv_window", std::make_shared<Group>());
  auto gcn = register_module("gcn", std::make_shared<Group>());
  const std::int64_t nodes = config_.landmarks, hidden = config_.shape_hidden, g = config_.gat_width;
  for (int s = 0; s < config_.steps; ++s) {
    CascadeStep step;
    auto encoder = shape_encoders->add(s, std::make_shared<torch::nn::Module>());
    step.shape_encoder = encoder->register_module(
        "encoder",
        std::make_shared<Mlp>(std::vector<std::int64_t>{2 * (nodes - 1), hidden, hidden, config_.embedding}));
    step.window =
        windows->add(s, std::make_shared<WindowDense>(config_.width, config_.embedding, config_.window_grid));
    auto regressor = gcn->add(s, std::make_shared<torch::nn::Module>());
    auto layers = regressor->register_module("gat", std::make_shared<Group>());
    for (int i = 0; i < config_.gat_layers; ++i)
      step.gat.push_back(layers->add(
          i, std::make_shared<GraphAttention>(i == 0 ? config_.embedding : g, g, config_.gat_heads)));
    auto decoder = regressor->register_module("decoder", std::make_shared<torch::nn::Module>());
    step.decoder = decoder->register_module(
        "decoder", std::make_shared<Mlp>(std::vector<std::int64_t>{g, g, g / 2, g / 4, g / 8, 2}));
    torch::NoGradGuard no_grad;
    step.decoder->last().weight.mul_(kOffsetInit);
    steps_.push_back(std::move(step));
  }
}

BackboneOutput SpigaNetworkImpl::backbone(const torch::Tensor& images, bool heads) {
  Backbone& cnn = *visual_cnn_;
  BackboneOutput output;
  torch::Tensor x = cnn.stem(images, compute_);
  for (std::size_t i = 0; i < cnn.hourglasses.size(); ++i) {
    const bool last = i + 1 == cnn.hourglasses.size();
    torch::Tensor core;
    const torch::Tensor field = cnn.visual_field(i, cnn.hourglasses[i]->forward(x, core));
    if (heads || last) output.pose.push_back(pose_of(i, cnn.reduce_core(i, core)));
    if (last) output.field = field;
    if (last && !heads && config_.initial_shape != model::InitialShape::heatmap) break;
    const HeadMaps maps = cnn.maps(i, field);
    if (heads || last) {
      output.heat.push_back(maps.heat);
      output.points.push_back(maps.points);
      output.edges.push_back(maps.edges);
    }
    if (!last)
      x = cnn.merge_features[i]->forward(field).add_(cnn.merge_preds[i]->forward(maps.heat_typed)).add_(x);
  }
  return output;
}

torch::Tensor SpigaNetworkImpl::pose_of(std::size_t stack, const torch::Tensor& core) {
  return std::static_pointer_cast<PoseHead>(pose_[stack])->forward(core);
}

// docs/network.md, section 4: pose [N, 6] to landmarks [N, L, 2] in crop units.
torch::Tensor SpigaNetworkImpl::project(const torch::Tensor& pose) {
  constexpr double kRadians = std::numbers::pi / 180;
  if (world_points_.device() != pose.device()) world_points_ = world_points_.to(pose.device());
  const torch::Tensor a = -(pose.select(1, 0) - 90) * kRadians, b = -pose.select(1, 1) * kRadians,
                      c = -(pose.select(1, 2) + 90) * kRadians;
  const torch::Tensor zero = torch::zeros_like(a), one = torch::ones_like(a);
  const auto matrix = [&](std::vector<torch::Tensor> elements) {
    return torch::stack(elements, 1).view({-1, 3, 3});
  };
  const torch::Tensor yaw = matrix({a.cos(), zero, a.sin(), zero, one, zero, -a.sin(), zero, a.cos()});
  const torch::Tensor pitch = matrix({b.cos(), -b.sin(), zero, b.sin(), b.cos(), zero, zero, zero, one});
  const torch::Tensor roll = matrix({one, zero, zero, zero, c.cos(), -c.sin(), zero, c.sin(), c.cos()});
  const torch::Tensor rotation = at::matmul(at::matmul(yaw, pitch), roll);
  const torch::Tensor camera =
      at::matmul(world_points_, rotation.transpose(1, 2)) + pose.narrow(1, 3, 3).unsqueeze(1);  // [N, L, 3]
  return camera.narrow(2, 0, 2) / camera.narrow(2, 2, 1) * 1.5 + 0.5;
}

torch::Tensor SpigaNetworkImpl::initial_landmarks(const BackboneOutput& output) {
  torch::NoGradGuard no_grad;
  if (config_.initial_shape == model::InitialShape::projection) return project(output.pose.back());
  return soft_argmax(output.heat.back()).clamp(0, 1);
}

torch::Tensor SpigaNetworkImpl::projected_landmarks(const BackboneOutput& output) {
  torch::NoGradGuard no_grad;
  return project(output.pose.back().to(torch::kFloat32));
}

std::vector<torch::Tensor> SpigaNetworkImpl::cascade(const torch::Tensor& field,
                                                     const torch::Tensor& initial) {
  const std::int64_t faces = initial.size(0), nodes = initial.size(1);
  std::vector<torch::Tensor> landmarks;
  torch::Tensor points = initial.detach();
  double window = 0.25 * config_.map_size();
  for (CascadeStep& step : steps_) {
    const torch::Tensor appearance =
        step.window->forward(sample_windows(field.to(compute_), points, config_.window_grid, window));
    // Differences of coordinates need float32's digits, and so do the offsets that come out.
    torch::Tensor features =
        appearance + step.shape_encoder->forward(pairwise_differences(points)).to(compute_);
    features = features.view({faces, nodes, config_.embedding});
    for (auto& layer : step.gat) features = layer->forward(features);
    const torch::Tensor offset =
        step.decoder->forward(features.flatten(0, 1).to(torch::kFloat32)).view({faces, nodes, 2});
    landmarks.push_back(points + offset.clamp(-1, 1) * (window / (2 * config_.map_size())));
    points = landmarks.back().detach();
    window /= 2;
  }
  return landmarks;
}

void SpigaNetworkImpl::set_compute_dtype(torch::ScalarType type) { compute_ = type; }

std::vector<torch::Tensor> SpigaNetworkImpl::backbone_parameters() {
  std::vector<torch::Tensor> all = visual_cnn_->parameters();
  for (auto& head : pose_)
    for (const torch::Tensor& parameter : head->parameters()) all.push_back(parameter);
  return all;
}

std::vector<torch::Tensor> SpigaNetworkImpl::cascade_parameters() {
  std::vector<torch::Tensor> all;
  for (const char* name : {"shape_encoder", "conv_window", "gcn"})
    for (const torch::Tensor& parameter : named_children()[name]->parameters()) all.push_back(parameter);
  return all;
}

void SpigaNetworkImpl::set_training(bool backbone, bool cascade) {
  train(backbone);
  for (const char* name : {"shape_encoder", "conv_window", "gcn"}) named_children()[name]->train(cascade);
}

torch::Tensor soft_argmax(const torch::Tensor& heat) {
  const std::int64_t height = heat.size(2), width = heat.size(3);
  const torch::Tensor cells = at::softmax(heat.to(torch::kFloat32).flatten(2), -1).view_as(heat);
  const torch::Tensor x = (torch::arange(width, cells.options()) + 0.5) / static_cast<double>(width);
  const torch::Tensor y = (torch::arange(height, cells.options()) + 0.5) / static_cast<double>(height);
  return torch::stack({at::matmul(cells.sum(2), x), at::matmul(cells.sum(3), y)}, -1);
}

}  // namespace spiga::train
