// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "geometry/head_pose.h"
#include "model/folding.h"
#include "model/network.h"
#include "model/tensors.h"

namespace spiga::model {
namespace {

using base::concat;
using engine::DataType;
using engine::Epilogue;
using engine::operations;

constexpr Epilogue kPlain = {};
constexpr Epilogue kRelu = {.relu = true};
constexpr Epilogue kAccumulate = {.accumulate = true};
constexpr Epilogue kAccumulateRelu = {.accumulate = true, .relu = true};

// A dense layer, with its batch norm unless `norm` is empty.
LayerStore::Fold dense(const std::string& prefix, const std::string& norm, int in, int out) {
  return [=](WeightSource& source) {
    PlainWeights layer = read_dense(source, prefix, in, out);
    if (!norm.empty()) fold_norm(layer, read_norm(source, norm, out));
    return layer;
  };
}

class CascadeStep {
 public:
  CascadeStep(Builder& builder, const NetworkConfig& config, int step)
      : b_(builder), config_(config), step_(step), landmarks_(config.landmarks) {}

  Tensor build(const Tensor& field, const Tensor& points) {
    Tensor nodes = appearance(field, points);
    add_shape(points, nodes);
    for (int i = 0; i < config_.gat_layers; ++i) {
      nodes = attention_layer(concat("gcn.", step_, ".gat.", i, "."), nodes,
                              concat("attention.", step_ * config_.gat_layers + i));
    }
    return move(nodes, points);
  }

 private:
  Tensor rows(int channels) { return b_.tensor(b_.type(), landmarks_, 1, channels); }

  // conv_window of each landmark's window: [L, 1, embedding].
  Tensor appearance(const Tensor& field, const Tensor& points) {
    const double window = window_part(step_) * config_.map_size();
    const engine::WindowLayout layout = {.side = field.height,
                                         .channels = field.channels,
                                         .grid = config_.window_grid,
                                         .radius = static_cast<float>((window - 1) / 2)};
    const int size = layout.grid * layout.grid * layout.channels;
    const Tensor samples = rows(size);
    const std::string name = concat("conv_window.", step_);
    b_.pass(name, "sample-windows", std::int64_t{landmarks_} * b_.batch(), 16,
            [=, type = field.type, face = static_cast<std::int64_t>(field.bytes()), landmarks = landmarks_,
             from = static_cast<const std::byte*>(field.data), at = points.floats(),
             to = static_cast<std::byte*>(samples.data)](std::int64_t begin, std::int64_t end) {
              while (begin < end) {
                const std::int64_t n = begin / landmarks, first = begin % landmarks;
                const std::int64_t last = std::min<std::int64_t>(landmarks, first + end - begin);
                operations().sample_windows(
                    type, layout, from + n * face, at + n * landmarks * 2, first, last,
                    to + n * landmarks * size * static_cast<std::int64_t>(size_of(type)));
                begin += last - first;
              }
            });
    const int channels = field.channels, out = config_.embedding, grid = layout.grid;
    return b_.multiply(name, samples, out, b_.type(), kPlain,
                       [=](WeightSource& source) { return read_window(source, name, channels, out, grid); });
  }

  // nodes += shape_encoder(vectors to the other landmarks)
  void add_shape(const Tensor& points, const Tensor& nodes) {
    const int size = 2 * (landmarks_ - 1), hidden = config_.shape_hidden;
    const std::string p = concat("shape_encoder.", step_, ".encoder.");
    Tensor x = rows(size);
    b_.pass(
        concat("shape_encoder.", step_), "pairwise-differences", std::int64_t{landmarks_} * b_.batch(), 64,
        [=, type = x.type, landmarks = landmarks_, from = points.floats(),
         to = static_cast<std::byte*>(x.data)](std::int64_t begin, std::int64_t end) {
          while (begin < end) {
            const std::int64_t n = begin / landmarks, first = begin % landmarks;
            const std::int64_t last = std::min<std::int64_t>(landmarks, first + end - begin);
            operations().pairwise_differences(
                type, from + n * landmarks * 2, landmarks, static_cast<int>(first), static_cast<int>(last),
                to + n * landmarks * size * static_cast<std::int64_t>(size_of(type)));
            begin += last - first;
          }
        });
    x = b_.multiply(p + "0", x, hidden, b_.type(), kRelu, dense(p + "0", p + "1", size, hidden));
    x = b_.multiply(p + "3", x, hidden, b_.type(), kRelu, dense(p + "3", p + "4", hidden, hidden));
    b_.multiply_into(p + "6", x, nodes, kAccumulate, dense(p + "6", "", hidden, config_.embedding));
  }

  Tensor projection(const std::string& p, int index, const Tensor& x, float scale) {
    const int width = x.channels, heads = config_.gat_heads;
    const std::string name = concat(p, "attention.attn.proj.", index);
    return b_.multiply(name, x, width, b_.type(), kPlain, [=](WeightSource& source) {
      return read_projection(source, name, width, heads, scale);
    });
  }

