// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// In place of yunet_detector.cc where OpenCV's objdetect is left out.
#include "base/left_out.h"
#include "vision/yunet_detector.h"

namespace spiga::vision {

std::unique_ptr<Detector> make_yunet_detector(const std::string&, const DetectorOptions&) {
  base::left_out("detector yunet", "SPIGA_WITH_YUNET");
}

}  // namespace spiga::vision
