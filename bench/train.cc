// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// Faces per second of training steps (forward, losses, backward, clipping, AdamW), naive and ours, in one
// run:
//   OMP_NUM_THREADS=1 build/release/bin/bench_train [--config default] [--batch 16] [--steps 8] [--threads 1]
// Naive is the same network in LibTorch's own modules, channels-last, bfloat16 autocast, torch::optim::AdamW.
// Both see random pictures that lie ready in memory. Rounds of both alternate; the medians are printed.

#include <ATen/autocast_mode.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include "naive_network.h"
#include "spiga/error.h"
#include "train/losses.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/process.h"

namespace spiga::bench {
namespace {

struct Options {
  std::string config = "default";
  std::int64_t batch = 16;
  int steps = 8;
  int threads = 1;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--config")
      options.config = value;
    else if (name == "--batch")
      options.batch = std::stoll(value);
    else if (name == "--steps")
      options.steps = std::stoi(value);
    else if (name == "--threads")
      options.threads = std::stoi(value);
    else
      throw std::invalid_argument("unknown option " + name);
  }
  return options;
}

train::Batch random_batch(const Options& options, const model::NetworkConfig& config) {
  const std::int64_t n = options.batch, size = config.input_size, landmarks = config.landmarks;
  train::Batch batch;
  batch.images = torch::rand({n, 3, size, size}).contiguous(torch::MemoryFormat::ChannelsLast);
  batch.landmarks = torch::rand({n, landmarks, 2}) * 0.6 + 0.2;
  batch.visible = torch::ones({n, landmarks});
  batch.pose = torch::tensor({10.F, -5.F, 3.F, 0.1F, 0.1F, 2.8F}).expand({n, 6}).contiguous();
  batch.has_pose = torch::ones({n});
  return batch;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// What the default recipe minimises in its first stage.
constexpr train::BackboneLossWeights kWeights = {
    .coordinates = 1, .coordinate_beta = 0.25, .attention = 0, .cross_entropy = 0.3, .pose = 0.5};

class Naive {
 public:
  explicit Naive(const model::NetworkConfig& config)
      : config_(config),
        network_(config),
        optimizer_(network_->parameters(), torch::optim::AdamWOptions(1e-4)) {}

  void backbone_step(const train::Batch& batch) {
    step([&] {
      return train::backbone_loss(network_->backbone(batch.images), batch, kWeights, config_).total;
    });
  }

  void cascade_step(const train::Batch& batch) {
    step([&] {
      train::BackboneOutput output;
      {
        torch::NoGradGuard no_grad;
        output = network_->backbone(batch.images);
      }
      return train::cascade_loss(network_->cascade(output.field, network_->initial_landmarks(output)), batch)
          .total;
    });
  }

 private:
  void step(const std::function<torch::Tensor()>& forward) {
    optimizer_.zero_grad();
    at::autocast::set_cpu_enabled(true);
    at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
    const torch::Tensor loss = forward();
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(network_->parameters(), 5);
    optimizer_.step();
  }

  model::NetworkConfig config_;
  NaiveNetwork network_;
  torch::optim::AdamW optimizer_;
};

class Ours {
 public:
  explicit Ours(const model::NetworkConfig& config) : config_(config), network_(config), flat_(*network_) {
    network_->set_compute_dtype(torch::kBFloat16);
    ones_ = torch::ones_like(flat_.values());
    adamw_ = {torch::zeros_like(ones_), torch::zeros_like(ones_), 0};
  }

  void backbone_step(const train::Batch& batch) {
    network_->set_training(true, true);
    step([&] {
      return train::backbone_loss(network_->backbone(batch.images), batch, kWeights, config_).total;
    });
  }

  void cascade_step(const train::Batch& batch) {
    network_->set_training(false, true);
    step([&] {
      train::BackboneOutput output;
      {
        torch::NoGradGuard no_grad;
        output = network_->backbone(batch.images, false);
      }
      return train::cascade_loss(network_->cascade(output.field, network_->initial_landmarks(output)), batch)
          .total;
    });
  }

 private:
  void step(const std::function<torch::Tensor()>& forward) {
    flat_.gradients().zero_();
    forward().backward();
    train::clip_gradients(flat_.gradients(), ones_, 5);
    train::adamw_step(flat_.values(), flat_.gradients(), adamw_, ones_, ones_, 1e-4, {});
  }

  model::NetworkConfig config_;
  train::SpigaNetwork network_;
  train::FlatParameters flat_;
  torch::Tensor ones_;
  train::AdamWState adamw_;
};

// Faces per second of one kind of step: the median of `steps` rounds after two to warm up.
double rate_of(const Options& options, const std::function<void()>& step) {
  std::vector<double> seconds;
  for (int i = -2; i < options.steps; ++i) {
    const double taken = seconds_of(step);
    if (i >= 0) seconds.push_back(taken);
  }
  return static_cast<double>(options.batch) / median(seconds);
}

struct Rates {
  double backbone = 0, cascade = 0;
};

template <class Trained>
Rates rates_of(const Options& options) {
  const model::NetworkConfig config = model::named_config(options.config);
  torch::set_num_threads(options.threads);
  torch::manual_seed(1);
  const train::Batch batch = random_batch(options, config);
  Trained trained(config);
  Rates rates;
  rates.backbone = rate_of(options, [&] { trained.backbone_step(batch); });
  rates.cascade = rate_of(options, [&] { trained.cascade_step(batch); });
  return rates;
}

// In a process of its own, so that the settings of one leave the other alone.
template <class Work>
Rates in_child(Work work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    const Rates rates = work();
    _exit(write(ends[1], &rates, sizeof(rates)) == static_cast<ssize_t>(sizeof(rates)) ? 0 : 1);
  }
  close(ends[1]);
  Rates rates;
  const bool whole = read(ends[0], &rates, sizeof(rates)) == static_cast<ssize_t>(sizeof(rates));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!whole) throw std::runtime_error("a measuring process failed");
  return rates;
}

void print(const char* stage, double naive, double ours) {
  std::printf("%-9s naive %6.1f faces/s   ours %6.1f faces/s   %.2f x\n", stage, naive, ours, ours / naive);
}

int run(const Options& options) {
  std::printf("configuration %s, batch %lld, %d thread(s)\n", options.config.c_str(),
              static_cast<long long>(options.batch), options.threads);
  std::fflush(stdout);
  const Rates naive = in_child([&] { return rates_of<Naive>(options); });
  const Rates ours = in_child([&] {
    train::prepare_process();
    return rates_of<Ours>(options);
  });
  print("backbone", naive.backbone, ours.backbone);
  print("cascade", naive.cascade, ours.cascade);
  return 0;
}

}  // namespace
}  // namespace spiga::bench

int main(int argc, char** argv) try {
  return spiga::bench::run(spiga::bench::parse(argc, argv));
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_train: %s\n", error.what());
  return EXIT_FAILURE;
}
