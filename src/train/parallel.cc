// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/parallel.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "spiga/error.h"

// SPIGA_GLOO and SPIGA_NCCL: the build found the headers for them (CMakeLists.txt). PyTorch's Python package
// comes without Gloo's, so either may be there alone.
#if defined(SPIGA_GLOO) || defined(SPIGA_NCCL)
#define SPIGA_C10D
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif
#ifdef SPIGA_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef SPIGA_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace spiga::train {
namespace {

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

int number_variable(const char* name, const char* otherwise, int low, int high) {
  const std::string text = variable(name, otherwise);
  const auto value = base::parse_int(text);
  if (!value || *value < low || *value > high)
    throw Error(ErrorCode::invalid_argument,
                base::concat("environment variable ", name, ": expected a whole number from ", low, " to ",
                             high, ", found '", base::printable(text), "'"));
  return static_cast<int>(*value);
}

torch::Device device_for(const std::string& name, const ProcessPlace& place) {
  const torch::Device device(name);
  if (device.is_cpu() || device.has_index()) return device;
  return {device.type(), static_cast<c10::DeviceIndex>(place.local_rank)};
}

}  // namespace

ProcessPlace ProcessPlace::from_environment() {
  ProcessPlace place;
  place.count = number_variable("WORLD_SIZE", "1", 1, 65536);
  if (place.count == 1) return place;
  place.rank = number_variable("RANK", "", 0, place.count - 1);
  place.local_rank = number_variable("LOCAL_RANK", "0", 0, place.count - 1);
  place.master_address = variable("MASTER_ADDR", "");
  if (place.master_address.empty())
    throw Error(ErrorCode::invalid_argument,
                base::concat("environment variable MASTER_ADDR: expected the first process's machine with "
                             "WORLD_SIZE=",
                             place.count, ", found none"));
  place.master_port = number_variable("MASTER_PORT", "29500", 1, 65535);
  return place;
}

#ifdef SPIGA_C10D

namespace {

// What c10d says in many lines, as one: its first line.
template <typename Action>
void explained(const ProcessPlace& place, const char* what, const Action& action) {
  try {
    action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    throw Error(ErrorCode::io, base::concat("data-parallel process ", place.rank, " of ", place.count, ": ",
                                            what, " failed: ", text.substr(0, text.find('\n'))));
  }
}

c10::intrusive_ptr<c10d::Store> meeting_place(const ProcessPlace& place) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.master_port);
  // torchrun keeps the store in a process of its own.
  options.isServer = place.rank == 0 && variable("TORCHELASTIC_USE_AGENT_STORE", "False") != "True";
  options.numWorkers = static_cast<std::size_t>(place.count);
  options.waitWorkers = false;  // joining the group waits
  auto store = c10::make_intrusive<c10d::TCPStore>(place.master_address, options);
  // A run that torchrun started anew must not find what the last one left there.
  return c10::make_intrusive<c10d::PrefixStore>("spiga/" + variable("TORCHELASTIC_RESTART_COUNT", "0"),
                                                std::move(store));
}

}  // namespace

// All processes as c10d has them: Gloo's on the CPU, NCCL's on GPUs.
struct Processes::Group {
  Group(const ProcessPlace& place, torch::Device device) {
    const auto store = meeting_place(place);
    if (device.is_cuda())
      join_nccl(store, place);
    else
      join_gloo(store, place);
  }

  // Calls action(group) with the one in use.
  template <typename Action>
  void with_group([[maybe_unused]] const Action& action) {
#ifdef SPIGA_NCCL
    if (nccl) return action(*nccl);
#endif
#ifdef SPIGA_GLOO
    action(*gloo);
#endif
  }

 private:
  using Store = c10::intrusive_ptr<c10d::Store>;

#ifdef SPIGA_NCCL
  void join_nccl(const Store& store, const ProcessPlace& place) {
    nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, place.rank, place.count);
  }
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl;
#else
  void join_nccl(const Store&, const ProcessPlace&) {
    throw Error(ErrorCode::unsupported, "data-parallel training on GPUs: built without NCCL");
  }
#endif

#ifdef SPIGA_GLOO
  void join_gloo(const Store& store, const ProcessPlace& place) {
    auto options = c10d::ProcessGroupGloo::Options::create();
    options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.count, options);
  }
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
#else
  void join_gloo(const Store&, const ProcessPlace&) {
    throw Error(ErrorCode::unsupported, "data-parallel training on CPUs: built without Gloo");
  }
#endif
};

Processes::Processes(const ProcessPlace& place, const std::string& device)
    : place_(place), device_(device_for(device, place)) {
  if (place.count == 1) return;
  explained(place_, "meeting the others", [&] { group_ = std::make_unique<Group>(place, device_); });
  set_reducer(this);
}

void Processes::sum(torch::Tensor tensor) {
  if (!group_) return;
  explained(place_, "adding up", [&] {
    std::vector<torch::Tensor> tensors = {tensor};
    group_->with_group([&](auto& group) { group.allreduce(tensors)->wait(); });
  });
}

void Processes::broadcast(torch::Tensor tensor) {
  if (!group_) return;
  explained(place_, "sending the first one's weights", [&] {
    std::vector<torch::Tensor> tensors = {tensor};
    group_->with_group([&](auto& group) { group.broadcast(tensors)->wait(); });
  });
}

#else

struct Processes::Group {};

Processes::Processes(const ProcessPlace& place, const std::string& device)
    : place_(place), device_(device_for(device, place)) {
  if (place.count > 1)
    throw Error(ErrorCode::unsupported,
                base::concat("WORLD_SIZE=", place.count,
                             ": data-parallel training was not built: LibTorch's c10d "
                             "headers (Debian: libgloo-dev) were absent"));
}

void Processes::sum(torch::Tensor) {}
void Processes::broadcast(torch::Tensor) {}

#endif

Processes::~Processes() {
  if (group_) set_reducer(nullptr);
}

bool Processes::any(bool here) {
  if (!group_) return here;
  torch::Tensor votes = torch::full({1}, here ? 1.0F : 0.0F, torch::TensorOptions().device(device_));
  sum(votes);
  return votes.item<float>() > 0;
}

}  // namespace spiga::train
