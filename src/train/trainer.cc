// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/trainer.h"

#include <ATen/Context.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "train/augment.h"
#include "train/cascade_start.h"
#include "train/checkpoint.h"
#include "train/face_order.h"
#include "train/losses.h"
#include "train/process.h"
#include "train/random.h"

namespace spiga::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kValidationBatch = 25;
constexpr double kRetryMinutes = 1;  // after a checkpoint that could not be written

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

torch::Device device_of(const std::string& name, const Processes* processes) {
  try {
    torch::Device device = processes ? processes->device() : torch::Device(name);
    if (!device.is_cpu() && !device.has_index()) device = {device.type(), 0};
    torch::zeros({1}, device);
    return device;
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw Error(
        ErrorCode::unsupported,
        base::concat("run.device: '", name, "' cannot be used here: ", text.substr(0, text.find('\n'))));
  }
}

FaceDataset open_faces(const std::string& path, const model::NetworkConfig& network) {
  FaceDataset faces = FaceDataset::open(path);
  if (faces.size() == 0) throw Error(ErrorCode::bad_data, path + ": holds no faces");
  if (faces.landmarks() != network.landmarks)
    throw Error(ErrorCode::bad_data, base::concat(path, ": has ", faces.landmarks(),
                                                  " landmarks a face, the network has ", network.landmarks));
  if (scheme::find_database(faces.database()).ids != scheme::find_database(network.database).ids)
    throw Error(ErrorCode::bad_data, base::concat(path, ": has the landmarks of '", faces.database(),
                                                  "', the network those of '", network.database, "'"));
  return faces;
}

}  // namespace

struct Trainer::State {
  TrainConfig config;
  TrainEvents events;
  Processes* processes;  // null: alone
  torch::Device device;
  FaceDataset train_faces;
  std::optional<FaceDataset> valid_faces;
  SpigaNetwork network{nullptr};
  std::optional<FlatParameters> flat;
  std::optional<FlatTensors> buffers;
  torch::Tensor decay;  // 1 where weight decay applies
  torch::Tensor mask;   // 1 where this stage trains
  AdamWState adamw;
  torch::Tensor average;           // averaged weights
  torch::Tensor averaged_buffers;  // averaged like them
  Position at;
  double smooth_loss = 0;      // for the divergence check: exponential mean over about 100 steps
  double step_seconds = 0;     // smoothed
  double earlier_seconds = 0;  // trained before this run
  Clock::time_point started, last_checkpoint, last_validation;

  State(TrainConfig train_config, TrainEvents train_events, Processes* train_processes);

  // Stages and their lengths.
  const StageConfig& stage_config() const { return config.stages[static_cast<std::size_t>(at.stage)]; }
  std::int64_t steps_of(const StageConfig& s) const {
    return std::max<std::int64_t>(1, s.faces / config.batch);
  }
  bool is_first() const { return !processes || processes->is_first(); }
  int process_count() const { return processes ? processes->processes() : 1; }
  void reset_optimizer();
  void enter_stage();
  bool run_stage(const StopAsked& stop);
  void end_stage();

  // One step.
  Losses losses_of(const Batch& batch);
  StepReport train_step(const Batch& batch);
  void update(const StepReport& report);
  void check_finite(const StepReport& report);
  [[noreturn]] void fail_diverged(const StepReport& report, const std::string& what) const;
  void measure_pace(StepReport& report, double seconds);
  StepReport position_report() const;

  // Averaged weights.
  void adopt_average();
  void swap_average();

  // What happens now and then.
  TrainingState training_state() { return {*flat, *buffers, adamw, average, averaged_buffers}; }
  void save(const std::string& path);
  void save_if_due();
  void validate_if_due(const StepReport& report, const StopAsked& stop);
  void run_validation(const StepReport& report, const StopAsked& stop);
  std::string checkpoint_path() const { return config.folder + "/checkpoint.safetensors"; }
  double trained_seconds() const { return earlier_seconds + seconds_since(started); }

  // Everybody starts from what the first process loaded or drew.
  void share_state();
};

