// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_trainer.h"

#include <ATen/Context.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "geometry/boxes.h"
#include "model/detector_cells.h"
#include "spiga/error.h"
#include "train/checkpoint.h"
#include "train/detector_network.h"
#include "train/process.h"
#include "train/random.h"
#include "train/training_log.h"

namespace spiga::train {
namespace {

using Clock = std::chrono::steady_clock;
using model::DetectorConfig;

constexpr const char* kConfigKey = "spiga.detector";
constexpr float kFound = 0.5F;         // IoU
constexpr float kMostOverlap = 0.45F;  // between faces that are told
constexpr float kLeastScore = 0.02F;   // what validation looks at

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int side_of(const DetectorTrainConfig& config, Random& random) {
  double at = random.uniform() * std::accumulate(config.side_shares.begin(), config.side_shares.end(), 0.0);
  for (std::size_t i = 0; i < config.sides.size(); ++i)
    if ((at -= config.side_shares[i]) < 0) return static_cast<int>(config.sides[i]);
  return static_cast<int>(config.sides.back());
}

std::vector<DetectorSample> make_batch(const SceneSources& scenes, const DetectorTrainConfig& config,
                                       std::int64_t step) {
  const std::uint64_t seed = mix(config.seed, static_cast<std::uint64_t>(step));
  Random random(seed);
  const int side = side_of(config, random);
  const auto count = std::max<std::int64_t>(1, config.batch_pixels / (std::int64_t{side} * side));
  std::vector<DetectorSample> samples;
  for (std::int64_t i = 0; i < count; ++i)
    samples.push_back(
        make_detector_sample(scenes, config.augment, side, mix(seed, static_cast<std::uint64_t>(i + 1))));
  return samples;
}

torch::Tensor pictures_of(const std::vector<DetectorSample>& samples) {
  const std::int64_t side = samples.front().side;
  torch::Tensor pictures =
      torch::empty({static_cast<std::int64_t>(samples.size()), side, side, 3}, torch::kUInt8);
  auto* to = pictures.data_ptr<std::uint8_t>();
  for (const DetectorSample& sample : samples) to = std::copy(sample.pixels.begin(), sample.pixels.end(), to);
  return pictures;
}

// A scene in the upper left of a black picture whose sides are multiples of 32.
torch::Tensor padded_picture(const Scene& scene) {
  const auto rounded = [](int size) {
    return (size + DetectorConfig::kMaxStride - 1) / DetectorConfig::kMaxStride * DetectorConfig::kMaxStride;
  };
  const ImageView& from = scene.pixels;
  torch::Tensor picture = torch::zeros({1, rounded(from.height), rounded(from.width), 3}, torch::kUInt8);
  for (int y = 0; y < from.height; ++y) {
    const std::uint8_t* row = from.data + y * from.stride_bytes;
    std::copy(row, row + 3 * static_cast<std::ptrdiff_t>(from.width),
              picture.data_ptr<std::uint8_t>() + y * picture.stride(1));
  }
  return picture;
}

// Scores of found and of false boxes over pictures, and what follows from them.
class ValidationTally {
 public:
  void add(const Scene& scene, const std::vector<model::ScoredFace>& found) {
    ++pictures_;
    std::vector<bool> used(found.size(), false);
    for (const auto& landmarks : scene.landmarks) {
      ++faces_;
      const Box truth = face_box(landmarks);
      for (std::size_t i = 0; i < found.size(); ++i) {  // the surest first
        const double overlap = geometry::intersection_over_union(found[i].face.box, truth);
        if (used[i] || overlap < kFound) continue;
        used[i] = true;
        hits_.emplace_back(found[i].score, overlap);
        break;
      }
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      if (!used[i] && !is_ignored(scene, found[i].face.box)) false_scores_.push_back(found[i].score);
  }

  DetectorValidation result() {
    DetectorValidation result;
    std::ranges::sort(false_scores_, std::ranges::greater());
    const auto allowed = static_cast<std::size_t>(result.false_per_picture * static_cast<double>(pictures_));
    result.threshold = allowed < false_scores_.size() ? false_scores_[allowed] : kLeastScore;
    double found = 0, overlaps = 0;
    for (const auto& [score, overlap] : hits_)
      if (score > result.threshold) {
        ++found;
        overlaps += overlap;
      }
    result.recall = found / std::max(1, faces_);
    result.mean_overlap = overlaps / std::max(1.0, found);
    return result;
  }

 private:
  static bool is_ignored(const Scene& scene, const Box& box) {
    return std::ranges::any_of(scene.ignored,
                               [&](const Box& i) { return geometry::intersection_over_union(i, box) > 0.3; });
  }

  int pictures_ = 0, faces_ = 0;
  std::vector<std::pair<float, double>> hits_;  // score, overlap
  std::vector<float> false_scores_;
};

SceneSources open_sources(const DetectorTrainConfig& config) {
  std::vector<SceneDataset> files;
  for (const std::string& file : config.train_data) files.push_back(SceneDataset::open(file));
  return {std::move(files), config.train_shares};
}

class DetectorTrainer {
 public:
  DetectorTrainer(DetectorTrainConfig config, const DetectorEvents& events)
      : config_(std::move(config)),
        events_(events),
        scenes_(open_sources(config_)),
        network_(seeded_network()),
        flat_(network_),
        buffers_(flat_buffers(network_)) {
    if (!config_.valid_data.empty()) valid_scenes_ = SceneDataset::open(config_.valid_data);
    decay_ = torch::zeros_like(flat_.values());
    for (const auto& range : flat_.ranges())
      if (range.shape.size() > 1) decay_.narrow(0, range.begin, range.size).fill_(1);
    mask_ = torch::ones_like(flat_.values());
    adamw_ = {torch::zeros_like(flat_.values()), torch::zeros_like(flat_.values()), 0};
    average_ = flat_.values().clone();
    averaged_buffers_ = buffers_.values().clone();
  }

