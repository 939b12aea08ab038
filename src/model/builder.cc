// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/builder.h"

#include "base/text.h"
#include "engine/parallel.h"

namespace spiga::model {

using engine::BatchedProductSpec;
using engine::ConvolutionSpec;
using engine::DataType;
using engine::Epilogue;
using engine::Execution;
using engine::ProductSpec;

Tensor Builder::tensor(DataType type, int height, int width, int channels) {
  Tensor tensor{.type = type, .height = height, .width = width, .channels = channels};
  tensor.block = plan_.allocate(tensor.bytes() * static_cast<std::size_t>(context_.max_batch));
  if (context_.memory != nullptr) tensor.data = context_.memory + tensor.block->offset();
  return tensor;
}

Tensor Builder::tensor_8_bit(bool non_negative, float scale, int height, int width, int channels) {
  Tensor placed = tensor(non_negative ? DataType::u8 : DataType::s8, height, width, channels);
  placed.scale = scale;
  return placed;
}

float Builder::scale_of(const ActivationPlace& place) {
  if (context_.quantization == nullptr) return 0;
  const Quantization::Scales& scales =
      place.input ? context_.quantization->inputs : context_.quantization->results;
  const auto found = scales.find(place.name);
  if (found == scales.end()) return 0;
  if (context_.scales_found != nullptr)
    context_.scales_found->insert((place.input ? "inputs: " : "results: ") + place.name);
  const bool slower = place.input && !place.non_negative && context_.type == DataType::bf16 &&
                      engine::instruction_set() == engine::InstructionSet::amx;
  return slower ? 0 : found->second;
}

void Builder::observe(const ActivationPlace& place, const Tensor& x) {
  if (context_.program == nullptr || context_.observer == nullptr) return;
  const std::int64_t count = x.elements() * context_.batch;
  pass(place.name, "observe", count, count,
       [place, type = x.type, from = x.data, observer = context_.observer,
        values = std::vector<float>(static_cast<std::size_t>(count))](std::int64_t, std::int64_t) mutable {
         engine::to_float32(type, from, values.data(), static_cast<std::int64_t>(values.size()));
         observer->see(place, values);
       });
}

// A sum times the input's scale and the weights' step is what the layer computes.
engine::OutputScales Builder::output_scales(const std::string& layer, const Tensor& x, const Tensor& y,
                                            const LayerStore::Fold& fold) {
  engine::OutputScales scales;
  if (!is_8_bit(x.type)) return scales;
  for (const float step : context_.layers->weight_steps(layer, x.scale, fold))
    scales.push_back(step * x.scale / y.scale);
  return scales;
}

std::shared_ptr<const engine::Kernel> Builder::kernel(const engine::Spec& spec) {
  return context_.kernels->get(spec, context_.threads);
}

void Builder::convolve_into(const std::string& layer, const Tensor& x, const Tensor& y,
                            const ConvolutionShape& shape, const Epilogue& epilogue,
                            const LayerStore::Fold& fold) {
  if (context_.kernels == nullptr) return;
  const auto compiled = kernel(ConvolutionSpec{.input = x.type,
                                               .output = y.type,
                                               .batch = context_.batch,
                                               .height = x.height,
                                               .width = x.width,
                                               .in = x.channels,
                                               .out = shape.out,
                                               .kernel = shape.kernel,
                                               .stride = shape.stride,
                                               .pad_begin = shape.pad_begin,
                                               .pad_end = shape.pad_end,
                                               .epilogue = epilogue,
                                               .scales = output_scales(layer, x, y, fold)});
  const auto weights = context_.layers->packed(layer, *compiled, fold);
  if (context_.program != nullptr) context_.program->add(layer, Execution(compiled, weights, x.data, y.data));
}

void Builder::multiply_into(const std::string& layer, const Tensor& x, const Tensor& y,
                            const Epilogue& epilogue, const LayerStore::Fold& fold) {
  if (context_.kernels == nullptr) return;
  const auto compiled = kernel(ProductSpec{.input = x.type,
                                           .output = y.type,
                                           .rows = context_.batch * x.height,
                                           .inner = x.channels,
                                           .columns = y.channels,
                                           .epilogue = epilogue,
                                           .scales = output_scales(layer, x, y, fold)});
  const auto weights = context_.layers->packed(layer, *compiled, fold);
  if (context_.program != nullptr) context_.program->add(layer, Execution(compiled, weights, x.data, y.data));
}

Tensor Builder::multiply(const std::string& layer, const Tensor& x, int columns, DataType out,
                         const Epilogue& epilogue, const LayerStore::Fold& fold) {
  const Tensor y = tensor(out, x.height, 1, columns);
  multiply_into(layer, x, y, epilogue, fold);
  return y;
}

void Builder::multiply_batched(const std::string& layer, const BatchedProductSpec& spec, const Tensor& x,
                               const Tensor& w, const Tensor& y) {
  if (context_.kernels == nullptr) return;
  const auto compiled = kernel(spec);
  if (context_.program != nullptr) context_.program->add(layer, Execution(compiled, x.data, w.data, y.data));
}

const float* Builder::constant(const std::string& name, const LayerStore::Make& make) {
  return context_.layers == nullptr ? nullptr : context_.layers->constant(name, make);
}

void Builder::pass(const std::string& layer, const std::string& operation, std::int64_t count,
                   std::int64_t grain, Part part) {
  if (context_.program == nullptr) return;
  context_.program->add(layer, operation, base::concat(count), engine::operations().name,
                        [threads = context_.threads, count, grain, part = std::move(part)] {
                          engine::parallel_for(threads, count, grain, part);
                        });
}

void Builder::tap(const std::string& name, const Tensor& x) {
  if (context_.program == nullptr || context_.taps == nullptr) return;
  const std::int64_t count = x.elements() * context_.batch;
  std::vector<float>& copy = (*context_.taps)[name];
  copy.resize(static_cast<std::size_t>(count));
  pass(name, "tap", count, count,
       [type = x.type, scale = x.scale, from = x.data, to = copy.data()](std::int64_t begin,
                                                                         std::int64_t end) {
         engine::to_float32(type, from, to, end - begin);
         for (std::int64_t i = begin; i < end; ++i) to[i] *= scale;
       });
}

}  // namespace spiga::model
