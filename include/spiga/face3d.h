// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spiga/default_files.h"
#include "spiga/face.h"

// The face in three dimensions: a morphable head (ICT-FaceKit) fitted to 68 landmarks under a perspective
// camera. docs/face3d.md tells what can be relied on. All lengths are millimetres; the scale is that of the
// mean head, as one camera cannot tell a large head far away from a small one nearby.
namespace spiga {

// A pinhole camera with OpenCV's distortion, in pixels of the picture ((0, 0) is the top left pixel).
struct Camera {
  double fx = 0, fy = 0, cx = 0, cy = 0;
  std::array<double, 5> distortion = {};  // k1, k2, p1, p2, k3
  int width = 0, height = 0;              // of the pictures that it was calibrated on; 0: of any
  bool guessed = false;                   // nobody gave it: guessed_camera
};

// Where nobody knows the camera: focal length as long as the picture's longer side (a field of view of 53
// degrees), principal point in the middle, no distortion.
Camera guessed_camera(int width, int height);
// `fov_deg`: across the picture's width. Throws Error(invalid_argument) outside 1 to 170 degrees.
Camera camera_from_fov(double fov_deg, int width, int height);
// "fx,fy,cx,cy" (with five distortion coefficients behind them where there are any), or the name of a YAML
// file as OpenCV's calibration writes it (camera_matrix, distortion_coefficients, image_width, image_height).
// Throws Error(invalid_argument), Error(not_found), Error(bad_data).
Camera parse_camera(const std::string& numbers_or_file);
// The camera for pictures of that size, scaled where it was calibrated on another. Error(invalid_argument):
// the shapes differ, check_camera fails, or its axis passes the picture by more than 3 focal lengths.
Camera camera_for_picture(const Camera& camera, int width, int height);
// Throws Error(invalid_argument), naming the field, where a number is not finite or makes no camera.
void check_camera(const Camera& camera);
// Where the camera sees a point (mm; x to the right, y down, z away); nothing where it does not lie before
// the camera.
std::optional<Point> project_point(const Camera& camera, const std::array<double, 3>& point_mm);

// Where the head stands before the camera: x_camera = rotation x_head + translation_mm. Both frames have x to
// the picture's right, y down, z away from the camera (of an upright head that looks at the camera); the
// head's origin is the nose tip of the mean head.
struct CameraPose {
  std::array<std::array<double, 3>, 3> rotation = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};  // rows
  std::array<double, 4> quaternion = {1, 0, 0, 0};                                      // w, x, y, z; w >= 0
  std::array<double, 3> translation_mm = {0, 0, 0};
  double yaw_deg = 0, pitch_deg = 0, roll_deg = 0;  // docs/head-pose.md, before this camera
  // OpenFace's pose_Rx, pose_Ry, pose_Rz, radians: rotation = Rx Ry Rz.
  std::array<double, 3> openface_rad = {0, 0, 0};
};

// What one face does, in plain words.
struct FaceSignals {
  float eye_opening_left = 0, eye_opening_right = 0;  // mm between the lids; left is the person's left
  // The same as a share of this person's open eye (tracks) or of the mean head's (single pictures), 0 to 1.
  float eye_open_left = 0, eye_open_right = 0;
  bool blink = false;       // both eyes are closed or nearly so
  float mouth_opening = 0;  // mm between the inner edges of the lips
  float smile = 0;          // 0 to 1
  float brow_raise = 0;     // 0 to 1
};

struct Face3d {
  CameraPose pose;
  std::vector<std::array<float, 3>> points_mm;  // [68] before the camera, in the order of the 300-W mark-up
  std::vector<float> blendshapes;               // [blendshape_names().size()], 0 to 1
  FaceSignals signals;
  float reprojection_px = 0;      // root of the mean squared distance from landmarks to the fitted head's
  int landmarks = 0;              // that the fit rests on
  std::vector<float> expression;  // coefficients of all of the head's expression shapes, 0 to 1
  std::vector<float> identity;    // coefficients of the head's identity modes, standard normal
};