  std::string checkpoint_path() const { return config_.folder + "/checkpoint.safetensors"; }

  void resume() {
    const CheckpointMeta meta = load_checkpoint(checkpoint_path(), state(), kConfigKey, network_json());
    step_ = meta.step;
    adamw_.steps = meta.optimizer_steps;
    earlier_seconds_ = meta.seconds;
  }

  std::vector<std::string> load_weights(const std::string& path) {
    auto missing = load_matching_weights(path, network_);
    torch::NoGradGuard no_grad;
    average_.copy_(flat_.values());
    averaged_buffers_.copy_(buffers_.values());
    return missing;
  }

  TrainOutcome run(const StopAsked& stop) {
    base::create_folders(config_.folder);
    open_logs();
    started_ = last_checkpoint_ = last_validation_ = Clock::now();
    network_.train();
    auto ahead = start_batch(step_);
    while (step_ < config_.steps) {
      if (stop()) {
        save();
        return TrainOutcome::interrupted;
      }
      const auto begin = Clock::now();
      const std::vector<DetectorSample> samples = ahead.get();
      if (step_ + 1 < config_.steps) ahead = start_batch(step_ + 1);
      StepReport report = train_step(samples);
      ++step_;
      tell(report, samples.size(), seconds_since(begin));
      if (seconds_since(last_checkpoint_) > 60 * config_.checkpoint_minutes) save();
      if (seconds_since(last_validation_) > 60 * config_.validate_minutes) validate(report);
    }
    save();
    validate(report_of(step_ - 1));
    return TrainOutcome::finished;
  }

 private:
  DetectorNetwork seeded_network() const {
    set_threads(config_.threads);
    at::globalContext().setFlushDenormal(true);
    torch::manual_seed(config_.seed);
    return DetectorNetwork(config_.network);
  }

