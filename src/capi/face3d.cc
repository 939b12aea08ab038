// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The C API's face in three dimensions, over spiga/face3d.h.
#include "spiga/face3d.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "capi/guard.h"
#include "capi/handles.h"

namespace spiga::capi {
namespace {

static_assert(sizeof(spiga_point) == sizeof(Point));
static_assert(sizeof(std::array<float, 3>) == 3 * sizeof(float));
static_assert(sizeof(std::array<std::uint16_t, 3>) == 3 * sizeof(std::uint16_t));

using ModelObject = const FaceModel;

struct TrackObject {
  std::mutex mutex;
  FaceModel model;
  FaceModelTrack track;
};

// A fitted face with what the C structs point to; the mesh is made when it is first asked for.
struct Face3dObject {
  Face3dObject(FaceModel of, const Camera& seen_by, Face3d fitted)
      : model(std::move(of)), camera(seen_by), face(std::move(fitted)) {}

  const FaceModel model;
  const Camera camera;
  const Face3d face;
  std::vector<spiga_face_event> events;
  std::mutex mutex;
  std::optional<Mesh> mesh;
};

auto& models() {
  static auto& handles = *new Handles<spiga_face_model, ModelObject>("spiga_face_model");
  return handles;
}
auto& tracks() {
  static auto& handles = *new Handles<spiga_face_model_track, TrackObject>("spiga_face_model_track");
  return handles;
}
auto& fitted_faces() {
  static auto& handles = *new Handles<spiga_face3d, Face3dObject>("spiga_face3d");
  return handles;
}

Camera camera_of(const spiga_camera* given) {
  const spiga_camera& c = required(given, "camera");
  Camera camera = {.fx = c.fx, .fy = c.fy, .cx = c.cx, .cy = c.cy};
  std::copy(std::begin(c.distortion), std::end(c.distortion), camera.distortion.begin());
  camera.width = c.width;
  camera.height = c.height;
  camera.guessed = c.guessed != 0;
  return camera;
}

void set_camera(spiga_camera* to, const Camera& camera) {
  spiga_camera& c = required(to, "camera");
  c = {.fx = camera.fx,
       .fy = camera.fy,
       .cx = camera.cx,
       .cy = camera.cy,
       .distortion = {},
       .width = camera.width,
       .height = camera.height,
       .guessed = camera.guessed ? 1 : 0};
  std::copy(camera.distortion.begin(), camera.distortion.end(), c.distortion);
}

struct Landmarks {
  Landmarks(const spiga_point* points, const float* errors, std::size_t count) {
    if (count > 0) required(points, "landmarks");
    for (const spiga_point& p : std::span(points, count)) places.push_back({p.x, p.y});
    if (errors) uncertainty.assign(errors, errors + count);
  }
  std::vector<Point> places;
  std::vector<float> uncertainty;
};

spiga_signals to_c(const FaceSignals& s) {
  return {.eye_opening_left_mm = s.eye_opening_left,
          .eye_opening_right_mm = s.eye_opening_right,
          .eye_open_left = s.eye_open_left,
          .eye_open_right = s.eye_open_right,
          .blink = s.blink ? 1 : 0,
          .mouth_opening_mm = s.mouth_opening,
          .smile = s.smile,
          .brow_raise = s.brow_raise};
}

spiga_camera_pose to_c(const CameraPose& pose) {
  spiga_camera_pose c = {};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) c.rotation[i][j] = pose.rotation[i][j];
    c.translation_mm[i] = pose.translation_mm[i];
    c.openface_rad[i] = pose.openface_rad[i];
  }
  std::copy(pose.quaternion.begin(), pose.quaternion.end(), c.quaternion);
  c.yaw_deg = pose.yaw_deg;
  c.pitch_deg = pose.pitch_deg;
  c.roll_deg = pose.roll_deg;
  return c;
}

spiga_face3d_values values_of(const Face3dObject& object) {
  const Face3d& face = object.face;
  return {.pose = to_c(face.pose),
          .reprojection_px = face.reprojection_px,
          .landmarks_used = face.landmarks,
          .signals = to_c(face.signals),
          .points_mm = reinterpret_cast<const float(*)[3]>(face.points_mm.data()),
          .point_count = face.points_mm.size(),
          .blendshapes = face.blendshapes.data(),
          .blendshape_count = face.blendshapes.size(),
          .events = object.events.data(),
          .event_count = object.events.size()};
}

int kind_of(FaceEventKind kind) {
  switch (kind) {
    case FaceEventKind::blink:
      return SPIGA_EVENT_BLINK;
    case FaceEventKind::nod:
      return SPIGA_EVENT_NOD;
    case FaceEventKind::shake:
      return SPIGA_EVENT_SHAKE;
  }
  return -1;
}

const std::vector<const char*>& blendshape_names() {
  static const auto& names = *new std::vector<const char*>([] {
    std::vector<const char*> made;
    for (const BlendshapeInfo& info : blendshapes()) made.push_back(info.name);
    return made;
  }());
  return names;
}

}  // namespace
}  // namespace spiga::capi

