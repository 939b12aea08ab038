// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/reducer.h"

#include <torch/utils.h>

#include <atomic>

namespace spiga::train {
namespace {

std::atomic<Reducer*> in_use{nullptr};

}  // namespace

Reducer* reducer() { return in_use; }
void set_reducer(Reducer* reducer) { in_use = reducer; }

int process_count() { return reducer() ? reducer()->processes() : 1; }

torch::Tensor sum_over_processes(const torch::Tensor& tensor) {
  if (!reducer()) return tensor;
  torch::NoGradGuard no_grad;
  torch::Tensor result = tensor.detach().clone();
  reducer()->sum(result);
  return result;
}

}  // namespace spiga::train
