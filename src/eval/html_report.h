// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>

#include "annotations/annotations.h"
#include "eval/comparison.h"
#include "eval/figures.h"
#include "scheme/scheme.h"

namespace spiga::eval {

struct Report {
  const scheme::Database& database;
  const annotations::FaceList& truth;
  std::span<const Method> methods;  // the first is what the report is about, the others stand beside it
  std::span<const Difference> differences;
  JpegOfRegion jpeg_of_region = {};  // empty: faces are drawn without pictures
};

// The report as one HTML page that needs no network: tables beside published figures, curves, errors by
// landmark, yaw, size, pose confusion, uncertainty, the 24 worst faces and the missed ones.
std::string html_report(const Report& report);

}  // namespace spiga::eval
