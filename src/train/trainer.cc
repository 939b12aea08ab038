// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/trainer.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <numeric>
#include <random>

#include "spiga/error.h"
#include "train/augment.h"
#include "train/checkpoint.h"
#include "train/losses.h"

namespace spiga::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A 64-bit hash of two numbers (splitmix64), so that every (seed, stage, face) has random numbers of its own.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9E3779B97F4A7C15ULL + b + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// The order in which a stage sees the faces: every epoch its own permutation, so that a resumed run sees the
// same.
class Sampler {
 public:
  Sampler(std::int64_t faces, std::uint64_t seed) : faces_(faces), seed_(seed) {}

  // Which faces make step `step` of `batch` faces.
  std::vector<std::int64_t> batch(std::int64_t step, std::int64_t batch) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = step * batch; i < (step + 1) * batch; ++i) indices.push_back(face(i));
    return indices;
  }

 private:
  std::int64_t face(std::int64_t i) {
    const std::int64_t epoch = i / faces_;
    if (epoch != epoch_) {
      epoch_ = epoch;
      order_.resize(static_cast<std::size_t>(faces_));
      std::iota(order_.begin(), order_.end(), std::int64_t{0});
      std::uint64_t state = mix(seed_, static_cast<std::uint64_t>(epoch));
      for (std::size_t j = order_.size(); j > 1; --j) {
        state = mix(state, j);
        std::swap(order_[j - 1], order_[state % j]);
      }
    }
    return order_[static_cast<std::size_t>(i % faces_)];
  }

  std::int64_t faces_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::int64_t> order_;
};

// Floating-point buffers of a module (batch-norm statistics) that are part of its state.
std::vector<torch::Tensor> float_buffers(torch::nn::Module& module) {
  std::vector<torch::Tensor> buffers;
  for (const auto& item : module.named_buffers())
    if (item.value().is_floating_point()) buffers.push_back(item.value());
  return buffers;
}

}  // namespace

struct Trainer::State {
  TrainConfig config;
  TrainEvents events;
  torch::Device device{torch::kCPU};
  FaceDataset train_faces;
  std::optional<FaceDataset> valid_faces;
  SpigaNetwork network{nullptr};
  std::unique_ptr<FlatParameters> flat;
  torch::Tensor decay;  // 1 where weight decay applies
  torch::Tensor mask;   // 1 where this stage trains
  AdamWState adamw;
  torch::Tensor average;                        // averaged weights
  std::vector<torch::Tensor> buffers;           // of the network, live
  std::vector<torch::Tensor> averaged_buffers;  // averaged like the weights
  int stage = 0;
  std::int64_t step = 0;
  double smooth_loss = 0;  // for the divergence check: exponential mean over about 100 steps
  Clock::time_point last_checkpoint;
  Clock::time_point last_validation;

  State(TrainConfig train_config, TrainEvents train_events)
      : config(std::move(train_config)),
        events(std::move(train_events)),
        device(config.device),
        train_faces(FaceDataset::open(config.train_data)) {
    torch::set_num_threads(config.threads);
    at::globalContext().setFlushDenormal(true);
    torch::manual_seed(config.seed);
    if (!config.valid_data.empty()) valid_faces = FaceDataset::open(config.valid_data);
    check_landmarks(train_faces, config.train_data);
    if (valid_faces) check_landmarks(*valid_faces, config.valid_data);
    network = SpigaNetwork(config.network);
    network->to(device);
    network->set_compute_dtype(config.bf16 ? torch::kBFloat16 : torch::kFloat32);
    flat = std::make_unique<FlatParameters>(*network);
    decay = torch::zeros_like(flat->values());
    for (const auto& range : flat->ranges())
      if (range.shape.size() > 1) decay.narrow(0, range.begin, range.size).fill_(1);
    average = flat->values().clone();
    buffers = float_buffers(*network);
    for (const torch::Tensor& buffer : buffers) averaged_buffers.push_back(buffer.clone());
    reset_optimizer();
  }

  void check_landmarks(const FaceDataset& faces, const std::string& path) const {
    if (faces.size() == 0) throw Error(ErrorCode::bad_data, path + ": holds no faces");
    if (faces.landmarks() != config.network.landmarks)
      throw Error(ErrorCode::bad_data, path + ": has " + std::to_string(faces.landmarks()) +
                                           " landmarks a face, the network has " +
                                           std::to_string(config.network.landmarks));
  }

  void reset_optimizer() {
    adamw = {torch::zeros_like(flat->values()), torch::zeros_like(flat->values()), 0};
  }

  const StageConfig& stage_config() const { return config.stages[static_cast<std::size_t>(stage)]; }
  std::int64_t steps_of(const StageConfig& s) const {
    return std::max<std::int64_t>(1, s.faces / config.batch);
  }

