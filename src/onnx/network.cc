// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/network.h"

#include <cmath>
#include <numbers>

#include "base/text.h"
#include "geometry/head_pose.h"
#include "model/folding.h"
#include "model/network.h"
#include "model/tensors.h"
#include "scheme/scheme.h"

namespace spiga::onnx {
namespace {

using base::concat;
using model::PlainWeights;
using Ints = std::vector<std::int64_t>;

// What several parts of the network are made of.
class Layers {
 public:
  Layers(Graph& graph, model::WeightSource& weights) : graph_(graph), weights_(weights) {}

  Graph& graph() { return graph_; }
  model::WeightSource& weights() { return weights_; }

  Value node(const std::string& layer, const char* operation, const std::vector<Value>& inputs,
             const Attributes& attributes = {}) {
    return graph_.node(layer, operation, inputs, attributes);
  }
  Value scalar(const std::string& layer, double value) {
    return graph_.constant(layer, std::vector<float>{static_cast<float>(value)}, {});
  }
  Value relu(const std::string& layer, const Value& x) { return node(layer, "Relu", {x}); }
  Value add(const std::string& layer, const Value& x, const Value& y) { return node(layer, "Add", {x, y}); }
  Value reshape(const std::string& layer, const Value& x, const Ints& shape) {
    return node(layer, "Reshape", {x, graph_.constant(layer + "/shape", shape)});
  }
  Value transpose(const std::string& layer, const Value& x, const Ints& order) {
    return node(layer, "Transpose", {x}, {{"perm", order}});
  }
  Value sum(const std::string& layer, const Value& x, std::int64_t axis, bool keep) {
    return node(layer, "ReduceSum", {x, graph_.constant(layer + "/axis", Ints{axis})},
                {{"keepdims", std::int64_t{keep}}});
  }
  // Elements [begin, end) along an axis.
  Value slice(const std::string& layer, const Value& x, std::int64_t axis, std::int64_t begin,
              std::int64_t end) {
    const auto at = [&](const char* what, std::int64_t value) {
      return graph_.constant(layer + what, Ints{value});
    };
    return node(layer, "Slice", {x, at("/begin", begin), at("/end", end), at("/axis", axis)});
  }

  Value convolve(const std::string& layer, const Value& x, const PlainWeights& weights, int in, int kernel,
                 int stride, int padding) {
    const auto out = static_cast<std::int64_t>(weights.bias.size());
    return node(layer, "Conv",
                {x, graph_.constant(layer + ".weight", weights.weights, {out, in, kernel, kernel}),
                 graph_.constant(layer + ".bias", weights.bias, {out})},
                {{"kernel_shape", Ints{kernel, kernel}},
                 {"strides", Ints{stride, stride}},
                 {"pads", Ints(4, padding)}});
  }

  // x [rows, in] times weights [out, in], plus the bias or `plus` [rows, out].
  Value dense(const std::string& layer, const Value& x, const PlainWeights& weights, int in,
              const Value& plus = {}) {
    const auto out = static_cast<std::int64_t>(weights.weights.size()) / in;
    const Value weight = graph_.constant(layer + ".weight", weights.weights, {out, in});
    const Value added = plus.empty() ? graph_.constant(layer + ".bias", weights.bias, {out}) : plus;
    return node(layer, "Gemm", {x, weight, added}, {{"transB", std::int64_t{1}}});
  }
  // The layer PREFIX with its batch norm unless `norm` is empty.
  Value dense(const std::string& prefix, const std::string& norm, const Value& x, int in, int out) {
    PlainWeights layer = model::read_dense(weights_, prefix, in, out);
    if (!norm.empty()) model::fold_norm(layer, model::read_norm(weights_, norm, out));
    return dense(prefix, x, layer, in);
  }

