// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

// What fuzzing runs: each reader of files that strangers may send, on arbitrary bytes. A reader may throw
// spiga::Error and nothing else; what it accepts must hold what its header promises, or the target aborts.
namespace spiga::fuzz {

using Bytes = std::span<const std::uint8_t>;

void fuzz_annotations(Bytes bytes);      // the published JSON form of annotated faces
void fuzz_boxes(Bytes bytes);            // a table of boxes in a video's frames
void fuzz_checkpoint(Bytes bytes);       // a PyTorch checkpoint: zip and pickle
void fuzz_config(Bytes bytes);           // a network's configuration as a model file's metadata holds it
void fuzz_csv(Bytes bytes);              // any table
void fuzz_detector_scenes(Bytes bytes);  // pictures to measure detectors on: JSON and WIDER FACE's text
void fuzz_form(Bytes bytes);             // a multipart/form-data body behind its content type and a line end
void fuzz_http(Bytes bytes);             // what an HTTP client sends
void fuzz_markup(Bytes bytes);           // a landmark database and its mark-up
void fuzz_packed(Bytes bytes);           // packed faces
void fuzz_pickle(Bytes bytes);           // a checkpoint's pickle alone
void fuzz_picture(Bytes bytes);          // a picture, decoded, of up to 65,536 pixels
void fuzz_picture_header(Bytes bytes);   // what a picture says of itself
void fuzz_pts(Bytes bytes);              // a .pts file
void fuzz_safetensors(Bytes bytes);      // a model file
void fuzz_scenes(Bytes bytes);           // scenes, and the lines of `spiga analyze`
void fuzz_table(Bytes bytes);            // a table of annotated faces
void fuzz_wflw(Bytes bytes);             // a list of WFLW

}  // namespace spiga::fuzz
