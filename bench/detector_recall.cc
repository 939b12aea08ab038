// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// How many annotated faces a detector finds, and how long it takes: recall at IoU 0.4 and milliseconds per
// megapixel of picture, for each effort.
//   detector_recall DETECTOR ANNOTATIONS.json...     e.g. detector_recall dlib afw-scenes/{train,valid}.json
// Pictures are sought beside the annotations. Not every face need be annotated: precision is not told.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "geometry/boxes.h"
#include "media/picture_reader.h"
#include "spiga/detector.h"

namespace {

using namespace spiga;
namespace fs = std::filesystem;

using Pictures = std::map<fs::path, std::vector<Box>>;

// A list of {"imgpath", "faces": [{"bbox": [x, y, width, height]}]}.
Pictures read_pictures(const std::vector<fs::path>& files) {
  Pictures pictures;
  for (const fs::path& file : files) {
    for (const auto& record : nlohmann::json::parse(base::read_file(file))) {
      std::vector<Box>& boxes = pictures[file.parent_path() / record.at("imgpath").get<std::string>()];
      for (const auto& face : record.at("faces")) {
        const auto b = face.at("bbox").get<std::vector<float>>();
        boxes.push_back({b.at(0), b.at(1), b.at(2), b.at(3)});
      }
    }
  }
  return pictures;
}

struct Result {
  int faces = 0, found = 0, told = 0;
  double megapixels = 0, seconds = 0;
};

Result measure(Detector& detector, const Pictures& pictures) {
  constexpr double kFound = 0.4;
  Result result;
  for (const auto& [path, boxes] : pictures) {
    const Image picture = media::read_picture(path);
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Detection> detections = detector.detect(picture.view());
    result.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.megapixels += 1e-6 * picture.width() * picture.height();
    result.told += static_cast<int>(detections.size());
    for (const Box& box : boxes) {
      ++result.faces;
      result.found += std::ranges::any_of(detections, [&](const Detection& d) {
        return geometry::intersection_over_union(d.box, box) >= kFound;
      });
    }
  }
  return result;
}

int run(const std::string& name, const std::vector<fs::path>& files) {
  const Pictures pictures = read_pictures(files);
  std::printf("%-10s %6s %6s %8s %8s %10s %8s\n", "effort", "faces", "found", "recall", "told", "ms/Mpixel",
              "ms each");
  for (const auto& [effort, label] :
       {std::pair(DetectorEffort::fast, "fast"), std::pair(DetectorEffort::normal, "normal"),
        std::pair(DetectorEffort::thorough, "thorough")}) {
    const auto detector = make_detector(name, {.effort = effort});
    const Result r = measure(*detector, pictures);
    std::printf("%-10s %6d %6d %7.1f%% %8d %10.0f %8.0f\n", label, r.faces, r.found,
                100.0 * r.found / r.faces, r.told, 1e3 * r.seconds / r.megapixels,
                1e3 * r.seconds / static_cast<double>(pictures.size()));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: detector_recall DETECTOR ANNOTATIONS...\n");
    return 2;
  }
  try {
    return run(argv[1], std::vector<fs::path>(argv + 2, argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "detector_recall: %s\n", error.what());
    return 1;
  }
}
