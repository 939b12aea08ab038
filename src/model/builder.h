// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/arena.h"
#include "engine/operations.h"
#include "engine/primitives.h"
#include "engine/program.h"
#include "model/layer_store.h"
#include "model/quantization.h"

namespace spiga::model {

// Activations [batch, height, width, channels] in the arena; for rows of a matrix per face, width is 1. The
// memory is free for others once the last copy of the handle is gone.
struct Tensor {
  std::shared_ptr<const engine::ArenaPlan::Block> block = {};
  void* data = nullptr;
  engine::DataType type = engine::DataType::f32;
  int height = 0;
  int width = 0;
  int channels = 0;
  float scale = 1;  // of 8 bits: a whole number times it is the activation

  std::int64_t pixels() const { return std::int64_t{height} * width; }
  std::int64_t elements() const { return pixels() * channels; }  // of one face
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * engine::size_of(type); }
  float* floats() const { return static_cast<float*>(data); }
};

// Activations that may be stored as 8 bits.
struct ActivationPlace {
  std::string name;           // of the layer that makes them, or for which they are copied
  bool input = false;         // the latter
  bool non_negative = false;  // u8, else s8
};

// Sees such activations while a network runs (spiga quantize).
class ActivationObserver {
 public:
  virtual ~ActivationObserver() = default;
  virtual void see(const ActivationPlace& place, std::span<const float> values) = 0;
};

// What there is to build with. Walking the network with a builder does one of three things:
//   plan  (no kernels): finds how much memory a session needs;
//   load  (kernels and weights, no program): reads, folds and packs every layer;
//   build (all): makes the program of a batch size.
struct BuildContext {
  engine::KernelCache* kernels = nullptr;
  LayerStore* layers = nullptr;
  engine::Program* program = nullptr;
  std::byte* memory = nullptr;                                             // the arena's
  std::map<std::string, std::vector<float>, std::less<>>* taps = nullptr;  // where tap() copies to
  engine::DataType type = engine::DataType::f32;                           // of activations
  const Quantization* quantization = nullptr;                              // those stored as 8 bits
  std::set<std::string>* scales_found = nullptr;                           // names of it that were asked for
  ActivationObserver* observer = nullptr;
  int threads = 1;
  int batch = 1;
  int max_batch = 1;  // tensors are placed as for this many faces
};

struct ConvolutionShape {
  int out = 1;
  int kernel = 1;
  int stride = 1;
  int pad_begin = 0;
  int pad_end = 0;
};

// Adds layers to a program, or goes through the motions (BuildContext).
class Builder {
 public:
  explicit Builder(const BuildContext& context) : context_(context) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  int batch() const { return context_.batch; }
  int threads() const { return context_.threads; }
  engine::DataType type() const { return context_.type; }
  std::size_t arena_bytes() const { return plan_.size(); }

  Tensor tensor(engine::DataType type, int height, int width, int channels);
  // As 8 bits; a value of the type is a whole number times the scale.
  Tensor tensor_8_bit(bool non_negative, float scale, int height, int width, int channels);
  Tensor like(const Tensor& x) {
    Tensor y = tensor(x.type, x.height, x.width, x.channels);
    y.scale = x.scale;
    return y;
  }

  // Where these activations are to be stored as 8 bits their scale, else 0. Copies that may be negative are
  // left in the builder's type on AMX, where oneDNN's kernels over them are slower than those over bf16.
  float scale_of(const ActivationPlace& place);
  // Shows x, which is f32 or bf16, to the observer, if there is one.
  void observe(const ActivationPlace& place, const Tensor& x);

  // y = epilogue(convolution of x). Over 8 bits where x has them; y then has 8 bits or the builder's type.
  void convolve_into(const std::string& layer, const Tensor& x, const Tensor& y,
                     const ConvolutionShape& shape, const engine::Epilogue& epilogue,
                     const LayerStore::Fold& fold);

  // y = epilogue(x W), over all rows of all faces.
  Tensor multiply(const std::string& layer, const Tensor& x, int columns, engine::DataType out,
                  const engine::Epilogue& epilogue, const LayerStore::Fold& fold);
  void multiply_into(const std::string& layer, const Tensor& x, const Tensor& y,
                     const engine::Epilogue& epilogue, const LayerStore::Fold& fold);
  void multiply_batched(const std::string& layer, const engine::BatchedProductSpec& spec, const Tensor& x,
                        const Tensor& w, const Tensor& y);

  // A constant that layers need besides packed weights; null while planning.
  const float* constant(const std::string& name, const LayerStore::Make& make);

  // A pass over `count` elements of some kind: run(begin, end) on parts of [0, count), at least `grain` per
  // thread.
  using Part = std::function<void(std::int64_t begin, std::int64_t end)>;
  void pass(const std::string& layer, const std::string& operation, std::int64_t count, std::int64_t grain,
            Part part);

  // For tests: keeps a copy of x as it is now.
  void tap(const std::string& name, const Tensor& x);

 private:
  std::shared_ptr<const engine::Kernel> kernel(const engine::Spec& spec);
  engine::OutputScales output_scales(const std::string& layer, const Tensor& x, const Tensor& y,
                                     const LayerStore::Fold& fold);

  BuildContext context_;
  engine::ArenaPlan plan_;
};

}  // namespace spiga::model
