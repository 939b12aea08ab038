// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/detector.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "spiga/default_files.h"
#include "spiga/error.h"
#include "vision/builtin_detector.h"
#include "vision/detector_passes.h"
#include "vision/dlib_detector.h"
#include "vision/yunet_detector.h"

namespace spiga {
namespace {

void check(const DetectorOptions& options) {
  constexpr float kSmallest = 8;
  if (options.min_face_px != 0 && !(options.min_face_px >= kSmallest && std::isfinite(options.min_face_px)))
    throw Error(ErrorCode::invalid_argument, "detector: min_face_px: expected 0 or at least 8, found " +
                                                 std::to_string(options.min_face_px));
  if (!std::isfinite(options.score_threshold))
    throw Error(ErrorCode::invalid_argument, "detector: score_threshold: expected a number");
  if (options.threads < 0)
    throw Error(ErrorCode::invalid_argument,
                "detector: threads: expected at least 0, found " + std::to_string(options.threads));
}

std::unique_ptr<Detector> make_with_effort(const DetectorMaker& make, const DetectorOptions& options) {
  check(options);
  std::vector<vision::DetectorPass> passes = vision::passes_of(options.effort);
  if (passes.size() == 1) return make(options);
  return vision::make_multi_pass_detector(std::move(passes), make(options));
}

// What a name stands for: KIND or KIND:FILE. New kinds of detectors are added here.
DetectorMaker maker_of(std::string_view name, Precision precision) {
  constexpr std::string_view kYunet = "yunet:";
  constexpr std::string_view kBuiltin = "builtin:";
  if (name == "dlib") return vision::make_dlib_detector;
  if (name == "builtin" || (name.starts_with(kBuiltin) && name.size() > kBuiltin.size())) {
    const Model model = Model::load(
        name == "builtin" ? default_detector_path() : std::string(name.substr(kBuiltin.size())), precision);
    model.network(ModelKind::detector);  // throws where it is none
    return [model](const DetectorOptions& options) { return vision::make_builtin_detector(model, options); };
  }
  if (name.starts_with(kYunet) && name.size() > kYunet.size())
    return [file = std::string(name.substr(kYunet.size()))](const DetectorOptions& options) {
      return vision::make_yunet_detector(file, options);
    };
  throw Error(
      ErrorCode::invalid_argument,
      "detector: expected builtin, builtin:FILE, dlib or yunet:FILE, found '" + std::string(name) + "'");
}

}  // namespace

DetectorMaker load_detector(std::string_view name, Precision precision) {
  return [make = maker_of(name, precision)](const DetectorOptions& options) {
    return make_with_effort(make, options);
  };
}

std::unique_ptr<Detector> make_detector(std::string_view name, const DetectorOptions& options,
                                        Precision precision) {
  check(options);  // sooner than a file is read
  return load_detector(name, precision)(options);
}

std::unique_ptr<Detector> make_detector(const Model& model, const DetectorOptions& options) {
  return make_with_effort(
      [&](const DetectorOptions& chosen) { return vision::make_builtin_detector(model, chosen); }, options);
}

}  // namespace spiga
