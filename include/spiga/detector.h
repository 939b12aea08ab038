// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "spiga/face.h"
#include "spiga/image.h"
#include "spiga/model.h"

namespace spiga {

// A face that a detector found. The box is calibrated: it is what the tight box of the face's landmarks would
// be (chin to eyebrows), whatever box the detector itself works with.
struct Detection {
  Box box;
  float score = 1;  // larger is surer; its scale is the detector's own
  // Probability that this is a face, 0 to 1, calibrated on faces that were not trained on (docs/detector.md);
  // NaN of a detector for which nobody has measured it.
  float confidence = std::numeric_limits<float>::quiet_NaN();
};

// How hard faces are looked for: from which share of the picture's longer side on, or for our own network
// from how many pixels where that side has less than 640 (`fast`) or 1280. docs/detector.md has each one's
// recall and cost.
enum class DetectorEffort {
  fast,      // a 40th, or 16 pixels; other detectors: a 16th, but at least 48 pixels
  normal,    // an 80th, or 8 pixels; others: a 40th, but at least 48 pixels
  thorough,  // as normal, others half as large; and turned by up to 60 degrees either way; a second look at
             // each through a mirror
};

struct DetectorOptions {
  DetectorEffort effort = DetectorEffort::normal;
  // Faces whose larger box side is at least this long are looked for; 0 leaves it to the effort. Time grows
  // with the square of 1 / min_face_px.
  float min_face_px = 0;
  // Detections below are dropped; 0 is a detector's own operating point, higher is stricter, lower finds more
  // faces and more that are none. The default leaves out what hardly looks like a face.
  float score_threshold = 0.1F;
  int threads = 1;  // of one call, for detectors that are our own network; 0 = all
};

// Finds faces. One object serves one thread at a time; make one per thread (DetectorMaker).
class Detector {
 public:
  virtual ~Detector() = default;

  // The faces in the picture, surest first; boxes may reach over the picture's edge. No face is an empty
  // vector. Throws Error(invalid_argument) where the picture has no pixels.
  virtual std::vector<Detection> detect(const ImageView& image) = 0;

  // Whether a part of a picture costs much less than the whole, so that in a video it pays to look only where
  // no face is followed. One whose time goes into preparing for a size of pictures says no.
  virtual bool prefers_parts() const { return true; }
};

inline constexpr const char* kDefaultDetector = "builtin";

// Makes detectors that share what was loaded, such as a network with its weights. Throws
// Error(invalid_argument) where an option makes no sense. Safe from any thread.
using DetectorMaker = std::function<std::unique_ptr<Detector>(const DetectorOptions& options)>;

// Loads a detector by name: "builtin" is our own network (docs/detector.md) from default_detector_path(),
// "builtin:FILE" from another model file, both computing in `precision`; "dlib" is dlib's frontal HOG
// detector; "yunet:FILE" is YuNet from an ONNX file, run by OpenCV, which reads the file for each detector.
// Throws Error(invalid_argument) that names the known ones; not_found, bad_data and unsupported as
// Model::load.
DetectorMaker load_detector(std::string_view name, Precision precision = Precision::automatic);

// One that shares nothing with others.
std::unique_ptr<Detector> make_detector(std::string_view name, const DetectorOptions& options = {},
                                        Precision precision = Precision::automatic);
// Our own network from a model that was loaded before. Throws Error(bad_data) where it is none of a detector.
std::unique_ptr<Detector> make_detector(const Model& model, const DetectorOptions& options = {});

}  // namespace spiga
