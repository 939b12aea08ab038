// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "media/face_text.h"
#include "media/live_sender.h"
#include "media/mesh_file.h"
#include "media/video_text.h"
#include "spiga/face3d.h"
#include "spiga/image.h"

namespace spiga::media {

struct Face3dOptions {
  bool on = false;
  std::string camera;               // numbers or a file; empty: see fov_deg
  double fov_deg = 0;               // 0: a guess
  std::string mesh;                 // folder; empty: none
  std::string mesh_format = "obj";  // or "glb"
  bool draw = false;
  std::vector<std::string> send;  // where to

  bool wanted() const {
    return on || std::any_of(send.begin(), send.end(), LiveSender::needs_face3d) || draw || fov_deg > 0 ||
           !camera.empty() || !mesh.empty();
  }
};

// The camera of pictures of any size, as the options say.
class CameraChoice {
 public:
  // Throws Error as parse_camera.
  explicit CameraChoice(const Face3dOptions& options);
  // Throws Error(invalid_argument) where it is none for this size.
  Camera of(int width, int height) const;

 private:
  std::optional<Camera> camera_;
  double fov_deg_;
};

// Fits the head to the faces of pictures. What is const is safe from several threads.
class FaceFitter {
 public:
  // Throws Error where the head, the camera or the landmarks' database will not do.
  FaceFitter(const Face3dOptions& options, const std::string& database);

  // Adds what the fit says to the picture; what does not work becomes a problem. Writes meshes where asked
  // to.
  // One thread at a time.
  void fit(PictureFaces& picture, std::vector<std::string>& problems);
  // What the fit says, without meshes; what does not work becomes a problem.
  Faces3d fitted(const PictureFaces& picture, std::vector<std::string>& problems) const;
  // Adds the meshes of the first `most` fitted faces; the others', and those that reach behind the camera,
  // are nothing.
  void add_meshes(Faces3d& faces, std::size_t most) const;
  void draw(Image& picture, std::span<const Face> faces) const;
  const FaceModel& model() const { return model_; }

 private:
  void write_meshes(const PictureFaces& picture);

  FaceModel model_;
  CameraChoice camera_;
  std::string mesh_folder_;
  MeshFormat mesh_format_;
  std::set<std::string> mesh_names_;
};

// The same for the tracks of a video. One thread at a time.
class FaceFollower {
 public:
  FaceFollower(const Face3dOptions& options, const std::string& database);
  // Adds what the fits say; faces that cannot be fitted have none, and become a problem.
  void fit(FrameFaces& frame);
  // Draws the meshes of the frame last fitted.
  void draw(Image& picture) const;
  // What went wrong so far: the first time of each kind, and how often since.
  std::vector<std::string> problems() const;

 private:
  struct Trouble {
    std::string first;
    std::int64_t count = 0;
    void add(std::int64_t frame, const std::string& what);
  };

  FaceModel model_;
  CameraChoice camera_;
  std::map<int, FaceModelTrack> tracks_;  // by id
  std::optional<Faces3d> last_;
  Trouble no_camera_, no_fit_;
};

}  // namespace spiga::media
