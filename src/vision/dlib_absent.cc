// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// In place of dlib_detector.cc where dlib is left out.
#include "base/left_out.h"
#include "vision/dlib_detector.h"

namespace spiga::vision {

std::unique_ptr<Detector> make_dlib_detector(const DetectorOptions&) {
  base::left_out("detector dlib", "SPIGA_WITH_DLIB");
}

}  // namespace spiga::vision
