// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/network.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "base/text.h"
#include "geometry/head_pose.h"
#include "model/detector_network.h"
#include "model/folding.h"
#include "model/landmark_network.h"

namespace spiga::onnx {
namespace {

using base::concat;
using model::PlainWeights;
using Ints = std::vector<std::int64_t>;

// What is known of a value of the graph: maps are [N, channels, height, width], rows [N height, channels],
// places of landmarks [N, height, 2].
struct OnnxActivation : model::Activation {
  OnnxActivation(Value value, int rows, int columns, int depth) : name(std::move(value)) {
    height = rows;
    width = columns;
    channels = depth;
  }
  Value name;
};

const Value& name_of(const model::Value& x) { return static_cast<const OnnxActivation&>(*x).name; }

// Adds each layer's nodes to a graph.
class OnnxLayers : public model::Layers {
 public:
  OnnxLayers(Graph& graph, model::WeightSource& weights) : graph_(graph), weights_(weights) {}

  void unused(const std::string&, const Ints&, model::TensorRole) override {}

  model::Value image(const std::string& name, int side) override {
    return value(graph_.input(name, {3, side, side}), side, side, 3);
  }

  model::Value picture_blocks(const std::string& name, int height, int width, int block) override {
    const Value picture = graph_.input(name, {3, "H", "W"});
    const Value blocks = node("blocks", "SpaceToDepth", {picture}, {{"blocksize", std::int64_t{block}}});
    return value(blocks, height / block, width / block, 3 * block * block);
  }

  model::Value convolve(const model::Convolution& layer, const model::Value& x, model::Value plus) override {
    const int in = x->channels;
    PlainWeights plain =
        model::read_convolution(weights_, layer.name + ".weight", in, layer.out, layer.kernel);
    if (layer.bias) plain.bias = weights_.read(layer.name + ".bias", {layer.out});
    if (!layer.norm.empty()) model::fold_norm(plain, model::read_norm(weights_, layer.norm, layer.out));
    const int before = (layer.kernel - 1) / 2, behind = std::max(0, layer.kernel - layer.stride - before);
    Value y = convolution(layer.name, name_of(x), plain, in, layer.kernel, layer.stride,
                          {before, before, behind, behind});
    if (plus) y = add(layer.name + ".sum", name_of(plus), y);
    if (layer.relu) y = relu(layer.name, y);
    return value(y, x->height / layer.stride, x->width / layer.stride, layer.out);
  }

  model::Value convolve_with_coordinates(const model::Convolution& layer,
                                         const model::Value& image) override {
    const int size = image->height;
    const std::vector<float> pixels = model::coordinate_channels(size);
    std::vector<float> planes(pixels.size());
    const std::size_t plane = pixels.size() / 3;
    for (std::size_t i = 0; i < pixels.size(); ++i) planes[i % 3 * plane + i / 3] = pixels[i];
    const std::string name = "coordinates";
    const Value batch = node(name, "Shape", {name_of(image)}, {{"end", std::int64_t{1}}});
    const Value shape = node(name, "Concat", {batch, graph_.constant(name, Ints{3, size, size})},
                             {{"axis", std::int64_t{0}}});
    const Value channels = node(name, "Expand", {graph_.constant(name, planes, {1, 3, size, size}), shape});
    const Value all = node(name, "Concat", {name_of(image), channels}, {{"axis", std::int64_t{1}}});
    return convolve(layer, value(all, size, size, 6), {});
  }

  model::Value norm_relu(const std::string& norm, model::Value x, model::Value* kept) override {
    const int channels = x->channels;
    const model::Affine affine = model::read_norm(weights_, norm, channels);
    const auto constant = [&](const char* what, const std::vector<float>& values) {
      return graph_.constant(norm + what, values, {channels});
    };
    const std::vector<float> zeros(affine.scale.size(), 0.0F), ones(affine.scale.size(), 1.0F);
    const Value y = node(norm, "BatchNormalization",
                         {name_of(x), constant(".scale", affine.scale), constant(".shift", affine.shift),
                          constant(".mean", zeros), constant(".variance", ones)},
                         {{"epsilon", 0.0F}});
    if (kept != nullptr) *kept = x;
    return like(*x, relu(norm, y));
  }