  std::string network_json() const { return model::to_json(config_.network).dump(); }
  torch::ScalarType compute_type() const { return config_.bf16 ? torch::kBFloat16 : torch::kFloat32; }
  TrainingState state() { return {flat_, buffers_, adamw_, average_, averaged_buffers_}; }
  double trained_seconds() const { return earlier_seconds_ + seconds_since(started_); }

  void open_logs() {
    const auto log = [&](const char* name) {
      const std::string path = config_.folder + "/" + name;
      return step_ > 0 ? TrainingLog::resumed(path, {0, step_}) : TrainingLog::fresh(path);
    };
    log_ = log("log.csv");
    validations_ = log("validation.csv");
  }

  std::future<std::vector<DetectorSample>> start_batch(std::int64_t step) const {
    return std::async(std::launch::async, [this, step] { return make_batch(scenes_, config_, step); });
  }

  double learning_rate() const {
    if (step_ < config_.warmup_steps)
      return config_.learning_rate * static_cast<double>(step_ + 1) /
             static_cast<double>(config_.warmup_steps);
    const double progress =
        static_cast<double>(step_ - config_.warmup_steps) /
        static_cast<double>(std::max<std::int64_t>(1, config_.steps - config_.warmup_steps));
    return config_.final_learning_rate + (config_.learning_rate - config_.final_learning_rate) * 0.5 *
                                             (1 + std::cos(std::numbers::pi * std::min(1.0, progress)));
  }

  StepReport report_of(std::int64_t step) const {
    StepReport report;
    report.step = step;
    report.steps = config_.steps;
    report.seconds = trained_seconds();
    report.learning_rate = learning_rate();
    return report;
  }

  StepReport train_step(const std::vector<DetectorSample>& samples) {
    StepReport report = report_of(step_);
    flat_.gradients().zero_();
    const torch::Tensor outputs = network_.forward(blocks_of(pictures_of(samples), compute_type()));
    const DetectorLoss loss = detector_loss(outputs, samples, config_.loss);
    loss.total.backward();
    report.loss = loss.total.item<double>();
    for (const auto& [name, value] : loss.parts) report.losses[name] = value.item<double>();
    report.gradient_norm = clip_gradients(flat_.gradients(), mask_, config_.clip_norm).item<double>();
    if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm))
      throw Error(ErrorCode::bad_data, base::concat("training stopped at step ", step_,
                                                    ": the loss is not finite; the last checkpoint is kept"));
    AdamWOptions options = config_.optimizer;
    options.weight_decay = config_.weight_decay;
    adamw_step(flat_.values(), flat_.gradients(), adamw_, mask_, decay_, report.learning_rate, options);
    // A young average follows quickly.
    const auto steps = static_cast<double>(adamw_.steps);
    const double keep = std::min(config_.ema_decay, (1 + steps) / (10 + steps));
    update_average(average_, flat_.values(), keep);
    update_average(averaged_buffers_, buffers_.values(), keep);
    return report;
  }

  void tell(StepReport& report, std::size_t pictures, double seconds) {
    step_seconds_ = step_seconds_ == 0 ? seconds : 0.95 * step_seconds_ + 0.05 * seconds;
    report.faces_per_second = static_cast<double>(pictures) / seconds;
    report.eta_seconds = static_cast<double>(config_.steps - step_) * step_seconds_;
    report.seconds = trained_seconds();
    if (report.step % config_.log_steps == 0) {
      TrainingLog::Row row = row_of(report);
      row.insert(row.end(), {{"learning_rate", report.learning_rate},
                             {"loss", report.loss},
                             {"gradient_norm", report.gradient_norm}});
      for (const auto& [name, value] : report.losses) row.emplace_back("loss_" + name, value);
      append(*log_, row);
    }
    if (events_.on_step) events_.on_step(report);
  }

  static TrainingLog::Row row_of(const StepReport& report) {
    return {{"stage", 0}, {"step", static_cast<double>(report.step)}, {"seconds", report.seconds}};
  }

  void append(TrainingLog& log, const TrainingLog::Row& row) const {
    if (!log.append(row) && events_.on_warning)
      events_.on_warning(config_.folder + ": the logs cannot be written at present; they are kept in memory");
  }

