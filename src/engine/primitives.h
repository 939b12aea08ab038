// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/data_type.h"

// Convolutions and matrix products. primitives.cc is the only place that calls oneDNN (its 2.x API).
namespace spiga::engine {

// What oneDNN uses here: what the processor has, less what DNNL_MAX_CPU_ISA forbids.
enum class InstructionSet { portable, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16, amx };
InstructionSet instruction_set();
std::string_view name_of(InstructionSet set);

// What happens to a product before it is stored: y = relu(y kept + product + bias), each part but the product
// optional.
struct Epilogue {
  bool accumulate = false;
  bool relu = false;
  float kept = 1;  // for 8 bits, where y has another scale than what lies there
  auto operator<=>(const Epilogue&) const = default;
};

// Over 8 bits (input u8 or s8, weights s8) the product is an int32 sum; (product + bias) scales[o] is what
// goes on, with one scale for each output channel or column. They are compiled into the kernel: scales given
// at run time make oneDNN's kernels slower by more than what layers that share a kernel gain.
using OutputScales = std::vector<float>;

// Square convolution with bias on [batch, height, width, in] -> [batch, height', width', out], dense.
struct ConvolutionSpec {
  DataType input = DataType::f32;
  DataType output = DataType::f32;
  int batch = 1, height = 1, width = 1;
  int in = 1, out = 1;
  int kernel = 1, stride = 1, pad_begin = 0, pad_end = 0;
  Epilogue epilogue = {};
  OutputScales scales = {};  // [out] for 8 bits

  int out_height() const { return (height + pad_begin + pad_end - kernel) / stride + 1; }
  int out_width() const { return (width + pad_begin + pad_end - kernel) / stride + 1; }
  auto operator<=>(const ConvolutionSpec&) const = default;
};

// Matrix product with bias: y[rows, columns] = x[rows, inner] W[inner, columns], dense.
struct ProductSpec {
  DataType input = DataType::f32;
  DataType output = DataType::f32;
  int rows = 1, inner = 1, columns = 1;
  Epilogue epilogue = {};
  OutputScales scales = {};  // [columns] for 8 bits

  auto operator<=>(const ProductSpec&) const = default;
};

// Products of two activations, one per pair of outer indices (b, h): y[rows, columns] = x[rows, inner]
// w[inner, columns]. Strides in elements, in the order b, h, row, column; one of the last two is 1.
struct BatchedProductSpec {
  DataType input = DataType::f32;
  DataType output = DataType::f32;
  std::array<int, 2> batch = {1, 1};
  int rows = 1, inner = 1, columns = 1;
  using Strides = std::array<std::int64_t, 4>;
  Strides x = {}, w = {}, y = {};

  auto operator<=>(const BatchedProductSpec&) const = default;
};

using Spec = std::variant<ConvolutionSpec, ProductSpec, BatchedProductSpec>;

std::string to_string(const Spec& spec);
std::int64_t multiply_adds(const Spec& spec);

class PackedWeights;

// A compiled convolution or product. Immutable; many threads may run it at once, each with its own Execution.
class Kernel {
 public:
  // Compiles for the calling thread's number of OpenMP threads (ThreadScope). Throws Error(unsupported) where
  // this processor has no implementation.
  explicit Kernel(const Spec& spec);
  ~Kernel();

  const Spec& spec() const { return spec_; }
  std::string_view implementation() const;  // oneDNN's name for it, e.g. "brgconv:avx512_core_bf16"
  std::size_t scratch_bytes() const;
  // Kernels of the whole process that exist now.
  static std::size_t count();

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  Spec spec_;
  std::unique_ptr<const Impl> impl_;
};

// Weights and bias of a convolution or product in the layout that a kernel wants. Immutable.
class PackedWeights {
 public:
  // `weights`: [out, in, kernel, kernel] or [columns, inner]; `bias`: [out] or [columns].
  PackedWeights(const Kernel& kernel, std::span<const float> weights, std::span<const float> bias);
  // For 8 bits; the bias in steps of the sum.
  PackedWeights(const Kernel& kernel, std::span<const std::int8_t> weights, std::span<const float> bias);
  // The same weights for a kernel that differs in batch size or threads and may want another layout.
  PackedWeights(const Kernel& kernel, const PackedWeights& other);
  ~PackedWeights();

  bool fits(const Kernel& kernel) const;
  std::size_t bytes() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

// A kernel tied to its operands. Cheap to run: nothing is looked up.
class Execution {
 public:
  Execution(std::shared_ptr<const Kernel> kernel, std::shared_ptr<const PackedWeights> weights, const void* x,
            void* y);
  // For batched products.
  Execution(std::shared_ptr<const Kernel> kernel, const void* x, const void* w, void* y);
  Execution(Execution&&) noexcept;
  ~Execution();

  // `scratch`: kernel().scratch_bytes() bytes that nobody else uses meanwhile.
  void set_scratch(void* scratch);
  // With the number of OpenMP threads that the kernel was compiled for.
  void run() const;

  const Kernel& kernel() const { return *kernel_; }

 private:
  struct Impl;
  std::shared_ptr<const Kernel> kernel_;
  std::shared_ptr<const PackedWeights> weights_;
  std::unique_ptr<Impl> impl_;
};

// Kernels by what they compute, compiled once for as long as somebody uses them; of the others, those asked
// for last are kept, so that memory is bounded whatever is asked for (a kernel takes some hundred KB). Safe
// from many threads.
class KernelCache {
 public:
  static constexpr std::size_t kKept = 160;
  explicit KernelCache(std::size_t kept = kKept) : kept_(kept) {}

  // The calling thread's number of OpenMP threads must be `threads` (ThreadScope).
  std::shared_ptr<const Kernel> get(const Spec& spec, int threads);

 private:
  using Key = std::pair<int, Spec>;
  using Recent = std::list<std::pair<Key, std::shared_ptr<const Kernel>>>;
  struct Entry {
    std::weak_ptr<const Kernel> kernel;
    Recent::iterator place;
    bool recent = false;  // `place` is good
  };
  void forget_unused();

  const std::size_t kept_;
  std::mutex mutex_;
  std::map<Key, Entry> kernels_;
  Recent recent_;  // the one asked for last comes first
  std::size_t next_sweep_ = 0;
};

// c[m, n] = a[m, k] b[k, n], row-major float32: for folding weights at load.
void multiply(int m, int n, int k, const float* a, const float* b, float* c);

}  // namespace spiga::engine
