// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/face_fitter.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "media/picture_reader.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::media {
namespace {

namespace fs = std::filesystem;

FaceModel load_model(const std::string& database) {
  const int landmarks = scheme::find_database(database).landmarks;
  if (landmarks != 68)
    throw Error(ErrorCode::unsupported,
                base::concat("a face in 3-D needs a model of 68 landmarks; this one's database, ", database,
                             ", has ", landmarks));
  return FaceModel::load();
}

}  // namespace

CameraChoice::CameraChoice(const Face3dOptions& options) : fov_deg_(options.fov_deg) {
  if (!options.camera.empty()) camera_ = parse_camera(options.camera);
}

Camera CameraChoice::of(int width, int height) const {
  if (camera_) return camera_for_picture(*camera_, width, height);
  return fov_deg_ > 0 ? camera_from_fov(fov_deg_, width, height) : guessed_camera(width, height);
}

FaceFitter::FaceFitter(const Face3dOptions& options, const std::string& database)
    : model_(load_model(database)),
      camera_(options),
      mesh_folder_(options.mesh),
      mesh_format_(options.mesh_format == "glb" ? MeshFormat::glb : MeshFormat::obj) {}

Faces3d FaceFitter::fitted(const PictureFaces& picture, std::vector<std::string>& problems) const {
  Faces3d fitted;
  try {
    fitted.camera = camera_.of(picture.width, picture.height);
  } catch (const Error& error) {
    problems.push_back(picture.source + ": " + error.what());
    fitted.faces.resize(picture.faces.size());
    return fitted;
  }
  for (std::size_t i = 0; i < picture.faces.size(); ++i) {
    try {
      fitted.faces.emplace_back(
          model_.fit(picture.faces[i].landmarks, picture.faces[i].uncertainty, *fitted.camera));
    } catch (const Error& error) {
      fitted.faces.emplace_back(std::nullopt);
      problems.push_back(base::concat(picture.source, ": face ", i, ": ", error.what()));
    }
  }
  return fitted;
}

void FaceFitter::add_meshes(Faces3d& faces, std::size_t most) const {
  faces.meshes.assign(faces.faces.size(), std::nullopt);
  for (std::size_t i = 0; i < std::min(most, faces.faces.size()); ++i) {
    try {
      if (faces.faces[i]) faces.meshes[i] = model_.mesh(*faces.faces[i], *faces.camera);
    } catch (const Error&) {  // a part of the head lies behind the camera
    }
  }
}

void FaceFitter::fit(PictureFaces& picture, std::vector<std::string>& problems) {
  picture.in_3d = fitted(picture, problems);
  if (mesh_folder_.empty()) return;
  try {
    write_meshes(picture);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;
    problems.push_back(base::concat(picture.source, ": mesh: ", error.what()));
  }
}

void FaceFitter::write_meshes(const PictureFaces& picture) {
  if (std::none_of(picture.in_3d->faces.begin(), picture.in_3d->faces.end(),
                   [](const std::optional<Face3d>& face) { return face.has_value(); }))
    return;
  std::error_code ignored;
  fs::create_directories(mesh_folder_, ignored);  // if it fails, writing says so
  const Image pixels = read_picture(picture.source, {});
  // Pictures of the same name from several folders: name_2 and so on, as overlays.
  std::string stem = fs::path(picture.source).stem().string();
  for (int copy = 2; !mesh_names_.insert(stem).second; ++copy)
    stem = base::concat(fs::path(picture.source).stem().string(), "_", copy);
  for (std::size_t i = 0; i < picture.faces.size(); ++i)
    if (picture.in_3d->faces[i])
      write_mesh(fs::path(mesh_folder_) / base::concat(stem, "-", i), mesh_format_, model_,
                 *picture.in_3d->faces[i], *picture.in_3d->camera, pixels);
}

void FaceFitter::draw(Image& picture, std::span<const Face> faces) const {
  for (const Face& face : faces) {
    try {
      const Camera camera = camera_.of(picture.width(), picture.height());
      draw_mesh(picture, model_, model_.fit(face.landmarks, face.uncertainty, camera), camera);
    } catch (const Error&) {  // fit() tells of it
    }
  }
}

FaceFollower::FaceFollower(const Face3dOptions& options, const std::string& database)
    : model_(load_model(database)), camera_(options) {}

void FaceFollower::fit(FrameFaces& frame) {
  Faces3d fitted;
  fitted.events.resize(frame.faces.size());
  try {
    fitted.camera = camera_.of(frame.width, frame.height);
  } catch (const Error& error) {
    no_camera_.add(frame.frame, error.what());
    fitted.faces.resize(frame.faces.size());
    last_ = fitted;
    frame.in_3d = std::move(fitted);
    return;
  }
  for (std::size_t i = 0; i < frame.faces.size(); ++i) {
    fitted.faces.emplace_back(std::nullopt);
    const TrackedFace& tracked = frame.faces[i];
    if (!tracked.found) continue;
    FaceModelTrack& track = tracks_.try_emplace(tracked.id, model_).first->second;
    try {
      fitted.faces.back() =
          track.next(tracked.face.landmarks, tracked.face.uncertainty, *fitted.camera, frame.time_s);
      fitted.events[i] = track.take_events();
    } catch (const Error& error) {
      no_fit_.add(frame.frame, base::concat("face ", tracked.id, ": ", error.what()));
    }
  }
  // People who have left are forgotten.
  std::erase_if(tracks_, [&frame](const auto& entry) {
    return std::none_of(frame.faces.begin(), frame.faces.end(),
                        [&entry](const TrackedFace& tracked) { return tracked.id == entry.first; });
  });
  last_ = fitted;
  frame.in_3d = std::move(fitted);
}

void FaceFollower::draw(Image& picture) const {
  if (!last_) return;
  for (const std::optional<Face3d>& face : last_->faces) {
    try {
      if (face) draw_mesh(picture, model_, *face, *last_->camera);
    } catch (const Error&) {  // a part of the head lies behind the camera
    }
  }
}

void FaceFollower::Trouble::add(std::int64_t frame, const std::string& what) {
  if (count++ == 0) first = base::concat("frame ", frame, ": ", what);
}

std::vector<std::string> FaceFollower::problems() const {
  std::vector<std::string> problems;
  for (const Trouble* trouble : {&no_camera_, &no_fit_}) {
    if (trouble->count == 1) problems.push_back(trouble->first);
    if (trouble->count > 1)
      problems.push_back(base::concat(trouble->first, " (the first of ", trouble->count, ")"));
  }
  return problems;
}

}  // namespace spiga::media
