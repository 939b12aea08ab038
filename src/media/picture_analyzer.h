// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/face_text.h"
#include "media/given_boxes.h"
#include "media/overlay.h"
#include "media/picture_reader.h"
#include "spiga/analyzer.h"

namespace spiga::media {

struct PictureAnalyzerOptions {
  std::shared_ptr<const GivenBoxes> boxes = {};  // instead of the detector
  PictureLimits limits = {};
  OverlayStyle style = {};
  int max_faces = 0;  // the surest ones of the detector, the first ones of given boxes; 0: all
  // JPEGs much larger than the detector looks at are decoded reduced, and at full size only where faces are
  // too small for that. For the built-in detector without a least size of faces.
  bool may_reduce = false;
  // Draws on overlays before the faces are drawn; from several threads at once.
  std::function<void(Image&, const std::vector<Face>&)> draw_below = {};
};

// Seconds of the analysing thread's processor time.
struct PictureTimes {
  double decode = 0;  // reading the file, too
  double detect = 0;
  double locate = 0;
  double overlay = 0;
};

// What came of a picture. Either may be there: a picture with one good and one bad box has both.
struct AnalyzedPicture {
  std::optional<PictureFaces> faces;  // nothing where the picture could not be looked at
  std::vector<std::string> problems;  // one line each
  PictureTimes times = {};
};

// From a picture file to its faces, and to an overlay of them. One object serves one thread.
class PictureAnalyzer {
 public:
  // Without boxes the analyzer needs a detector.
  PictureAnalyzer(const Analyzer& analyzer, const PictureAnalyzerOptions& options);

  // Reads the picture, finds faces and their landmarks, and writes an overlay to `overlay` unless that is
  // empty. Whatever is wrong with the picture, its boxes or the overlay becomes a problem, except Error(io):
  // the device is full or gone.
  AnalyzedPicture analyze(const std::string& path, const std::filesystem::path& overlay);

 private:
  void analyze_whole(const std::string& path, const PictureFile& file, const std::filesystem::path& overlay,
                     AnalyzedPicture& result);
  std::vector<Face> analyze_reduced(const PictureFile& file, int reduction, PictureTimes& times);
  // The faces of `detections` at full size, of which only the rows around them are decoded.
  std::vector<Face> locate_in_rows(const PictureFile& file, std::span<const Detection> detections,
                                   PictureTimes& times);
  int reduction_for(const PictureFile& file, const std::filesystem::path& overlay) const;
  std::vector<Detection> find_faces(const std::string& path, const Image& picture,
                                    std::vector<std::string>& problems);
  void write_overlay(const std::filesystem::path& overlay, Image& picture,
                     const std::vector<Face>& faces) const;

  Analyzer analyzer_;
  PictureAnalyzerOptions options_;
};

}  // namespace spiga::media
