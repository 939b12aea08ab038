// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/tensor.h"

namespace spiga::weights {

// A tensor as a checkpoint describes it: a strided view of a storage, all counted in elements.
struct PickledTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  Shape strides;
  std::string storage;  // the storage's key: the record data/KEY holds its elements
  std::int64_t storage_elements = 0;
  std::int64_t offset = 0;
};

// Reads the pickle (data.pkl) of a PyTorch state dict: an OrderedDict or dict of name to tensor, or a dict
// that holds one under "state_dict". Nothing is ever executed or imported: this is an interpreter of the two
// dozen opcodes and the dozen names that such files consist of; any other opcode or name, and whatever does
// not fit together, throws Error(bad_data) with its offset. Each view is known to stay within its storage and
// to have no more elements than it, so that reading one costs what the storage does (an expanded view, of
// stride 0, shows an element several times); whether the storage is really there is the caller's to check.
// Linear in the pickle's size.
std::vector<PickledTensor> read_pickled_state_dict(std::span<const std::uint8_t> pickle,
                                                   std::string_view where);

}  // namespace spiga::weights
