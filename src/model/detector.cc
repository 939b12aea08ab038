// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <span>
#include <type_traits>
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
constexpr std::size_t kKeptPrograms = 16;  // of a session
constexpr int kMostPixels = 1 << 26;

// A line of the picture as parts of 1, in steps of `scale`, black where the picture has none. `line` has room
// for whole blocks.
template <typename T>
void fill_line(const ImageView& picture, int y, float scale, std::span<T> line) {
  const float part = 1 / (255 * scale);
  const bool inside = y < picture.height;
  const std::size_t count = inside ? 3 * static_cast<std::size_t>(picture.width) : 0;
  const std::uint8_t* from = inside ? picture.data + y * picture.stride_bytes : nullptr;
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    if (part == 1) {
      std::copy_n(from, count, line.begin());
      std::ranges::fill(line.subspan(count), T{});
      return;
    }
  }
  for (std::size_t i = 0; i < count; ++i) engine::store(line[i], static_cast<float>(from[i]) * part);
  std::ranges::fill(line.subspan(count), T{});
}

// The picture as blocks; what is beyond it is black.
template <typename T>
void fill_blocks(const ImageView& picture, const Tensor& input) {
  constexpr std::size_t kPart = 3 * kBlock;  // of a block in each of its lines
  T* to = static_cast<T*>(input.data);
  const int blocks = (picture.width + kBlock - 1) / kBlock;  // with something in them
  const std::size_t row_size = static_cast<std::size_t>(input.width) * kBlock * kPart;
  std::array<std::vector<T>, kBlock> lines;
  for (std::vector<T>& line : lines) line.resize(static_cast<std::size_t>(blocks) * kPart);
  for (int row = 0; row < input.height; ++row, to += row_size) {
    if (kBlock * row >= picture.height) {
      std::fill_n(to, row_size, T{});
      continue;
    }
    for (int i = 0; i < kBlock; ++i)
      fill_line<T>(picture, kBlock * row + i, input.scale, lines[static_cast<std::size_t>(i)]);
    T* block = to;
    for (int column = 0; column < blocks; ++column)
      for (const std::vector<T>& line : lines) {
        std::memcpy(block, line.data() + static_cast<std::size_t>(column) * kPart, kPart * sizeof(T));
        block += kPart;
      }
    std::fill(block, to + row_size, T{});
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
  ActivationObserver* observer = nullptr;
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
    const CompiledNetwork::Run run = {.threads = threads, .observer = observer};
    make_room(network->workspace_bytes(run, walk));
    result.program = network->compile(run, memory.data(), walk);
    return result;
  }
};

DetectorSession::DetectorSession(std::shared_ptr<const CompiledNetwork> network, int threads,
                                 ActivationObserver* observer) {
  if (threads < 0)
    throw Error(ErrorCode::invalid_argument, concat("session: expected threads >= 0, found ", threads));
  network->detector_config();  // throws where it is none
  impl_ = std::make_unique<Impl>(Impl{.network = std::move(network),
                                      .threads = engine::ThreadScope(threads).threads(),
                                      .observer = observer});
}
DetectorSession::~DetectorSession() = default;

engine::Program& DetectorSession::program(int height, int width) {
  return *impl_->compiled(padded(height), padded(width)).program;
}

std::vector<ScoredFace> DetectorSession::run(const ImageView& picture, const DetectorThresholds& thresholds,
                                             const DetectorCanvas& canvas) {
  if (picture.width < 1 || picture.height < 1 || picture.format != PixelFormat::bgr8 ||
      std::int64_t{picture.width} * picture.height > kMostPixels)
    throw Error(ErrorCode::invalid_argument,
                concat("picture: expected 1 to ", kMostPixels, " pixels, bgr8, found ", picture.width, " x ",
                       picture.height));
  const int height = padded(std::max(canvas.height, picture.height));
  const int width = padded(std::max(canvas.width, picture.width));
  const Impl::Compiled& compiled = impl_->compiled(height, width);
  const DetectorTensors& tensors = compiled.tensors;
  if (tensors.input.type == DataType::f32)
    fill_blocks<float>(picture, tensors.input);
  else if (tensors.input.type == DataType::u8)
    fill_blocks<std::uint8_t>(picture, tensors.input);
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
