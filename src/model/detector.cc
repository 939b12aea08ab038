// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector.h"

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "base/text.h"
#include "engine/parallel.h"
#include "model/folding.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;
using engine::DataType;
using engine::Epilogue;

constexpr Epilogue kPlain = {};
constexpr Epilogue kRelu = {.relu = true};
constexpr Epilogue kAccumulateRelu = {.accumulate = true, .relu = true};
constexpr int kBlock = DetectorConfig::kBlock;
constexpr int kBlockChannels = 3 * kBlock * kBlock;
constexpr std::size_t kKeptPrograms = 8;
constexpr int kMostPixels = 1 << 26;

class DetectorBuilder {
 public:
  DetectorBuilder(Builder& builder, const DetectorConfig& config) : b_(builder), config_(config) {}

  DetectorTensors build(int height, int width) {
    DetectorTensors result;
    result.input = b_.tensor(b_.type(), height / kBlock, width / kBlock, kBlockChannels);
    Tensor x = unit("stem", result.input, config_.stem_width, 3, 2);
    std::array<Tensor, DetectorConfig::kLevels> pyramid;
    for (std::size_t level = 0; level < pyramid.size(); ++level) {
      x = stage(concat("stage", level), x, level);
      pyramid[level] = unit(concat("lateral", level), x, config_.neck, 1, 1);
    }
    for (std::size_t level = pyramid.size() - 1; level > 0; --level)
      add_enlarged(concat("lateral", level - 1, ".add"), pyramid[level], pyramid[level - 1]);
    for (std::size_t level = 0; level < pyramid.size(); ++level)
      result.outputs[level] = head(concat("head", level), pyramid[level]);
    return result;
  }

 private:
  // Convolution, batch norm, ReLU.
  Tensor unit(const std::string& name, const Tensor& x, int out, int kernel, int stride) {
    return b_.convolve(name, x, shape(out, kernel, stride), kRelu,
                       fold(name + ".conv.weight", name + ".bn", x.channels, out, kernel));
  }

  Tensor stage(const std::string& name, const Tensor& input, std::size_t level) {
    const int width = config_.width[level];
    const Tensor x = unit(name + ".down", input, width, 3, 2);
    for (int i = 0; i < config_.blocks[level]; ++i) {
      const std::string block = concat(name, ".block", i);
      const Tensor y = unit(block + ".unit", x, width, 3, 1);
      b_.convolve_into(block + ".conv", y, x, shape(width, 3, 1), kAccumulateRelu,
                       fold(block + ".conv.weight", block + ".bn", width, width, 3));
    }
    return x;
  }

  Tensor head(const std::string& name, const Tensor& x) {
    const Tensor y = unit(name + ".unit", x, config_.neck, 3, 1);
    const Tensor outputs = b_.tensor(DataType::f32, x.height, x.width, DetectorConfig::kOutputs);
    b_.convolve_into(name, y, outputs, shape(DetectorConfig::kOutputs, 1, 1), kPlain,
                     [name, in = config_.neck](WeightSource& source) {
                       const std::int64_t out = DetectorConfig::kOutputs;
                       return PlainWeights{source.read(name + ".weight", {out, in, 1, 1}),
                                           source.read(name + ".bias", {out})};
                     });
    return outputs;
  }

  // fine[2 r + i, 2 c + j] += coarse[r, c].
  void add_enlarged(const std::string& name, Tensor coarse, Tensor fine) {
    coarse.block.reset();  // the program outlives the plan; the caller still holds the memory
    fine.block.reset();
    b_.pass(name, "enlarge-add", fine.height, 8, [coarse, fine](std::int64_t begin, std::int64_t end) {
      if (fine.type == DataType::f32)
        add_rows<float>(coarse, fine, begin, end);
      else
        add_rows<engine::bfloat16>(coarse, fine, begin, end);
    });
  }

  template <typename T>
  static void add_rows(const Tensor& coarse, const Tensor& fine, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* from = static_cast<const T*>(coarse.data) + row / 2 * coarse.width * coarse.channels;
      T* to = static_cast<T*>(fine.data) + row * fine.width * fine.channels;
      for (int column = 0; column < fine.width; ++column, to += fine.channels)
        for (int k = 0; k < fine.channels; ++k)
          engine::store(to[k],
                        engine::to_float(to[k]) + engine::to_float(from[column / 2 * fine.channels + k]));
    }
  }

  // A map of even sides needs no padding at its end where the stride is 2.
  static ConvolutionShape shape(int out, int kernel, int stride) {
    const int padding = (kernel - 1) / 2;
    return {.out = out,
            .kernel = kernel,
            .stride = stride,
            .pad_begin = padding,
            .pad_end = stride == 2 ? 0 : padding};
  }

  static LayerStore::Fold fold(const std::string& weight, const std::string& norm, int in, int out,
                               int kernel) {
    return [=](WeightSource& source) {
      PlainWeights layer = read_convolution(source, weight, in, out, kernel);
      fold_norm(layer, read_norm(source, norm, out));
      return layer;
    };
  }

  Builder& b_;
  const DetectorConfig& config_;
};

