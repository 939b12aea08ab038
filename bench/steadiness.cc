// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// How much landmarks tremble in a video of a still picture, and by how many frames they are late in one of
// known motion; raw and smoothed. The videos are made of one picture: noise is added to each frame, and the
// encoder adds its own.
//   steadiness MODEL PICTURE     e.g. steadiness models/default.safetensors samples/astronaut.jpg
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <vector>

#include "media/picture_reader.h"
#include "media/video_analyzer.h"
#include "media/video_writer.h"

namespace {

using namespace spiga;
namespace fs = std::filesystem;

constexpr double kFps = 12.5;
constexpr int kFrames = 125;
constexpr int kSettle = 12;  // frames at the start that are not counted
constexpr int kWidth = 480, kHeight = 270;
constexpr double kNoise = 5;  // of 255, standard deviation

// Where the picture is in a frame, relative to the first.
struct Shift {
  double x = 0, turn_deg = 0;
};
using Motion = std::function<Shift(double time_s)>;

cv::Matx23d matrix(const Shift& shift, const cv::Size& size) {
  const cv::Point2f centre(kWidth / 2.0f, kHeight / 2.0f);
  cv::Mat turn = cv::getRotationMatrix2D(centre, shift.turn_deg, 1);
  cv::Matx23d m = turn;
  // The picture's upper middle, where a portrait has its face, lies in the frame's middle.
  const double left = (kWidth - size.width) / 2.0 + shift.x, top = kHeight / 2.0 - 0.27 * size.height;
  m(0, 2) += m(0, 0) * left + m(0, 1) * top;
  m(1, 2) += m(1, 0) * left + m(1, 1) * top;
  return m;
}

void write_video(const fs::path& path, const Image& picture, const Motion& motion) {
  const cv::Mat pixels(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(picture.data()),
                       static_cast<std::size_t>(picture.stride_bytes()));
  media::VideoWriter writer(path, kFps, kWidth, kHeight);
  cv::RNG random(1);
  for (int i = 0; i < kFrames; ++i) {
    Image frame(kWidth, kHeight, PixelFormat::bgr8);
    cv::Mat target(kHeight, kWidth, CV_8UC3, frame.data(), static_cast<std::size_t>(frame.stride_bytes()));
    cv::Mat moved, noise(kHeight, kWidth, CV_16SC3);
    cv::warpAffine(pixels, moved, matrix(motion(i / kFps), pixels.size()), target.size(), cv::INTER_LINEAR,
                   cv::BORDER_REPLICATE);
    random.fill(noise, cv::RNG::NORMAL, 0, kNoise);
    moved.convertTo(moved, CV_16SC3);
    cv::Mat(moved + noise).convertTo(target, CV_8UC3);
    writer.write(frame);
  }
  writer.finish();
}

using Track = std::vector<std::vector<Point>>;  // landmarks per frame

Track follow(const fs::path& video, const Analyzer& analyzer, double smooth) {
  media::VideoAnalyzer frames(media::open_video(video.string()), analyzer, {.tracker = {.smooth = smooth}},
                              [] { return false; });
  Track track;
  while (const auto frame = frames.next()) {
    if (frame->faces.faces.size() != 1 || !frame->faces.faces[0].found)
      throw std::runtime_error("frame " + std::to_string(frame->faces.frame) + ": expected one face");
    track.push_back(frame->faces.faces[0].face.landmarks);
  }
  return track;
}

double squared(double x, double y) { return x * x + y * y; }

// Root mean square of the landmarks' way from frame to frame, in pixels.
double jitter(const Track& track) {
  double sum = 0, count = 0;
  for (std::size_t i = kSettle; i < track.size(); ++i) {
    for (std::size_t k = 0; k < track[i].size(); ++k, ++count)
      sum += squared(track[i][k].x - track[i - 1][k].x, track[i][k].y - track[i - 1][k].y);
  }
  return std::sqrt(sum / count);
}

// How late a track is, in frames: the delay of the motion that explains it best, wherever its landmarks sit
// on the face.
double lag(const Track& track, const Motion& motion, const cv::Size& size) {
  double best = INFINITY, best_lag = 0;
  for (double late = -1; late < 4; late += 0.05) {
    double sum = 0;
    for (std::size_t k = 0; k < track[0].size(); ++k) {
      std::vector<cv::Point2d> places;  // of the landmark in the picture
      cv::Point2d mean;
      for (std::size_t i = kSettle; i < track.size(); ++i) {
        const cv::Matx23d m = matrix(motion((static_cast<double>(i) - late) / kFps), size);
        cv::Matx23d back;
        cv::invertAffineTransform(m, back);
        const Point& p = track[i][k];
        places.emplace_back(back(0, 0) * p.x + back(0, 1) * p.y + back(0, 2),
                            back(1, 0) * p.x + back(1, 1) * p.y + back(1, 2));
        mean += places.back();
      }
      mean /= static_cast<double>(places.size());
      for (const cv::Point2d& place : places) sum += squared(place.x - mean.x, place.y - mean.y);
    }
    if (sum < best) {
      best = sum;
      best_lag = late;
    }
  }
  return best_lag;
}

void run(const std::string& model, const std::string& file) {
  const Analyzer analyzer = Analyzer::load({.model = model});
  const Image picture = media::read_picture(file);
  const cv::Size size(picture.width(), picture.height());
  const fs::path video =
      fs::temp_directory_path() / ("steadiness-" + std::to_string(std::random_device()()) + ".mp4");
  const auto wave = [](double time_s, double hertz) { return std::sin(2 * CV_PI * hertz * time_s); };

  write_video(video, picture, [](double) { return Shift(); });
  const double raw = jitter(follow(video, analyzer, 0)), smoothed = jitter(follow(video, analyzer, 1));
  std::printf("still        jitter: raw %.3f px, smoothed %.3f px, %.1f times lower\n", raw, smoothed,
              raw / smoothed);

  const std::vector<std::pair<const char*, Motion>> motions = {
      {"starts", [](double t) { return Shift{.x = 12 * std::max(0.0, t - 4)}; }},
      {"sways", [&](double t) { return Shift{.x = 40 * wave(t, 0.5)}; }},
      {"sways little", [&](double t) { return Shift{.x = 6 * wave(t, 0.5)}; }},
      {"shakes", [&](double t) { return Shift{.x = 25 * wave(t, 1.5)}; }},
      {"tilts", [&](double t) { return Shift{.turn_deg = 20 * wave(t, 0.5)}; }}};
  for (const auto& [name, motion] : motions) {
    write_video(video, picture, motion);
    const double raw_lag = lag(follow(video, analyzer, 0), motion, size);
    std::printf("%-12s lag: raw %.2f frames, smoothed %.2f frames\n", name, raw_lag,
                lag(follow(video, analyzer, 1), motion, size));
  }
  fs::remove(video);
}

}  // namespace

int main(int count, char** values) {
  try {
    if (count != 3) throw std::runtime_error("usage: steadiness MODEL PICTURE");
    run(values[1], values[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "steadiness: %s\n", error.what());
    return 1;
  }
}
