// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/run.h"

#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "spiga/error.h"
#include "train/report.h"
#include "train/training_log.h"

namespace spiga::train {
namespace {

TrainingLog::Row step_row(const StepReport& report) {
  TrainingLog::Row row = {{"stage", report.stage},
                          {"step", static_cast<double>(report.step)},
                          {"faces", static_cast<double>(report.faces)},
                          {"seconds", report.seconds},
                          {"learning_rate", report.learning_rate},
                          {"loss", report.loss},
                          {"gradient_norm", report.gradient_norm},
                          {"faces_per_second", report.faces_per_second}};
  for (const auto& [name, value] : report.losses) row.emplace_back("loss_" + name, value);
  return row;
}

TrainingLog::Row validation_row(const StepReport& report, const Validation& v) {
  return {{"stage", report.stage},
          {"step", static_cast<double>(report.step)},
          {"faces", static_cast<double>(report.faces)},
          {"seconds", report.seconds},
          {"nme", v.nme},
          {"initial_nme", v.initial_nme},
          {"failure_rate", v.failure_rate},
          {"yaw_deg", v.yaw_deg},
          {"pitch_deg", v.pitch_deg},
          {"roll_deg", v.roll_deg},
          {"pose_deg", v.pose_deg}};
}

// Writes down what the first process hears of a run, and passes it on.
class Recorder {
 public:
  Recorder(const TrainConfig& config, const TrainEvents& events) : config_(config), events_(events) {
    if (!config.valid_data.empty()) valid_faces_ = FaceDataset::open(config.valid_data);
  }

  // From here on; nothing is in the logs behind `position`.
  void open(bool resumed, const Position& position) {
    const auto log = [&](const char* name) {
      const std::string path = config_.folder + "/" + name;
      return resumed ? TrainingLog::resumed(path, position) : TrainingLog::fresh(path);
    };
    steps_ = log("log.csv");
    validations_ = log("validation.csv");
  }

  TrainEvents events() {
    TrainEvents all = events_;
    all.on_step = [this](const StepReport& report) {
      if (report.step % config_.log_steps == 0) record(*steps_, step_row(report));
      if (events_.on_step) events_.on_step(report);
    };
    all.on_validation = [this](const StepReport& report, const Validation& validation) {
      record(*validations_, validation_row(report, validation));
      if (events_.on_validation) events_.on_validation(report, validation);
      try {
        write_report({config_, *steps_, *validations_, *valid_faces_, validation});
      } catch (const Error& error) {
        warn(error.what());
      }
    };
    return all;
  }

  void warn(const std::string& message) const {
    if (events_.on_warning) events_.on_warning(message);
  }

 private:
  // One warning for a log that stays behind, not one a line.
  void record(TrainingLog& log, const TrainingLog::Row& row) {
    const bool written = log.append(row);
    if (!written && !behind_)
      warn(config_.folder + ": the logs cannot be written at present; they are kept in memory");
    behind_ = !written;
  }

  const TrainConfig& config_;
  const TrainEvents& events_;
  std::optional<FaceDataset> valid_faces_;
  std::optional<TrainingLog> steps_, validations_;
  bool behind_ = false;
};

void refuse_to_overwrite(const std::string& checkpoint) {
  throw Error(ErrorCode::invalid_argument,
              checkpoint + ": is there already: go on from it with --resume, or begin anew with --overwrite");
}

void report_missing(const std::vector<std::string>& missing, const std::string& path,
                    const Recorder& recorder) {
  if (missing.empty()) return;
  recorder.warn(base::concat(path, ": has no tensor of the right shape for ", missing.size(),
                             " of the network's, which start afresh: ", missing.front(),
                             missing.size() > 1 ? ", ..." : ""));
}

}  // namespace

TrainOutcome run_training(const std::string& config_path, const RunOptions& options,
                          const TrainEvents& events, const StopAsked& stop) {
  const TrainConfig config = read_train_config(config_path);
  const ProcessPlace place = ProcessPlace::from_environment();
  check_batch(config, place.count);  // before waiting for the others
  std::optional<Processes> processes;
  if (place.count > 1) processes.emplace(place, config.device);
  Recorder recorder(config, events);
  Trainer trainer(config, recorder.events(), processes ? &*processes : nullptr);
  if (place.rank == 0) {
    const std::string checkpoint = trainer.checkpoint_path();
    const bool there = base::exists(checkpoint);
    if (there && !options.resume && !options.overwrite) refuse_to_overwrite(checkpoint);
    const bool resumed = there && options.resume;
    if (!resumed && !options.init.empty())
      report_missing(trainer.load_weights(options.init), options.init, recorder);
    recorder.open(resumed, resumed ? trainer.resume(checkpoint) : Position{});
  }
  return trainer.run(stop);
}

}  // namespace spiga::train
