// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/engine_layers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "geometry/head_pose.h"
#include "model/detector_network.h"
#include "model/folding.h"
#include "model/landmark_network.h"

namespace spiga::model {
namespace {

using engine::DataType;
using engine::Epilogue;
using engine::operations;

constexpr int kLanes = 16;       // channels of maps and heads are padded to it
constexpr int kPassGrain = 256;  // pixels that are worth a thread

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

void* at(void* data, DataType type, std::int64_t index) {
  return data == nullptr ? nullptr
                         : static_cast<std::byte*>(data) + index * static_cast<std::int64_t>(size_of(type));
}
const void* at(const void* data, DataType type, std::int64_t index) {
  return at(const_cast<void*>(data), type, index);
}

// Channels of the tensor may be more than those of the activation: padding, all zero.
struct EngineActivation : Activation {
  EngineActivation(const Tensor& placed, bool never_negative, int used_channels)
      : tensor(placed), non_negative(never_negative) {
    height = placed.height;
    width = placed.width;
    channels = used_channels > 0 ? used_channels : placed.channels;
  }
  Tensor tensor;
  bool non_negative;
  bool observed = false;  // as the result of who made it
};

const Tensor& tensor_of(const Value& x) { return static_cast<const EngineActivation&>(*x).tensor; }
bool is_non_negative(const Value& x) { return static_cast<const EngineActivation&>(*x).non_negative; }

Value value_of(const Tensor& tensor, bool non_negative = false, int used_channels = 0) {
  return std::make_shared<EngineActivation>(tensor, non_negative, used_channels);
}

// A result that might be stored as 8 bits, so that its readers need no copy.
Value observed(Builder& builder, const ActivationPlace& place, const Tensor& tensor) {
  builder.observe(place, tensor);
  auto value = std::make_shared<EngineActivation>(tensor, place.non_negative, 0);
  value->observed = true;
  return value;
}

// Input channels [first, first + 3) of the stem's weights [out, 6, 7, 7].
std::vector<float> stem_channels(const std::vector<float>& weights, int out, int first) {
  constexpr int kTaps = 49;
  std::vector<float> part;
  part.reserve(static_cast<std::size_t>(out) * 3 * kTaps);
  for (int o = 0; o < out; ++o) {
    const auto begin = weights.begin() + (o * 6 + first) * kTaps;
    part.insert(part.end(), begin, begin + 3 * kTaps);
  }
  return part;
}

// Weights [out, in, 1, 1] for inputs with more channels, which are zero.
std::vector<float> padded_inputs(const std::vector<float>& weights, int out, int in, int wanted) {
  if (in == wanted) return weights;
  std::vector<float> padded(static_cast<std::size_t>(out) * wanted);
  for (int o = 0; o < out; ++o)
    std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(o) * in, in,
                padded.begin() + static_cast<std::ptrdiff_t>(o) * wanted);
  return padded;
}

LayerStore::Fold fold_of(const Convolution& layer, int in, int padded_in) {
  return [=](WeightSource& source) {
    PlainWeights plain = read_convolution(source, layer.name + ".weight", in, layer.out, layer.kernel);
    if (layer.bias) plain.bias = source.read(layer.name + ".bias", {layer.out});
    if (!layer.norm.empty()) fold_norm(plain, read_norm(source, layer.norm, layer.out));
    plain.weights = padded_inputs(plain.weights, layer.out, in, padded_in);
    return plain;
  };
}

template <typename T>
void repeat_rows(const Tensor& coarse, const Tensor& fine, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t picture = row / fine.height, y = row % fine.height;
    const T* from = static_cast<const T*>(coarse.data) +
                    (picture * coarse.height + y / 2) * coarse.width * coarse.channels;
    T* to = static_cast<T*>(fine.data) + row * fine.width * fine.channels;
    for (int column = 0; column < fine.width; ++column, to += fine.channels)
      for (int k = 0; k < fine.channels; ++k)
        engine::store(to[k],
                      engine::to_float(to[k]) + engine::to_float(from[column / 2 * fine.channels + k]));
  }
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

class EngineLayers : public Layers {
 public:
  explicit EngineLayers(Builder& builder) : b_(builder) {}

  // [L, 1, 3] UncertaintyFeatures, after uncertainty().
  const Tensor& features() const { return features_; }

