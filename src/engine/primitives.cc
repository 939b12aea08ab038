// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/primitives.h"

#include <atomic>
#include <cstdlib>
#include <dnnl.hpp>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::engine {
namespace {

using base::concat;
using dnnl::memory;
using Tag = memory::format_tag;

// oneDNN keeps 1,024 primitives of its own accord, of whatever size, and with them those that KernelCache let
// go. Where the environment says nothing else, it keeps a few.
dnnl::engine make_engine() {
  constexpr int kKeptByLibrary = 64;
  if (std::getenv("DNNL_PRIMITIVE_CACHE_CAPACITY") == nullptr &&
      std::getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY") == nullptr)
    dnnl::set_primitive_cache_capacity(kKeptByLibrary);
  return {dnnl::engine::kind::cpu, 0};
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine = make_engine();
  return engine;
}

memory::data_type to_dnnl(DataType type) {
  switch (type) {
    case DataType::f32:
      return memory::data_type::f32;
    case DataType::bf16:
      return memory::data_type::bf16;
    case DataType::u8:
      return memory::data_type::u8;
    case DataType::s8:
      return memory::data_type::s8;
  }
  return memory::data_type::undef;
}

memory::data_type weights_type(DataType input) {
  return is_8_bit(input) ? memory::data_type::s8 : to_dnnl(input);
}

// Attributes are shared when copied, so each kernel gets fresh ones.
dnnl::primitive_attr attributes(const Epilogue& epilogue, const OutputScales& scales = {}) {
  constexpr int kPerChannel = 1 << 1;
  dnnl::post_ops operations;
  if (epilogue.accumulate) operations.append_sum(epilogue.kept);
  if (epilogue.relu) operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(operations);
  if (!scales.empty()) attr.set_output_scales(kPerChannel, scales);
  return attr;
}

dnnl::convolution_forward::primitive_desc describe(const ConvolutionSpec& s) {
  const memory::desc x({s.batch, s.in, s.height, s.width}, to_dnnl(s.input), Tag::nhwc);
  const memory::desc w({s.out, s.in, s.kernel, s.kernel}, weights_type(s.input), Tag::any);
  const memory::desc b({s.out}, memory::data_type::f32, Tag::a);
  const memory::desc y({s.batch, s.out, s.out_height(), s.out_width()}, to_dnnl(s.output), Tag::nhwc);
  const memory::dims strides = {s.stride, s.stride};
  const memory::dims begin = {s.pad_begin, s.pad_begin};
  const memory::dims end = {s.pad_end, s.pad_end};
  const dnnl::convolution_forward::desc operation(dnnl::prop_kind::forward_inference,
                                                  dnnl::algorithm::convolution_direct, x, w, b, y, strides,
                                                  begin, end);
  return {operation, attributes(s.epilogue, s.scales), cpu()};
}

dnnl::matmul::primitive_desc describe(const ProductSpec& s) {
  const memory::desc x({s.rows, s.inner}, to_dnnl(s.input), Tag::ab);
  const memory::desc w({s.inner, s.columns}, weights_type(s.input), Tag::any);
  const memory::desc b({1, s.columns}, memory::data_type::f32, Tag::ab);
  const memory::desc y({s.rows, s.columns}, to_dnnl(s.output), Tag::ab);
  return {dnnl::matmul::desc(x, w, b, y), attributes(s.epilogue, s.scales), cpu()};
}

memory::desc strided(const std::array<int, 2>& batch, int rows, int columns, DataType type,
                     const BatchedProductSpec::Strides& strides) {
  return {memory::dims{batch[0], batch[1], rows, columns}, to_dnnl(type),
          memory::dims(strides.begin(), strides.end())};
}

dnnl::matmul::primitive_desc describe(const BatchedProductSpec& s) {
  const memory::desc x = strided(s.batch, s.rows, s.inner, s.input, s.x);
  const memory::desc w = strided(s.batch, s.inner, s.columns, s.input, s.w);
  const memory::desc y = strided(s.batch, s.rows, s.columns, s.output, s.y);
  return {dnnl::matmul::desc(x, w, y), attributes({}), cpu()};
}

// What a plain weight array of this spec looks like: [out, in, k, k] or [columns, inner].
memory::desc plain_weights(const Spec& spec) {
  const auto type = [](DataType input) {
    return is_8_bit(input) ? memory::data_type::s8 : memory::data_type::f32;
  };
  if (const auto* s = std::get_if<ConvolutionSpec>(&spec)) {
    return {{s->out, s->in, s->kernel, s->kernel}, type(s->input), Tag::oihw};
  }
  const auto& s = std::get<ProductSpec>(spec);
  return {{s.inner, s.columns}, type(s.input), Tag::ba};
}

std::string text(const Epilogue& epilogue) {
  return concat(epilogue.accumulate ? " + sum" : "", epilogue.relu ? " + relu" : "");
}

}  // namespace

InstructionSet instruction_set() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto has = [isa](dnnl::cpu_isa wanted) {
    return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
  };
  if (has(dnnl::cpu_isa::avx512_core_amx)) return InstructionSet::amx;
  if (has(dnnl::cpu_isa::avx512_core_bf16)) return InstructionSet::avx512_bf16;
  if (has(dnnl::cpu_isa::avx512_core_vnni)) return InstructionSet::avx512_vnni;
  if (has(dnnl::cpu_isa::avx512_core)) return InstructionSet::avx512;
  if (has(dnnl::cpu_isa::avx2_vnni)) return InstructionSet::avx2_vnni;
  if (has(dnnl::cpu_isa::avx2)) return InstructionSet::avx2;
  return InstructionSet::portable;
}

