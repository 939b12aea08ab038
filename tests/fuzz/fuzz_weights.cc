// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <vector>

#include "fuzz/support.h"
#include "weights/pickle.h"
#include "weights/safetensors.h"
#include "weights/torch_checkpoint.h"

namespace spiga::fuzz {
namespace {

// A view's first and last element lie within its storage.
void require_within_storage(const weights::PickledTensor& tensor) {
  const auto count = weights::element_count(tensor.shape);
  require(count && tensor.strides.size() == tensor.shape.size());
  if (*count == 0) return;
  std::int64_t last = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) last += (tensor.shape[i] - 1) * tensor.strides[i];
  require(tensor.offset >= 0 && last >= tensor.offset && last < tensor.storage_elements);
}

}  // namespace

void fuzz_safetensors(Bytes bytes) {
  expect_error_or_success([&] {
    const weights::ParsedSafetensors parsed = weights::parse_safetensors(bytes, "fuzz");
    for (const weights::NamedTensor& named : parsed.tensors) {
      const weights::TensorView& tensor = named.tensor;
      const auto count = weights::element_count(tensor.shape);
      require(count && *count == tensor.count());
      if (!tensor.bytes.empty()) {
        require(tensor.bytes.data() >= bytes.data() &&
                tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size());
      }
      require(static_cast<std::int64_t>(weights::to_float32(tensor).size()) == *count);
      static_cast<void>(weights::first_non_finite(tensor));
    }
  });
}

void fuzz_pickle(Bytes bytes) {
  expect_error_or_success([&] {
    for (const weights::PickledTensor& tensor : weights::read_pickled_state_dict(bytes, "fuzz")) {
      require_within_storage(tensor);
    }
  });
}

void fuzz_checkpoint(Bytes bytes) {
  const MemoryFile file(bytes);
  expect_error_or_success([&] {
    const weights::TorchCheckpoint checkpoint(file.path());
    for (const weights::PickledTensor& tensor : checkpoint.tensors()) {
      require_within_storage(tensor);
      const auto count = static_cast<std::size_t>(*weights::element_count(tensor.shape));
      require(checkpoint.read(tensor).size() == count * weights::size_of(tensor.dtype));
    }
  });
}

}  // namespace spiga::fuzz
