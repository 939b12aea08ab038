// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "base/numbers.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "train/detector_config.h"
#include "train/detector_trainer.h"
#include "train/run.h"

namespace spiga::cli {
namespace {

using base::duration_text;
using base::fixed;
using base::scientific;

struct TrainOptions {
  std::string config;
  train::RunOptions run;
};

std::string step_line(const train::StepReport& report) {
  std::string losses;
  for (const auto& [name, value] : report.losses) losses += base::concat("  ", name, ' ', fixed(value, 3));
  return base::concat("stage ", report.stage, "  step ", report.step + 1, '/', report.steps, "  loss ",
                      fixed(report.loss, 3), losses, "  lr ", scientific(report.learning_rate, 1), "  ",
                      fixed(report.faces_per_second, 1), " faces/s  ETA ", duration_text(report.eta_seconds));
}

std::string validation_line(const train::StepReport& report, const train::Validation& v) {
  return base::concat("stage ", report.stage, "  step ", report.step + 1, "  validation: NME ",
                      fixed(v.nme, 3), " % (start ", fixed(v.initial_nme, 3), ")  failures ",
                      fixed(v.failure_rate, 2), " %  pose ", fixed(v.pose_deg, 2), " deg (yaw ",
                      fixed(v.yaw_deg, 2), ", pitch ", fixed(v.pitch_deg, 2), ", roll ", fixed(v.roll_deg, 2),
                      ')');
}

// What happens, on stderr: one line that changes where it is a terminal, else a line every 100 steps.
std::string detector_line(const train::StepReport& report, const train::DetectorValidation& v) {
  return base::concat("step ", report.step + 1, "  validation: recall ", fixed(100 * v.recall, 2), " % at ",
                      v.false_per_picture, " unannotated boxes a picture (score ", fixed(v.threshold, 3),
                      ", IoU ", fixed(v.mean_overlap, 3), ")");
}

class Console {
 public:
  train::TrainEvents events() {
    return {.on_step = [this](const train::StepReport& report) { step(report); },
            .on_validation = [this](const train::StepReport& report,
                                    const train::Validation& v) { line(validation_line(report, v)); },
            .on_warning = [this](const std::string& message) { line("spiga: warning: " + message); }};
  }
  train::DetectorEvents detector_events() {
    return {.on_step = [this](const train::StepReport& report) { step(report); },
            .on_validation = [this](const train::StepReport& report,
                                    const train::DetectorValidation& v) { line(detector_line(report, v)); },
            .on_warning = [this](const std::string& message) { line("spiga: warning: " + message); }};
  }
  void end() { status_.wipe(); }

 private:
  void step(const train::StepReport& report) {
    if (status_.enabled()) {
      status_.show(step_line(report));
    } else if (report.step % 100 == 99 || report.step == 0) {
      line(step_line(report));
    }
  }
  void line(const std::string& text) {
    end();
    std::cerr << text << std::endl;
  }

  StatusLine status_;
};

int run_train(const TrainOptions& options) {
  catch_interrupts();
  Console console;
  if (train::is_detector_recipe(options.config)) {
    const auto outcome =
        train::run_detector_training(options.config, options.run, console.detector_events(), interrupted);
    console.end();
    return outcome == train::TrainOutcome::finished ? kDone : kInterrupted;
  }
  const train::TrainOutcome outcome =
      train::run_training(options.config, options.run, console.events(), interrupted);
  console.end();
  return outcome == train::TrainOutcome::finished ? kDone : kInterrupted;
}

}  // namespace

void add_train(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = program.add_subcommand("train", "Train a network from packed faces");
  command->add_option("CONFIG", options->config, "Recipe (TOML): network, data, stages")->required();
  auto* resume = command->add_flag("--resume", options->run.resume,
                                   "Go on from the checkpoint in the recipe's folder, if there is one");
  command->add_flag("--overwrite", options->run.overwrite, "Begin anew although there is a checkpoint")
      ->excludes(resume);
  command->add_option("--init", options->run.init, "Start from the weights of this checkpoint or model file");
  command->footer(
      "A run writes checkpoint.safetensors, log.csv, validation.csv and report.html into the recipe's "
      "folder.\n"
      "SIGINT or SIGTERM writes a checkpoint and leaves; --resume goes on exactly there. Several processes "
      "train\n"
      "together as RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say (docs/training.md).\n\n"
      "Example:\n  spiga pack 300w/train.json -o runs/data/train.pack\n"
      "  spiga pack 300w/valid.json -o runs/data/valid.pack\n"
      "  spiga train configs/default-300w68.toml --resume");
  command->callback([options, &chosen] { chosen = [options] { return run_train(*options); }; });
}

}  // namespace spiga::cli
