// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "media/canvas.h"
#include "media/overlay.h"
#include "spiga/tracker.h"

namespace spiga::media {

// draw_faces() for the faces of a video that are found, each with its id in a colour of its own.
void draw_tracked_faces(Image& picture, std::span<const TrackedFace> faces, const scheme::Database& database,
                        const OverlayStyle& style = {});

// The colour that an id has.
Colour colour_of_id(int id);

}  // namespace spiga::media
