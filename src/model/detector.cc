// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector.h"

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "base/text.h"
#include "engine/parallel.h"
#include "model/engine_layers.h"
#include "spiga/error.h"

namespace spiga::model {
namespace {

using base::concat;
using engine::DataType;

constexpr int kBlock = DetectorConfig::kBlock;
constexpr std::size_t kKeptPrograms = 6;  // of a session; a picture takes 2, small faces up to 4
constexpr int kMostPixels = 1 << 26;

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

struct DetectorSession::Impl {
  struct Compiled {
    int height, width;
    DetectorTensors tensors;
    std::unique_ptr<engine::Program> program;
  };

  std::shared_ptr<const CompiledNetwork> network;
  int threads;
  engine::Arena memory = {};          // of all programs, as one runs at a time
  std::list<Compiled> programs = {};  // the one used last comes first

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

  // Where the memory is too small, the programs that work in it go with it.
  void make_room(std::size_t bytes) {
    if (bytes <= memory.size()) return;
    programs.clear();
    memory = engine::Arena();
    memory = engine::Arena(bytes);
  }

  Compiled compile(int height, int width) {
    Compiled result{height, width, {}, {}};
    const auto walk = [&](Builder& builder) {
      result.tensors = build_detector(builder, network->detector_config(), height, width);
      for (Tensor& output : result.tensors.outputs)
        output.block.reset();  // they go back to this builder's plan
      result.tensors.input.block.reset();
    };
    const CompiledNetwork::Run run = {.threads = threads};
    make_room(network->workspace_bytes(run, walk));
    result.program = network->compile(run, memory.data(), walk);
    return result;
  }
};

DetectorSession::DetectorSession(std::shared_ptr<const CompiledNetwork> network, int threads) {
  if (threads < 0)
    throw Error(ErrorCode::invalid_argument, concat("session: expected threads >= 0, found ", threads));
  network->detector_config();  // throws where it is none
  impl_ = std::make_unique<Impl>(
      Impl{.network = std::move(network), .threads = engine::ThreadScope(threads).threads()});
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
