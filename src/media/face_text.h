// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "media/face3d_text.h"
#include "spiga/face.h"

// Faces as text (docs/cli.md describes both forms). The functions append, so that a video's lines can put
// fields of their own around the same pieces. Pixels have 2 decimals, degrees 2, scores and translations 4; a
// number that is not finite becomes null in JSON and stays empty in CSV.
namespace spiga::media {

// What was found in one picture.
struct PictureFaces {
  std::string source;
  int width = 0;
  int height = 0;
  std::vector<Face> faces;
  std::optional<Faces3d> in_3d = {};
};

// {"source": ..., "width": ..., "height": ..., "faces": [{"confidence": ..., ...}]} and a line end.
void append_json_line(std::string& out, const PictureFaces& picture);
// "box": [x, y, w, h], "score": ..., "landmarks": ..., "uncertainty": ..., "headpose": {...}, "spread": as
// "uncertainty", which is its new name; without braces.
void append_json_face_fields(std::string& out, const Face& face);
// The text in quotes, escaped; bytes that are not UTF-8 become U+FFFD.
void append_json_text(std::string& out, std::string_view text);

// source,face,confidence,score,box_x.., pose_..., x_0.., y_0.., uncertainty_0.., spread_0.., with `in_3d` the
// columns of face3d_text.h, and a line end.
void append_csv_header(std::string& out, int landmarks, bool in_3d = false);
// One row per face, numbered from 0. A picture without a face has no row, or with `landmarks` (per face)
// above 0 one with its name alone.
void append_csv_rows(std::string& out, const PictureFaces& picture, int landmarks = 0);
// The columns of a face from box_x on, without the line end, and their names. The last ones, spread_K, are
// uncertainty_K under its old name.
void append_csv_face_names(std::string& out, int landmarks);
void append_csv_face_fields(std::string& out, const Face& face);
// How many they are.
int csv_face_columns(int landmarks);
// base::append_fixed under its former name.
inline void append_number(std::string& out, double value, int decimals) {
  base::append_fixed(out, value, decimals);
}

}  // namespace spiga::media
