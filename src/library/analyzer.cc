// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/analyzer.h"

#include <utility>

#include "spiga/error.h"

namespace spiga {

Analyzer Analyzer::load(const AnalyzerOptions& options) {
  // The detector first: it refuses in microseconds.
  std::unique_ptr<Detector> detector = make_detector(options.detector, options.detector_options);
  return {Landmarker::load(options.model.empty() ? default_model_path() : options.model, options.landmarker),
          std::move(detector)};
}

Analyzer::Analyzer(Landmarker landmarker, std::unique_ptr<Detector> detector)
    : landmarker_(std::move(landmarker)), detector_(std::move(detector)) {
  if (!detector_) throw Error(ErrorCode::invalid_argument, "analyzer: expected a detector, found none");
}

std::vector<Face> Analyzer::analyze(const ImageView& image) {
  const std::vector<Detection> detections = detector_->detect(image);
  return landmarker_.locate(image, detections);
}

}  // namespace spiga