Trainer::State::State(TrainConfig train_config, TrainEvents train_events, Processes* train_processes)
    : config(std::move(train_config)),
      events(std::move(train_events)),
      processes(train_processes),
      device(device_of(config.device, processes)),
      train_faces(open_faces(config.train_data, config.network)) {
  check_batch(config, process_count());
  if (!is_first()) events = {};
  set_threads(config.threads);
  at::globalContext().setFlushDenormal(true);
  at::globalContext().setBenchmarkCuDNN(true);
  torch::manual_seed(config.seed);
  if (!config.valid_data.empty()) valid_faces = open_faces(config.valid_data, config.network);
  network = SpigaNetwork(config.network);
  network->to(device);
  network->set_compute_dtype(config.bf16 ? torch::kBFloat16 : torch::kFloat32);
  flat.emplace(*network);
  buffers.emplace(flat_buffers(*network));
  decay = torch::zeros_like(flat->values());
  for (const auto& range : flat->ranges())
    if (range.shape.size() > 1) decay.narrow(0, range.begin, range.size).fill_(1);
  average = flat->values().clone();
  averaged_buffers = buffers->values().clone();
  reset_optimizer();
}

void Trainer::State::reset_optimizer() {
  adamw = {torch::zeros_like(flat->values()), torch::zeros_like(flat->values()), 0};
}

void Trainer::State::enter_stage() {
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

Losses Trainer::State::losses_of(const Batch& batch) {
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
  const std::uint64_t seed =
      mix(mix(config.seed, static_cast<std::uint64_t>(at.stage)), static_cast<std::uint64_t>(at.step));
  const torch::Tensor start =
      vary_start(network->initial_landmarks(output), network->projected_landmarks(output), s.start, seed,
                 processes ? processes->rank() * batch.images.size(0) : 0);
  const auto steps = network->cascade(output.field, start);
  Losses cascade = cascade_loss(steps, batch, s.cascade_beta);
  if (s.part == Part::cascade) return cascade;
  losses.total = losses.total + s.cascade_weight * cascade.total;
  losses.parts.insert(cascade.parts.begin(), cascade.parts.end());
  return losses;
}

StepReport Trainer::State::position_report() const {
  StepReport report;
  report.stage = at.stage;
  report.step = at.step;
  report.steps = steps_of(stage_config());
  for (int i = 0; i < at.stage; ++i) report.faces += steps_of(config.stages[static_cast<std::size_t>(i)]);
  report.faces = (report.faces + at.step) * config.batch;
  report.seconds = trained_seconds();
  return report;
}

// Forward, backward, update. Reads the losses once: the one place that waits for the device.
StepReport Trainer::State::train_step(const Batch& batch) {
  StepReport report = position_report();
  report.faces += config.batch;
  flat->gradients().zero_();
  const Losses losses = losses_of(batch);
  losses.total.backward();
  std::vector<torch::Tensor> numbers = {losses.total.detach()};
  for (const auto& [name, value] : losses.parts) numbers.push_back(value);
  torch::Tensor values = torch::stack(numbers);
  if (processes) {
    processes->sum(values);
    processes->sum(flat->gradients());
    values /= process_count();
    flat->gradients().div_(process_count());
  }
  const torch::Tensor norm = clip_gradients(flat->gradients(), mask, stage_config().clip_norm);
  const torch::Tensor here = torch::cat({values, norm.reshape({1})}).to(torch::kCPU, torch::kFloat64);
  const double* number = here.data_ptr<double>();
  report.loss = *number++;
  for (const auto& [name, value] : losses.parts) report.losses[name] = *number++;
  report.gradient_norm = *number;
  report.learning_rate = learning_rate_at(stage_config(), at.step, report.steps);
  check_finite(report);
  update(report);
  return report;
}

void Trainer::State::update(const StepReport& report) {
  const StageConfig& s = stage_config();
  AdamWOptions options = config.optimizer;
  options.weight_decay = s.weight_decay;
  adamw_step(flat->values(), flat->gradients(), adamw, mask, decay, report.learning_rate, options);
  // A young average follows quickly.
  const auto steps = static_cast<double>(adamw.steps);
  const double keep = std::min(s.ema_decay, (1 + steps) / (10 + steps));
  update_average(average, flat->values(), keep);
  update_average(averaged_buffers, buffers->values(), keep);
}

void Trainer::State::check_finite(const StepReport& report) {
  if (!std::isfinite(report.loss)) fail_diverged(report, "the loss is not finite");
  if (!std::isfinite(report.gradient_norm)) fail_diverged(report, "the gradient is not finite");
  smooth_loss = at.step == 0 ? report.loss : 0.99 * smooth_loss + 0.01 * report.loss;
  if (at.step > 200 && report.loss > 50 * smooth_loss)
    fail_diverged(report, base::concat("the loss jumped to ", report.loss));
}

void Trainer::State::fail_diverged(const StepReport& report, const std::string& what) const {
  throw Error(ErrorCode::bad_data,
              base::concat("training stopped at step ", report.step, " of stage '", stage_config().name,
                           "': ", what, "; the last checkpoint is kept"));
}

void Trainer::State::measure_pace(StepReport& report, double seconds) {
  step_seconds = step_seconds == 0 ? seconds : 0.95 * step_seconds + 0.05 * seconds;
  report.faces_per_second = config.batch / std::max(step_seconds, 1e-9);
  std::int64_t steps_left = -at.step;
  for (auto i = static_cast<std::size_t>(at.stage); i < config.stages.size(); ++i)
    steps_left += steps_of(config.stages[i]);
  report.eta_seconds = static_cast<double>(steps_left) * step_seconds;
  report.seconds = trained_seconds();
}

// Puts the averaged weights into the network: what a stage leaves to the next one.
void Trainer::State::adopt_average() {
  torch::NoGradGuard no_grad;
  flat->values().copy_(average);
  buffers->values().copy_(averaged_buffers);
}

// Exchanges live and averaged weights; calling it twice changes nothing.
void Trainer::State::swap_average() {
  torch::NoGradGuard no_grad;
  const auto exchange = [](torch::Tensor a, torch::Tensor b) {
    const torch::Tensor kept = a.clone();
    a.copy_(b);
    b.copy_(kept);
  };
  exchange(flat->values(), average);
  exchange(buffers->values(), averaged_buffers);
}

void Trainer::State::save(const std::string& path) {
  last_checkpoint = Clock::now();
  if (!is_first()) return;
  save_checkpoint(path, training_state(),
                  {.stage = at.stage,
                   .step = at.step,
                   .optimizer_steps = adamw.steps,
                   .smooth_loss = smooth_loss,
                   .seconds = trained_seconds(),
                   .batch = config.batch,
                   .network = config.network});
  if (events.on_checkpoint) events.on_checkpoint(path);
}

void Trainer::State::save_if_due() {
  if (seconds_since(last_checkpoint) <= 60 * config.checkpoint_minutes) return;
  try {
    save(checkpoint_path());
  } catch (const Error& error) {
    if (events.on_warning)
      events.on_warning(base::concat(error.what(), "; the checkpoint before is kept, training goes on"));
    const double wait = std::max(0.0, config.checkpoint_minutes - kRetryMinutes);
    last_checkpoint =
        Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(60 * wait));
  }
}