 private:
  Graph& graph_;
  model::WeightSource& weights_;
};

struct BackboneValues {
  Value field;      // [N, C, M, M]
  Value pose;       // [N, 6]
  Value landmarks;  // [N, L, 2]
  Value deviation;  // [N, L] of heat maps; empty where there are none
};

// docs/network.md, sections 1 to 4.
class Backbone {
 public:
  Backbone(Layers& layers, const model::NetworkConfig& config)
      : l_(layers), config_(config), database_(scheme::find_database(config.database)) {}

  BackboneValues build(const Value& crop) {
    BackboneValues result;
    Value x = stem("visual_cnn.pre.", crop);
    for (int i = 0; i < config_.stacks; ++i) {
      const bool last = i + 1 == config_.stacks;
      const Value h = hourglass(concat("visual_cnn.hgs.", i, "."), x, config_.hourglass_depth);
      const std::string out = concat("visual_cnn.hgs_out.", i, ".");
      const Value field = conv(out + "1", residual(out + "0.", h, width(), width()), width(), width(), 1, 1);
      if (!last) x = merged(i, x, field);
      if (last) result.field = field;
    }
    result.pose = pose(concat("visual_cnn.hgs_core.", config_.stacks - 1, "."));
    if (config_.initial_shape == model::InitialShape::heatmap) {
      locate_peaks(result);
    } else {
      result.landmarks = projection(result.pose);
    }
    return result;
  }

 private:
  int width() const { return config_.width; }

  // Conv(a, b, k, s): convolution, batch norm, ReLU.
  Value conv(const std::string& p, const Value& x, int in, int out, int kernel, int stride) {
    return l_.relu(p, normed(p + ".conv", p + ".bn", x, in, out, kernel, stride));
  }
  Value normed(const std::string& p, const std::string& norm, const Value& x, int in, int out, int kernel,
               int stride) {
    PlainWeights layer = model::read_convolution(l_.weights(), p + ".weight", in, out, kernel);
    model::fold_norm(layer, model::read_norm(l_.weights(), norm, out));
    return l_.convolve(p, x, layer, in, kernel, stride, (kernel - 1) / 2);
  }
  // A convolution of 1 x 1 without batch norm.
  Value plain(const std::string& p, const Value& x, int in, int out) {
    return l_.convolve(p, x, model::read_convolution(l_.weights(), p + ".weight", in, out, 1), in, 1, 1, 0);
  }

  Value norm_relu(const std::string& p, const Value& x, int channels) {
    const model::Affine norm = model::read_norm(l_.weights(), p, channels);
    const auto constant = [&](const char* what, const std::vector<float>& values) {
      return l_.graph().constant(p + what, values, {channels});
    };
    const std::vector<float> zeros(norm.scale.size(), 0.0F), ones(norm.scale.size(), 1.0F);
    const Value y = l_.node(p, "BatchNormalization",
                            {x, constant(".scale", norm.scale), constant(".shift", norm.shift),
                             constant(".mean", zeros), constant(".variance", ones)},
                            {{"epsilon", 0.0F}});
    return l_.relu(p, y);
  }

  Value residual(const std::string& p, const Value& x, int in, int out) {
    const Value skip = in == out ? x : plain(p + "skip_layer.conv", x, in, out);
    Value y = norm_relu(p + "bn1", x, in);
    y = l_.relu(p + "conv1", normed(p + "conv1.conv", p + "bn2", y, in, out / 2, 1, 1));
    y = l_.relu(p + "conv2", normed(p + "conv2.conv", p + "bn3", y, out / 2, out / 2, 3, 1));
    return l_.add(p + "sum", plain(p + "conv3.conv", y, out / 2, out), skip);
  }

