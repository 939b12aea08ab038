// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "cli/shared_options.h"
#include "eval/degradation.h"
#include "eval/figures.h"
#include "scheme/scheme.h"
#include "spiga/quality.h"

// What `spiga evaluate` does with the pictures themselves.
namespace spiga::cli {

struct ModelRun {
  NetworkOptions network;
  std::filesystem::path images;  // the folder that the annotations' picture names are relative to
  std::string detector;          // empty: annotated boxes
  Quality quality = Quality::fast;
};

// Runs a model over all annotated faces; progress on stderr where that is a terminal.
annotations::FaceList predict_with_model(const ModelRun& run, const scheme::Database& database,
                                         const annotations::FaceList& truth);

// Runs a model over all annotated faces in pictures made worse.
eval::DegradationScores score_degraded_pictures(const ModelRun& run, const scheme::Database& database,
                                                const annotations::FaceList& truth,
                                                const std::vector<eval::Degradation>& degradations,
                                                const eval::EvaluationOptions& options);

// Cuts the report's small pictures from the pictures below `images`.
eval::JpegOfRegion jpegs_from(const std::filesystem::path& images);

}  // namespace spiga::cli