std::string_view name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::portable:
      return "portable";
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx2_vnni:
      return "avx2_vnni";
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx512_vnni:
      return "avx512_vnni";
    case InstructionSet::avx512_bf16:
      return "avx512_bf16";
    case InstructionSet::amx:
      return "amx";
  }
  return "";
}

std::string to_string(const Spec& spec) {
  if (const auto* s = std::get_if<ConvolutionSpec>(&spec)) {
    return concat(s->batch, " x ", s->height, " x ", s->width, ", ", s->in, " -> ", s->out, ", ", s->kernel,
                  " x ", s->kernel, s->stride > 1 ? concat(" / ", s->stride) : "", ", ", name_of(s->input),
                  text(s->epilogue));
  }
  if (const auto* s = std::get_if<ProductSpec>(&spec)) {
    return concat(s->rows, " x ", s->inner, " x ", s->columns, ", ", name_of(s->input), text(s->epilogue));
  }
  const auto& s = std::get<BatchedProductSpec>(spec);
  return concat(s.batch[0] * s.batch[1], " of ", s.rows, " x ", s.inner, " x ", s.columns, ", ",
                name_of(s.input));
}

std::int64_t multiply_adds(const Spec& spec) {
  if (const auto* s = std::get_if<ConvolutionSpec>(&spec)) {
    return std::int64_t{1} * s->batch * s->out_height() * s->out_width() * s->in * s->out * s->kernel *
           s->kernel;
  }
  if (const auto* s = std::get_if<ProductSpec>(&spec))
    return std::int64_t{1} * s->rows * s->inner * s->columns;
  const auto& s = std::get<BatchedProductSpec>(spec);
  return std::int64_t{1} * s.batch[0] * s.batch[1] * s.rows * s.inner * s.columns;
}

// --- Kernel

namespace {
std::atomic<std::size_t> kernels_alive = 0;
}  // namespace

struct Kernel::Impl {
  dnnl::primitive primitive;
  memory::desc x, w, bias, y, scratch;
  std::string implementation;

  template <typename PrimitiveDesc>
  Impl(const PrimitiveDesc& desc, dnnl::primitive compiled, const memory::desc& bias_desc)
      : primitive(std::move(compiled)),
        x(desc.src_desc()),
        w(desc.weights_desc()),
        bias(bias_desc),
        y(desc.dst_desc()),
        scratch(desc.scratchpad_desc()),
        implementation(desc.impl_info_str()) {}

