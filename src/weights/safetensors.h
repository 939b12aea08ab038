// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "weights/tensor.h"

namespace spiga::weights {

using Metadata = std::map<std::string, std::string>;

// A safetensors file, mapped, nothing copied. Opening checks everything that the format promises: header of
// at most 100 MB (and within the file), strict JSON without repeated names, known dtypes, shapes that agree
// with the byte ranges, and byte ranges that tile the data without overlap, hole or rest. It does not look at
// values (require_finite does). Immutable, so safe from many threads; views live as long as the file.
// Move-only.
class SafetensorsFile {
 public:
  // Throws Error(not_found) when it cannot be opened, Error(bad_data) saying what is wrong with which tensor.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const Metadata& metadata() const { return metadata_; }
  // In the order of their bytes in the file.
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  // Null where there is none of this name.
  const TensorView* find(std::string_view name) const;
  // Throws Error(bad_data) naming file and tensor where there is none of this name or its shape is another.
  const TensorView& at(std::string_view name, const Shape& shape) const;

 private:
  base::MappedFile file_;
  Metadata metadata_;
  std::vector<NamedTensor> tensors_;
  std::unordered_map<std::string, std::size_t> index_;
};

// What SafetensorsFile checks, on bytes in memory: for streams of other origin and for fuzzing. `where`
// begins the messages. Views point into `bytes`.
struct ParsedSafetensors {
  Metadata metadata;
  std::vector<NamedTensor> tensors;
};
ParsedSafetensors parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view where);

// Writes the file whole or not at all (AtomicFile). The same input gives the same bytes: tensors in the given
// order but wider elements first, so that each lies aligned; metadata sorted by key. Throws
// Error(invalid_argument) where a name repeats or a view's bytes do not fit its shape, Error(io) where
// writing fails.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const Metadata& metadata);

}  // namespace spiga::weights