// 0, 1, ... 255 as parts of 255.
template <typename T>
std::array<T, 256> levels_of() {
  std::array<T, 256> levels;
  for (std::size_t i = 0; i < levels.size(); ++i) engine::store(levels[i], static_cast<float>(i) / 255);
  return levels;
}

// The picture as blocks; what is beyond it is black.
template <typename T>
void fill_blocks(const ImageView& picture, const Tensor& input) {
  static const std::array<T, 256> levels = levels_of<T>();
  T* to = static_cast<T*>(input.data);
  const T zero = levels[0];
  for (int row = 0; row < input.height; ++row)
    for (int column = 0; column < input.width; ++column)
      for (int i = 0; i < kBlock; ++i) {
        const int y = kBlock * row + i;
        for (int j = 0; j < kBlock; ++j, to += 3) {
          const int x = kBlock * column + j;
          const bool inside = y < picture.height && x < picture.width;
          const std::uint8_t* pixel = inside ? picture.data + y * picture.stride_bytes + 3 * x : nullptr;
          for (int c = 0; c < 3; ++c) to[c] = inside ? levels[pixel[c]] : zero;
        }
      }
}

int padded(int size) {
  return (size + DetectorConfig::kMaxStride - 1) / DetectorConfig::kMaxStride * DetectorConfig::kMaxStride;
}

}  // namespace

DetectorTensors build_detector(Builder& builder, const DetectorConfig& config, int height, int width) {
  return DetectorBuilder(builder, config).build(height, width);
}

struct DetectorSession::Impl {
  struct Compiled {
    int height, width;
    engine::Arena memory;
    DetectorTensors tensors;
    std::unique_ptr<engine::Program> program;
  };

  std::shared_ptr<const CompiledNetwork> network;
  int threads;
  std::list<Compiled> programs;  // the one used last comes first

  Compiled& compiled(int height, int width) {
    const auto found = std::ranges::find_if(
        programs, [&](const Compiled& c) { return c.height == height && c.width == width; });
    if (found != programs.end()) {
      programs.splice(programs.begin(), programs, found);
    } else {
      programs.push_front(compile(height, width));
      if (programs.size() > kKeptPrograms) programs.pop_back();
    }
    return programs.front();
  }

  Compiled compile(int height, int width) const {
    Compiled result{height, width, {}, {}, {}};
    const auto walk = [&](Builder& builder) {
      result.tensors = build_detector(builder, network->detector_config(), height, width);
      for (Tensor& output : result.tensors.outputs)
        output.block.reset();  // they go back to this builder's plan
      result.tensors.input.block.reset();
    };
    const CompiledNetwork::Run run = {.threads = threads};
    result.memory = engine::Arena(network->workspace_bytes(run, walk));
    result.program = network->compile(run, result.memory.data(), walk);
    return result;
  }
};

DetectorSession::DetectorSession(std::shared_ptr<const CompiledNetwork> network, int threads) {
  if (threads < 0) throw Error(ErrorCode::invalid_argument, concat("session: expected threads >= 0, found ", threads));
  network->detector_config();  // throws where it is none
  impl_ = std::make_unique<Impl>(Impl{std::move(network), engine::ThreadScope(threads).threads(), {}});
}
DetectorSession::~DetectorSession() = default;

engine::Program& DetectorSession::program(int height, int width) {
  return *impl_->compiled(padded(height), padded(width)).program;
}

std::vector<ScoredFace> DetectorSession::run(const ImageView& picture, const DetectorThresholds& thresholds) {
  if (picture.width < 1 || picture.height < 1 || picture.format != PixelFormat::bgr8 ||
      std::int64_t{picture.width} * picture.height > kMostPixels)
    throw Error(ErrorCode::invalid_argument,
                concat("picture: expected 1 to ", kMostPixels, " pixels, bgr8, found ", picture.width, " x ",
                       picture.height));
  const int height = padded(picture.height), width = padded(picture.width);
  const Impl::Compiled& compiled = impl_->compiled(height, width);
  const DetectorTensors& tensors = compiled.tensors;
  if (tensors.input.type == DataType::f32)
    fill_blocks<float>(picture, tensors.input);
  else
    fill_blocks<engine::bfloat16>(picture, tensors.input);
  compiled.program->run();
  std::array<const float*, DetectorConfig::kLevels> outputs{};
  for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = tensors.outputs[i].floats();
  return faces_of_cells(cell_grids(height, width), outputs, thresholds.score, thresholds.most_overlap);
}

std::vector<float> DetectorSession::outputs() const {
  std::vector<float> all;
  if (impl_->programs.empty()) return all;
  for (const Tensor& level : impl_->programs.front().tensors.outputs)
    all.insert(all.end(), level.floats(), level.floats() + level.elements());
  return all;
}

}  // namespace spiga::model