  static std::unique_ptr<const Impl> make(const ConvolutionSpec& spec) {
    const auto desc = describe(spec);
    return std::make_unique<Impl>(desc, dnnl::convolution_forward(desc), desc.bias_desc());
  }
  static std::unique_ptr<const Impl> make(const ProductSpec& spec) {
    const auto desc = describe(spec);
    const memory::desc bias({1, spec.columns}, memory::data_type::f32, Tag::ab);
    return std::make_unique<Impl>(desc, dnnl::matmul(desc), bias);
  }
  static std::unique_ptr<const Impl> make(const BatchedProductSpec& spec) {
    const auto desc = describe(spec);
    return std::make_unique<Impl>(desc, dnnl::matmul(desc), memory::desc());
  }
};

Kernel::Kernel(const Spec& spec) : spec_(spec) {
  try {
    impl_ = std::visit([](const auto& s) { return Impl::make(s); }, spec_);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw Error(ErrorCode::unsupported, concat("this processor (", name_of(instruction_set()),
                                               ") cannot compute ", to_string(spec_), ": ", error.what()));
  }
  ++kernels_alive;
}

Kernel::~Kernel() { --kernels_alive; }

std::size_t Kernel::count() { return kernels_alive; }

std::string_view Kernel::implementation() const { return impl_->implementation; }
std::size_t Kernel::scratch_bytes() const { return impl_->scratch.get_size(); }

// --- PackedWeights

// The memory objects are made once: making one over padded weights writes zeros into the padding, which must
// not happen while others read.
struct PackedWeights::Impl {
  Spec spec;
  memory weights;
  memory bias;

  Impl(const Kernel& kernel, memory from, std::span<const float> bias_values)
      : spec(kernel.spec()), weights(kernel.impl().w, cpu()), bias(kernel.impl().bias, cpu()) {
    dnnl::stream stream(cpu());
    dnnl::reorder(from, weights).execute(stream, from, weights);
    stream.wait();
    std::copy(bias_values.begin(), bias_values.end(), static_cast<float*>(bias.get_data_handle()));
  }

  std::span<const float> bias_values() const {
    return {static_cast<const float*>(bias.get_data_handle()), bias.get_desc().get_size() / sizeof(float)};
  }
};

namespace {

template <typename T>
memory plain_memory(const Kernel& kernel, std::span<const T> weights, std::span<const float> bias) {
  const memory::desc plain = plain_weights(kernel.spec());
  const std::size_t values = plain.get_size() / memory::data_type_size(plain.data_type());
  if (plain.get_size() != weights.size_bytes() || kernel.impl().bias.get_size() != bias.size_bytes()) {
    throw Error(ErrorCode::invalid_argument,
                concat("weights of ", to_string(kernel.spec()), ": expected ", values, " and ",
                       kernel.impl().bias.get_size() / sizeof(float), " values, found ", weights.size(),
                       " and ", bias.size()));
  }
  return {plain, cpu(), const_cast<T*>(weights.data())};
}

}  // namespace

PackedWeights::PackedWeights(const Kernel& kernel, std::span<const float> weights,
                             std::span<const float> bias) {
  impl_ = std::make_unique<Impl>(kernel, plain_memory(kernel, weights, bias), bias);
}

PackedWeights::PackedWeights(const Kernel& kernel, std::span<const std::int8_t> weights,
                             std::span<const float> bias) {
  impl_ = std::make_unique<Impl>(kernel, plain_memory(kernel, weights, bias), bias);
}

PackedWeights::PackedWeights(const Kernel& kernel, const PackedWeights& other) {
  dnnl::stream stream(cpu());
  memory plain(plain_weights(kernel.spec()), cpu());
  memory packed = other.impl().weights;
  dnnl::reorder(packed, plain).execute(stream, packed, plain);
  stream.wait();
  impl_ = std::make_unique<Impl>(kernel, plain, other.impl().bias_values());
}

PackedWeights::~PackedWeights() = default;

bool PackedWeights::fits(const Kernel& kernel) const { return impl_->weights.get_desc() == kernel.impl().w; }

