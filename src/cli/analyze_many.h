// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "cli/analyze_pictures.h"
#include "cli/analyze_video.h"

namespace spiga::cli {

// What analyzing many inputs into a folder asks for.
struct ManyOptions {
  std::string out;  // folder; empty: this is not asked for
  std::string write = "lines";
  int jobs = 0;  // inputs at once; 0: one per thread
  bool resume = false;
  bool progress = false;
  std::string shard;  // "I/N"; empty: all
};

void add_many_options(CLI::App& command, ManyOptions& options);

// Throws Error(invalid_argument) for options that do not go together with many.out, or need it.
void check_many_options(const AnalyzeOptions& options, const VideoOptions& video, const ManyOptions& many);

// Pictures, videos and folders of both, each with files of its own below many.out. Several inputs are worked
// on at once; what one holds is bounded, so the memory is that of many.jobs inputs whatever their number.
// Returns the exit status; throws Error where nothing can be done at all or results cannot be written.
int analyze_many(const AnalyzeOptions& options, const VideoOptions& video, const ManyOptions& many);

}  // namespace spiga::cli