  Value with_coordinates(const Value& crop) {
    const int size = config_.input_size;
    const std::vector<float> pixels = model::coordinate_channels(size);
    std::vector<float> planes(pixels.size());
    const std::size_t plane = pixels.size() / 3;
    for (std::size_t i = 0; i < pixels.size(); ++i) planes[i % 3 * plane + i / 3] = pixels[i];
    const std::string layer = "coordinates";
    const Value batch = l_.node(layer, "Shape", {crop}, {{"end", std::int64_t{1}}});
    const Value shape = l_.node(layer, "Concat", {batch, l_.graph().constant(layer, Ints{3, size, size})},
                                {{"axis", std::int64_t{0}}});
    const Value channels =
        l_.node(layer, "Expand", {l_.graph().constant(layer, planes, {1, 3, size, size}), shape});
    return l_.node(layer, "Concat", {crop, channels}, {{"axis", std::int64_t{1}}});
  }

  Value stem(const std::string& p, const Value& crop) {
    const int stem = config_.stem_width;
    Value x = conv(p + "1", with_coordinates(crop), 6, stem, 7, config_.stem_stride);
    x = residual(p + "2.", x, stem, 2 * stem);
    x = conv(p + "3", x, 2 * stem, 2 * stem, 2, 2);
    x = residual(p + "4.", x, 2 * stem, 2 * stem);
    return residual(p + "5.", x, 2 * stem, width());
  }

  // Leaves the innermost map in core_.
  Value hourglass(const std::string& p, const Value& x, int depth) {
    const auto block = [&](const char* name, const Value& y) {
      return residual(p + name, y, width(), width());
    };
    const Value up = block("up1.", x);
    Value low = block("low1.", conv(p + "pool1", x, width(), width(), 2, 2));
    if (depth > 1) {
      low = hourglass(p + "low2.", low, depth - 1);
    } else {
      core_ = low = block("low2.", low);
    }
    return l_.add(p + "sum", up, upsample(p + "up2.", block("low3.", low)));
  }

