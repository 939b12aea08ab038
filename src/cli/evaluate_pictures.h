// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string>

#include "annotations/annotations.h"
#include "cli/shared_options.h"
#include "eval/figures.h"
#include "scheme/scheme.h"

// What `spiga evaluate` does with the pictures themselves.
namespace spiga::cli {

struct ModelRun {
  NetworkOptions network;
  std::filesystem::path images;  // the folder that the annotations' picture names are relative to
  std::string detector;          // empty: annotated boxes
};

// Runs a model over all annotated faces; progress on stderr where that is a terminal.
annotations::FaceList predict_with_model(const ModelRun& run, const scheme::Database& database,
                                         const annotations::FaceList& truth);

// Cuts the report's small pictures from the pictures below `images`.
eval::JpegOfRegion jpegs_from(const std::filesystem::path& images);

}  // namespace spiga::cli
