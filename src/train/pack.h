// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "spiga/image.h"
#include "train/packed.h"

namespace spiga::train {

struct PackInput {
  std::filesystem::path annotations;  // any form that annotations::read knows
  std::filesystem::path
      pictures;  // folder that its picture names are relative to; empty: the annotations' own
};

struct PackEvents {
  // Decodes a picture. Throws Error where it is missing or damaged; that face is then bad.
  std::function<Image(const std::filesystem::path&)> read_picture;
  // One line naming each record that was left out and why. May be empty.
  std::function<void(const std::string&)> on_bad_record;
  // Faces looked at so far, and of how many. May be empty.
  std::function<void(std::int64_t, std::int64_t)> on_progress;
  // More faces to pack behind one that was packed, made from it: hands each, with its picture, to `add`,
  // which throws as FaceWriter::add. May be empty.
  using Add = std::function<void(const FaceToPack&, const ImageView&)>;
  std::function<void(const FaceToPack&, const ImageView& picture, const Add& add)> make_more;
};

struct PackResult {
  std::int64_t packed = 0;
  std::int64_t skipped = 0;
};

// Packs the faces of all inputs, in their order, into one file. Landmarks that a face does not list count as
// not annotated. Throws Error(invalid_argument) for an unknown database, Error(bad_data) where no face is any
// good (no file is written then), and what reading and writing throw.
PackResult pack_annotations(const std::vector<PackInput>& inputs, const std::string& database,
                            const std::filesystem::path& output, const PackOptions& options,
                            const PackEvents& events);

}  // namespace spiga::train