void Trainer::State::validate_if_due(const StepReport& report, const StopAsked& stop) {
  if (seconds_since(last_validation) <= 60 * config.validate_minutes) return;
  run_validation(report, stop);
  enter_stage();
}

void Trainer::State::run_validation(const StepReport& report, const StopAsked& stop) {
  last_validation = Clock::now();
  if (!valid_faces || !is_first()) return;
  swap_average();
  const auto result =
      validate(network, *valid_faces, stage_config().part != Part::backbone, kValidationBatch, device, stop);
  swap_average();
  if (result && events.on_validation) events.on_validation(report, *result);
}

// Makes the batches one step ahead, in another thread.
class BatchesAhead {
 public:
  using Load = std::function<Batch(std::int64_t step)>;
  BatchesAhead(Load load, torch::Device device, std::int64_t first, std::int64_t end)
      : load_(std::move(load)), device_(device), next_(first), end_(end) {
    // On a stream of its own, so that copying does not wait for the step that is being computed. Its tensors
    // are given back after a step has been read, when nobody uses them any more.
    if (!device.is_cpu())
      stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
    start();
  }
  Batch take() {
    Batch batch = ahead_.get();
    start();
    return batch;
  }

 private:
  void start() {
    if (next_ < end_) ahead_ = std::async(std::launch::async, [this, step = next_++] { return load(step); });
  }
  Batch load(std::int64_t step) const {
    if (!stream_) return load_(step);
    const c10::StreamGuard guard(*stream_);
    Batch batch = load_(step);
    stream_->synchronize();
    return batch;
  }

  Load load_;
  torch::Device device_;
  std::int64_t next_, end_;
  std::optional<c10::Stream> stream_;
  std::future<Batch> ahead_;  // last: its destructor waits for a load that uses the others
};

