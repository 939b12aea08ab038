// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>

#include "spiga/face3d.h"
#include "spiga/image.h"

namespace spiga::media {

enum class MeshFormat { obj, glb };

// The fitted head, textured with the picture: x to the picture's right, y up, z towards the camera, as 3-D
// programs have it; origin in the camera. obj: BASE.obj in millimetres, BASE.mtl and BASE.png. glb: BASE.glb,
// a binary glTF 2.0 file in metres (as glTF has it) with the picture in it. Throws Error as base::AtomicFile
// and write_picture.
void write_mesh(const std::filesystem::path& base, MeshFormat format, const FaceModel& model,
                const Face3d& face, const Camera& camera, const Image& picture);

// Draws the head over the face, half transparent, as if lit from the camera.
void draw_mesh(Image& picture, const FaceModel& model, const Face3d& face, const Camera& camera);

}  // namespace spiga::media
