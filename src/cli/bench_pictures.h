// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "spiga/precision.h"

namespace spiga::cli {

struct BenchPicturesOptions {
  std::string folder;
  std::string model;  // of landmarks; empty: the default one
  Precision precision = Precision::automatic;
  int threads = 1;  // pictures at a time; 0: one per processor
  bool json = false;
};

// Analyses the pictures of a folder as `spiga analyze` does with its default options, writes nothing, and
// prints pictures a second and where the processor's time goes. Returns the exit status; throws Error where
// there is no picture, or as Analyzer::load.
int bench_pictures(const BenchPicturesOptions& options);

}  // namespace spiga::cli
