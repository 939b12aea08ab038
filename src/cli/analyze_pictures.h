// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/shared_options.h"
#include "media/face_fitter.h"
#include "spiga/analyzer.h"

namespace spiga::cli {

struct AnalyzeOptions {
  std::vector<std::string> inputs;
  bool recursive = false;
  std::string output = "-";
  std::string csv;                 // empty: none
  bool openface = false;           // the table as OpenFace 2.2 has it
  std::optional<bool> all_rows;    // of the table: of what has no face, too; unset: of videos
  std::string overlay;             // folder; empty: none
  std::string boxes;               // annotation file; empty: detect
  std::optional<Quality> quality;  // unset: normal for pictures, fast for videos
  int max_faces = 0;               // 0: all
  AnalyzerOptions analyzer;        // all but quality and what NetworkOptions::apply_to sets
  NetworkOptions network;
  media::Face3dOptions face3d;
};

// Without a detector where boxes are given. Throws Error as Analyzer::load.
Analyzer load_analyzer(const AnalyzeOptions& options, int threads);

// Each picture is worked on by one thread from decoding to its overlay, several pictures at a time, and their
// lines come out in the order of the inputs. Returns the exit status; throws Error where nothing can be done
// at all or the output cannot be written.
int analyze_pictures(const AnalyzeOptions& options);

}  // namespace spiga::cli
