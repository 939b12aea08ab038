// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "spiga/detector.h"

namespace spiga::vision {

// YuNet (Wu, Peng and Yu, 2023) through OpenCV's FaceDetectorYN, from an ONNX file of the form that this
// OpenCV knows: for 4.6, the file face_detection_yunet_2022mar.onnx. Scores are told so that YuNet's own
// operating point, 0.6, is 0 and certainty is 1.
// Throws Error(not_found) where there is no such file, Error(bad_data) where it is no network.
std::unique_ptr<Detector> make_yunet_detector(const std::string& file, const DetectorOptions& options);

}  // namespace spiga::vision
