// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/calibration.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "engine/arena.h"
#include "engine/parallel.h"
#include "engine/primitives.h"

namespace spiga::engine {
namespace {

bool is_8_bit(const Spec& spec) {
  if (const auto* convolution = std::get_if<ConvolutionSpec>(&spec)) return is_8_bit(convolution->input);
  return is_8_bit(std::get<ProductSpec>(spec).input);
}

std::shared_ptr<const PackedWeights> zeros_of(const Kernel& kernel, std::size_t weights, int out) {
  const std::vector<float> bias(static_cast<std::size_t>(out));
  if (is_8_bit(kernel.spec()))
    return std::make_shared<const PackedWeights>(kernel, std::vector<std::int8_t>(weights), bias);
  return std::make_shared<const PackedWeights>(kernel, std::vector<float>(weights), bias);
}

OutputScales scales_of(DataType type, int channels) {
  return is_8_bit(type) ? OutputScales(static_cast<std::size_t>(channels), 1.0F) : OutputScales();
}

// Best multiply-adds per second of a kernel over zeros, for about `seconds`.
double rate(const Spec& spec, std::size_t weights, int out, std::size_t x_bytes, std::size_t y_bytes,
            int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const ThreadScope scope(threads);
  const auto kernel = std::make_shared<const Kernel>(spec);
  const Arena x(x_bytes), y(y_bytes), scratch(kernel->scratch_bytes());
  Execution execution(kernel, zeros_of(*kernel, weights, out), x.data(), y.data());
  execution.set_scratch(scratch.data());
  execution.run();
  double best = std::numeric_limits<double>::infinity();
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    execution.run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds);
  return static_cast<double>(multiply_adds(spec)) / best;
}

double convolution_rate(DataType type, int size, int channels, int threads, double seconds) {
  const ConvolutionSpec spec = {.input = type,
                                .output = type,
                                .height = size,
                                .width = size,
                                .in = channels,
                                .out = channels,
                                .kernel = 3,
                                .pad_begin = 1,
                                .pad_end = 1,
                                .scales = scales_of(type, channels)};
  const std::size_t count = static_cast<std::size_t>(size) * size * channels;
  return rate(spec, std::size_t{9} * channels * channels, channels, count * size_of(type),
              count * size_of(type), threads, seconds);
}

double product_rate(DataType type, int size, int threads, double seconds) {
  const ProductSpec spec = {.input = type,
                            .output = type,
                            .rows = size,
                            .inner = size,
                            .columns = size,
                            .scales = scales_of(type, size)};
  const std::size_t count = static_cast<std::size_t>(size) * size;
  return rate(spec, count, size, count * size_of(type), count * size_of(type), threads, seconds);
}

}  // namespace

bool supports(DataType type) {
  const InstructionSet set = instruction_set();
  if (type == DataType::f32) return true;
  if (type == DataType::bf16) return set >= InstructionSet::avx512;
  return set >= InstructionSet::avx512_vnni || set == InstructionSet::avx2_vnni;
}

DataType faster_type() {
  const InstructionSet set = instruction_set();
  const bool native = set == InstructionSet::amx || set == InstructionSet::avx512_bf16;
  return native ? DataType::bf16 : DataType::f32;
}

bool prefers_8_bit() { return supports(DataType::u8) && instruction_set() != InstructionSet::amx; }

double measured_peak(DataType type, int threads) {
  constexpr double kSeconds = 0.05;
  return std::max(convolution_rate(type, 64, 256, threads, kSeconds),
                  product_rate(type, 1024, threads, kSeconds));
}

}  // namespace spiga::engine