  void unused(const std::string&, const std::vector<std::int64_t>&, TensorRole) override {}

  Value image(const std::string&, int side) override {
    return value_of(b_.tensor(DataType::f32, side, side, 3), true);
  }

  Value picture_blocks(const std::string& name, int height, int width, int block) override {
    const ActivationPlace place = {.name = name, .non_negative = true};
    const int rows = height / block, columns = width / block, channels = 3 * block * block;
    if (const float scale = b_.scale_of(place); scale > 0)
      return value_of(b_.tensor_8_bit(true, scale, rows, columns, channels), true);
    const Tensor blocks = b_.tensor(b_.type(), rows, columns, channels);
    return observed(b_, place, blocks);
  }

  Value convolve(const Convolution& layer, const Value& x, Value plus) override {
    const Tensor from = input_of(layer.name, x);
    const bool accumulate = plus != nullptr;
    const ActivationPlace place = {.name = layer.name, .non_negative = true};
    const float scale = layer.inner && layer.relu ? b_.scale_of(place) : 0;
    const bool narrow =
        scale > 0 && is_8_bit(from.type) && (!accumulate || tensor_of(plus).type == DataType::u8);
    const int height = from.height / layer.stride, width = from.width / layer.stride;
    float kept = 1;
    Tensor y;
    if (accumulate) {
      y = overwritable(narrow ? std::move(plus) : wide(std::move(plus)));
      if (narrow) kept = y.scale / scale;
    } else {
      y = b_.tensor(narrow        ? DataType::u8
                    : layer.exact ? DataType::f32
                                  : b_.type(),
                    height, width, layer.out);
    }
    if (narrow) y.scale = scale;
    const int padding = (layer.kernel - 1) / 2;
    b_.convolve_into(layer.name, from, y,
                     {.out = layer.out,
                      .kernel = layer.kernel,
                      .stride = layer.stride,
                      .pad_begin = padding,
                      .pad_end = std::max(0, layer.kernel - layer.stride - padding)},
                     {.accumulate = accumulate, .relu = layer.relu, .kept = kept},
                     fold_of(layer, x->channels, from.channels));
    if (scale == 0 && layer.inner && layer.relu) return observed(b_, place, y);
    const Value result = value_of(y, layer.relu);
    return scale > 0 && !narrow ? value_of(narrowed(layer.name, result, scale), true) : result;
  }

  // What the convolution makes of the coordinates is computed once; the image goes through as stride x stride
  // blocks, which suit the processor better than three channels.
  Value convolve_with_coordinates(const Convolution& layer, const Value& image) override {
    const int stride = layer.stride, out = layer.out, size = image->height;
    const Tensor blocks = b_.tensor(b_.type(), size / stride, size / stride, 3 * stride * stride);
    const Tensor y = b_.tensor(b_.type(), size / stride, size / stride, out);
    b_.pass(layer.name + ".image", "space-to-depth", std::int64_t{blocks.height} * b_.batch(), 16,
            [=, type = blocks.type, from = tensor_of(image).floats(), to = blocks.data](std::int64_t begin,
                                                                                        std::int64_t end) {
              operations().space_to_depth(type, from, to, begin, end, size, stride);
            });
    const float* constant = b_.constant(layer.name + ".coordinates", [=](WeightSource& source) {
      return coordinates_part(source, layer, size, y);
    });
    b_.pass(layer.name + ".coordinates", "copy", y.pixels() * b_.batch(), kPassGrain,
            [type = y.type, from = constant, to = y.data, channels = y.channels, pixels = y.pixels()](
                std::int64_t begin, std::int64_t end) {
              while (begin < end) {
                const std::int64_t place = begin % pixels;
                const std::int64_t count = std::min(end - begin, pixels - place);
                std::memcpy(at(to, type, begin * channels),
                            at(static_cast<const void*>(from), type, place * channels),
                            static_cast<std::size_t>(count * channels) * size_of(type));
                begin += count;
              }
            });
    const BlockKernel kernel = block_kernel(stride);
    b_.convolve_into(
        layer.name, blocks, y,
        {.out = out, .kernel = kernel.size, .pad_begin = kernel.pad_begin, .pad_end = kernel.pad_end},
        {.accumulate = true, .relu = layer.relu}, [=](WeightSource& source) {
          PlainWeights plain = read_stem(source, layer);
          plain.weights = to_block_kernel(stem_channels(plain.weights, out, 0), out, stride);
          return plain;
        });
    return value_of(y, layer.relu);
  }

