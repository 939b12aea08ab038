// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "naive_network.h"

#include <cmath>

#include "scheme/scheme.h"

namespace spiga::bench {
namespace {

namespace nn = torch::nn;

nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel = 1, std::int64_t stride = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding((kernel - 1) / 2).bias(false));
}

struct ConvUnitImpl : nn::Module {
  ConvUnitImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride)
      : body(register_module(
            "body", nn::Sequential(conv(in, out, kernel, stride), nn::BatchNorm2d(out), nn::ReLU()))) {}
  torch::Tensor forward(torch::Tensor x) { return body->forward(x); }

  nn::Sequential body;
};
TORCH_MODULE(ConvUnit);

struct ResidualImpl : nn::Module {
  ResidualImpl(std::int64_t in, std::int64_t out) {
    body = register_module(
        "body", nn::Sequential(nn::BatchNorm2d(in), nn::ReLU(), conv(in, out / 2), nn::BatchNorm2d(out / 2),
                               nn::ReLU(), conv(out / 2, out / 2, 3), nn::BatchNorm2d(out / 2), nn::ReLU(),
                               conv(out / 2, out)));
    if (in != out) skip = register_module("skip", conv(in, out));
  }
  torch::Tensor forward(torch::Tensor x) { return body->forward(x) + (skip ? skip->forward(x) : x); }

  nn::Sequential body{nullptr};
  nn::Conv2d skip{nullptr};
};
TORCH_MODULE(Residual);

struct HourglassImpl : nn::Module {
  HourglassImpl(std::int64_t depth, std::int64_t c) {
    up1 = register_module("up1", Residual(c, c));
    low1 = register_module("low1", nn::Sequential(ConvUnit(c, c, 2, 2), Residual(c, c)));
    if (depth > 1)
      inner = register_module("inner", std::make_shared<HourglassImpl>(depth - 1, c));
    else
      low2 = register_module("low2", Residual(c, c));
    low3 = register_module("low3", Residual(c, c));
    up2 = register_module(
        "up2", nn::Sequential(nn::ConvTranspose2d(nn::ConvTranspose2dOptions(c, c, 2).stride(2).bias(false)),
                              nn::BatchNorm2d(c), nn::ReLU()));
  }
  torch::Tensor forward(torch::Tensor x, torch::Tensor* core) {
    torch::Tensor low = low1->forward(x);
    low = inner ? inner->forward(low, core) : (*core = low2->forward(low));
    return up1->forward(x) + up2->forward(low3->forward(low));
  }

  Residual up1{nullptr}, low2{nullptr}, low3{nullptr};
  nn::Sequential low1{nullptr}, up2{nullptr};
  std::shared_ptr<HourglassImpl> inner;
};
TORCH_MODULE(Hourglass);

nn::Conv1d conv1d(std::int64_t in, std::int64_t out) { return nn::Conv1d(nn::Conv1dOptions(in, out, 1)); }

nn::Sequential mlp(const std::vector<std::int64_t>& widths) {
  nn::Sequential layers;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    layers->push_back(conv1d(widths[i - 1], widths[i]));
    if (i + 1 == widths.size()) break;
    layers->push_back(nn::BatchNorm1d(widths[i]));
    layers->push_back(nn::ReLU());
  }
  return layers;
}

// [N, D, L] to [N, out, L].
struct AttentionImpl : nn::Module {
  AttentionImpl(std::int64_t in, std::int64_t out, std::int64_t head_count) : heads(head_count) {
    for (auto* layer : {&query, &key, &value, &merge}) *layer = conv1d(in, in);
    register_module("query", query);
    register_module("key", key);
    register_module("value", value);
    register_module("merge", merge);
    if (in != out) reshape = register_module("reshape", conv1d(in, out));
    message = register_module("message", mlp({2 * in, 2 * in, out}));
  }
  torch::Tensor forward(torch::Tensor x) {
    const std::int64_t faces = x.size(0), width = x.size(1), nodes = x.size(2);
    const auto split = [&](nn::Conv1d& layer) {
      return layer->forward(x).view({faces, width / heads, heads, nodes});
    };
    const torch::Tensor q = split(query), k = split(key), v = split(value);
    const torch::Tensor scores =
        torch::einsum("bdhn,bdhm->bhnm", {q, k}) / std::sqrt(static_cast<double>(width / heads));
    const torch::Tensor merged = torch::einsum("bhnm,bdhm->bdhn", {scores.softmax(-1), v}).contiguous();
    const torch::Tensor out =
        message->forward(torch::cat({x, merge->forward(merged.view({faces, width, nodes}))}, 1));
    return (reshape ? reshape->forward(x) : x) + out;
  }