  model::Value enlarge(const std::string& p, const model::Value& x, model::Value plus) override {
    const int channels = x->channels;
    std::vector<float> weights = weights_.read(p + "deconv.weight", {channels, channels, 2, 2});
    const model::Affine norm = model::read_norm(weights_, p + "bn", channels);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= norm.scale[i / 4 % norm.scale.size()];
    const Value y =
        node(p + "deconv", "ConvTranspose",
             {name_of(x), graph_.constant(p + "deconv.weight", weights, {channels, channels, 2, 2}),
              graph_.constant(p + "deconv.bias", norm.shift, {channels})},
             {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
    return like(*plus, add(p + "sum", name_of(plus), relu(p + "relu", y)));
  }

  model::Value repeat(const std::string& name, const model::Value& x, model::Value plus) override {
    const Value scales = graph_.constant(name + ".scales", std::vector<float>{1, 1, 2, 2}, {4});
    const Value y = node(name, "Resize", {name_of(x), "", scales},
                         {{"mode", std::string("nearest")},
                          {"coordinate_transformation_mode", std::string("asymmetric")},
                          {"nearest_mode", std::string("floor")}});
    return like(*plus, add(name, name_of(plus), y));
  }

  model::Value pose(const std::string& name, const model::Value& x) override {
    const int channels = x->channels;
    const PlainWeights head = {weights_.read(name + ".weight", {6, channels}),
                               weights_.read(name + ".bias", {6})};
    return value(gemm(name, node(name + ".input", "Flatten", {name_of(x)}), head, channels), 1, 1, 6);
  }

  // feature point near: [N, L, M, M].
  model::Value heat_maps(const model::HeatMaps& heads, const scheme::Database& database,
                         const model::Value& field) override {
    const int in = field->channels, landmarks = database.landmarks, edges = database.edge_count();
    const auto head = [&](const std::string& name, int count) {
      const PlainWeights plain = model::read_convolution(weights_, name + ".weight", in, count, 1);
      return convolution(name, name_of(field), plain, in, 1, 1, Ints(4, 0));
    };
    const std::string& layer = heads.name;
    const Value point = node(layer, "Sigmoid", {head(heads.points, landmarks)});
    const Value edge = node(layer, "Sigmoid", {head(heads.edges, edges)});
    const Value near = node(layer, "Min",
                            {convolution(layer + ".near", edge, incidence(database), edges, 1, 1, Ints(4, 0)),
                             scalar(layer + ".one", 1)});
    const Value heat = node(layer, "Mul", {head(heads.features, landmarks), point});
    return value(node(layer, "Mul", {heat, near}), field->height, field->width, landmarks);
  }

  model::Peaks peaks(const model::Value& heat) override {
    const int side = heat->height, landmarks = heat->channels;
    const std::string layer = "initial";
    const Value flat = reshape(layer, name_of(heat), {-1, landmarks, std::int64_t{side} * side});
    const Value weights = node(layer, "Softmax", {flat}, {{"axis", std::int64_t{-1}}});
    const Value maps = reshape(layer, weights, {-1, landmarks, side, side});
    const Moments x = moments(maps, side, 2), y = moments(maps, side, 3);
    const Value both = node(layer, "Concat", {x.mean, y.mean}, {{"axis", std::int64_t{2}}});
    const Value places = node(layer, "Clip", {both, scalar(layer + ".least", 0), scalar(layer + ".most", 1)});
    const Value variance = add(layer, x.variance, y.variance);
    const Value deviation = reshape(layer, node(layer, "Sqrt", {variance}), {-1, landmarks});
    return {.places = value(places, landmarks, 1, 2), .deviation = value(deviation, landmarks, 1, 1)};
  }

  model::Value projection(const scheme::Database& database, const model::Value& pose) override {
    const std::string layer = "projection";
    const int landmarks = database.landmarks;
    const Value rotation = rotation_of(slice(layer, name_of(pose), 1, 0, 3));
    const Value translation = reshape(layer, slice(layer, name_of(pose), 1, 3, 6), {-1, 3, 1});
    const std::size_t count = database.world_points.size();
    std::vector<float> world(3 * count);
    for (std::size_t i = 0; i < world.size(); ++i)
      world[i] = static_cast<float>(database.world_points[i % count][i / count]);
    const Value turned = node(layer, "MatMul", {rotation, graph_.constant(layer, world, {3, landmarks})});
    const Value seen = add(layer, turned, translation);
    const Value plane = node(layer, "Div", {slice(layer, seen, 1, 0, 2), slice(layer, seen, 1, 2, 3)});
    const Value scaled = node(layer, "Mul", {plane, scalar(layer, geometry::kCropCamera.focal)});
    const Value centred = add(layer, scaled, scalar(layer, geometry::kCropCamera.centre_x));
    return value(transpose(layer, centred, {0, 2, 1}), landmarks, 1, 2);
  }

  model::Value windows(const std::string& layer, const model::Value& field, const model::Value& points,
                       int grid, double part, int out) override {
    const int channels = field->channels, inner = channels * grid * grid;
    const Value samples =
        node(layer, "GridSample", {name_of(field), sample_places(layer, points, field->height, grid, part)},
             {{"align_corners", std::int64_t{1}},
              {"mode", std::string("bilinear")},
              {"padding_mode", std::string("border")}});  // [N, C, L, grid grid]
    const Value rows = reshape(layer, transpose(layer, samples, {0, 2, 1, 3}), {-1, inner});
    const PlainWeights weights = {weights_.read(layer + ".weight", {out, channels, grid, grid}),
                                  weights_.read(layer + ".bias", {out})};
    return value(gemm(layer, rows, weights, inner), points->height, 1, out);
  }

  model::Value differences(const std::string& layer, const model::Value& points) override {
    const int landmarks = points->height, size = 2 * (landmarks - 1);
    const Value all = node(layer, "Sub",
                           {reshape(layer, name_of(points), {-1, landmarks, 1, 2}),
                            reshape(layer, name_of(points), {-1, 1, landmarks, 2})});
    Ints others;
    for (int i = 0; i < landmarks * landmarks; ++i)
      if (i / landmarks != i % landmarks) others.push_back(i);
    const Value pairs = node(layer, "Gather",
                             {reshape(layer, all, {-1, std::int64_t{landmarks} * landmarks, 2}),
                              graph_.constant(layer + ".others", others)},
                             {{"axis", std::int64_t{1}}});
    return value(reshape(layer, pairs, {-1, size}), landmarks, 1, size);
  }

  model::Value dense(const model::Dense& layer, const model::Value& x, model::Value plus) override {
    PlainWeights plain = model::read_dense(weights_, layer.name, x->channels, layer.out);
    if (!layer.norm.empty()) model::fold_norm(plain, model::read_norm(weights_, layer.norm, layer.out));
    Value y = gemm(layer.name, name_of(x), plain, x->channels);
    if (plus) y = add(layer.name + ".sum", name_of(plus), y);
    if (layer.relu) y = relu(layer.name, y);
    return value(y, x->height, 1, layer.out);
  }

  model::Value attend(const model::Attention& layer, const model::Value& x) override {
    const std::string& p = layer.prefix;
    const int width = x->channels;
    Value y = gemm(p + ".mlp.0.x", name_of(x), model::read_message_over_x(weights_, p, width), width);
    y = gemm(p + ".mlp.0.attended", attended(layer, x),
             model::read_message_over_attended(weights_, p, width, layer.heads), width, y);
    return value(relu(p + ".mlp.2", y), x->height, 1, 2 * width);
  }

  model::Value move(const std::string& name, const model::Value& x, const model::Value& points,
                    double reach) override {
    const PlainWeights plain = model::read_dense(weights_, name, x->channels, 2);
    const Value offset =
        node(name, "Clip",
             {reshape(name, gemm(name, name_of(x), plain, x->channels), {-1, points->height, 2}),
              scalar(name + ".least", -1), scalar(name + ".most", 1)});
    const Value way = node(name, "Mul", {offset, scalar(name + ".reach", reach)});
    return like(*points, add(name + ".sum", name_of(points), way));
  }

  // [N, L]
  model::Value uncertainty(const model::UncertaintyFormula& formula,
                           const std::vector<model::Value>& landmarks,
                           const model::Value& deviation) override {
    using Formula = model::UncertaintyFormula;
    const std::string layer = "expected_error";
    const Value &last = name_of(landmarks.back()), &before = name_of(landmarks[landmarks.size() - 2]);
    const auto term = [&](const Value& feature, float exponent) {
      const Value logarithm =
          node(layer, "Log", {add(layer, feature, scalar(layer + ".floor", Formula::kFloor))});
      return node(layer, "Mul", {logarithm, scalar(layer + ".exponent", exponent)});
    };
    double bias = formula.bias;
    Value sum = add(layer, term(distance(last, before), formula.last_move),
                    term(distance(before, name_of(landmarks.front())), formula.earlier_moves));
    if (!deviation) {
      bias += formula.heat_deviation * std::log(double{Formula::kFloor});
    } else {
      sum = add(layer, sum, term(name_of(deviation), formula.heat_deviation));
    }
    const Value error = node(layer, "Exp", {add(layer, sum, scalar(layer + ".bias", bias))});
    return value(node(layer, "Min", {error, scalar(layer + ".largest", Formula::kLargest)}),
                 landmarks.back()->height, 1, 1);
  }

  // Maps with their channels last: [N, height, width, channels].
  Value channels_last(const std::string& layer, const model::Value& x) {
    return transpose(layer, name_of(x), {0, 2, 3, 1});
  }

 private:
  static model::Value value(const Value& name, int height, int width, int channels) {
    return std::make_shared<OnnxActivation>(name, height, width, channels);
  }
  static model::Value like(const model::Activation& x, const Value& name) {
    return value(name, x.height, x.width, x.channels);
  }

  Value node(const std::string& layer, const char* operation, const std::vector<Value>& inputs,
             const Attributes& attributes = {}) {
    return graph_.node(layer, operation, inputs, attributes);
  }
  Value scalar(const std::string& layer, double number) {
    return graph_.constant(layer, std::vector<float>{static_cast<float>(number)}, {});
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
    const auto at = [&](const char* what, std::int64_t index) {
      return graph_.constant(layer + what, Ints{index});
    };
    return node(layer, "Slice", {x, at("/begin", begin), at("/end", end), at("/axis", axis)});
  }

  Value convolution(const std::string& layer, const Value& x, const PlainWeights& weights, int in, int kernel,
                    int stride, const Ints& pads) {
    const auto out = static_cast<std::int64_t>(weights.bias.size());
    return node(layer, "Conv",
                {x, graph_.constant(layer + ".weight", weights.weights, {out, in, kernel, kernel}),
                 graph_.constant(layer + ".bias", weights.bias, {out})},
                {{"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", pads}});
  }

  // x [rows, in] times weights [out, in], plus the bias or `plus` [rows, out].
  Value gemm(const std::string& layer, const Value& x, const PlainWeights& weights, int in,
             const Value& plus = {}) {
    const auto out = static_cast<std::int64_t>(weights.weights.size()) / in;
    const Value weight = graph_.constant(layer + ".weight", weights.weights, {out, in});
    const Value added = plus.empty() ? graph_.constant(layer + ".bias", weights.bias, {out}) : plus;
    return node(layer, "Gemm", {x, weight, added}, {{"transB", std::int64_t{1}}});
  }

  // edge2point as a convolution: the last column is the bias.
  static PlainWeights incidence(const scheme::Database& database) {
    PlainWeights layer;
    const int columns = database.edge_count() + 1;
    for (int i = 0; i < database.landmarks * columns; ++i)
      ((i + 1) % columns == 0 ? layer.bias : layer.weights)
          .push_back(database.edge2point[static_cast<std::size_t>(i)]);
    return layer;
  }

  // Expectation of each map along one axis, [N, L, 1], and its variance.
  struct Moments {
    Value mean, variance;
  };
  Moments moments(const Value& maps, int side, std::int64_t summed_axis) {
    std::vector<float> centres;
    for (int i = 0; i < side; ++i)
      centres.push_back((static_cast<float>(i) + 0.5F) / static_cast<float>(side));
    const std::string layer = "peaks";
    const Value profile = sum(layer, maps, summed_axis, false);
    const Value places = graph_.constant(layer, centres, {side});
    const Value mean = sum(layer, node(layer, "Mul", {profile, places}), -1, true);
    const Value way = node(layer, "Sub", {places, mean});
    const Value square = node(layer, "Mul", {way, way});
    return {mean, sum(layer, node(layer, "Mul", {profile, square}), -1, true)};
  }

  // geometry::rotation_from_angles: [N, 3] degrees to [N, 3, 3].
  Value rotation_of(const Value& angles) {
    constexpr double kRadian = std::numbers::pi / 180;
    const std::string layer = "rotation";
    const Value turned = node(layer, "Mul", {angles, scalar(layer, -kRadian)});
    const Value radians =
        add(layer, turned,
            graph_.constant(layer, {static_cast<float>(90 * kRadian), 0, static_cast<float>(-90 * kRadian)},
                            {3}));
    const auto part = [&](const char* function, int i) {
      return slice(layer, node(layer, function, {radians}), 1, i, i + 1);
    };
    const Value ca = part("Cos", 0), cb = part("Cos", 1), cc = part("Cos", 2);
    const Value sa = part("Sin", 0), sb = part("Sin", 1), sc = part("Sin", 2);
    const auto product = [&](const Value& a, const Value& b) { return node(layer, "Mul", {a, b}); };
    const auto minus = [&](const Value& a) { return node(layer, "Neg", {a}); };
    const Value first = minus(product(ca, sb)), second = product(sa, sb);
    const auto turn = [&](const Value& a, const Value& b) {  // the last two columns of a row
      return std::vector<Value>{add(layer, product(a, cc), product(b, sc)),
                                node(layer, "Sub", {product(b, cc), product(a, sc)})};
    };
    const std::vector<Value> top = turn(first, sa), bottom = turn(second, ca);
    const Value rows = node(layer, "Concat",
                            {product(ca, cb), top[0], top[1], sb, product(cb, cc), minus(product(cb, sc)),
                             minus(product(sa, cb)), bottom[0], bottom[1]},
                            {{"axis", std::int64_t{1}}});
    return reshape(layer, rows, {-1, 3, 3});
  }

  // Where the windows are sampled, [N, L, grid grid, 2]; -1 and 1 are the first and the last pixel's centre.
  Value sample_places(const std::string& layer, const model::Value& points, double side, int grid,
                      double part) {
    const double unit = 2 / (side - 1), radius = (part * side - 1) / 2, middle = (grid - 1) / 2.0;
    std::vector<float> offsets;
    for (int row = 0; row < grid; ++row) {
      for (int column = 0; column < grid; ++column) {
        for (const int index : {column, row})
          offsets.push_back(static_cast<float>(unit * radius * (index - middle) / middle - 1));
      }
    }
    const Value centres = node(
        layer, "Mul",
        {reshape(layer, name_of(points), {-1, points->height, 1, 2}), scalar(layer + ".unit", unit * side)});
    const auto samples = static_cast<std::int64_t>(offsets.size() / 2);
    return add(layer, centres, graph_.constant(layer + ".offsets", offsets, {1, 1, samples, 2}));
  }

  // softmax(q k) v per head, heads one after another: [N L, width].
  Value attended(const model::Attention& attention, const model::Value& x) {
    const int width = x->channels, heads = attention.heads, landmarks = x->height, depth = width / heads;
    // Query, key or value: [N, heads, L, depth], or as `order` has it.
    const auto projected = [&](int index, double scale, const Ints& order) {
      const std::string name = concat(attention.prefix, ".attn.proj.", index);
      const PlainWeights plain =
          model::read_projection(weights_, name, width, heads, static_cast<float>(scale));
      return transpose(
          name, reshape(name, gemm(name, name_of(x), plain, width), {-1, landmarks, heads, depth}), order);
    };
    const Value q = projected(0, 1 / std::sqrt(static_cast<double>(depth)), {0, 2, 1, 3});
    const Value k = projected(1, 1, {0, 2, 3, 1});
    const Value v = projected(2, 1, {0, 2, 1, 3});
    const std::string layer = attention.prefix + ".attention";
    const Value weights =
        node(layer, "Softmax", {node(layer, "MatMul", {q, k})}, {{"axis", std::int64_t{-1}}});
    return reshape(layer, transpose(layer, node(layer, "MatMul", {weights, v}), {0, 2, 1, 3}), {-1, width});
  }

  // How far points lie apart, [N, L].
  Value distance(const Value& a, const Value& b) {
    const std::string layer = "expected_error.distance";
    const Value difference = node(layer, "Sub", {a, b});
    return node(layer, "Sqrt", {sum(layer, node(layer, "Mul", {difference, difference}), 2, false)});
  }

  Graph& graph_;
  model::WeightSource& weights_;
};

}  // namespace

Graph build_graph(const model::NetworkConfig& config, model::WeightSource& weights,
                  const model::UncertaintyFormula& uncertainty) {
  Graph graph;
  OnnxLayers layers(graph, weights);
  const model::LandmarkOutputs outputs = model::describe_network(layers, config, uncertainty);
  graph.output("landmarks", name_of(outputs.landmarks.back()), {config.landmarks, 2});
  graph.output("pose", name_of(outputs.pose), {6});
  graph.output("uncertainty", name_of(outputs.uncertainty), {config.landmarks});
  return graph;
}

Graph build_graph(const model::DetectorConfig& config, model::WeightSource& weights) {
  using Config = model::DetectorConfig;
  Graph graph;
  OnnxLayers layers(graph, weights);
  const model::DetectorOutputs outputs =
      model::describe_detector(layers, config, 2 * Config::kMaxStride, 2 * Config::kMaxStride);
  for (int level = 0; level < Config::kLevels; ++level) {
    const int stride = Config::stride(level);
    const std::string name = concat("cells", stride);
    graph.output(name, layers.channels_last(name + ".last", outputs.levels[static_cast<std::size_t>(level)]),
                 {concat("H/", stride), concat("W/", stride), Config::kOutputs});
  }
  return graph;
}

}  // namespace spiga::onnx
