// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/tensors.h"
#include "model/uncertainty.h"
#include "scheme/scheme.h"

namespace spiga::model {

// What a layer makes, per face or picture: a map [height, width, channels], or a matrix whose rows lie along
// the height. What is behind it is the builder's.
struct Activation {
  int height = 0;
  int width = 1;
  int channels = 0;
  virtual ~Activation() = default;
};
// Handed over by value: a builder may overwrite an activation whose last owner hands it over.
using Value = std::shared_ptr<Activation>;

// Convolution without bias, or with NAME.bias. The input is padded by (kernel - 1) / 2 in front, and behind
// such that the output's side is the input's divided by the stride.
struct Convolution {
  std::string name;       // the tensor NAME.weight [out, in, kernel, kernel]
  std::string norm = {};  // prefix of its batch norm; empty: none
  bool bias = false;
  bool relu = false;
  bool exact = false;  // float32 comes out, whatever the precision
  bool inner = false;  // what comes out may be stored as 8 bits
  int out = 1;
  int kernel = 1;
  int stride = 1;
};

// Dense layer over rows, NAME.weight [out, in, 1] and NAME.bias.
struct Dense {
  std::string name;
  std::string norm = {};
  bool relu = false;
  bool exact = false;  // float32 comes out, whatever the precision
  int out = 1;
};

// Heat maps from 1 x 1 convolutions (docs/network.md, section 3) of these names, without bias.
struct HeatMaps {
  std::string name;
  std::string points, edges, features;
  bool exact = false;  // float32
};

// Of attention over rows (docs/network.md, section 5): PREFIX.attn.proj.0 to 2, PREFIX.attn.merge,
// PREFIX.mlp.0 and PREFIX.mlp.1.
struct Attention {
  std::string prefix;
  int heads = 1;
};

// Where maps are highest: [L, 1, 2] in parts of their side, and how far that is uncertain.
struct Peaks {
  Value places;
  Value deviation;  // null where there are no heat maps
};

// A network is described once, as calls to this (describe_network, describe_detector). Builders make of it
// the list of its tensors, the engine's program, or an ONNX graph.
class Layers {
 public:
  virtual ~Layers() = default;

  // A tensor that a checkpoint holds and the network's inference does without.
  virtual void unused(const std::string& name, const std::vector<std::int64_t>& shape, TensorRole role) = 0;
  // Whether parts are to be described that only a checkpoint has.
  virtual bool wants_unused() const { return false; }

  // The network's input, B G R in [0, 1]: a crop, or a picture as blocks of `block` x `block` pixels.
  virtual Value image(const std::string& name, int side) = 0;
  virtual Value picture_blocks(const std::string& name, int height, int width, int block) = 0;

  // plus + convolution, then ReLU.
  virtual Value convolve(const Convolution& layer, const Value& x, Value plus = {}) = 0;
  // Over an image and three channels more, coordinate_channels().
  virtual Value convolve_with_coordinates(const Convolution& layer, const Value& image) = 0;
  // relu(norm(x)); `kept`, unless null, becomes x.
  virtual Value norm_relu(const std::string& norm, Value x, Value* kept = nullptr) = 0;
  // plus + relu(norm(2 x 2 transposed convolution of stride 2 of x)); PREFIX.deconv.weight, PREFIX.bn
  virtual Value enlarge(const std::string& prefix, const Value& x, Value plus) = 0;
  // plus + x, each pixel of x four times.
  virtual Value repeat(const std::string& name, const Value& x, Value plus) = 0;

  // NAME.weight [6, C] and NAME.bias over the single pixel of x: [1, 1, 6].
  virtual Value pose(const std::string& name, const Value& x) = 0;
  virtual Value heat_maps(const HeatMaps& heads, const scheme::Database& database, const Value& field) = 0;
  virtual Peaks peaks(const Value& heat) = 0;
  // The 3-D mean face as a crop's camera sees it in this pose: [L, 1, 2].
  virtual Value projection(const scheme::Database& database, const Value& pose) = 0;

  // NAME.weight [out, C, grid, grid] over grid x grid samples of each landmark's window, which is `part` of
  // the map's side: [L, 1, out].
  virtual Value windows(const std::string& name, const Value& field, const Value& points, int grid,
                        double part, int out) = 0;
  // Each landmark's vectors from the others: [L, 1, 2 (L - 1)].
  virtual Value differences(const std::string& name, const Value& points) = 0;
  virtual Value dense(const Dense& layer, const Value& x, Value plus = {}) = 0;
  // relu(mlp.0([x; merge(softmax(q k / sqrt(d)) v)])), with its batch norm: [L, 1, 2 width of x]
  virtual Value attend(const Attention& layer, const Value& x) = 0;
  // points + clamp(x NAME.weight + NAME.bias, -1, 1) reach
  virtual Value move(const std::string& name, const Value& x, const Value& points, double reach) = 0;
  // model::expected_error. `landmarks`: initial, then after each step.
  virtual Value uncertainty(const UncertaintyFormula& formula, const std::vector<Value>& landmarks,
                            const Value& deviation) = 0;

  // For tests: keeps a copy of x as it is now.
  virtual void tap(const std::string& /*name*/, const Value& /*x*/) {}
};

}  // namespace spiga::model
