// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_analyzer.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <utility>

#include "base/processor_time.h"
#include "media/picture_writer.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::media {

namespace fs = std::filesystem;

namespace {

constexpr int kDetectorSidePx = 1280;  // of its finest look, but where smaller faces are asked for
constexpr double kLeastBoxPx = 160;    // whose crop is as large as the landmark network's input
constexpr double kReach = 3;           // larger sides of a box from its middle that looks at a face may need

bool is_small(const Box& box) { return std::max(box.width, box.height) < kLeastBoxPx; }

// From the reduced picture to the whole: pixel indices are those of pixels' centres.
Point enlarged(const Point& point, int reduction) {
  const auto r = static_cast<float>(reduction);
  return {r * (point.x + 0.5F) - 0.5F, r * (point.y + 0.5F) - 0.5F};
}

Box enlarged(const Box& box, int reduction) {
  const auto r = static_cast<float>(reduction);
  const Point corner = enlarged(Point{box.x, box.y}, reduction);
  return {corner.x, corner.y, r * box.width, r * box.height};
}

Detection enlarged(Detection detection, int reduction) {
  detection.box = enlarged(detection.box, reduction);
  return detection;
}

Face enlarged(Face face, int reduction) {
  face.box = enlarged(face.box, reduction);
  for (Point& point : face.landmarks) point = enlarged(point, reduction);
  for (float& value : face.uncertainty) value *= static_cast<float>(reduction);
  return face;
}

// In their order.
void keep_surest(std::vector<Detection>& detections, int most) {
  const auto count = static_cast<std::size_t>(most);
  if (most <= 0 || detections.size() <= count) return;
  std::vector<std::size_t> order(detections.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return detections[i].score; });
  order.resize(count);
  std::ranges::sort(order);
  std::vector<Detection> kept;
  for (const std::size_t i : order) kept.push_back(detections[i]);
  detections = std::move(kept);
}

}  // namespace

PictureAnalyzer::PictureAnalyzer(const Analyzer& analyzer, const PictureAnalyzerOptions& options)
    : analyzer_(analyzer), options_(options) {}