// ARKit's names of the expressions that 68 landmarks tell, and with which correlation (docs/face3d.md).
struct BlendshapeInfo {
  const char* name;
  float correlation_frame;  // with the truth on made-up faces, from a single frame
  float correlation_track;  // in tracks of 60 frames
};
std::span<const BlendshapeInfo> blendshapes();

// An action unit of FACS that some blendshapes stand for. Derived; no FACS coder has validated it.
struct ActionUnit {
  const char* name;         // "AU12_d"
  std::vector<int> shapes;  // indices into blendshapes(); the unit's value is their largest, times 5
};
std::span<const ActionUnit> derived_action_units();

struct Mesh {
  std::vector<std::array<float, 3>> vertices_mm;  // before the camera
  std::vector<Point> pixels;                      // [vertices], where the camera sees them
};

// The morphable head. Copies share their data; const use from many threads is safe.
class FaceModel {
 public:
  // Empty: default_head_path(). Throws Error(not_found), Error(bad_data).
  static FaceModel load(const std::string& path = {});

  // Fits the head to one face. landmarks: [68] in the order of the 300-W mark-up, in picture pixels; those
  // that are not finite do not count. uncertainty: [68] expected error of each in pixels, or empty: all
  // alike. Throws Error(invalid_argument) where the camera is none, fewer than 12 landmarks count, they do
  // not determine a pose, or it lies behind the camera.
  Face3d fit(std::span<const Point> landmarks, std::span<const float> uncertainty,
             const Camera& camera) const;

  // The whole mesh of a fitted face. `camera`: the one of the fit.
  Mesh mesh(const Face3d& face, const Camera& camera) const;
  // [T] corners of each triangle, indices into the mesh's vertices, counter-clockwise seen from outside.
  std::span<const std::array<std::uint16_t, 3>> triangles() const;
  // [E] ICT-FaceKit's names of the expression shapes, in the order of Face3d::expression.
  const std::vector<std::string>& expression_names() const;

  // A face of those coefficients and pose, seen by nobody: for tests and pictures. identity: [at most the
  // modes], expression: [E].
  Face3d make(std::span<const float> identity, std::span<const float> expression,
              const CameraPose& pose) const;
  // The 68 landmarks as an annotator would mark them: contour landmarks on the visible outline. Throws
  // Error(invalid_argument) where a point lies behind the camera.
  std::vector<Point> landmarks(const Face3d& face, const Camera& camera) const;

  struct Data;
  const Data& data() const { return *data_; }

 private:
  explicit FaceModel(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// The pose with this rotation (rows, orthonormal) and translation, angles and quaternion filled in.
CameraPose make_camera_pose(const std::array<std::array<double, 3>, 3>& rotation,
                            const std::array<double, 3>& translation_mm);

enum class FaceEventKind { blink, nod, shake };
const char* name_of(FaceEventKind kind);

// Something that a face did; told with the frame at which it was over (blink) or sure (nod, shake).
struct FaceEvent {
  FaceEventKind kind = FaceEventKind::blink;
  double start_s = 0;
  double end_s = 0;
};

struct FaceModelTrackOptions {
  // How strongly pose and expressions are steadied; 0: each frame for itself (identity is still held).
  double smooth = 1;
};

// One person's face over the frames of a video: who it is, is estimated from frame to frame and held once it
// is well known; expressions are told against the person's own rest. One object serves one track and one
// thread at a time.
class FaceModelTrack {
 public:
  explicit FaceModelTrack(FaceModel model, const FaceModelTrackOptions& options = {});
  FaceModelTrack(FaceModelTrack&&) noexcept;
  FaceModelTrack& operator=(FaceModelTrack&&) noexcept;
  ~FaceModelTrack();

  // The face in the next frame, as FaceModel::fit. Times in seconds must not run backwards. What it throws
  // leaves the track as it was.
  Face3d next(std::span<const Point> landmarks, std::span<const float> uncertainty, const Camera& camera,
              double time_s);
  // What has happened up to the last frame and was not told yet.
  std::vector<FaceEvent> take_events();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga
