// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "media/face_text.h"
#include "media/video_text.h"

// Tables that programs which read OpenFace 2.2's can read (docs/openface.md tells of every column whether it
// is the same, derived or not there). The functions append; faces must have been fitted in three dimensions.
namespace spiga::media {

// frame,face_id,timestamp,confidence,success,pose_..,x_0..,y_0..,X_0..,Y_0..,Z_0..,p_..,AU.._r and a line
// end; of a single picture face,confidence in place of the first five. Without the groups that OpenFace
// writes only where they are asked for and that are not there (gaze, eye landmarks, AU.._c).
void append_openface_header(std::string& out, bool video);

// A row for each face; a frame without any has one row of face 0. `frame` counts from 1. What is lost, and
// what could not be fitted, is 0; a frame's lost faces have `success` 0.
void append_openface_rows(std::string& out, const FrameFaces& frame);
// A picture without a face has no row.
void append_openface_rows(std::string& out, const PictureFaces& picture);

}  // namespace spiga::media