AnalyzedPicture PictureAnalyzer::analyze(const std::string& path, const fs::path& overlay) {
  AnalyzedPicture result;
  try {
    std::optional<PictureFile> file;
    result.times.decode +=
        base::processor_seconds([&] { file.emplace(PictureFile::read(path, options_.limits)); });
    const int reduction = reduction_for(*file, overlay);
    if (reduction == 1) {
      analyze_whole(path, *file, overlay, result);
    } else {
      std::vector<Face> faces = analyze_reduced(*file, reduction, result.times);
      result.faces = PictureFaces{path, file->width(), file->height(), std::move(faces)};
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;
    result.problems.push_back(error.what());
  } catch (const std::bad_alloc&) {
    result.problems.push_back(path + ": not enough memory for this picture");
  }
  return result;
}

void PictureAnalyzer::analyze_whole(const std::string& path, const PictureFile& file, const fs::path& overlay,
                                    AnalyzedPicture& result) {
  PictureTimes& times = result.times;
  Image picture;
  std::vector<Detection> detections;
  std::vector<Face> faces;
  times.decode += base::processor_seconds([&] { picture = file.decode(); });
  times.detect += base::processor_seconds([&] { detections = find_faces(path, picture, result.problems); });
  keep_surest(detections, options_.max_faces);
  times.locate += base::processor_seconds([&] { faces = analyzer_.locate(picture.view(), detections); });
  if (!overlay.empty())
    times.overlay += base::processor_seconds([&] { write_overlay(overlay, picture, faces); });
  result.faces = PictureFaces{path, picture.width(), picture.height(), std::move(faces)};
}

int PictureAnalyzer::reduction_for(const PictureFile& file, const fs::path& overlay) const {
  if (!options_.may_reduce || !overlay.empty() || options_.boxes || !file.has_parts()) return 1;
  const int longer = std::max(file.width(), file.height());
  for (const int reduction : {8, 4, 2})
    if (longer >= reduction * kDetectorSidePx) return reduction;
  return 1;
}

// Faces that the landmark network would see enlarged are located at full size, the others in the reduced
// picture, as it would shrink them anyway.
std::vector<Face> PictureAnalyzer::analyze_reduced(const PictureFile& file, int reduction,
                                                   PictureTimes& times) {
  Image picture;
  std::vector<Detection> detections, large, small;
  times.decode += base::processor_seconds([&] { picture = file.decode_reduced(reduction); });
  times.detect += base::processor_seconds([&] { detections = analyzer_.detect(picture.view()); });
  keep_surest(detections, options_.max_faces);
  for (const Detection& one : detections)
    (is_small(one.box) ? small : large).push_back(is_small(one.box) ? enlarged(one, reduction) : one);
  std::vector<Face> in_reduced, in_rows;
  times.locate += base::processor_seconds([&] { in_reduced = analyzer_.locate(picture.view(), large); });
  if (!small.empty()) in_rows = locate_in_rows(file, small, times);
  std::vector<Face> faces;
  auto next_large = in_reduced.begin(), next_small = in_rows.begin();
  for (const Detection& one : detections)
    faces.push_back(is_small(one.box) ? std::move(*next_small++) : enlarged(*next_large++, reduction));
  return faces;
}

std::vector<Face> PictureAnalyzer::locate_in_rows(const PictureFile& file,
                                                  std::span<const Detection> detections,
                                                  PictureTimes& times) {
  double top = file.height(), bottom = 0;
  for (const Detection& one : detections) {
    const double middle = one.box.y + one.box.height / 2;
    const double reach = kReach * std::max(one.box.width, one.box.height);
    top = std::min(top, middle - reach);
    bottom = std::max(bottom, middle + reach);
  }
  const int first = static_cast<int>(std::clamp(std::floor(top), 0.0, file.height() - 1.0));
  const int last = static_cast<int>(std::clamp(std::ceil(bottom), first + 1.0, 1.0 * file.height()));
  std::vector<Detection> shifted(detections.begin(), detections.end());
  for (Detection& one : shifted) one.box.y -= static_cast<float>(first);
  Image rows;
  std::vector<Face> faces;
  times.decode += base::processor_seconds([&] { rows = file.decode_rows(first, last - first); });
  times.locate += base::processor_seconds([&] { faces = analyzer_.locate(rows.view(), shifted); });
  for (Face& face : faces) {
    face.box.y += static_cast<float>(first);
    for (Point& point : face.landmarks) point.y += static_cast<float>(first);
  }
  return faces;
}

std::vector<Detection> PictureAnalyzer::find_faces(const std::string& path, const Image& picture,
                                                   std::vector<std::string>& problems) {
  if (!options_.boxes) return analyzer_.detect(picture.view());
  const std::vector<Box>* boxes = options_.boxes->find(path);
  if (!boxes) throw Error(ErrorCode::not_found, path + ": no record in " + options_.boxes->file().string());
  std::vector<Detection> detections;
  for (const Box& box : *boxes) {
    try {
      check_box(box, picture.view());
      detections.push_back({box, 1});
    } catch (const Error& error) {
      problems.push_back(path + ": " + error.what());
    }
  }
  return detections;
}

void PictureAnalyzer::write_overlay(const fs::path& overlay, Image& picture,
                                    const std::vector<Face>& faces) const {
  if (options_.draw_below) options_.draw_below(picture, faces);
  draw_faces(picture, faces, scheme::find_database(analyzer_.landmarker().database()), options_.style);
  std::error_code ignored;
  fs::create_directories(overlay.parent_path(), ignored);  // if it fails, writing says so
  write_picture(overlay, picture);
}

}  // namespace spiga::media