  // Copies x on the way where somebody else still has it.
  Value norm_relu(const std::string& norm, Value x, Value* kept) override {
    x = wide(std::move(x));
    const Tensor from = tensor_of(x);
    const bool copies = kept != nullptr && x.use_count() > 1;
    if (kept != nullptr) *kept = copies ? value_of(b_.like(from), is_non_negative(x)) : std::move(x);
    const int channels = from.channels;
    const ActivationPlace place = {.name = norm, .non_negative = true};
    const float step = b_.scale_of(place);
    const float* scale = b_.constant(norm + ".scale", [=](WeightSource& source) {
      return divided(read_norm(source, norm, channels).scale, step);
    });
    const float* shift = b_.constant(norm + ".shift", [=](WeightSource& source) {
      return divided(read_norm(source, norm, channels).shift, step);
    });
    const Tensor y =
        step > 0 ? b_.tensor_8_bit(true, step, from.height, from.width, channels) : b_.like(from);
    b_.pass(norm, "scale-shift-relu", from.pixels() * b_.batch(), kPassGrain,
            [=, type = from.type, source = from.data, to = y.data,
             copy = copies ? tensor_of(*kept).data : nullptr](std::int64_t begin, std::int64_t end) {
              const std::int64_t first = begin * channels;
              const void* part = at(static_cast<const void*>(source), type, first);
              if (step > 0) {
                operations().scale_shift_relu_u8(type, part, static_cast<std::uint8_t*>(to) + first,
                                                 at(copy, type, first), scale, shift, end - begin, channels);
              } else {
                operations().scale_shift_relu(type, part, at(to, type, first), at(copy, type, first), scale,
                                              shift, end - begin, channels);
              }
            });
    return step > 0 ? value_of(y, true) : observed(b_, place, y);
  }

  Value enlarge(const std::string& prefix, const Value& x, Value plus) override {
    const Tensor from = input_of(prefix + "deconv", x);
    const bool non_negative = is_non_negative(plus);
    const Tensor y = overwritable(wide(std::move(plus)));
    const int channels = from.channels, width = from.width;
    const Tensor parts = b_.tensor(b_.type(), from.height, from.width, 4 * channels);
    b_.convolve_into(prefix + "deconv", from, parts, {.out = 4 * channels}, {.relu = true},
                     [=](WeightSource& source) {
                       return read_deconvolution(source, prefix + "deconv.weight", prefix + "bn", channels);
                     });
    b_.pass(prefix + "deconv", "depth-to-space-add", std::int64_t{from.height} * b_.batch(),
            1 + kPassGrain / (4 * width),
            [=, type = y.type, source = parts.data, to = y.data](std::int64_t begin, std::int64_t end) {
              operations().depth_to_space_add(type, source, to, begin, end, width, channels);
            });
    return value_of(y, non_negative);
  }

  Value repeat(const std::string& name, const Value& x, Value plus) override {
    const bool non_negative = is_non_negative(x) && is_non_negative(plus);
    const ActivationPlace place = {.name = name, .non_negative = true};
    const float scale = non_negative ? b_.scale_of(place) : 0;
    const DataType narrow = DataType::u8;
    if (scale > 0 && tensor_of(x).type == narrow && tensor_of(plus).type == narrow)
      return repeat_8_bit(name, x, std::move(plus), scale);
    const Value coarse_value = wide(x);
    const Tensor placed = overwritable(wide(std::move(plus)));
    Tensor coarse = tensor_of(coarse_value), fine = placed;
    coarse.block.reset();  // the program outlives the plan; the caller still holds the memory
    fine.block.reset();
    b_.pass(name, "repeat-add", std::int64_t{fine.height} * b_.batch(), 8,
            [coarse, fine](std::int64_t begin, std::int64_t end) {
              if (fine.type == DataType::f32)
                repeat_rows<float>(coarse, fine, begin, end);
              else
                repeat_rows<engine::bfloat16>(coarse, fine, begin, end);
            });
    if (scale == 0 && non_negative) return observed(b_, place, placed);
    const Value result = value_of(placed, non_negative);
    return scale > 0 ? value_of(narrowed(name, result, scale), true) : result;
  }

