// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spiga/face3d.h"

// The face in three dimensions as text (docs/face3d.md describes both forms). The functions append.
namespace spiga::media {

// What the fit says of the faces of one picture or frame: one entry per face, nothing where a face could not
// be fitted.
struct Faces3d {
  std::optional<Camera> camera;  // none: the one that was asked for does not suit the picture
  std::vector<std::optional<Face3d>> faces;
  std::vector<std::vector<FaceEvent>> events;    // per face, videos only
  std::vector<std::optional<Mesh>> meshes = {};  // per face, only where they were asked for
};

// The unit's value, 0 to 5.
float action_unit_of(const ActionUnit& unit, const Face3d& face);

// "camera": {...} or "camera": null, without braces around.
void append_json_camera(std::string& out, const std::optional<Camera>& camera);
// "face3d": {...} or "face3d": null; `events` may be null.
void append_json_face3d(std::string& out, const std::optional<Face3d>& face,
                        const std::vector<FaceEvent>* events);
// "mesh": {"pixels": [x, y, x, y, ...], "depth_mm": [...]} or "mesh": null. Pixels have one decimal, as has
// the depth, in millimetres beyond the pose's translation.
void append_json_mesh(std::string& out, const std::optional<Mesh>& mesh, const CameraPose& pose);
// {"triangles": [three corners of each, indices into the vertices, one after the other]} and a line end.
void append_json_triangles(std::string& out, const FaceModel& model);

// Columns, each with a comma before it, and their values; nothing becomes empty columns.
void append_csv_face3d_names(std::string& out);
void append_csv_face3d_fields(std::string& out, const std::optional<Face3d>& face);

}  // namespace spiga::media
