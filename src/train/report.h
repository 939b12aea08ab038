// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "train/config.h"
#include "train/packed.h"
#include "train/training_log.h"
#include "train/validation.h"

namespace spiga::train {

// What is known of a run when it has been validated.
struct RunReport {
  const TrainConfig& config;
  const TrainingLog& steps;
  const TrainingLog& validations;
  const FaceDataset& valid_faces;
  const Validation& validation;  // the last one
};

// Every curve of the run as one drawing: losses, errors, learning rate against thousands of faces seen.
std::string draw_curves(const RunReport& run);

// The page: how it stands, curves, recipe, and the worst faces of the last validation with prediction and
// truth. It needs no other file.
std::string report_page(const RunReport& run);

// Writes FOLDER/report.html and FOLDER/curves.svg, and FOLDER/curves.png with the program rsvg-convert
// (Debian: librsvg2-bin) where it is installed. Throws Error(io).
void write_report(const RunReport& run);

}  // namespace spiga::train