  void save() {
    last_checkpoint_ = Clock::now();
    save_checkpoint(checkpoint_path(), state(),
                    {.stage = 0,
                     .step = step_,
                     .optimizer_steps = adamw_.steps,
                     .smooth_loss = 0,
                     .seconds = trained_seconds()},
                    kConfigKey, network_json());
  }

  // Exchanges live and averaged weights; calling it twice changes nothing.
  void swap_average() {
    torch::NoGradGuard no_grad;
    const auto exchange = [](torch::Tensor a, torch::Tensor b) {
      const torch::Tensor kept = a.clone();
      a.copy_(b);
      b.copy_(kept);
    };
    exchange(flat_.values(), average_);
    exchange(buffers_.values(), averaged_buffers_);
  }

  std::vector<model::ScoredFace> faces_on(const Scene& scene) {
    const torch::Tensor picture = padded_picture(scene);
    const torch::Tensor outputs = network_.forward(blocks_of(picture, compute_type())).contiguous();
    const auto grids =
        model::cell_grids(static_cast<int>(picture.size(1)), static_cast<int>(picture.size(2)));
    std::array<const float*, DetectorConfig::kLevels> levels{};
    const float* at = outputs.data_ptr<float>();
    for (std::size_t i = 0; i < grids.size(); ++i) {
      levels[i] = at;
      at += grids[i].cells() * DetectorConfig::kOutputs;
    }
    return model::faces_of_cells(grids, levels, kLeastScore, kMostOverlap);
  }

  void validate(const StepReport& report) {
    last_validation_ = Clock::now();
    if (!valid_scenes_) return;
    torch::NoGradGuard no_grad;
    swap_average();
    network_.eval();
    ValidationTally tally;
    for (std::int64_t i = 0; i < valid_scenes_->size(); ++i) {
      const Scene scene = valid_scenes_->scene(i);
      tally.add(scene, faces_on(scene));
    }
    network_.train();
    swap_average();
    const DetectorValidation result = tally.result();
    TrainingLog::Row row = row_of(report);
    row.insert(
        row.end(),
        {{"recall", result.recall}, {"threshold", result.threshold}, {"mean_overlap", result.mean_overlap}});
    append(*validations_, row);
    if (events_.on_validation) events_.on_validation(report, result);
  }

  DetectorTrainConfig config_;
  const DetectorEvents& events_;
  SceneSources scenes_;
  std::optional<SceneDataset> valid_scenes_;
  DetectorNetwork network_;
  FlatParameters flat_;
  FlatTensors buffers_;
  torch::Tensor decay_, mask_;
  AdamWState adamw_;
  torch::Tensor average_, averaged_buffers_;
  std::optional<TrainingLog> log_, validations_;
  std::int64_t step_ = 0;
  double step_seconds_ = 0, earlier_seconds_ = 0;
  Clock::time_point started_, last_checkpoint_, last_validation_;
};

}  // namespace

TrainOutcome run_detector_training(const std::string& config_path, const RunOptions& options,
                                   const DetectorEvents& events, const StopAsked& stop) {
  DetectorTrainer trainer(read_detector_config(config_path), events);
  const std::string checkpoint = trainer.checkpoint_path();
  const bool there = base::exists(checkpoint);
  if (there && !options.resume && !options.overwrite)
    throw Error(
        ErrorCode::invalid_argument,
        checkpoint + ": is there already: go on from it with --resume, or begin anew with --overwrite");
  if (there && options.resume) {
    trainer.resume();
  } else if (!options.init.empty()) {
    const auto missing = trainer.load_weights(options.init);
    if (!missing.empty() && events.on_warning)
      events.on_warning(base::concat(options.init, ": ", missing.size(),
                                     " tensors of the network start afresh: ", missing.front(), ", ..."));
  }
  return trainer.run(stop);
}

}  // namespace spiga::train
