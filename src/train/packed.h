// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "geometry/affine.h"
#include "spiga/face.h"
#include "spiga/image.h"

namespace spiga::train {

// Packed faces: what training reads. One file holds face crops as raw pixels with their landmarks, so that an
// epoch needs no picture decoder and the file is mapped into memory, shared between processes and never
// copied.
//
// A crop is the part of the square `margin` times the box's larger side (2.4: enough for the network's 1.6
// crop turned by 45 degrees) that lies inside the picture. Pixels are copied as they are as long as that
// square is at most `max_side` pixels, so that training resamples a face once, not twice; larger ones are
// shrunk by area averaging. Raw 8-bit B G R costs 3 bytes a pixel (300-W: about 0.3 MB a face) and no time; a
// small max_side makes a small file where it has to travel.
//
// Layout, version 1, little-endian:
//   head     64 bytes: "SPIGAPAK", uint32 version, zeros
//   pixels   each crop starts at a multiple of 64
//   text     JSON {"database", "landmarks": L, "margin", "max_side"}
//   records  faces x record_size(L) bytes, at a multiple of 8: struct PackedRecord of packed.cc, then 2 L
//   floats of
//            landmarks and L floats of visibility
//   names    of the pictures, UTF-8, one after the other
//   tail     the last 64 bytes: seven uint64 (offset and length of the text, offset and number of the
//   records, offset
//            and length of the names, 0), then "SPIGAEND"
// So that it can be written in one go, and a file cut short is recognised.

// A face as the packer gives it and as the file stores it, pixels aside.
struct FaceRecord {
  std::string_view name;             // of the picture, for messages and reports
  Box box;                           // in picture pixels, as annotated
  geometry::Affine crop_from_image;  // where the picture's coordinates lie on the stored crop
  std::span<const Point> landmarks;  // [L] on the stored crop: crop_from_image of the annotation
  std::span<const float> visible;    // [L] 1 where annotated
  std::optional<HeadPose> headpose;  // as annotated; none where it is to be recomputed from the landmarks
  ImageView pixels;                  // bgr8, rows without gaps
};

// A packed file, mapped. Cheap to copy (copies share the mapping); const use from many threads is safe.
class FaceDataset {
 public:
  // Throws Error(not_found) where it cannot be opened, Error(bad_data) naming what is wrong: every size and
  // offset is checked here, so that record() never reads outside the file.
  static FaceDataset open(const std::string& path);

  std::int64_t size() const;
  int landmarks() const;                // L
  const std::string& database() const;  // name of the landmark database
  // The longest crop side in the file.
  int largest_side() const;
  FaceRecord record(std::int64_t index) const;

 private:
  struct File;
  explicit FaceDataset(std::shared_ptr<const File> file);
  std::shared_ptr<const File> file_;
};

struct PackOptions {
  double margin = 2.4;
  int max_side = 448;
};

// One annotated face for the packer; landmarks in the order of the database.
struct FaceToPack {
  std::string name;
  Box box;
  std::vector<Point> landmarks;
  std::vector<float> visible;
  std::optional<HeadPose> headpose;
};

// Cuts crops out of pictures and writes the file. Not thread-safe.
class FaceWriter {
 public:
  FaceWriter(const std::string& path, std::string database, int landmarks, const PackOptions& options);
  ~FaceWriter();
  FaceWriter(const FaceWriter&) = delete;
  FaceWriter& operator=(const FaceWriter&) = delete;

  // Throws Error(bad_data) without having written anything where the face is no good: a wrong number of
  // landmarks, not finite, a box without area, a landmark outside the picture by more than a tenth of the
  // box. The message names the field, not the picture.
  void add(const FaceToPack& face, const ImageView& picture);
  std::int64_t size() const;
  // The file appears only now, complete. Throws Error(bad_data) where no face was added.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spiga::train
