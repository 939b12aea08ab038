// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/run.h"

#include <filesystem>
#include <fstream>

#include "spiga/error.h"

namespace spiga::train {
namespace {

// Appends lines to a CSV file; a resumed run goes on in the same file.
class CsvLog {
 public:
  CsvLog(const std::string& path, const std::string& header, bool append) : path_(path) {
    const bool fresh = !append || !std::filesystem::exists(path);
    out_.open(path, fresh ? std::ios::trunc : std::ios::app);
    if (fresh) out_ << header << '\n';
    check();
  }
  std::ostream& line() { return out_; }
  void end_line() {
    out_ << '\n' << std::flush;
    check();
  }

 private:
  void check() const {
    if (!out_) throw Error(ErrorCode::io, path_ + ": cannot be written");
  }
  std::string path_;
  std::ofstream out_;
};

constexpr std::int64_t kStepsPerLogLine = 20;

void log_step(CsvLog& log, const StepReport& report) {
  if (report.step % kStepsPerLogLine != 0) return;
  log.line() << report.stage << ',' << report.step << ',' << report.learning_rate << ',' << report.loss << ','
             << report.gradient_norm << ',' << report.faces_per_second << ',';
  for (const auto& [name, value] : report.losses) log.line() << name << '=' << value << ' ';
  log.end_line();
}

void log_validation(CsvLog& log, const StepReport& report, const Validation& v) {
  log.line() << report.stage << ',' << report.step << ',' << v.nme << ',' << v.initial_nme << ','
             << v.failure_rate << ',' << v.yaw_deg << ',' << v.pitch_deg << ',' << v.roll_deg << ','
             << v.pose_deg;
  log.end_line();
}

}  // namespace

TrainOutcome run_training(const std::string& config_path, const RunOptions& options,
                          const TrainEvents& events, const std::atomic<bool>& stop) {
  const TrainConfig config = read_train_config(config_path);
  std::filesystem::create_directories(config.folder);
  CsvLog steps(config.folder + "/log.csv",
               "stage,step,learning_rate,loss,gradient_norm,faces_per_second,parts", options.resume);
  CsvLog validations(config.folder + "/validation.csv",
                     "stage,step,nme,initial_nme,failure_rate,yaw_deg,pitch_deg,roll_deg,pose_deg",
                     options.resume);
  TrainEvents both = events;
  both.on_step = [&](const StepReport& report) {
    log_step(steps, report);
    if (events.on_step) events.on_step(report);
  };
  both.on_validation = [&](const StepReport& report, const Validation& validation) {
    log_validation(validations, report, validation);
    if (events.on_validation) events.on_validation(report, validation);
  };
  Trainer trainer(config, both);
  if (options.resume && std::filesystem::exists(trainer.checkpoint_path()))
    trainer.resume(trainer.checkpoint_path());
  else if (!options.init.empty())
    trainer.load_weights(options.init);
  return trainer.run(stop);
}

}  // namespace spiga::train
