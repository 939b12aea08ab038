// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/detector.h"

#include <cmath>
#include <string>

#include "spiga/error.h"
#include "vision/dlib_detector.h"

namespace spiga {

std::unique_ptr<Detector> make_detector(std::string_view name, const DetectorOptions& options) {
  constexpr float kSmallest = 8;
  if (options.min_face_px != 0 && !(options.min_face_px >= kSmallest && std::isfinite(options.min_face_px)))
    throw Error(ErrorCode::invalid_argument, "detector: min_face_px: expected 0 or at least 8, found " +
                                                 std::to_string(options.min_face_px));
  if (!std::isfinite(options.score_threshold))
    throw Error(ErrorCode::invalid_argument, "detector: score_threshold: expected a number");
  if (name == "dlib") return vision::make_dlib_detector(options);
  throw Error(ErrorCode::invalid_argument, "detector: expected 'dlib', found '" + std::string(name) + "'");
}

}  // namespace spiga