  std::int64_t heads;
  nn::Conv1d query{nullptr}, key{nullptr}, value{nullptr}, merge{nullptr}, reshape{nullptr};
  nn::Sequential message{nullptr};
};
TORCH_MODULE(Attention);

int log2_of(int size) {
  int log = 0;
  while ((size >> log) > 1) ++log;
  return log;
}

}  // namespace

NaiveNetworkImpl::NaiveNetworkImpl(const model::NetworkConfig& config) : config_(config) {
  const std::int64_t c = config.width, s = config.stem_width;
  stem_ = register_module(
      "stem", nn::Sequential(ConvUnit(6, s, 7, config.stem_stride), Residual(s, 2 * s),
                             ConvUnit(2 * s, 2 * s, 2, 2), Residual(2 * s, 2 * s), Residual(2 * s, c)));
  for (int i = 0; i < config.stacks; ++i) {
    const auto add = [&](const char* name, auto module) {
      return register_module(name + std::to_string(i), module);
    };
    Stack stack;
    stack.hourglass = nn::AnyModule(add("hourglass", Hourglass(config.hourglass_depth, c)));
    stack.out = add("out", nn::Sequential(Residual(c, c), ConvUnit(c, c, 1, 1)));
    nn::Sequential core;
    for (int j = 0; j < log2_of(config.core_size()); ++j) {
      core->push_back(Residual(c, c));
      core->push_back(ConvUnit(c, c, 2, 2));
    }
    stack.core = add("core", core);
    stack.points = add("points", conv(c, config.landmarks));
    stack.edges = add("edges", conv(c, config.edges));
    stack.features = add("features", conv(c, config.landmarks));
    stack.pose = add("pose", nn::Linear(c, 6));
    if (i + 1 < config.stacks) {
      stack.merge_preds = add("merge_preds", conv(config.landmarks, c));
      stack.merge_features = add("merge_features", conv(c, c));
    }
    stacks_.push_back(stack);
  }
  const std::int64_t g = config.gat_width, hidden = config.shape_hidden;
  for (int i = 0; i < config.steps; ++i) {
    const auto add = [&](const std::string& name, auto module) {
      return register_module(name + std::to_string(i), module);
    };
    Step step;
    step.shape = add("shape", mlp({2 * (config.landmarks - 1), hidden, hidden, config.embedding}));
    step.window = add("window", nn::Conv2d(nn::Conv2dOptions(c, config.embedding, config.window_grid)));
    for (int j = 0; j < config.gat_layers; ++j)
      step.attention.emplace_back(add("attention" + std::to_string(j) + "_",
                                      Attention(j == 0 ? config.embedding : g, g, config.gat_heads)));
    step.decoder = add("decoder", mlp({g, g, g / 2, g / 4, g / 8, 2}));
    steps_.push_back(step);
  }
  const torch::Tensor line = torch::linspace(-1, 1, config.input_size);
  const auto grid = torch::meshgrid({line, line}, "ij");
  coordinates_ =
      torch::stack({grid[0], grid[1], ((grid[0] - 0.5).square() + (grid[1] - 0.5).square()).sqrt()})
          .unsqueeze(0);
  const scheme::Database& database = scheme::find_database(config.database);
  const torch::Tensor table =
      torch::tensor(database.edge2point).view({config.landmarks, config.edges + 1, 1, 1});
  incidence_ = table.narrow(1, 0, config.edges);
  no_edge_ = table.narrow(1, config.edges, 1).view({1, config.landmarks, 1, 1});
}