// Trains the present stage to its end; false when stopped before.
bool Trainer::State::run_stage(const StopAsked& stop) {
  const std::int64_t steps = steps_of(stage_config());
  const std::uint64_t seed = mix(config.seed, static_cast<std::uint64_t>(at.stage));
  const std::int64_t share = config.batch / process_count();
  FaceOrder order(train_faces.size(), seed);
  const auto load = [&](std::int64_t step) {
    const std::int64_t begin = step * config.batch + (processes ? processes->rank() * share : 0);
    return make_batch(train_faces, order.take(begin, share), mix(seed, static_cast<std::uint64_t>(step)),
                      stage_config().augment, config.network, device);
  };
  enter_stage();
  BatchesAhead batches(load, device, at.step, steps);
  step_seconds = 0;
  StepReport report = position_report();
  while (at.step < steps) {
    if (processes ? processes->any(stop()) : stop()) return false;
    const auto begin = Clock::now();
    report = train_step(batches.take());
    ++at.step;
    measure_pace(report, seconds_since(begin));
    if (events.on_step) events.on_step(report);
    save_if_due();
    validate_if_due(report, stop);
  }
  run_validation(report, stop);
  return true;
}

// The next stage starts from the averaged weights with a fresh optimiser, so a checkpoint holds nothing else.
void Trainer::State::end_stage() {
  adopt_average();
  reset_optimizer();
  const std::string stage_path = base::concat(config.folder, "/stage", at.stage, ".safetensors");
  ++at.stage;
  at.step = 0;
  save(checkpoint_path());
  save(stage_path);
}

void Trainer::State::share_state() {
  if (!processes) return;
  for (const torch::Tensor& tensor :
       {flat->values(), buffers->values(), average, averaged_buffers, adamw.mean, adamw.variance})
    processes->broadcast(tensor);
  const std::vector<double> mine = {static_cast<double>(at.stage), static_cast<double>(at.step),
                                    static_cast<double>(adamw.steps), smooth_loss};
  torch::Tensor numbers = torch::tensor(mine, torch::TensorOptions(torch::kFloat64).device(device));
  processes->broadcast(numbers);
  numbers = numbers.to(torch::kCPU);
  const double* number = numbers.data_ptr<double>();
  at = {static_cast<int>(number[0]), static_cast<std::int64_t>(number[1])};
  adamw.steps = static_cast<std::int64_t>(number[2]);
  smooth_loss = number[3];
}

void check_batch(const TrainConfig& config, int processes) {
  if (config.batch % processes != 0)
    throw Error(ErrorCode::invalid_argument, base::concat("run.batch: expected a multiple of the ", processes,
                                                          " processes, found ", config.batch));
}

Trainer::Trainer(TrainConfig config, TrainEvents events, Processes* processes)
    : state_(std::make_unique<State>(std::move(config), std::move(events), processes)) {}

Trainer::~Trainer() = default;

Position Trainer::resume(const std::string& checkpoint) {
  State& s = *state_;
  const CheckpointMeta meta = load_checkpoint(checkpoint, s.training_state(), s.config.network);
  const auto stages = static_cast<int>(s.config.stages.size());
  if (meta.stage > stages || (meta.stage == stages && meta.step > 0))
    throw Error(ErrorCode::bad_data, base::concat(checkpoint, ": is in stage ", meta.stage,
                                                  ", the configuration's last stage is ", stages - 1));
  if (meta.step > 0 && meta.batch != 0 && meta.batch != s.config.batch)
    throw Error(ErrorCode::bad_data,
                base::concat(checkpoint, ": stage ", meta.stage, " was begun with run.batch ", meta.batch,
                             ", the configuration has ", s.config.batch));
  s.at = {meta.stage, meta.step};
  s.adamw.steps = meta.optimizer_steps;
  s.smooth_loss = meta.smooth_loss;
  s.earlier_seconds = meta.seconds;
  return s.at;
}

std::vector<std::string> Trainer::load_weights(const std::string& path) {
  State& s = *state_;
  auto missing = load_matching_weights(path, *s.network);
  if (missing.size() == s.flat->ranges().size() + s.buffers->ranges().size())
    throw Error(ErrorCode::bad_data, path + ": holds no tensor of this network");
  torch::NoGradGuard no_grad;
  s.average.copy_(s.flat->values());
  s.averaged_buffers.copy_(s.buffers->values());
  return missing;
}

TrainOutcome Trainer::run(const StopAsked& stop) {
  State& s = *state_;
  if (s.is_first()) base::create_folders(s.config.folder);
  s.share_state();
  s.started = s.last_checkpoint = s.last_validation = Clock::now();
  while (s.at.stage < static_cast<int>(s.config.stages.size())) {
    if (!s.run_stage(stop)) {
      s.save(checkpoint_path());
      return TrainOutcome::interrupted;
    }
    s.end_stage();
  }
  return TrainOutcome::finished;
}

std::string Trainer::checkpoint_path() const { return state_->checkpoint_path(); }
SpigaNetwork Trainer::network() { return state_->network; }

}  // namespace spiga::train