  Value upsample(const std::string& p, const Value& x) {
    const int channels = width();
    std::vector<float> weights = l_.weights().read(p + "deconv.weight", {channels, channels, 2, 2});
    const model::Affine norm = model::read_norm(l_.weights(), p + "bn", channels);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= norm.scale[i / 4 % norm.scale.size()];
    const Value y = l_.node(p + "deconv", "ConvTranspose",
                            {x, l_.graph().constant(p + "deconv.weight", weights, {channels, channels, 2, 2}),
                             l_.graph().constant(p + "deconv.bias", norm.shift, {channels})},
                            {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
    return l_.relu(p + "relu", y);
  }

  Value pose(const std::string& p) {
    Value core = core_;
    for (int i = 0, size = config_.core_size(); size > 1; ++i, size /= 2) {
      core = residual(concat(p, 2 * i, "."), core, width(), width());
      core = conv(concat(p, 2 * i + 1), core, width(), width(), 2, 2);
    }
    const PlainWeights head = {l_.weights().read("pose_fc.weight", {6, width()}),
                               l_.weights().read("pose_fc.bias", {6})};
    return l_.dense("pose_fc", l_.node("pose_fc.input", "Flatten", {core}), head, width());
  }

  // feature point near of stack i: [N, L, M, M].
  Value heat_maps(int i, const Value& field) {
    const int landmarks = config_.landmarks, edges = config_.edges;
    const auto head = [&](const char* name, const char* suffix, int count) {
      return plain(concat("visual_cnn.outs_", name, ".", i, suffix), field, width(), count);
    };
    const std::string layer = concat("visual_cnn.heat.", i);
    const Value point = l_.node(layer, "Sigmoid", {head("points", ".0.conv", landmarks)});
    const Value edge = l_.node(layer, "Sigmoid", {head("edges", ".0.conv", edges)});
    const Value near = l_.node(
        layer, "Min",
        {l_.convolve(layer + ".near", edge, incidence(), edges, 1, 1, 0), l_.scalar(layer + ".one", 1)});
    const Value heat = l_.node(layer, "Mul", {head("features", ".conv", landmarks), point});
    return l_.node(layer, "Mul", {heat, near});
  }

  // edge2point as a convolution: the last column is the bias.
  PlainWeights incidence() const {
    PlainWeights layer;
    const int columns = config_.edges + 1;
    for (int i = 0; i < config_.landmarks * columns; ++i)
      ((i + 1) % columns == 0 ? layer.bias : layer.weights).push_back(database_.edge2point[i]);
    return layer;
  }

  Value merged(int i, const Value& x, const Value& field) {
    const std::string preds = concat("visual_cnn.merge_preds.", i, ".conv"),
                      features = concat("visual_cnn.merge_features.", i, ".conv");
    const Value sum = l_.add(preds + "/sum", x, plain(features, field, width(), width()));
    return l_.add(features + "/sum", sum, plain(preds, heat_maps(i, field), config_.landmarks, width()));
  }

  // Expectation of each map along one axis, [N, L, 1], and its variance.
  struct Moments {
    Value mean, variance;
  };
  Moments moments(const Value& maps, std::int64_t summed_axis) {
    const int side = config_.map_size();
    std::vector<float> centres;
    for (int i = 0; i < side; ++i)
      centres.push_back((static_cast<float>(i) + 0.5F) / static_cast<float>(side));
    const std::string layer = "peaks";
    const Value profile = l_.sum(layer, maps, summed_axis, false);
    const Value places = l_.graph().constant(layer, centres, {side});
    const Value mean = l_.sum(layer, l_.node(layer, "Mul", {profile, places}), -1, true);
    const Value distance = l_.node(layer, "Sub", {places, mean});
    const Value square = l_.node(layer, "Mul", {distance, distance});
    return {mean, l_.sum(layer, l_.node(layer, "Mul", {profile, square}), -1, true)};
  }

  void locate_peaks(BackboneValues& result) {
    const int side = config_.map_size(), landmarks = config_.landmarks;
    const std::string layer = "initial";
    const Value flat = l_.reshape(layer, heat_maps(config_.stacks - 1, result.field),
                                  {-1, landmarks, std::int64_t{side} * side});
    const Value weights = l_.node(layer, "Softmax", {flat}, {{"axis", std::int64_t{-1}}});
    const Value maps = l_.reshape(layer, weights, {-1, landmarks, side, side});
    const Moments x = moments(maps, 2), y = moments(maps, 3);
    const Value both = l_.node(layer, "Concat", {x.mean, y.mean}, {{"axis", std::int64_t{2}}});
    result.landmarks =
        l_.node(layer, "Clip", {both, l_.scalar(layer + ".least", 0), l_.scalar(layer + ".most", 1)});
    const Value variance = l_.add(layer, x.variance, y.variance);
    result.deviation = l_.reshape(layer, l_.node(layer, "Sqrt", {variance}), {-1, landmarks});
  }

  // The 3-D mean face as the crop's camera sees it in this pose.
  Value projection(const Value& pose) {
    const std::string layer = "projection";
    const Value rotation = rotation_of(l_.slice(layer, pose, 1, 0, 3));
    const Value translation = l_.reshape(layer, l_.slice(layer, pose, 1, 3, 6), {-1, 3, 1});
    std::vector<float> world(3 * database_.world_points.size());
    for (std::size_t i = 0; i < world.size(); ++i)
      world[i] = static_cast<float>(
          database_.world_points[i % database_.world_points.size()][i / database_.world_points.size()]);
    const Value turned =
        l_.node(layer, "MatMul", {rotation, l_.graph().constant(layer, world, {3, config_.landmarks})});
    const Value seen = l_.add(layer, turned, translation);
    const Value plane =
        l_.node(layer, "Div", {l_.slice(layer, seen, 1, 0, 2), l_.slice(layer, seen, 1, 2, 3)});
    const Value scaled = l_.node(layer, "Mul", {plane, l_.scalar(layer, geometry::kCropCamera.focal)});
    const Value centred = l_.add(layer, scaled, l_.scalar(layer, geometry::kCropCamera.centre_x));
    return l_.transpose(layer, centred, {0, 2, 1});
  }

  // geometry::rotation_from_angles: [N, 3] degrees to [N, 3, 3].
  Value rotation_of(const Value& angles) {
    constexpr double kRadian = std::numbers::pi / 180;
    const std::string layer = "rotation";
    const Value turned = l_.node(layer, "Mul", {angles, l_.scalar(layer, -kRadian)});
    const Value radians =
        l_.add(layer, turned,
               l_.graph().constant(
                   layer, {static_cast<float>(90 * kRadian), 0, static_cast<float>(-90 * kRadian)}, {3}));
    const auto part = [&](const char* function, int i) {
      return l_.slice(layer, l_.node(layer, function, {radians}), 1, i, i + 1);
    };
    const Value ca = part("Cos", 0), cb = part("Cos", 1), cc = part("Cos", 2);
    const Value sa = part("Sin", 0), sb = part("Sin", 1), sc = part("Sin", 2);
    const auto product = [&](const Value& a, const Value& b) { return l_.node(layer, "Mul", {a, b}); };
    const auto minus = [&](const Value& a) { return l_.node(layer, "Neg", {a}); };
    const Value first = minus(product(ca, sb)), second = product(sa, sb);
    const auto turn = [&](const Value& a, const Value& b) {  // the last two columns of a row
      return std::vector<Value>{l_.add(layer, product(a, cc), product(b, sc)),
                                l_.node(layer, "Sub", {product(b, cc), product(a, sc)})};
    };
    const std::vector<Value> top = turn(first, sa), bottom = turn(second, ca);
    const Value rows = l_.node(layer, "Concat",
                               {product(ca, cb), top[0], top[1], sb, product(cb, cc), minus(product(cb, sc)),
                                minus(product(sa, cb)), bottom[0], bottom[1]},
                               {{"axis", std::int64_t{1}}});
    return l_.reshape(layer, rows, {-1, 3, 3});
  }

  Layers& l_;
  const model::NetworkConfig& config_;
  const scheme::Database& database_;
  Value core_;
};

// docs/network.md, section 5. Nodes are rows: [N L, width].
class CascadeStep {
 public:
  CascadeStep(Layers& layers, const model::NetworkConfig& config, int step)
      : l_(layers), config_(config), step_(step), landmarks_(config.landmarks) {}

  // The landmarks after the step.
  Value build(const Value& field, const Value& points) {
    Value nodes = l_.add(concat("nodes.", step_), appearance(field, points), shape(points));
    int width = config_.embedding;
    for (int i = 0; i < config_.gat_layers; ++i, width = config_.gat_width)
      nodes = attention_layer(concat("gcn.", step_, ".gat.", i, "."), nodes, width);
    return move(nodes, points);
  }

 private:
  Value appearance(const Value& field, const Value& points) {
    const int grid = config_.window_grid, inner = config_.width * grid * grid;
    const std::string layer = concat("conv_window.", step_);
    const Value samples = l_.node(layer, "GridSample", {field, sample_places(layer, points)},
                                  {{"align_corners", std::int64_t{1}},
                                   {"mode", std::string("bilinear")},
                                   {"padding_mode", std::string("border")}});  // [N, C, L, grid grid]
    const Value windows = l_.reshape(layer, l_.transpose(layer, samples, {0, 2, 1, 3}), {-1, inner});
    const PlainWeights weights = {
        l_.weights().read(layer + ".weight", {config_.embedding, config_.width, grid, grid}),
        l_.weights().read(layer + ".bias", {config_.embedding})};
    return l_.dense(layer, windows, weights, inner);
  }

  // Where the windows are sampled, [N, L, grid grid, 2]; -1 and 1 are the first and the last pixel's centre.
  Value sample_places(const std::string& layer, const Value& points) {
    const double side = config_.map_size(), unit = 2 / (side - 1);
    const double radius = (model::window_part(step_) * side - 1) / 2,
                 middle = (config_.window_grid - 1) / 2.0;
    std::vector<float> offsets;
    for (int row = 0; row < config_.window_grid; ++row) {
      for (int column = 0; column < config_.window_grid; ++column) {
        for (const int index : {column, row})
          offsets.push_back(static_cast<float>(unit * radius * (index - middle) / middle - 1));
      }
    }
    const Value centres =
        l_.node(layer, "Mul",
                {l_.reshape(layer, points, {-1, landmarks_, 1, 2}), l_.scalar(layer + ".unit", unit * side)});
    const auto samples = static_cast<std::int64_t>(offsets.size() / 2);
    return l_.add(layer, centres, l_.graph().constant(layer + ".offsets", offsets, {1, 1, samples, 2}));
  }

  // shape_encoder of the vectors from the other landmarks, those first.
  Value shape(const Value& points) {
    const std::string layer = concat("shape_encoder.", step_), p = layer + ".encoder.";
    const int size = 2 * (landmarks_ - 1), hidden = config_.shape_hidden;
    const Value differences = l_.node(layer, "Sub",
                                      {l_.reshape(layer, points, {-1, landmarks_, 1, 2}),
                                       l_.reshape(layer, points, {-1, 1, landmarks_, 2})});
    Ints others;
    for (int i = 0; i < landmarks_ * landmarks_; ++i)
      if (i / landmarks_ != i % landmarks_) others.push_back(i);
    const Value pairs =
        l_.node(layer, "Gather",
                {l_.reshape(layer, differences, {-1, std::int64_t{landmarks_} * landmarks_, 2}),
                 l_.graph().constant(layer + ".others", others)},
                {{"axis", std::int64_t{1}}});
    Value x = l_.reshape(layer, pairs, {-1, size});
    x = l_.relu(p, l_.dense(p + "0", p + "1", x, size, hidden));
    x = l_.relu(p, l_.dense(p + "3", p + "4", x, hidden, hidden));
    return l_.dense(p + "6", "", x, hidden, config_.embedding);
  }

  // Query, key or value: [N, heads, L, width / heads], or as `order` has it.
  Value projection(const std::string& p, int index, const Value& x, int width, double scale,
                   const Ints& order) {
    const std::string layer = concat(p, "attn.proj.", index);
    const int heads = config_.gat_heads;
    const PlainWeights weights =
        model::read_projection(l_.weights(), layer, width, heads, static_cast<float>(scale));
    const Value rows = l_.dense(layer, x, weights, width);
    return l_.transpose(layer, l_.reshape(layer, rows, {-1, landmarks_, heads, width / heads}), order);
  }

  Value attend(const std::string& p, const Value& x, int width) {
    const Value q = projection(p, 0, x, width, 1 / std::sqrt(static_cast<double>(width / config_.gat_heads)),
                               {0, 2, 1, 3});
    const Value k = projection(p, 1, x, width, 1, {0, 2, 3, 1});
    const Value v = projection(p, 2, x, width, 1, {0, 2, 1, 3});
    const std::string layer = p + "attention";
    const Value weights =
        l_.node(layer, "Softmax", {l_.node(layer, "MatMul", {q, k})}, {{"axis", std::int64_t{-1}}});
    const Value heads = l_.transpose(layer, l_.node(layer, "MatMul", {weights, v}), {0, 2, 1, 3});
    return l_.reshape(layer, heads, {-1, width});
  }

  Value attention_layer(const std::string& prefix, const Value& x, int in) {
    const std::string p = prefix + "attention.";
    const std::string name = prefix + "attention";
    const int out = config_.gat_width;
    Value message = l_.dense(p + "mlp.0.x", x, model::read_message_over_x(l_.weights(), name, in), in);
    message =
        l_.dense(p + "mlp.0.attended", attend(p, x, in),
                 model::read_message_over_attended(l_.weights(), name, in, config_.gat_heads), in, message);
    const Value kept = in == out ? x : l_.dense(prefix + "reshape.0", "", x, in, out);
    return l_.add(p + "sum", kept, l_.dense(p + "mlp.3", "", l_.relu(p + "mlp.2", message), 2 * in, out));
  }

  Value move(const Value& nodes, const Value& points) {
    const std::string p = concat("gcn.", step_, ".decoder.decoder.");
    const std::vector<int> widths = model::decoder_widths(config_);
    Value x = nodes;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const bool last = i + 2 == widths.size();
      x = l_.dense(concat(p, 3 * i), last ? "" : concat(p, 3 * i + 1), x, widths[i], widths[i + 1]);
      if (!last) x = l_.relu(p, x);
    }
    const Value offset = l_.node(
        p, "Clip",
        {l_.reshape(p, x, {-1, landmarks_, 2}), l_.scalar(p + "least", -1), l_.scalar(p + "most", 1)});
    const Value reach = l_.scalar(p + "reach", model::window_part(step_) / 2);
    return l_.add(p + "sum", points, l_.node(p, "Mul", {offset, reach}));
  }

  Layers& l_;
  const model::NetworkConfig& config_;
  const int step_;
  const int landmarks_;
};

// How far points lie apart, [N, L].
Value distance(Layers& l, const Value& a, const Value& b) {
  const std::string layer = "expected_error.distance";
  const Value difference = l.node(layer, "Sub", {a, b});
  return l.node(layer, "Sqrt", {l.sum(layer, l.node(layer, "Mul", {difference, difference}), 2, false)});
}

// model::expected_error. `landmarks`: initial, then after each step.
Value uncertainty_of(Layers& l, const model::UncertaintyFormula& formula, const std::vector<Value>& landmarks,
                     const Value& deviation) {
  const std::string layer = "expected_error";
  const Value &last = landmarks.back(), &before = landmarks[landmarks.size() - 2];
  const auto term = [&](const Value& feature, float exponent) {
    const Value logarithm = l.node(
        layer, "Log", {l.add(layer, feature, l.scalar(layer + ".floor", model::UncertaintyFormula::kFloor))});
    return l.node(layer, "Mul", {logarithm, l.scalar(layer + ".exponent", exponent)});
  };
  double bias = formula.bias;
  Value sum = l.add(layer, term(distance(l, last, before), formula.last_move),
                    term(distance(l, before, landmarks.front()), formula.earlier_moves));
  if (deviation.empty()) {
    bias += formula.heat_deviation * std::log(double{model::UncertaintyFormula::kFloor});
  } else {
    sum = l.add(layer, sum, term(deviation, formula.heat_deviation));
  }
  const Value error = l.node(layer, "Exp", {l.add(layer, sum, l.scalar(layer + ".bias", bias))});
  return l.node(layer, "Min", {error, l.scalar(layer + ".largest", model::UncertaintyFormula::kLargest)});
}

}  // namespace

Graph build_graph(const model::NetworkConfig& config, model::WeightSource& weights,
                  const model::UncertaintyFormula& uncertainty) {
  Graph graph;
  Layers layers(graph, weights);
  const Value crop = graph.input("crop", {3, config.input_size, config.input_size});
  const BackboneValues backbone = Backbone(layers, config).build(crop);
  std::vector<Value> landmarks = {backbone.landmarks};
  for (int s = 0; s < config.steps; ++s)
    landmarks.push_back(CascadeStep(layers, config, s).build(backbone.field, landmarks.back()));
  graph.output("landmarks", landmarks.back(), {config.landmarks, 2});
  graph.output("pose", backbone.pose, {6});
  graph.output("uncertainty", uncertainty_of(layers, uncertainty, landmarks, backbone.deviation),
               {config.landmarks});
  return graph;
}

}  // namespace spiga::onnx
