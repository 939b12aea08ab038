// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// Faces per second of training, naive and ours, in one run:
//   build/release/bin/bench_train [--config default] [--batch 16] [--rounds 5] [--threads 1]
// Naive is the same recipe in LibTorch's own modules and tensor operations: channels-last, bfloat16 autocast,
// torch::optim::AdamW, each batch drawn when the step before is done. It is measured as LibTorch sets itself
// up, and again with as many threads as ours. Ours is what the trainer does, which draws the next batch while
// it computes. "steps" are forward, losses, backward, clipping and AdamW on a batch that lies ready;
// "training" includes loading and varying the faces; the whole recipe is the default one's two stages. Each
// is the median of --rounds steps.

#include <ATen/autocast_mode.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

#include "naive_network.h"
#include "spiga/error.h"
#include "train/losses.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/process.h"
#include "train/render.h"
#include "train/targets.h"
#include "train/tiny_run.h"

namespace spiga::bench {
namespace {

struct Options {
  std::string config = "default";
  std::int64_t batch = 16;
  int rounds = 5;
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
    else if (name == "--rounds")
      options.rounds = std::stoi(value);
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

// The default recipe's variation of its faces.
constexpr train::AugmentOptions kVariation = {
    .rotation_deg = 30, .detector = 0.3, .occlusion = 0.5, .hue = 0.2, .grey = 0.1, .blur = 0.3};

std::vector<std::int64_t> first_indices(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
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
constexpr double kBackboneFaces = 80000, kCascadeFaces = 40000;

// kWeights in LibTorch's own operations, where all landmarks are visible.
torch::Tensor naive_loss(const train::BackboneOutput& output, const train::Batch& batch) {
  torch::Tensor total = torch::zeros({});
  for (std::size_t h = 0; h < output.heat.size(); ++h) {
    const torch::Tensor& heat = output.heat[h];
    const auto side = static_cast<int>(heat.size(3));
    const torch::Tensor x = train::axis_distribution(batch.landmarks.select(2, 0), side, kWeights.heat_sigma);
    const torch::Tensor y = train::axis_distribution(batch.landmarks.select(2, 1), side, kWeights.heat_sigma);
    const torch::Tensor target = (y.unsqueeze(3) * x.unsqueeze(2)).flatten(2);
    const torch::Tensor cross_entropy = -(target * torch::log_softmax(heat.flatten(2), 2)).sum(2).mean();
    const torch::Tensor coordinates = train::coordinate_loss(train::soft_argmax(heat), batch.landmarks,
                                                             batch.visible, kWeights.coordinate_beta);
    const torch::Tensor pose = train::pose_loss(output.pose[h].to(torch::kFloat), batch.pose, batch.has_pose);
    total = total + std::ldexp(1, static_cast<int>(h)) *
                        (kWeights.coordinates * coordinates + kWeights.cross_entropy * cross_entropy +
                         kWeights.pose * pose);
  }
  return total;
}

class Naive {
 public:
  explicit Naive(const model::NetworkConfig& config)
      : network_(config), backbone_(optimizer_of(false)), cascade_(optimizer_of(true)) {}

  // Faces varied by batched tensor operations; their labels, which cost little, are those of `labels`.
  static train::Batch batch_of(const train::FaceDataset& faces, const train::Batch& labels, int size,
                               std::uint64_t seed) {
    std::vector<train::RenderJob> jobs;
    for (const std::int64_t index : first_indices(labels.images.size(0))) {
      train::Random random(train::mix(seed, static_cast<std::uint64_t>(index)));
      const train::FaceRecord face = faces.record(index);
      jobs.push_back({train::vary(face, face.pixels, kVariation, size, random), face.pixels, face.pixels});
    }
    train::Batch batch = labels;
    batch.images =
        train::render_tensors(jobs, size, torch::kCPU).contiguous(torch::MemoryFormat::ChannelsLast);
    return batch;
  }

  void backbone_step(const train::Batch& batch) {
    step(backbone_, [&] { return naive_loss(network_->backbone(batch.images), batch); });
  }

  void cascade_step(const train::Batch& batch) {
    step(cascade_, [&] {
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
  using Optimizer = std::unique_ptr<torch::optim::AdamW>;

  Optimizer optimizer_of(bool cascade) {
    std::vector<torch::Tensor> parameters;
    for (const auto& item : network_->named_parameters())
      if (NaiveNetworkImpl::is_of_cascade(item.key()) == cascade) parameters.push_back(item.value());
    return std::make_unique<torch::optim::AdamW>(parameters, torch::optim::AdamWOptions(1e-4));
  }

  void step(Optimizer& optimizer, const std::function<torch::Tensor()>& forward) {
    optimizer->zero_grad();
    at::autocast::set_cpu_enabled(true);
    at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
    const torch::Tensor loss = forward();
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(optimizer->param_groups()[0].params(), 5);
    optimizer->step();
  }

  NaiveNetwork network_;
  Optimizer backbone_, cascade_;
};

class Ours {
 public:
  explicit Ours(const model::NetworkConfig& config) : config_(config), network_(config), flat_(*network_) {
    network_->set_compute_dtype(torch::kBFloat16);
    backbone_ = flat_.mask_of(network_->backbone_parameters());
    cascade_ = flat_.mask_of(network_->cascade_parameters());
    adamw_ = {torch::zeros_like(backbone_), torch::zeros_like(backbone_), 0};
  }

  void backbone_step(const train::Batch& batch) {
    network_->set_training(true, true);
    step(backbone_, [&] {
      return train::backbone_loss(network_->backbone(batch.images), batch, kWeights, config_).total;
    });
  }

  void cascade_step(const train::Batch& batch) {
    network_->set_training(false, true);
    step(cascade_, [&] {
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
  void step(const torch::Tensor& trained, const std::function<torch::Tensor()>& forward) {
    flat_.gradients().zero_();
    forward().backward();
    train::clip_gradients(flat_.gradients(), trained, 5);
    train::adamw_step(flat_.values(), flat_.gradients(), adamw_, trained, trained, 1e-4, {});
  }

  model::NetworkConfig config_;
  train::SpigaNetwork network_;
  train::FlatParameters flat_;
  torch::Tensor backbone_, cascade_;  // 1 where a stage trains
  train::AdamWState adamw_;
};

// Faces per second of one kind of step: the median of --rounds after two to warm up.
double rate_of(const Options& options, const std::function<void()>& step) {
  std::vector<double> seconds;
  for (int i = -2; i < options.rounds; ++i) {
    const double taken = seconds_of(step);
    if (i >= 0) seconds.push_back(taken);
  }
  return static_cast<double>(options.batch) / median(seconds);
}

struct Rates {
  int threads = 0;
  double backbone = 0, cascade = 0;                    // steps
  double backbone_training = 0, cascade_training = 0;  // with their data
};

// `next` brings the batches of a training.
template <class Trained, class Next>
Rates rates_of(const Options& options, const train::Batch& ready, Next next) {
  Trained trained(model::named_config(options.config));
  Rates rates{.threads = torch::get_num_threads()};
  rates.backbone = rate_of(options, [&] { trained.backbone_step(ready); });
  rates.backbone_training = rate_of(options, [&] { trained.backbone_step(next()); });
  rates.cascade = rate_of(options, [&] { trained.cascade_step(ready); });
  rates.cascade_training = rate_of(options, [&] { trained.cascade_step(next()); });
  return rates;
}

// threads 0: LibTorch's own choice.
Rates naive_rates(const Options& options, const std::string& pack, int threads) {
  const model::NetworkConfig config = model::named_config(options.config);
  if (threads > 0) train::set_threads(threads);
  torch::manual_seed(1);
  const train::FaceDataset faces = train::FaceDataset::open(pack);
  const train::Batch ready = random_batch(options, config);
  std::uint64_t seed = 0;
  return rates_of<Naive>(options, ready,
                         [&] { return Naive::batch_of(faces, ready, config.input_size, ++seed); });
}

Rates our_rates(const Options& options, const std::string& pack) {
  const model::NetworkConfig config = model::named_config(options.config);
  train::prepare_process();
  train::set_threads(options.threads);
  torch::manual_seed(1);
  const train::FaceDataset faces = train::FaceDataset::open(pack);
  const std::vector<std::int64_t> indices = first_indices(options.batch);
  std::uint64_t seed = 0;
  const auto load = [&] {
    return std::async(std::launch::async, [&faces, &indices, &config, seed = ++seed] {
      return train::make_batch(faces, indices, seed, kVariation, config, torch::kCPU);
    });
  };
  std::future<train::Batch> ahead = load();
  return rates_of<Ours>(options, random_batch(options, config), [&] {
    train::Batch batch = ahead.get();
    ahead = load();
    return batch;
  });
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

double whole(const Rates& rates) {
  return (kBackboneFaces + kCascadeFaces) /
         (kBackboneFaces / rates.backbone_training + kCascadeFaces / rates.cascade_training);
}

void print(const char* what, double by_default, double naive, double ours) {
  std::printf("%-18s %8.1f %8.1f %8.1f %8.2f x %6.2f x\n", what, by_default, naive, ours, ours / by_default,
              ours / naive);
}

int run(const Options& options) {
  const std::string pack =
      std::filesystem::temp_directory_path() / ("bench_train." + std::to_string(getpid()) + ".pack");
  testing::pack_drawn_faces(pack, static_cast<int>(options.batch), 1,
                            model::named_config(options.config).database);
  const Rates ours = in_child([&] { return our_rates(options, pack); });
  const Rates naive = in_child([&] { return naive_rates(options, pack, options.threads); });
  const Rates by_default = in_child([&] { return naive_rates(options, pack, 0); });
  std::filesystem::remove(pack);
  std::printf("configuration %s, batch %lld; faces per second\n", options.config.c_str(),
              static_cast<long long>(options.batch));
  std::printf("%-18s %8s %8s %8s   ours over\n", "", "naive", "naive", "ours");
  std::printf("%-18s %8d %8d %8d %10s %8s\n", "threads", by_default.threads, naive.threads, ours.threads,
              "naive", "naive");
  print("backbone steps", by_default.backbone, naive.backbone, ours.backbone);
  print("backbone training", by_default.backbone_training, naive.backbone_training, ours.backbone_training);
  print("cascade steps", by_default.cascade, naive.cascade, ours.cascade);
  print("cascade training", by_default.cascade_training, naive.cascade_training, ours.cascade_training);
  print("whole recipe", whole(by_default), whole(naive), whole(ours));
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
