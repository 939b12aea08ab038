// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/dlib_detector.h"

#include <dlib/image_processing/frontal_face_detector.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "vision/detector_passes.h"
#include "vision/image_mat.h"

// dlib's headers take 20 seconds to compile: nothing else belongs in this file.
namespace spiga::vision {
namespace {

// dlib's window is 80 pixels wide; the tight landmark box of the smallest face it finds is this long.
constexpr double kSmallestFacePx = 78;
// More is not scanned, and larger pictures are shrunk first: about 3 seconds and 300 MB.
constexpr double kMostPixels = 40e6;

// The tight landmark box within dlib's square, per filter: centre relative to the square's centre, width,
// height, all in units of the square's side. Medians over the 1,647 faces of 1,787 that dlib finds in
// uncropped LFPW, HELEN and AFW training pictures, the mirrored filters (1 and 2, 3 and 4) averaged.
struct Calibration {
  float centre_x, centre_y, width, height;
};
constexpr std::array<Calibration, 5> kCalibration = {{
    {-0.007f, 0.065f, 0.966f, 0.946f},  // looks ahead
    {0.109f, 0.123f, 0.916f, 0.897f},   // looks to the picture's left
    {-0.109f, 0.123f, 0.916f, 0.897f},  // to its right
    {-0.025f, 0.053f, 0.971f, 0.969f},  // head tilted
    {0.025f, 0.053f, 0.971f, 0.969f},   // to the other side
}};

// Unpacked once (a tenth of a second), copied from then on.
const dlib::frontal_face_detector& built_in_filters() {
  static const dlib::frontal_face_detector filters = dlib::get_frontal_face_detector();
  return filters;
}

int grey_conversion(PixelFormat format) {
  switch (format) {
    case PixelFormat::rgb8:
      return cv::COLOR_RGB2GRAY;
    case PixelFormat::bgra8:
      return cv::COLOR_BGRA2GRAY;
    case PixelFormat::rgba8:
      return cv::COLOR_RGBA2GRAY;
    default:
      return cv::COLOR_BGR2GRAY;
  }
}

class DlibDetector : public Detector {
 public:
  explicit DlibDetector(const DetectorOptions& options) : options_(options), detector_(built_in_filters()) {}

  std::vector<Detection> detect(const ImageView& image) override {
    const cv::Mat pixels = as_mat(image);
    fill_grey(pixels, image.format);
    std::vector<dlib::rect_detection> found;
    detector_(grey_, found, options_.score_threshold);
    std::vector<Detection> detections;
    detections.reserve(found.size());
    for (const dlib::rect_detection& one : found) detections.push_back(calibrated(one, pixels.size()));
    return detections;  // dlib lists the surest first
  }

 private:
  // How much larger than the picture the scanned one is.
  double scan_scale(const cv::Mat& pixels) const {
    const double smallest = smallest_face(options_, pixels.cols, pixels.rows);
    return std::min(kSmallestFacePx / smallest, std::sqrt(kMostPixels / static_cast<double>(pixels.total())));
  }

  void fill_grey(const cv::Mat& pixels, PixelFormat format) {
    cv::Mat grey = pixels;
    if (format != PixelFormat::gray8) cv::cvtColor(pixels, grey, grey_conversion(format));
    const double scale = scan_scale(pixels);
    const int rows = std::max(1, static_cast<int>(std::lround(pixels.rows * scale)));
    const int columns = std::max(1, static_cast<int>(std::lround(pixels.cols * scale)));
    grey_.set_size(rows, columns);
    cv::Mat target(rows, columns, CV_8UC1, dlib::image_data(grey_),
                   static_cast<std::size_t>(dlib::width_step(grey_)));
    cv::resize(grey, target, target.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  }

  Detection calibrated(const dlib::rect_detection& one, const cv::Size& size) const {
    const Calibration& c = kCalibration[std::min<std::size_t>(one.weight_index, kCalibration.size() - 1)];
    const float x_scale = static_cast<float>(size.width) / static_cast<float>(grey_.nc());
    const float y_scale = static_cast<float>(size.height) / static_cast<float>(grey_.nr());
    const float side = static_cast<float>(one.rect.width());
    const float centre_x = static_cast<float>(one.rect.left()) + (0.5f + c.centre_x) * side;
    const float centre_y = static_cast<float>(one.rect.top()) + (0.5f + c.centre_y) * side;
    const Box box = {x_scale * (centre_x - 0.5f * c.width * side),
                     y_scale * (centre_y - 0.5f * c.height * side), x_scale * c.width * side,
                     y_scale * c.height * side};
    return {box, static_cast<float>(one.detection_confidence)};
  }

  DetectorOptions options_;
  dlib::frontal_face_detector detector_;
  dlib::array2d<unsigned char> grey_;
};

}  // namespace

std::unique_ptr<Detector> make_dlib_detector(const DetectorOptions& options) {
  return std::make_unique<DlibDetector>(options);
}

}  // namespace spiga::vision