using namespace spiga::capi;

extern "C" {

spiga_status spiga_camera_guess(int32_t width, int32_t height, spiga_camera* camera) {
  return guarded([&] {
    if (width <= 0 || height <= 0)
      refuse(concat("camera: expected sides longer than 0, found ", width, " x ", height));
    set_camera(camera, spiga::guessed_camera(width, height));
  });
}

spiga_status spiga_camera_from_fov(double fov_deg, int32_t width, int32_t height, spiga_camera* camera) {
  return guarded([&] { set_camera(camera, spiga::camera_from_fov(fov_deg, width, height)); });
}

spiga_status spiga_camera_parse(const char* numbers_or_file, spiga_camera* camera) {
  return guarded(
      [&] { set_camera(camera, spiga::parse_camera(&required(numbers_or_file, "numbers_or_file"))); });
}

spiga_status spiga_camera_for_picture(const spiga_camera* camera, int32_t width, int32_t height,
                                      spiga_camera* scaled) {
  return guarded([&] { set_camera(scaled, spiga::camera_for_picture(camera_of(camera), width, height)); });
}

spiga_status spiga_face_model_load(const char* path, spiga_face_model** model) {
  return guarded([&] {
    required(model, "model") = nullptr;
    *model = models().add(std::make_shared<ModelObject>(spiga::FaceModel::load(path ? path : "")));
  });
}

spiga_status spiga_face_model_free(spiga_face_model* model) {
  return guarded([&] { models().remove(model); });
}

spiga_status spiga_face_model_triangles(spiga_face_model* model, const uint16_t (**triangles)[3],
                                        size_t* count) {
  return guarded([&] {
    const auto found = models().get(model)->triangles();
    required(triangles, "triangles") = reinterpret_cast<const uint16_t(*)[3]>(found.data());
    required(count, "count") = found.size();
  });
}

spiga_status spiga_face_model_fit(spiga_face_model* model, const spiga_point* landmarks,
                                  const float* uncertainty, size_t count, const spiga_camera* camera,
                                  spiga_face3d** face) {
  return guarded([&] {
    required(face, "face") = nullptr;
    const auto object = models().get(model);
    const Landmarks seen(landmarks, uncertainty, count);
    const spiga::Camera chosen = camera_of(camera);
    *face = fitted_faces().add(
        std::make_shared<Face3dObject>(*object, chosen, object->fit(seen.places, seen.uncertainty, chosen)));
  });
}

spiga_status spiga_face_model_track_create(spiga_face_model* model, double smooth,
                                           spiga_face_model_track** track) {
  return guarded([&] {
    required(track, "track") = nullptr;
    const auto object = models().get(model);
    *track = tracks().add(std::shared_ptr<TrackObject>(
        new TrackObject{{}, *object, spiga::FaceModelTrack(*object, {.smooth = smooth})}));
  });
}

spiga_status spiga_face_model_track_free(spiga_face_model_track* track) {
  return guarded([&] { tracks().remove(track); });
}

spiga_status spiga_face_model_track_next(spiga_face_model_track* track, const spiga_point* landmarks,
                                         const float* uncertainty, size_t count, const spiga_camera* camera,
                                         double time_s, spiga_face3d** face) {
  return guarded([&] {
    required(face, "face") = nullptr;
    const auto object = tracks().get(track);
    const Landmarks seen(landmarks, uncertainty, count);
    const spiga::Camera chosen = camera_of(camera);
    const std::lock_guard lock(object->mutex);
    const auto made = std::make_shared<Face3dObject>(
        object->model, chosen, object->track.next(seen.places, seen.uncertainty, chosen, time_s));
    for (const spiga::FaceEvent& event : object->track.take_events())
      made->events.push_back({kind_of(event.kind), event.start_s, event.end_s});
    *face = fitted_faces().add(made);
  });
}

spiga_status spiga_face3d_get(const spiga_face3d* face, spiga_face3d_values* values) {
  return guarded([&] { required(values, "values") = values_of(*fitted_faces().get(face)); });
}

spiga_status spiga_face3d_mesh(const spiga_face3d* face, spiga_mesh* mesh) {
  return guarded([&] {
    const auto object = fitted_faces().get(face);
    const std::lock_guard lock(object->mutex);
    if (!object->mesh) object->mesh = object->model.mesh(object->face, object->camera);
    required(mesh, "mesh") = {
        .vertices_mm = reinterpret_cast<const float(*)[3]>(object->mesh->vertices_mm.data()),
        .pixels = reinterpret_cast<const spiga_point*>(object->mesh->pixels.data()),
        .vertex_count = object->mesh->vertices_mm.size()};
  });
}

spiga_status spiga_face3d_free(spiga_face3d* face) {
  return guarded([&] { fitted_faces().remove(face); });
}

spiga_status spiga_blendshape_names(const char* const** names, size_t* count) {
  return guarded([&] {
    required(names, "names") = blendshape_names().data();
    required(count, "count") = blendshape_names().size();
  });
}

}  // extern "C"
