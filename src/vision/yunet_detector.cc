// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/yunet_detector.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect/face.hpp>

#include "spiga/error.h"
#include "vision/detector_passes.h"
#include "vision/image_mat.h"

namespace spiga::vision {
namespace {

// Boxes of the smallest anchors are 10 pixels wide; faces come out well from about twice that.
constexpr double kSmallestFacePx = 20;
constexpr double kMostPixels = 16e6;
constexpr float kOperatingPoint = 0.6f;  // YuNet's own score of a face
constexpr float kSameFaceOverlap = 0.3f;
constexpr int kMostFaces = 5000;
// YuNet is taught WIDER FACE's boxes, which reach from the hairline to the chin; ours begin at the eyebrows.
constexpr float kForehead = 0.2f;

// OpenCV prints what it thinks of a file; a library does not.
class SilentOpencv {
 public:
  SilentOpencv() : before_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)) {}
  SilentOpencv(const SilentOpencv&) = delete;
  SilentOpencv& operator=(const SilentOpencv&) = delete;
  ~SilentOpencv() { cv::utils::logging::setLogLevel(before_); }

 private:
  cv::utils::logging::LogLevel before_;
};

cv::Ptr<cv::FaceDetectorYN> load(const std::string& file, float threshold) {
  if (!std::filesystem::is_regular_file(file)) throw Error(ErrorCode::not_found, file + ": no such file");
  const SilentOpencv silence;
  try {
    return cv::FaceDetectorYN::create(file, "", {320, 320}, threshold, kSameFaceOverlap, kMostFaces);
  } catch (const cv::Exception&) {
    throw Error(ErrorCode::bad_data, file + ": expected YuNet as an ONNX file that OpenCV " CV_VERSION
                                            " reads, found something else");
  }
}

class YunetDetector : public Detector {
 public:
  YunetDetector(const std::string& file, const DetectorOptions& options)
      : file_(file),
        options_(options),
        network_(load(file, std::clamp(own_score(options.score_threshold), 0.0f, 1.0f))) {}

  std::vector<Detection> detect(const ImageView& image) override {
    const cv::Mat pixels = as_mat(image);
    cv::Mat bgr, scaled;
    to_bgr(pixels, image.format, bgr);
    const double scale = std::min(kSmallestFacePx / smallest_face(options_, pixels.cols, pixels.rows),
                                  std::sqrt(kMostPixels / static_cast<double>(pixels.total())));
    const cv::Size size(std::max(1, static_cast<int>(std::lround(scale * pixels.cols))),
                        std::max(1, static_cast<int>(std::lround(scale * pixels.rows))));
    cv::resize(bgr, scaled, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    const cv::Mat found = run(scaled);
    std::vector<Detection> detections;
    const float x_scale = static_cast<float>(pixels.cols) / static_cast<float>(size.width);
    const float y_scale = static_cast<float>(pixels.rows) / static_cast<float>(size.height);
    for (int row = 0; row < found.rows; ++row)
      detections.push_back(calibrated(found.ptr<float>(row), x_scale, y_scale));
    std::ranges::stable_sort(detections, std::greater<>(), &Detection::score);
    return detections;
  }

 private:
  static float own_score(float score) { return kOperatingPoint + (1 - kOperatingPoint) * score; }

  // [faces, 15]: box, five points, score.
  cv::Mat run(const cv::Mat& bgr) {
    cv::Mat faces;
    const SilentOpencv silence;
    try {
      network_->setInputSize(bgr.size());
      network_->detect(bgr, faces);
    } catch (const cv::Exception& error) {
      throw Error(ErrorCode::bad_data, file_ + ": this network does not answer like YuNet: " + error.err);
    }
    return faces;
  }

  static Detection calibrated(const float* face, float x_scale, float y_scale) {
    const float top = face[1] + kForehead * face[3], height = (1 - kForehead) * face[3];
    return {{x_scale * face[0], y_scale * top, x_scale * face[2], y_scale * height},
            (face[14] - kOperatingPoint) / (1 - kOperatingPoint)};
  }

  std::string file_;
  DetectorOptions options_;
  cv::Ptr<cv::FaceDetectorYN> network_;
};

}  // namespace

std::unique_ptr<Detector> make_yunet_detector(const std::string& file, const DetectorOptions& options) {
  return std::make_unique<YunetDetector>(file, options);
}

}  // namespace spiga::vision
