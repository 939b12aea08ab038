// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_analyzer.h"

#include <filesystem>

#include "media/picture_writer.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::media {

namespace fs = std::filesystem;

PictureAnalyzer::PictureAnalyzer(const Analyzer& analyzer, const PictureAnalyzerOptions& options)
    : analyzer_(analyzer), options_(options) {}

AnalyzedPicture PictureAnalyzer::analyze(const std::string& path, const fs::path& overlay) {
  AnalyzedPicture result;
  try {
    Image picture = read_picture(path, options_.limits);
    const std::vector<Detection> detections = find_faces(path, picture, result.problems);
    std::vector<Face> faces = analyzer_.locate(picture.view(), detections);
    if (!overlay.empty()) write_overlay(overlay, picture, faces);
    result.faces = PictureFaces{path, picture.width(), picture.height(), std::move(faces)};
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;
    result.problems.push_back(error.what());
  } catch (const std::bad_alloc&) {
    result.problems.push_back(path + ": not enough memory for this picture");
  }
  return result;
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