  Value pose(const std::string& name, const Value& x) override {
    const Value exact = wide(x);
    const Tensor& core = tensor_of(exact);
    const int channels = core.channels;
    const float* weight = constant_of(name + ".weight", {6, channels});
    const float* bias = constant_of(name + ".bias", {6});
    const Tensor result = b_.tensor(DataType::f32, 1, 1, 6);
    const Tensor values = b_.tensor(DataType::f32, 1, 1, channels);
    b_.pass(name, "pose", b_.batch(), b_.batch(),
            [=, type = core.type, from = core.data, wide = values.floats(), to = result.floats()](
                std::int64_t begin, std::int64_t end) {
              engine::to_float32(type, from, wide, (end - begin) * channels);
              for (std::int64_t i = begin * 6; i < end * 6; ++i) {
                const float* row = weight + i % 6 * channels;
                const float* pixel = wide + i / 6 * channels;
                double sum = bias[i % 6];
                for (int c = 0; c < channels; ++c) sum += static_cast<double>(row[c]) * pixel[c];
                to[i] = static_cast<float>(sum);
              }
            });
    return value_of(result);
  }

  // Points, features and edges in one convolution, then heat = feature point near: [M, M, padded L].
  Value heat_maps(const HeatMaps& heads, const scheme::Database& database, const Value& field) override {
    const Value exact = wide(field);
    const Tensor& from = tensor_of(exact);
    const DataType type = heads.exact ? DataType::f32 : b_.type();
    const int landmarks = database.landmarks, edges = database.edge_count();
    const int points = round_up(landmarks, kLanes), width = from.channels;
    const engine::HeatLayout layout = {.points = points,
                                       .edges = edges,
                                       .channels = 2 * points + round_up(edges, kLanes),
                                       .incidence = incidence(database, points)};
    const Tensor maps = b_.tensor(type, from.height, from.width, layout.channels);
    b_.convolve_into(
        heads.name + ".heads", from, maps, {.out = layout.channels}, {}, [=](WeightSource& source) {
          PlainWeights layer{std::vector<float>(static_cast<std::size_t>(layout.channels) * width),
                             std::vector<float>(static_cast<std::size_t>(layout.channels))};
          const auto put = [&](const std::string& name, int count, int first) {
            const std::vector<float> rows = source.read(name + ".weight", {count, width, 1, 1});
            std::copy(rows.begin(), rows.end(),
                      layer.weights.begin() + static_cast<std::ptrdiff_t>(first) * width);
          };
          put(heads.points, landmarks, 0);
          put(heads.features, landmarks, layout.features_offset());
          put(heads.edges, edges, layout.edges_offset());
          return layer;
        });
    b_.tap(heads.name + ".heads", maps);
    const Tensor heat = b_.tensor(type, from.height, from.width, layout.points);
    b_.pass(heads.name, "heat-maps", from.pixels() * b_.batch(), 64,
            [=, source = maps.data, to = heat.data](std::int64_t begin, std::int64_t end) {
              operations().heat_maps(type, layout,
                                     at(static_cast<const void*>(source), type, begin * layout.channels),
                                     at(to, type, begin * layout.points), end - begin);
            });
    return value_of(heat, false, landmarks);
  }

  Peaks peaks(const Value& maps) override {
    const Tensor& heat = tensor_of(maps);
    const int landmarks = maps->channels;
    const Tensor found = b_.tensor(DataType::f32, landmarks, 1, 4);  // engine::Peak
    const std::int64_t groups = (landmarks + kLanes - 1) / kLanes;
    b_.pass("visual_cnn.peaks", "soft-argmax", groups * b_.batch(), 1,
            [=, side = heat.height, channels = heat.channels, from = heat.floats(),
             to = static_cast<engine::Peak*>(found.data)](std::int64_t begin, std::int64_t end) {
              for (std::int64_t g = begin; g < end; ++g) {
                const std::int64_t face = g / groups;
                const int first = static_cast<int>(g % groups) * kLanes;
                operations().soft_argmax(from + face * side * side * channels, side, channels, first,
                                         std::min(first + kLanes, landmarks), to + face * landmarks);
              }
            });
    const Tensor points = b_.tensor(DataType::f32, landmarks, 1, 2);
    const std::int64_t count = std::int64_t{landmarks} * b_.batch();
    b_.pass("initial", "clamp", count, count,
            [from = static_cast<const engine::Peak*>(found.data), to = points.floats()](std::int64_t begin,
                                                                                        std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) {
                to[2 * i] = std::clamp(from[i].x, 0.0F, 1.0F);
                to[2 * i + 1] = std::clamp(from[i].y, 0.0F, 1.0F);
              }
            });
    return {.places = value_of(points), .deviation = value_of(found)};
  }

