// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>

#include "train/reducer.h"

namespace spiga::train {

// Which of how many processes this one is, and where they meet.
struct ProcessPlace {
  int rank = 0;
  int count = 1;
  int local_rank = 0;  // among those of its machine: which GPU it takes
  std::string master_address;
  int master_port = 0;

  // As torchrun, Slurm and Kubernetes operators say it: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
  // MASTER_PORT. Without WORLD_SIZE: alone. Throws Error(invalid_argument) naming the variable that makes no
  // sense.
  static ProcessPlace from_environment();
};

// The processes of a data-parallel run, connected by c10d: Gloo on the CPU, NCCL on GPUs. While it lives it
// is the reducer() of this process. With one process nothing is connected and every call returns at once.
class Processes final : public Reducer {
 public:
  // `device`: "cpu", or a GPU; one without number is the one of this process among those of its machine.
  // Waits until all have come. Throws Error(unsupported) where LibTorch was built without c10d, Error(io)
  // where the others cannot be reached.
  Processes(const ProcessPlace& place, const std::string& device);
  ~Processes() override;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  int rank() const { return place_.rank; }
  torch::Device device() const { return device_; }
  bool is_first() const { return place_.rank == 0; }  // the one that writes
  int processes() const override { return place_.count; }

  void sum(torch::Tensor tensor) override;
  // Everybody gets the first process's values.
  void broadcast(torch::Tensor tensor);
  // Whether any process says so.
  bool any(bool here);

 private:
  struct Group;
  ProcessPlace place_;
  torch::Device device_;
  std::unique_ptr<Group> group_;  // null where alone
};

}  // namespace spiga::train
