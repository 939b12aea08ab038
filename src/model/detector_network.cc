// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/detector_network.h"

#include <utility>

#include "base/text.h"

namespace spiga::model {
namespace {

using base::concat;

// Convolution, batch norm, ReLU.
Convolution unit(const std::string& name, int out, int kernel, int stride) {
  return {.name = name + ".conv",
          .norm = name + ".bn",
          .relu = true,
          .inner = true,
          .out = out,
          .kernel = kernel,
          .stride = stride};
}

// A step down, then residual blocks.
Value stage(Layers& l, const std::string& name, const Value& input, int width, int blocks) {
  Value x = l.convolve(unit(name + ".down", width, 3, 2), input);
  for (int i = 0; i < blocks; ++i) {
    const std::string block = concat(name, ".block", i);
    const Value y = l.convolve(unit(block + ".unit", width, 3, 1), x);
    x = l.convolve(unit(block, width, 3, 1), y, std::move(x));
  }
  return x;
}

}  // namespace

DetectorOutputs describe_detector(Layers& l, const DetectorConfig& config, int height, int width) {
  DetectorOutputs outputs;
  outputs.input = l.picture_blocks("picture", height, width, DetectorConfig::kBlock);
  Value x = l.convolve(unit("stem", config.stem_width, 3, 2), outputs.input);
  std::array<Value, DetectorConfig::kLevels> pyramid;
  for (std::size_t level = 0; level < pyramid.size(); ++level) {
    x = stage(l, concat("stage", level), x, config.width[level], config.blocks[level]);
    pyramid[level] = l.convolve(unit(concat("lateral", level), config.neck, 1, 1), x);
  }
  for (std::size_t level = pyramid.size() - 1; level > 0; --level)
    pyramid[level - 1] =
        l.repeat(concat("lateral", level - 1, ".add"), pyramid[level], std::move(pyramid[level - 1]));
  for (std::size_t level = 0; level < pyramid.size(); ++level) {
    const std::string head = concat("head", level);
    const Value y = l.convolve(unit(head + ".unit", config.neck, 3, 1), pyramid[level]);
    outputs.levels[level] =
        l.convolve({.name = head, .bias = true, .exact = true, .out = DetectorConfig::kOutputs}, y);
  }
  return outputs;
}

}  // namespace spiga::model