  Value projection(const scheme::Database& database, const Value& pose) override {
    const Tensor points = b_.tensor(DataType::f32, database.landmarks, 1, 2);
    b_.pass(
        "projection", "projection", b_.batch(), b_.batch(),
        [&world = database.world_points, from = tensor_of(pose).floats(), to = points.floats()](
            std::int64_t begin, std::int64_t end) {
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
    return value_of(points);
  }

  Value windows(const std::string& name, const Value& map, const Value& points, int grid, double part,
                int out) override {
    const Value seen = wide(map);
    const Tensor& field = tensor_of(seen);
    const engine::WindowLayout layout = {.side = field.height,
                                         .channels = field.channels,
                                         .grid = grid,
                                         .radius = static_cast<float>((part * field.height - 1) / 2)};
    const int size = grid * grid * layout.channels, landmarks = points->height;
    const ActivationPlace place = {.name = name, .input = true, .non_negative = true};
    const float scale = is_non_negative(map) ? b_.scale_of(place) : 0;
    const Tensor samples =
        scale > 0 ? b_.tensor_8_bit(true, scale, landmarks, 1, size) : rows(landmarks, size);
    b_.pass(name, "sample-windows", std::int64_t{landmarks} * b_.batch(), 16,
            [=, type = field.type, face = static_cast<std::int64_t>(field.bytes()),
             from = static_cast<const std::byte*>(field.data), places = tensor_of(points).floats(),
             to = static_cast<std::byte*>(samples.data)](std::int64_t begin, std::int64_t end) {
              by_face(begin, end, landmarks, [&](std::int64_t n, std::int64_t first, std::int64_t last) {
                const float* here = places + n * landmarks * 2;
                const std::int64_t before = n * landmarks * size;
                if (scale > 0) {
                  operations().sample_windows_u8(type, layout, from + n * face, here, first, last, 1 / scale,
                                                 reinterpret_cast<std::uint8_t*>(to + before));
                } else {
                  operations().sample_windows(type, layout, from + n * face, here, first, last,
                                              to + before * static_cast<std::int64_t>(size_of(type)));
                }
              });
            });
    if (scale == 0 && is_non_negative(map)) b_.observe(place, samples);
    const int channels = field.channels;
    return value_of(b_.multiply(name, samples, out, b_.type(), {}, [=](WeightSource& source) {
      return read_window(source, name, channels, out, grid);
    }));
  }

  Value differences(const std::string& name, const Value& points) override {
    const int landmarks = points->height, size = 2 * (landmarks - 1);
    const Tensor x = rows(landmarks, size);
    b_.pass(name, "pairwise-differences", std::int64_t{landmarks} * b_.batch(), 64,
            [=, type = x.type, from = tensor_of(points).floats(), to = static_cast<std::byte*>(x.data)](
                std::int64_t begin, std::int64_t end) {
              by_face(begin, end, landmarks, [&](std::int64_t n, std::int64_t first, std::int64_t last) {
                operations().pairwise_differences(
                    type, from + n * landmarks * 2, landmarks, static_cast<int>(first),
                    static_cast<int>(last),
                    to + n * landmarks * size * static_cast<std::int64_t>(size_of(type)));
              });
            });
    return value_of(x);
  }

  Value dense(const Dense& layer, const Value& x, Value plus) override {
    const Tensor& from = tensor_of(x);
    const bool accumulate = plus != nullptr;
    const Tensor y = accumulate
                         ? overwritable(std::move(plus))
                         : b_.tensor(layer.exact ? DataType::f32 : b_.type(), from.height, 1, layer.out);
    b_.multiply_into(layer.name, from, y, {.accumulate = accumulate, .relu = layer.relu},
                     [layer, in = from.channels](WeightSource& source) {
                       PlainWeights plain = read_dense(source, layer.name, in, layer.out);
                       if (!layer.norm.empty()) fold_norm(plain, read_norm(source, layer.norm, layer.out));
                       return plain;
                     });
    return value_of(y, layer.relu);
  }

  Value attend(const Attention& layer, const Value& x) override {
    const Tensor& from = tensor_of(x);
    const int width = from.channels, heads = layer.heads;
    const Tensor message = rows(from.height, 2 * width);
    b_.multiply_into(
        layer.prefix + ".mlp.0.x", from, message, {},
        [p = layer.prefix, width](WeightSource& source) { return read_message_over_x(source, p, width); });
    b_.multiply_into(layer.prefix + ".mlp.0.attended", attended(layer, from), message,
                     {.accumulate = true, .relu = true}, [=, p = layer.prefix](WeightSource& source) {
                       return read_message_over_attended(source, p, width, heads);
                     });
    return value_of(message, true);
  }

  Value move(const std::string& name, const Value& x, const Value& points, double reach) override {
    const int width = x->channels;
    const float* weight = constant_of(name + ".weight", {2, width, 1});
    const float* bias = constant_of(name + ".bias", {2});
    const Tensor moved = b_.like(tensor_of(points));
    b_.pass(name, "move", std::int64_t{points->height} * b_.batch(), 64,
            [=, part = static_cast<float>(reach), hidden = tensor_of(x).floats(),
             from = tensor_of(points).floats(), to = moved.floats()](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = 2 * begin; i < 2 * end; ++i) {
                const float* row = weight + i % 2 * width;
                const float* values = hidden + i / 2 * width;
                float offset = bias[i % 2];
                for (int c = 0; c < width; ++c) offset += row[c] * values[c];
                to[i] = from[i] + std::clamp(offset, -1.0F, 1.0F) * part;
              }
            });
    return value_of(moved);
  }

  Value uncertainty(const UncertaintyFormula& formula, const std::vector<Value>& landmarks,
                    const Value& deviation) override {
    const int count = landmarks.back()->height;
    features_ = b_.tensor(DataType::f32, count, 1, sizeof(UncertaintyFeatures) / sizeof(float));
    const Tensor expected = b_.tensor(DataType::f32, count, 1, 1);
    std::vector<const float*> places;
    for (const Value& points : landmarks) places.push_back(tensor_of(points).floats());
    const void* peaks = deviation ? tensor_of(deviation).data : nullptr;
    const std::int64_t all = std::int64_t{count} * b_.batch();
    b_.pass("uncertainty", "uncertainty", all, all,
            [=, found = static_cast<const engine::Peak*>(peaks),
             features = static_cast<UncertaintyFeatures*>(features_.data),
             to = expected.floats()](std::int64_t begin, std::int64_t end) {
              for (std::int64_t i = begin; i < end; ++i) {
                features[i] = uncertainty_features(places, found, i);
                to[i] = expected_error(formula, features[i]);
              }
            });
    return value_of(expected);
  }

  void tap(const std::string& name, const Value& x) override { b_.tap(name, tensor_of(x)); }

 private:
  // What the layer reads: 8 bits where x has them, or where it is to have a copy in them.
  Tensor input_of(const std::string& layer, const Value& x) {
    const ActivationPlace place = {.name = layer, .input = true, .non_negative = is_non_negative(x)};
    const Tensor& from = tensor_of(x);
    if (is_8_bit(from.type)) return from;
    if (const float scale = b_.scale_of(place); scale > 0) return narrowed(layer, x, scale);
    if (!static_cast<const EngineActivation&>(*x).observed) b_.observe(place, from);
    return from;
  }

  // A copy as 8 bits.
  Tensor narrowed(const std::string& layer, const Value& x, float scale) {
    const Tensor& from = tensor_of(x);
    const Tensor y = b_.tensor_8_bit(is_non_negative(x), scale, from.height, from.width, from.channels);
    b_.pass(layer, "to-8-bit", from.pixels() * b_.batch(), kPassGrain,
            [source = from.data, from_type = from.type, to = y.data, type = y.type, factor = 1 / scale,
             channels = from.channels](std::int64_t begin, std::int64_t end) {
              const std::int64_t first = begin * channels;
              operations().to_8_bit(from_type, at(static_cast<const void*>(source), from_type, first), type,
                                    at(to, type, first), factor, (end - begin) * channels);
            });
    return y;
  }

  // x, or a copy of the builder's type where it is stored as 8 bits.
  Value wide(Value x) {
    const Tensor from = tensor_of(x);
    if (!is_8_bit(from.type)) return x;
    const Tensor y = b_.tensor(b_.type(), from.height, from.width, from.channels);
    const std::int64_t count = from.elements() * b_.batch();
    b_.pass("copy", "from-8-bit", count, count,
            [from_type = from.type, scale = from.scale, source = from.data, type = y.type, to = y.data,
             values = std::vector<float>()](std::int64_t begin, std::int64_t end) mutable {
              values.resize(static_cast<std::size_t>(end - begin));
              engine::to_float32(from_type, source, values.data(), end - begin);
              for (float& value : values) value *= scale;
              engine::from_float32(type, values.data(), to, end - begin);
            });
    return value_of(y, is_non_negative(x), x->channels);
  }

  Value repeat_8_bit(const std::string& name, const Value& x, Value plus, float scale) {
    const Tensor coarse = tensor_of(x);
    Tensor fine = overwritable(std::move(plus));
    const float x_factor = coarse.scale / scale, y_factor = fine.scale / scale;
    fine.scale = scale;
    const std::int64_t rows = std::int64_t{fine.height} * b_.batch();
    b_.pass(
        name, "repeat-add", rows, 8,
        [=, from = static_cast<const std::uint8_t*>(coarse.data), to = static_cast<std::uint8_t*>(fine.data),
         width = fine.width, channels = fine.channels](std::int64_t begin, std::int64_t end) {
          operations().repeat_add_u8(from, to, begin, end, width, channels, x_factor, y_factor);
        });
    return value_of(fine, true);
  }

  static std::vector<float> divided(std::vector<float> values, float step) {
    if (step > 0)
      for (float& value : values) value /= step;
    return values;
  }

  Tensor rows(int height, int channels) { return b_.tensor(b_.type(), height, 1, channels); }

  const float* constant_of(const std::string& name, const std::vector<std::int64_t>& shape) {
    return b_.constant(name, [=](WeightSource& source) { return source.read(name, shape); });
  }

  // Calls part(face, first, last) for the landmarks [begin, end) of all faces.
  template <typename Part>
  static void by_face(std::int64_t begin, std::int64_t end, std::int64_t landmarks, const Part& part) {
    while (begin < end) {
      const std::int64_t n = begin / landmarks, first = begin % landmarks;
      const std::int64_t last = std::min<std::int64_t>(landmarks, first + end - begin);
      part(n, first, last);
      begin += last - first;
    }
  }

  // x's own memory where nobody else has it, else a copy.
  Tensor overwritable(Value x) {
    const Tensor from = tensor_of(x);
    if (x.use_count() == 1) return from;
    const Tensor y = b_.like(from);
    b_.pass("copy", "copy", from.pixels() * b_.batch(), kPassGrain,
            [source = from.data, to = y.data,
             bytes = size_of(from.type) * static_cast<std::size_t>(from.channels)](std::int64_t begin,
                                                                                   std::int64_t end) {
              std::memcpy(static_cast<std::byte*>(to) + static_cast<std::size_t>(begin) * bytes,
                          static_cast<const std::byte*>(source) + static_cast<std::size_t>(begin) * bytes,
                          static_cast<std::size_t>(end - begin) * bytes);
            });
    return y;
  }

  static PlainWeights read_stem(WeightSource& source, const Convolution& layer) {
    PlainWeights plain = read_convolution(source, layer.name + ".weight", 6, layer.out, layer.kernel);
    fold_norm(plain, read_norm(source, layer.norm, layer.out));
    return plain;
  }

  // The convolution of the coordinate channels, as y stores it, in as many floats as that takes.
  static std::vector<float> coordinates_part(WeightSource& source, const Convolution& layer, int size,
                                             const Tensor& y) {
    const int out = layer.out;
    const PlainWeights plain = read_stem(source, layer);
    const auto kernel =
        std::make_shared<const engine::Kernel>(engine::ConvolutionSpec{.height = size,
                                                                       .width = size,
                                                                       .in = 3,
                                                                       .out = out,
                                                                       .kernel = layer.kernel,
                                                                       .stride = layer.stride,
                                                                       .pad_begin = (layer.kernel - 1) / 2,
                                                                       .pad_end = (layer.kernel - 1) / 2});
    const auto weights = std::make_shared<const engine::PackedWeights>(
        *kernel, stem_channels(plain.weights, out, 3), std::vector<float>(static_cast<std::size_t>(out)));
    const std::vector<float> channels = coordinate_channels(size);
    std::vector<float> exact(static_cast<std::size_t>(y.elements()));
    const engine::Arena scratch(kernel->scratch_bytes());
    engine::Execution execution(kernel, weights, channels.data(), exact.data());
    execution.set_scratch(scratch.data());
    execution.run();
    std::vector<float> stored((y.bytes() + sizeof(float) - 1) / sizeof(float));
    engine::from_float32(y.type, exact.data(), stored.data(), y.elements());
    return stored;
  }

  // edge2point, transposed and padded: [E + 1, padded L].
  const float* incidence(const scheme::Database& database, int points) {
    const int landmarks = database.landmarks, columns = database.edge_count() + 1;
    return b_.constant("edge2point", [=, &database](WeightSource&) {
      std::vector<float> table(static_cast<std::size_t>(columns) * points);
      for (int l = 0; l < landmarks; ++l)
        for (int e = 0; e < columns; ++e)
          table[static_cast<std::size_t>(e * points + l)] =
              database.edge2point[static_cast<std::size_t>(l * columns + e)];
      return table;
    });
  }

  Tensor projected(const Attention& layer, int index, const Tensor& x, float scale) {
    const int width = x.channels, heads = layer.heads;
    const std::string name = layer.prefix + ".attn.proj." + std::to_string(index);
    return b_.multiply(name, x, width, b_.type(), {}, [=](WeightSource& source) {
      return read_projection(source, name, width, heads, scale);
    });
  }

  // softmax(q k) v per head, heads one after another: [L, 1, width].
  Tensor attended(const Attention& layer, const Tensor& x) {
    const int heads = layer.heads, width = x.channels, depth = width / heads, count = x.height;
    const std::int64_t face = std::int64_t{count} * width, head = std::int64_t{count} * count;
    const Tensor scores = b_.tensor(DataType::f32, heads * count, 1, count);
    {
      const Tensor q = projected(layer, 0, x, 1 / std::sqrt(static_cast<float>(depth)));
      const Tensor k = projected(layer, 1, x, 1);
      b_.multiply_batched(layer.prefix + ".scores",
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
    b_.pass(layer.prefix + ".softmax", "softmax", std::int64_t{heads} * count * b_.batch(), 64,
            [=, type = weights.type, from = scores.floats(), to = static_cast<std::byte*>(weights.data)](
                std::int64_t begin, std::int64_t end) {
              operations().softmax(type, from + begin * count,
                                   to + begin * count * static_cast<std::int64_t>(size_of(type)), end - begin,
                                   count);
            });
    b_.tap(layer.prefix + ".weights", weights);
    const Tensor v = projected(layer, 2, x, 1);
    const Tensor y = rows(count, width);
    b_.multiply_batched(layer.prefix + ".values",
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

  Builder& b_;
  Tensor features_;
};

}  // namespace

NetworkResults build_network(Builder& builder, const NetworkConfig& config,
                             const UncertaintyFormula& uncertainty) {
  EngineLayers layers(builder);
  const LandmarkOutputs outputs = describe_network(layers, config, uncertainty);
  NetworkResults results = {
      .image = tensor_of(outputs.image).floats(),
      .pose = tensor_of(outputs.pose).floats(),
      .uncertainty = tensor_of(outputs.uncertainty).floats(),
      .uncertainty_features = static_cast<const UncertaintyFeatures*>(layers.features().data)};
  for (const Value& points : outputs.landmarks) results.landmarks.push_back(tensor_of(points).floats());
  return results;
}

DetectorTensors build_detector(Builder& builder, const DetectorConfig& config, int height, int width) {
  EngineLayers layers(builder);
  const DetectorOutputs outputs = describe_detector(layers, config, height, width);
  DetectorTensors tensors = {.input = tensor_of(outputs.input)};
  for (std::size_t i = 0; i < tensors.outputs.size(); ++i) tensors.outputs[i] = tensor_of(outputs.levels[i]);
  return tensors;
}

}  // namespace spiga::model