std::size_t PackedWeights::bytes() const {
  return impl_->weights.get_desc().get_size() + impl_->bias.get_desc().get_size();
}

// --- Execution

// Memory objects and the argument list are kept, so that a run allocates nothing of ours.
struct Execution::Impl {
  dnnl::stream stream{cpu()};
  std::vector<memory> operands;
  std::vector<dnnl_exec_arg_t> arguments;

  void add(int argument, memory operand) {
    operands.push_back(std::move(operand));
    arguments.push_back({argument, operands.back().get()});
  }
  void add(int argument, const memory::desc& desc, const void* data) {
    add(argument, memory(desc, cpu(), const_cast<void*>(data)));
  }
};

Execution::Execution(std::shared_ptr<const Kernel> kernel, std::shared_ptr<const PackedWeights> weights,
                     const void* x, void* y)
    : kernel_(std::move(kernel)), weights_(std::move(weights)), impl_(std::make_unique<Impl>()) {
  impl_->add(DNNL_ARG_SRC, kernel_->impl().x, x);
  impl_->add(DNNL_ARG_WEIGHTS, weights_->impl().weights);
  impl_->add(DNNL_ARG_BIAS, weights_->impl().bias);
  impl_->add(DNNL_ARG_DST, kernel_->impl().y, y);
}

Execution::Execution(std::shared_ptr<const Kernel> kernel, const void* x, const void* w, void* y)
    : kernel_(std::move(kernel)), impl_(std::make_unique<Impl>()) {
  impl_->add(DNNL_ARG_SRC, kernel_->impl().x, x);
  impl_->add(DNNL_ARG_WEIGHTS, kernel_->impl().w, w);
  impl_->add(DNNL_ARG_DST, kernel_->impl().y, y);
}

Execution::Execution(Execution&&) noexcept = default;
Execution::~Execution() = default;

void Execution::set_scratch(void* scratch) {
  if (kernel_->scratch_bytes() > 0) impl_->add(DNNL_ARG_SCRATCHPAD, kernel_->impl().scratch, scratch);
}

void Execution::run() const {
  const dnnl_status_t status =
      dnnl_primitive_execute(kernel_->impl().primitive.get(), impl_->stream.get(),
                             static_cast<int>(impl_->arguments.size()), impl_->arguments.data());
  if (status != dnnl_success) {
    throw Error(ErrorCode::unsupported, concat("oneDNN failed (status ", static_cast<int>(status),
                                               ") to compute ", to_string(kernel_->spec())));
  }
}

// --- KernelCache

std::shared_ptr<const Kernel> KernelCache::get(const Spec& spec, int threads) {
  const Key key{threads, spec};
  const std::lock_guard lock(mutex_);
  const auto found = kernels_.find(key);
  std::shared_ptr<const Kernel> kernel = found == kernels_.end() ? nullptr : found->second.kernel.lock();
  if (!kernel) kernel = std::make_shared<const Kernel>(spec);
  Entry& entry = kernels_[key];
  entry.kernel = kernel;
  if (entry.recent) {
    recent_.splice(recent_.begin(), recent_, entry.place);
  } else {
    recent_.emplace_front(key, kernel);
    entry.place = recent_.begin();
    entry.recent = true;
  }
  forget_unused();
  return kernel;
}

void KernelCache::forget_unused() {
  while (recent_.size() > kept_) {
    kernels_.find(recent_.back().first)->second.recent = false;
    recent_.pop_back();
  }
  if (kernels_.size() < next_sweep_) return;
  std::erase_if(kernels_, [](const auto& one) { return one.second.kernel.expired(); });
  next_sweep_ = 2 * kernels_.size() + 64;
}

void multiply(int m, int n, int k, const float* a, const float* b, float* c) {
  const dnnl_status_t status = dnnl_sgemm('N', 'N', m, n, k, 1.0F, a, k, b, n, 0.0F, c, n);
  if (status != dnnl_success) throw Error(ErrorCode::unsupported, "oneDNN failed to multiply matrices");
}

}  // namespace spiga::engine
