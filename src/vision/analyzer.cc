// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/analyzer.h"

#include <utility>

#include "spiga/error.h"

namespace spiga {
namespace {

[[noreturn]] void refuse_to_detect() {
  throw Error(ErrorCode::invalid_argument, "analyzer: expected a detector, found none");
}

}  // namespace

LandmarkerOptions AnalyzerOptions::landmarker_options() const {
  return {.threads = threads, .max_batch = max_batch, .sampling = sampling, .quality = quality};
}

DetectorOptions AnalyzerOptions::detector_options() const {
  return {
      .effort = effort, .min_face_px = min_face_px, .score_threshold = score_threshold, .threads = threads};
}

Analyzer Analyzer::load(const AnalyzerOptions& options) {
  // The detector first: it refuses sooner.
  DetectorMaker detector;
  if (!options.detector.empty()) detector = load_detector(options.detector, options.precision);
  return Analyzer(Landmarker::load(options.model.empty() ? default_model_path() : options.model,
                                   options.landmarker_options(), options.precision),
                  std::move(detector), options.detector_options());
}

Analyzer::Analyzer(Landmarker landmarker, DetectorMaker detector, const DetectorOptions& options)
    : landmarker_(std::move(landmarker)), maker_(std::move(detector)), detector_options_(options) {
  if (maker_) detector_ = make_detector(options);
}

Analyzer::Analyzer(const Analyzer& other)
    : Analyzer(other.landmarker_, other.maker_, other.detector_options_) {}

Analyzer& Analyzer::operator=(const Analyzer& other) {
  if (this != &other) *this = Analyzer(other);
  return *this;
}

std::vector<Face> Analyzer::analyze(const ImageView& image) { return locate(image, detect(image)); }

std::vector<Detection> Analyzer::detect(const ImageView& image) { return detector().detect(image); }

std::vector<Face> Analyzer::locate(const ImageView& image, std::span<const Detection> detections) {
  return landmarker_.locate(image, detections);
}

std::vector<Face> Analyzer::locate(const ImageView& image, std::span<const Box> boxes) {
  return landmarker_.locate(image, boxes);
}

Detector& Analyzer::detector() {
  if (!detector_) refuse_to_detect();
  return *detector_;
}

std::unique_ptr<Detector> Analyzer::make_detector(const DetectorOptions& options) const {
  if (!maker_) refuse_to_detect();
  return maker_(options);
}

}  // namespace spiga
