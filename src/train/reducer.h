// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

namespace spiga::train {

// Adds numbers up over the processes of a data-parallel run. Batch-norm statistics and the denominators of
// losses go through it, so that several processes compute what one would with all their faces. Every process
// must call it in the same order with tensors of the same shape.
class Reducer {
 public:
  virtual ~Reducer() = default;
  virtual int processes() const = 0;
  // tensor <- sum of it over all processes. Waits for them; throws Error(io) where one of them is gone.
  virtual void sum(torch::Tensor tensor) = 0;
};

// The one in use; null (at first): this process trains alone. Set it while nothing computes.
Reducer* reducer();
void set_reducer(Reducer* reducer);

// How many processes train together, and the sum of a tensor over all of them (without gradient; the tensor
// itself where there is only one).
int process_count();
torch::Tensor sum_over_processes(const torch::Tensor& tensor);

}  // namespace spiga::train