bool NaiveNetworkImpl::is_of_cascade(const std::string& name) {
  for (const char* part : {"shape", "window", "attention", "decoder"})
    if (name.starts_with(part)) return true;
  return false;
}

train::BackboneOutput NaiveNetworkImpl::backbone(const torch::Tensor& images) {
  train::BackboneOutput output;
  torch::Tensor x = torch::cat({images, coordinates_.expand({images.size(0), -1, -1, -1})}, 1);
  x = stem_->forward(x.contiguous(torch::MemoryFormat::ChannelsLast));
  for (Stack& stack : stacks_) {
    torch::Tensor core;
    const torch::Tensor h = stack.hourglass.get<Hourglass>()->forward(x, &core);
    const torch::Tensor field = stack.out->forward(h);
    output.pose.push_back(stack.pose->forward(stack.core->forward(core).flatten(1)));
    const torch::Tensor points = stack.points->forward(field).sigmoid(),
                        edges = stack.edges->forward(field).sigmoid();
    const torch::Tensor near = (torch::conv2d(edges, incidence_) + no_edge_).clamp_max(1);
    const torch::Tensor heat = stack.features->forward(field) * points * near;
    output.points.push_back(points);
    output.edges.push_back(edges);
    output.heat.push_back(heat.to(torch::kFloat32));
    output.field = field;
    if (stack.merge_preds) x = x + stack.merge_preds->forward(heat) + stack.merge_features->forward(field);
  }
  return output;
}

torch::Tensor NaiveNetworkImpl::initial_landmarks(const train::BackboneOutput& output) {
  return train::soft_argmax(output.heat.back().detach()).clamp(0, 1);
}

// [N L, C, grid, grid].
torch::Tensor NaiveNetworkImpl::crops(const torch::Tensor& field, const torch::Tensor& points,
                                      double window) const {
  const std::int64_t grid = config_.window_grid, nodes = points.size(1), map = config_.map_size();
  const torch::Tensor k = torch::linspace(-1, 1, grid) * ((window - 1) / 2);
  const auto offsets = torch::meshgrid({k, k}, "ij");
  const torch::Tensor at = points.view({-1, nodes, 1, 2}) * map +
                           torch::stack({offsets[1], offsets[0]}, -1).view({1, 1, grid * grid, 2});
  const torch::Tensor samples = torch::nn::functional::grid_sample(
      field, (2 * at + 1) / map - 1,
      torch::nn::functional::GridSampleFuncOptions().padding_mode(torch::kBorder).align_corners(false));
  return samples.transpose(1, 2).reshape({-1, field.size(1), grid, grid});
}

std::vector<torch::Tensor> NaiveNetworkImpl::cascade(const torch::Tensor& field,
                                                     const torch::Tensor& initial) {
  const std::int64_t faces = initial.size(0), nodes = initial.size(1);
  const torch::Tensor others = torch::eye(nodes).eq(0);
  std::vector<torch::Tensor> landmarks;
  torch::Tensor points = initial;
  double window = 0.25 * config_.map_size();
  for (Step& step : steps_) {
    const torch::Tensor appearance =
        step.window->forward(crops(field, points, window)).view({faces, nodes, -1}).transpose(1, 2);
    const torch::Tensor differences = (points.unsqueeze(2) - points.unsqueeze(1))
                                          .masked_select(others.view({1, nodes, nodes, 1}))
                                          .view({faces, nodes, 2 * (nodes - 1)});
    torch::Tensor x = appearance + step.shape->forward(differences.transpose(1, 2));
    for (auto& layer : step.attention) x = layer.get<Attention>()->forward(x);
    const torch::Tensor offset = step.decoder->forward(x).transpose(1, 2).to(torch::kFloat32);
    landmarks.push_back(points + offset.clamp(-1, 1) * (window / (2 * config_.map_size())));
    points = landmarks.back().detach();
    window /= 2;
  }
  return landmarks;
}

}  // namespace spiga::bench