  // softmax(q k) v per head, heads one after another: [L, 1, width].
  Tensor attend(const std::string& p, const Tensor& x, const std::string& tap) {
    const int heads = config_.gat_heads, width = x.channels, depth = width / heads, count = landmarks_;
    const std::int64_t face = std::int64_t{count} * width, head = std::int64_t{count} * count;
    const Tensor scores = b_.tensor(DataType::f32, heads * count, 1, count);
    {
      const Tensor q = projection(p, 0, x, 1 / std::sqrt(static_cast<float>(depth)));
      const Tensor k = projection(p, 1, x, 1);
      b_.multiply_batched(p + "attention.scores",
                          {.input = b_.type(),
                           .output = DataType::f32,
                           .batch = {b_.batch(), heads},
                           .rows = count,
                           .inner = depth,
                           .columns = count,
                           .x = {face, depth, width, 1},
                           .w = {face, depth, 1, width},
                           .y = {heads * head, head, count, 1}},
                          q, k, scores);
    }
    const Tensor weights = b_.tensor(b_.type(), heads * count, 1, count);
    b_.pass(p + "attention.softmax", "softmax", std::int64_t{heads} * count * b_.batch(), 64,
            [=, type = weights.type, from = scores.floats(), to = static_cast<std::byte*>(weights.data)](
                std::int64_t begin, std::int64_t end) {
              operations().softmax(type, from + begin * count,
                                   to + begin * count * static_cast<std::int64_t>(size_of(type)), end - begin,
                                   count);
            });
    b_.tap(tap, weights);
    const Tensor v = projection(p, 2, x, 1);
    const Tensor y = rows(width);
    b_.multiply_batched(p + "attention.values",
                        {.input = b_.type(),
                         .output = b_.type(),
                         .batch = {b_.batch(), heads},
                         .rows = count,
                         .inner = count,
                         .columns = depth,
                         .x = {heads * head, head, count, 1},
                         .w = {face, depth, width, 1},
                         .y = {face, depth, width, 1}},
                        weights, v, y);
    return y;
  }

  // (reshape x or x) + mlp([x; merge(attend(x))]); works on x's own memory where the width stays.
  Tensor attention_layer(const std::string& p, const Tensor& x, const std::string& tap) {
    const int in = x.channels, out = config_.gat_width, heads = config_.gat_heads;
    const std::string attention = p + "attention";
    const Tensor message = rows(2 * in);
    b_.multiply_into(attention + ".mlp.0.x", x, message, kPlain,
                     [=](WeightSource& source) { return read_message_over_x(source, attention, in); });
    b_.multiply_into(
        attention + ".mlp.0.attended", attend(p, x, tap), message, kAccumulateRelu,
        [=](WeightSource& source) { return read_message_over_attended(source, attention, in, heads); });
    const Tensor y = in == out ? x
                               : b_.multiply(p + "reshape.0", x, out, b_.type(), kPlain,
                                             dense(p + "reshape.0", "", in, out));
    b_.multiply_into(attention + ".mlp.3", message, y, kAccumulate,
                     dense(attention + ".mlp.3", "", 2 * in, out));
    return y;
  }

  // points + clamp(decoder(nodes)) W / (2 M): [L, 1, 2].
  Tensor move(const Tensor& nodes, const Tensor& points) {
    const std::string p = concat("gcn.", step_, ".decoder.decoder.");
    const std::vector<int> widths = decoder_widths(config_);
    const std::size_t hidden_layers = widths.size() - 2;
    Tensor x = nodes;
    for (std::size_t i = 0; i < hidden_layers; ++i) {
      const std::string name = concat(p, 3 * i);
      const DataType out = i + 1 == hidden_layers ? DataType::f32 : b_.type();
      x = b_.multiply(name, x, widths[i + 1], out, kRelu,
                      dense(name, concat(p, 3 * i + 1), widths[i], widths[i + 1]));
    }
    const int width = x.channels;
    const std::string name = concat(p, 3 * hidden_layers);
    const float* weight = b_.constant(name + ".weight", [=](WeightSource& source) {
      return source.read(name + ".weight", {2, width, 1});
    });
    const float* bias =
        b_.constant(name + ".bias", [=](WeightSource& source) { return source.read(name + ".bias", {2}); });
    const Tensor moved = b_.like(points);
    const auto reach = static_cast<float>(window_part(step_) / 2);
    b_.pass(name, "move", std::int64_t{landmarks_} * b_.batch(), 64,
            [=, hidden = x.floats(), from = points.floats(), to = moved.floats()](std::int64_t begin,
                                                                                  std::int64_t end) {
              for (std::int64_t i = 2 * begin; i < 2 * end; ++i) {
                const float* row = weight + i % 2 * width;
                const float* values = hidden + i / 2 * width;
                float offset = bias[i % 2];
                for (int c = 0; c < width; ++c) offset += row[c] * values[c];
                to[i] = from[i] + std::clamp(offset, -1.0F, 1.0F) * reach;
              }
            });
    return moved;
  }

