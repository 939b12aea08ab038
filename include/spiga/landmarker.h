// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "spiga/detector.h"
#include "spiga/face.h"
#include "spiga/image.h"
#include "spiga/model.h"
#include "spiga/quality.h"

namespace spiga {

// How a face's square is taken from the picture.
enum class Sampling {
  bilinear,  // bilinear; the mean of the covered area where the picture shrinks by more than 2
  nearest,   // the nearest pixel, as the published tools do
};

struct LandmarkerOptions {
  int threads = 1;    // of one network call; 0 = all (OMP_NUM_THREADS, or the number of processors)
  int max_batch = 8;  // faces of one network call; memory grows with it
  Sampling sampling = Sampling::bilinear;
  Quality quality = Quality::fast;  // looks of the network at each face (docs/benchmark.md, Quality)
};

// One face to look at: a picture and where in it the face is.
struct FaceRequest {
  ImageView image;
  Box box;               // tight box of the face's landmarks, or a Detection's box
  float score = 1;       // handed on to the Face
  float confidence = 1;  // likewise
};

// From boxes to landmarks and head pose: the SPIGA network with its weights.
//
// Copies share the model (immutable) and have a session of their own (workspace). One object serves one
// thread at a time; copies may run in parallel threads and give the same bits as alone. Copying allocates a
// workspace; moving costs nothing.
class Landmarker {
 public:
  // Throws Error(bad_data) where the model is none of landmarks, Error(invalid_argument) where an option
  // makes no sense.
  explicit Landmarker(const Model& model, const LandmarkerOptions& options = {});
  // Of a model file that nothing else shares. Throws Error as Model::load, too.
  static Landmarker load(const std::string& path, const LandmarkerOptions& options = {},
                         Precision precision = Precision::automatic);

  Landmarker(const Landmarker& other);
  Landmarker& operator=(const Landmarker& other);
  Landmarker(Landmarker&&) noexcept;
  Landmarker& operator=(Landmarker&&) noexcept;
  ~Landmarker();

  // The faces in the boxes, in the boxes' order, in as few network calls as max_batch and quality allow. With
  // Quality::fast nothing is allocated but the result after the first call of a batch size. Throws
  // Error(invalid_argument) naming the box where check_box() would, before anything is computed.
  Face locate(const ImageView& image, const Box& box);
  std::vector<Face> locate(const ImageView& image, std::span<const Box> boxes);
  std::vector<Face> locate(const ImageView& image, std::span<const Detection> detections);
  // The same for faces of several pictures in one batch.
  std::vector<Face> locate(std::span<const FaceRequest> requests);

  // What each landmark is: the database's name ("300wpublic", "wflw", ...) and its landmark ids in order.
  const std::string& database() const;
  const std::vector<int>& landmark_ids() const;
  int landmark_count() const;
  const Model& model() const;
  const LandmarkerOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Throws Error(invalid_argument) where no face can be looked for in the box: a number that is not finite, a
// side that is not positive, the whole box outside the picture, or a crop more than a thousand times the
// picture's longer side.
void check_box(const Box& box, const ImageView& image);

}  // namespace spiga
