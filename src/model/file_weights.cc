// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "model/file_weights.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>

namespace spiga::model {
namespace {

// Whole pages inside the bytes; they come back from the file when somebody touches them again.
void release(std::span<const std::uint8_t> bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t begin = (address + page - 1) / page * page;
  const std::uintptr_t end = (address + bytes.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

std::vector<float> FileWeights::read(std::string_view name, const std::vector<std::int64_t>& shape) {
  const weights::TensorView& tensor = file_.at(name, shape);
  weights::require_finite(tensor, name, file_.path().native());
  std::vector<float> values = weights::to_float32(tensor);
  release(tensor.bytes);
  return values;
}

}  // namespace spiga::model
