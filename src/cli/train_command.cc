// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "train/run.h"

namespace spiga::cli {
namespace {

struct TrainOptions {
  std::string config;
  std::string init;
  bool resume = false;
};

std::atomic<bool> stop_training{false};

// The first signal asks for a checkpoint and an orderly end, the second one gets the default treatment.
void ask_to_stop(int signal) {
  stop_training = true;
  std::signal(signal, SIG_DFL);
}

std::string duration(double seconds) {
  char text[32];
  const auto minutes = static_cast<long>(seconds / 60);
  std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", minutes / 60, minutes % 60,
                static_cast<long>(seconds) % 60);
  return text;
}

std::string step_line(const train::StepReport& report) {
  char text[256];
  std::snprintf(text, sizeof text, "stage %d  step %ld/%ld  loss %.4f  lr %.2e  %.1f faces/s  ETA %s",
                report.stage, static_cast<long>(report.step + 1), static_cast<long>(report.steps),
                report.loss, report.learning_rate, report.faces_per_second,
                duration(report.eta_seconds).c_str());
  return text;
}

std::string validation_line(const train::StepReport& report, const train::Validation& validation) {
  char text[256];
  std::snprintf(text, sizeof text,
                "stage %d  step %ld  validation: NME %.3f %%  (start %.3f)  failures %.2f %%  pose %.2f deg "
                "(yaw %.2f pitch %.2f roll %.2f)",
                report.stage, static_cast<long>(report.step + 1), validation.nme, validation.initial_nme,
                validation.failure_rate, validation.pose_deg, validation.yaw_deg, validation.pitch_deg,
                validation.roll_deg);
  return text;
}

int run_train(const TrainOptions& options) {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  train::TrainEvents events;
  events.on_step = [terminal](const train::StepReport& report) {
    if (terminal)
      std::cerr << '\r' << step_line(report) << "   " << std::flush;
    else if (report.step % 100 == 99 || report.step == 0)
      std::cerr << step_line(report) << '\n';
  };
  events.on_validation = [terminal](const train::StepReport& report, const train::Validation& validation) {
    std::cerr << (terminal ? "\n" : "") << validation_line(report, validation) << '\n';
  };
  const train::TrainOutcome outcome = train::run_training(
      options.config, {.resume = options.resume, .init = options.init}, events, stop_training);
  if (terminal) std::cerr << '\n';
  return outcome == train::TrainOutcome::finished ? kDone : kInterrupted;
}

}  // namespace

void add_train(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = program.add_subcommand("train", "Train a network from packed faces");
  command->add_option("CONFIG", options->config, "Recipe (TOML): network, data, stages")->required();
  command->add_flag("--resume", options->resume,
                    "Go on from the checkpoint in the recipe's folder, if there is one");
  command->add_option("--init", options->init, "Start from the weights of this checkpoint or model file");
  command->footer(
      "A run writes checkpoint.safetensors, log.csv and validation.csv into the recipe's folder.\n"
      "SIGINT or SIGTERM writes a checkpoint and leaves; --resume goes on exactly there.\n\n"
      "Example:\n  spiga pack ../300w/train.json -o runs/train.pack\n"
      "  spiga train configs/default-300w68.toml --resume");
  command->callback([options, &chosen] { chosen = [options] { return run_train(*options); }; });
}

}  // namespace spiga::cli