  Builder& b_;
  const NetworkConfig& config_;
  const int step_;
  const int landmarks_;
};

Tensor build_projection(Builder& builder, const scheme::Database& database, const Tensor& pose) {
  const Tensor points = builder.tensor(DataType::f32, database.landmarks, 1, 2);
  builder.pass(
      "projection", "projection", builder.batch(), builder.batch(),
      [&world = database.world_points, from = pose.floats(), to = points.floats()](std::int64_t begin,
                                                                                   std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
          const float* p = from + 6 * n;
          const geometry::RigidPose rigid = geometry::rigid_from_head_pose(
              {.yaw_deg = p[0], .pitch_deg = p[1], .roll_deg = p[2], .translation = {p[3], p[4], p[5]}});
          float* point = to + n * 2 * static_cast<std::int64_t>(world.size());
          for (const scheme::Point3& corner : world) {
            const Point seen = geometry::project(corner, rigid);
            *point++ = seen.x;
            *point++ = seen.y;
          }
        }
      });
  return points;
}

float distance(const float* a, const float* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }

// Of landmark i, given where all were in turn.
UncertaintyFeatures uncertainty_features(const std::vector<const float*>& places, const engine::Peak* peaks,
                                         std::int64_t i) {
  const std::size_t steps = places.size() - 1;
  return {.last_move = distance(places[steps] + 2 * i, places[steps - 1] + 2 * i),
          .earlier_moves = distance(places[steps - 1] + 2 * i, places[0] + 2 * i),
          .heat_deviation = peaks == nullptr ? 0.0F : std::sqrt(peaks[i].variance)};
}

}  // namespace

double window_part(int step) { return 0.25 / (1 << step); }

Tensor build_initial_landmarks(Builder& builder, const NetworkConfig& config,
                               const scheme::Database& database, const BackboneTensors& backbone) {
  if (config.initial_shape == InitialShape::projection)
    return build_projection(builder, database, backbone.pose);
  const Tensor points = builder.tensor(DataType::f32, config.landmarks, 1, 2);
  const std::int64_t count = std::int64_t{config.landmarks} * builder.batch();
  builder.pass("initial", "clamp", count, count,
               [from = static_cast<const engine::Peak*>(backbone.peaks.data), to = points.floats()](
                   std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   to[2 * i] = std::clamp(from[i].x, 0.0F, 1.0F);
                   to[2 * i + 1] = std::clamp(from[i].y, 0.0F, 1.0F);
                 }
               });
  return points;
}

Tensor build_step(Builder& builder, const NetworkConfig& config, int step, const Tensor& field,
                  const Tensor& landmarks) {
  return CascadeStep(builder, config, step).build(field, landmarks);
}

UncertaintyTensors build_uncertainty(Builder& builder, const UncertaintyFormula& formula,
                                     const BackboneTensors& backbone, const std::vector<Tensor>& landmarks) {
  const int rows = landmarks.back().height;
  constexpr int kFeatures = sizeof(UncertaintyFeatures) / sizeof(float);
  const UncertaintyTensors result = {.features = builder.tensor(DataType::f32, rows, 1, kFeatures),
                                     .uncertainty = builder.tensor(DataType::f32, rows, 1, 1)};
  const std::int64_t count = std::int64_t{rows} * builder.batch();
  std::vector<const float*> places;
  for (const Tensor& points : landmarks) places.push_back(points.floats());
  builder.pass("uncertainty", "uncertainty", count, count,
               [=, peaks = static_cast<const engine::Peak*>(backbone.peaks.data),
                features = static_cast<UncertaintyFeatures*>(result.features.data),
                to = result.uncertainty.floats()](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   features[i] = uncertainty_features(places, peaks, i);
                   to[i] = expected_error(formula, features[i]);
                 }
               });
  return result;
}

NetworkResults build_network(Builder& builder, const NetworkConfig& config,
                             const UncertaintyFormula& uncertainty) {
  const scheme::Database& database = scheme::find_database(config.database);
  const Tensor image = builder.tensor(DataType::f32, config.input_size, config.input_size, 3);
  const BackboneTensors backbone = build_backbone(builder, config, database, image);
  std::vector<Tensor> landmarks = {build_initial_landmarks(builder, config, database, backbone)};
  for (int s = 0; s < config.steps; ++s) {
    landmarks.push_back(build_step(builder, config, s, backbone.field, landmarks.back()));
  }
  const UncertaintyTensors certainty = build_uncertainty(builder, uncertainty, backbone, landmarks);
  NetworkResults results = {
      .image = image.floats(),
      .pose = backbone.pose.floats(),
      .uncertainty = certainty.uncertainty.floats(),
      .uncertainty_features = static_cast<const UncertaintyFeatures*>(certainty.features.data)};
  for (const Tensor& points : landmarks) results.landmarks.push_back(points.floats());
  return results;
}

}  // namespace spiga::model