  // Puts the averaged weights into the network: what a stage leaves to the next one.
  void adopt_average() {
    torch::NoGradGuard no_grad;
    flat->values().copy_(average);
    for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].copy_(averaged_buffers[i]);
  }

  // Exchanges live and averaged weights; calling it twice changes nothing.
  void swap_average() {
    torch::NoGradGuard no_grad;
    const torch::Tensor values = flat->values().clone();
    flat->values().copy_(average);
    average.copy_(values);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const torch::Tensor buffer = buffers[i].clone();
      buffers[i].copy_(averaged_buffers[i]);
      averaged_buffers[i].copy_(buffer);
    }
  }

  void enter_stage() {
    const StageConfig& s = stage_config();
    std::vector<torch::Tensor> trained;
    if (s.part != Part::cascade)
      for (const torch::Tensor& p : network->backbone_parameters()) trained.push_back(p);
    if (s.part != Part::backbone)
      for (const torch::Tensor& p : network->cascade_parameters()) trained.push_back(p);
    mask = flat->mask_of(trained);
    network->set_training(s.part != Part::cascade && !s.frozen_batch_norm,
                          s.part != Part::backbone && !s.frozen_batch_norm);
  }

  Losses losses_of(const Batch& batch) {
    const StageConfig& s = stage_config();
    if (s.part == Part::backbone)
      return backbone_loss(network->backbone(batch.images), batch, s.loss, config.network);
    BackboneOutput output;
    Losses losses;
    if (s.part == Part::cascade) {
      torch::NoGradGuard no_grad;
      output = network->backbone(batch.images, false);
    } else {
      output = network->backbone(batch.images);
      losses = backbone_loss(output, batch, s.loss, config.network);
    }
    const auto steps = network->cascade(output.field, network->initial_landmarks(output));
    Losses cascade = cascade_loss(steps, batch, s.cascade_beta);
    if (s.part == Part::cascade) return cascade;
    losses.total = losses.total + s.cascade_weight * cascade.total;
    losses.parts.insert(cascade.parts.begin(), cascade.parts.end());
    return losses;
  }

  // Forward, backward, update. Returns the loss.
  StepReport train_step(const Batch& batch) {
    const StageConfig& s = stage_config();
    flat->gradients().zero_();
    Losses losses = losses_of(batch);
    StepReport report;
    report.stage = stage;
    report.step = step;
    report.steps = steps_of(s);
    report.loss = losses.total.item<double>();
    for (const auto& [name, value] : losses.parts) report.losses[name] = value.item<double>();
    check_finite(report);
    losses.total.backward();
    report.gradient_norm = clip_gradients(flat->gradients(), mask, s.clip_norm);
    if (!std::isfinite(report.gradient_norm)) fail_diverged(report, "the gradient is not finite");
    report.learning_rate = learning_rate_at(s, step, report.steps);
    AdamWOptions options = config.optimizer;
    options.weight_decay = s.weight_decay;
    adamw_step(flat->values(), flat->gradients(), adamw, mask, decay, report.learning_rate, options);
    // A young average follows quickly.
    const double keep = std::min(
        s.ema_decay, (1.0 + static_cast<double>(adamw.steps)) / (10.0 + static_cast<double>(adamw.steps)));
    update_average(average, flat->values(), keep);
    for (std::size_t i = 0; i < buffers.size(); ++i) update_average(averaged_buffers[i], buffers[i], keep);
    return report;
  }

  void check_finite(const StepReport& report) {
    if (!std::isfinite(report.loss)) fail_diverged(report, "the loss is not finite");
    smooth_loss = step == 0 ? report.loss : 0.99 * smooth_loss + 0.01 * report.loss;
    if (step > 200 && report.loss > 50 * smooth_loss)
      fail_diverged(report, "the loss jumped to " + std::to_string(report.loss));
  }

  [[noreturn]] void fail_diverged(const StepReport& report, const std::string& what) const {
    throw Error(ErrorCode::bad_data, "training stopped at step " + std::to_string(report.step) +
                                         " of stage '" + stage_config().name + "': " + what +
                                         "; the last checkpoint is kept");
  }

  CheckpointMeta meta() const {
    return {.stage = stage,
            .step = step,
            .optimizer_steps = adamw.steps,
            .smooth_loss = smooth_loss,
            .network = config.network};
  }

  void save(const std::string& path) {
    save_checkpoint(path, *network, *flat, adamw, average, averaged_buffers, meta());
    if (events.on_checkpoint) events.on_checkpoint(path);
    last_checkpoint = Clock::now();
  }

  void run_validation(const StepReport& report) {
    if (!valid_faces) return;
    swap_average();
    const Validation result =
        validate(network, *valid_faces, stage_config().part != Part::backbone, 25, device);
    swap_average();
    if (events.on_validation) events.on_validation(report, result);
    last_validation = Clock::now();
  }

  double eta_seconds(double faces_per_second) const {
    double faces = 0;
    for (std::size_t i = static_cast<std::size_t>(stage); i < config.stages.size(); ++i)
      faces += static_cast<double>(config.stages[i].faces);
    faces -= static_cast<double>(step * config.batch);
    return faces / std::max(faces_per_second, 1e-9);
  }

  // Trains the present stage to its end; false when stopped before.
  bool run_stage(const std::string& path, const std::atomic<bool>& stop);
};

