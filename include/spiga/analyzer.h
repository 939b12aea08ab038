// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spiga/default_files.h"
#include "spiga/detector.h"
#include "spiga/landmarker.h"

namespace spiga {

struct AnalyzerOptions {
  std::string model = {};  // model file; empty: default_model_path()
  LandmarkerOptions landmarker = {};
  std::string detector = kDefaultDetector;
  DetectorOptions detector_options = {};
};

// Detector and landmarker in one: from a picture to its faces. One object serves one thread at a time; one
// per thread share the model where their landmarkers are copies of one another.
class Analyzer {
 public:
  // Throws Error as Landmarker::load and make_detector.
  static Analyzer load(const AnalyzerOptions& options = {});
  // The detector must not be null.
  Analyzer(Landmarker landmarker, std::unique_ptr<Detector> detector);

  // The picture's faces, surest first; no face is an empty vector. Throws Error(invalid_argument) where the
  // picture has no pixels.
  std::vector<Face> analyze(const ImageView& image);

  Landmarker& landmarker() { return landmarker_; }
  Detector& detector() { return *detector_; }

 private:
  Landmarker landmarker_;
  std::unique_ptr<Detector> detector_;
};

}  // namespace spiga
