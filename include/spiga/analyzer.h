// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "spiga/default_files.h"
#include "spiga/detector.h"
#include "spiga/landmarker.h"

namespace spiga {

// Everything there is to choose about finding faces and their landmarks.
struct AnalyzerOptions {
  std::string model = {};                      // landmarks' model file; empty: default_model_path()
  std::string detector = kDefaultDetector;     // as load_detector takes it; empty: none, boxes are given
  Precision precision = Precision::automatic;  // of both networks
  int threads = 1;                             // of one call of either network; 0 = all
  int max_batch = 8;                           // as LandmarkerOptions
  Sampling sampling = Sampling::bilinear;
  Quality quality = Quality::normal;  // as LandmarkerOptions; a FaceTracker looks once (Quality::fast)
  DetectorEffort effort = DetectorEffort::normal;  // as DetectorOptions
  float min_face_px = 0;
  float score_threshold = DetectorOptions{}.score_threshold;

  LandmarkerOptions landmarker_options() const;
  DetectorOptions detector_options() const;
};

// Detector and landmarker in one: from a picture to its faces. One object serves one thread at a time. Copies
// share the models (immutable, read once) and have sessions of their own: make one per thread.
class Analyzer {
 public:
  // Throws Error as Model::load, load_detector and Landmarker.
  static Analyzer load(const AnalyzerOptions& options = {});
  // Of parts. An empty maker: boxes are given. Throws what the maker throws.
  explicit Analyzer(Landmarker landmarker, DetectorMaker detector = {}, const DetectorOptions& options = {});

  Analyzer(const Analyzer& other);
  Analyzer& operator=(const Analyzer& other);
  Analyzer(Analyzer&&) noexcept = default;
  Analyzer& operator=(Analyzer&&) noexcept = default;
  ~Analyzer() = default;

  // The picture's faces, surest first; no face is an empty vector. Throws Error(invalid_argument) where the
  // picture has no pixels or there is no detector.
  std::vector<Face> analyze(const ImageView& image);
  // The two halves of it: where the faces are, and the faces in boxes (see Landmarker::locate).
  std::vector<Detection> detect(const ImageView& image);
  std::vector<Face> locate(const ImageView& image, std::span<const Detection> detections);
  std::vector<Face> locate(const ImageView& image, std::span<const Box> boxes);

  Landmarker& landmarker() { return landmarker_; }
  const Landmarker& landmarker() const { return landmarker_; }
  bool has_detector() const { return detector_ != nullptr; }
  // Throws Error(invalid_argument) where there is none.
  Detector& detector();
  // Another detector that shares what this one's was loaded from. Throws as detector().
  std::unique_ptr<Detector> make_detector(const DetectorOptions& options) const;
  const DetectorOptions& detector_options() const { return detector_options_; }

 private:
  Landmarker landmarker_;
  DetectorMaker maker_;
  DetectorOptions detector_options_;
  std::unique_ptr<Detector> detector_;
};

}  // namespace spiga
