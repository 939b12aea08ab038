// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Annotated (or predicted) faces in the forms people have them. Who uses it: the evaluator for truth and
// predictions, `spiga pack` for training data, `spiga analyze --boxes` for given boxes.
namespace spiga::annotations {

// Coordinates are doubles here, unlike spiga::Point: published figures are reproduced to 1e-6.
struct Coordinate {
  double x = 0;
  double y = 0;
};

struct Rect {
  double x = 0;  // top left corner
  double y = 0;
  double width = 0;
  double height = 0;
};

struct Pose {
  std::array<double, 3> angles_deg = {0, 0, 0};  // yaw, pitch, roll
  std::array<double, 3> translation = {0, 0, 0};
};

struct AnnotatedFace {
  std::string image = {};        // as the file names it, relative to the folder the pictures lie in
  std::optional<Rect> box = {};  // as given; box_of() falls back on the landmarks
  std::vector<int> ids = {};     // [n] the database's landmark ids; n = 0: a box alone, or a missed face
  std::vector<Coordinate> landmarks =
      {};                            // [n] in picture pixels, (0, 0) is the centre of the top left pixel
  std::vector<double> visible = {};  // [n] 1 visible, 0 occluded; all 1 where the form does not say
  std::optional<Pose> headpose = {};
  std::vector<double> uncertainty =
      {};  // [n] predictions only: expected error in pixels; empty where there is none
};

struct FaceList {
  std::string source = {};                                       // the file or folder read
  std::vector<AnnotatedFace> faces = {};                         // in the order of the file
  std::map<std::string, std::vector<std::size_t>> subsets = {};  // of faces, where the form itself names them
  std::size_t skipped = 0;                                       // records handed to on_bad_record
};

struct ReadOptions {
  std::span<const int> database_ids = {};  // every id the database knows, in its order
  // Instead of one database's: landmarks of any of these, for who only wants boxes. Where a form does not
  // name ids, the first one with that many landmarks is meant.
  std::span<const std::span<const int>> any_of = {};
  // Coordinate that .pts files give the top left pixel: 300-W counts from 1.
  double pts_first_pixel = 1;
  // Told of each record that cannot be used, which is then left out; where it is empty the first one throws.
  std::function<void(const std::string& message)> on_bad_record = {};
};

// Reads the form that the path shows: a folder of .pts files (300-W), .json (the published SPIGA form),
// .jsonl (what `spiga analyze` prints), .csv, or .txt (a WFLW list). docs/benchmark.md describes them. Every
// face comes out checked: as many landmarks as ids, ids known and not repeated, numbers finite, no face
// listed twice (same image, same box). Throws Error: not_found; bad_data naming file, face or line (JSON:
// line and column), expected and found.
FaceList read(const std::filesystem::path& path, const ReadOptions& options);

// Writes the published form; a face without landmarks gets empty lists, one with uncertainty a list
// "uncertainty" too, and the same again as "spread", as it was called up to version 0.1. The file appears
// whole or not at all. Throws Error io.
void write_json(const std::filesystem::path& path, std::span<const AnnotatedFace> faces);

// The tight box of the landmarks, of which there must be at least one.
Rect tight_box(std::span<const Coordinate> landmarks);

// The face's box as given, or else the tight box of its landmarks; nothing where it has neither.
std::optional<Rect> box_of(const AnnotatedFace& face);

}  // namespace spiga::annotations