bool Trainer::State::run_stage(const std::string& path, const std::atomic<bool>& stop) {
  const StageConfig& s = stage_config();
  const std::int64_t steps = steps_of(s);
  const std::uint64_t stage_seed = mix(config.seed, static_cast<std::uint64_t>(stage));
  Sampler sampler(train_faces.size(), stage_seed);
  enter_stage();
  const auto load = [&](std::int64_t at) {
    return make_batch(train_faces, sampler.batch(at, config.batch),
                      mix(stage_seed, static_cast<std::uint64_t>(at)), s.augment, config.network, device);
  };
  const auto prefetch = [&](std::int64_t at) { return std::async(std::launch::async, load, at); };
  std::future<Batch> next = prefetch(step);
  Clock::time_point started = Clock::now();
  double step_seconds = 0;  // smoothed
  StepReport report;
  for (; step < steps; ++step) {
    if (stop) {
      next.wait();
      return false;
    }
    const Batch batch = next.get();
    if (step + 1 < steps) next = prefetch(step + 1);
    report = train_step(batch);
    const double seconds = seconds_since(started);
    started = Clock::now();
    step_seconds = step_seconds == 0 ? seconds : 0.95 * step_seconds + 0.05 * seconds;
    report.faces_per_second = config.batch / step_seconds;
    report.eta_seconds = eta_seconds(report.faces_per_second);
    if (events.on_step) events.on_step(report);
    if (seconds_since(last_checkpoint) > 60 * config.checkpoint_minutes) {
      ++step;  // the checkpoint holds the state after this step
      save(path);
      --step;
    }
    if (seconds_since(last_validation) > 60 * config.validate_minutes) {
      run_validation(report);
      enter_stage();
      started = Clock::now();
    }
  }
  run_validation(report);
  return true;
}

Trainer::Trainer(TrainConfig config, TrainEvents events)
    : state_(std::make_unique<State>(std::move(config), std::move(events))) {}

Trainer::~Trainer() = default;

void Trainer::resume(const std::string& checkpoint) {
  State& s = *state_;
  const CheckpointMeta meta = load_checkpoint(checkpoint, *s.network, *s.flat, s.adamw, s.average,
                                              s.averaged_buffers, s.config.network);
  if (meta.stage > static_cast<int>(s.config.stages.size()))
    throw Error(ErrorCode::bad_data, checkpoint + ": is in stage " + std::to_string(meta.stage) +
                                         ", the configuration has " + std::to_string(s.config.stages.size()));
  s.stage = meta.stage;
  s.step = meta.step;
  s.adamw.steps = meta.optimizer_steps;
  s.smooth_loss = meta.smooth_loss;
}

std::vector<std::string> Trainer::load_weights(const std::string& path) {
  State& s = *state_;
  auto missing = load_matching_weights(path, *s.network);
  torch::NoGradGuard no_grad;
  s.average.copy_(s.flat->values());
  for (std::size_t i = 0; i < s.buffers.size(); ++i) s.averaged_buffers[i].copy_(s.buffers[i]);
  return missing;
}

TrainOutcome Trainer::run(const std::atomic<bool>& stop) {
  State& s = *state_;
  std::filesystem::create_directories(s.config.folder);
  s.last_checkpoint = s.last_validation = Clock::now();
  for (; s.stage < static_cast<int>(s.config.stages.size()); ++s.stage, s.step = 0) {
    if (!s.run_stage(checkpoint_path(), stop)) {
      s.save(checkpoint_path());
      return TrainOutcome::interrupted;
    }
    s.adopt_average();
    s.reset_optimizer();
    const int stage = s.stage;
    const std::int64_t step = s.step;
    s.stage = stage + 1;
    s.step = 0;
    s.save(checkpoint_path());
    std::filesystem::copy_file(checkpoint_path(),
                               s.config.folder + "/stage" + std::to_string(stage) + ".safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    s.stage = stage;
    s.step = step;
  }
  return TrainOutcome::finished;
}

std::string Trainer::checkpoint_path() const { return state_->config.folder + "/checkpoint.safetensors"; }
SpigaNetwork Trainer::network() { return state_->network; }

}  // namespace spiga::train
