// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "spiga/detector.h"
#include "spiga/face.h"
#include "spiga/image.h"
#include "spiga/landmarker.h"

namespace spiga {

struct TrackerOptions {
  // How strongly trembling is taken out of landmarks and head pose; 0 leaves them as the network gives them.
  double smooth = 1;
  // Frames from one run of the detector to the next; while a face is missing, half as many.
  int detect_every = 6;
  // A face found again within this time keeps its id.
  double keep_lost_s = 1;
  // Looks of the network at each face, whatever the landmarker was made with: a face that is followed comes
  // with a box that fits.
  Quality quality = Quality::fast;
  // Faces with an id at a time, lost ones included; others are not looked for while there are so many. 0: any
  // number.
  int max_faces = 0;
};

// A face of a video's frame.
struct TrackedFace {
  int id = 0;            // 0, 1, 2, ... by first appearance; one per person as long as it is followed
  float confidence = 0;  // that this is a face and the landmarks sit on it, 0 to 1
  bool found = true;     // false: the face is lost since less than keep_lost_s; `face` is empty
  Face face;             // box: tight box of the landmarks; landmarks and head pose are steadied
};

// Follows the faces of a video: gives them ids, runs the network on all of a frame's faces at once, the
// detector only now and then, and steadies what comes out. docs/video.md tells the rules. One object serves
// one video and one thread at a time.
class FaceTracker {
 public:
  // Throws Error(invalid_argument) where an option makes no sense.
  explicit FaceTracker(Landmarker landmarker, const TrackerOptions& options = {});
  FaceTracker(FaceTracker&&) noexcept;
  FaceTracker& operator=(FaceTracker&&) noexcept;
  ~FaceTracker();

  // The faces of the next frame; runs the detector on it where one is due. Pictures may change their size on
  // the way. Times are in seconds and must not run
  // backwards. Throws Error(invalid_argument).
  std::vector<TrackedFace> next(const ImageView& frame, double time_s, Detector& detector);

  // The same for who runs the detector himself, in another thread for example. With detections: of this
  // frame or one shortly before. Without: it did not run.
  std::vector<TrackedFace> next(const ImageView& frame, double time_s, std::span<const Detection> detections);
  std::vector<TrackedFace> next(const ImageView& frame, double time_s);

  // For who runs the detector himself: whether it is to run on the frame that comes `ahead` frames after the
  // next one; whoever asks then runs it. True for the first frame, then every `detect_every` frames, half as
  // many while a followed face is missing.
  bool detector_is_due(int ahead = 0);
  // Places that it may leave out in the next frame, since a followed face is there.
  std::vector<Box> occupied() const;

  const Landmarker& landmarker() const;
  const TrackerOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The detector's faces outside the occupied places, looked for only in the parts of the picture that such
// faces can lie in; its DetectorOptions::min_face_px should be given, since efforts count in shares of what
// they are shown. A detector that does not prefer parts looks at the whole picture and tells occupied places
// too, which FaceTracker takes for the faces it follows.
std::vector<Detection> detect_around(Detector& detector, const ImageView& image,
                                     std::span<const Box> occupied);

}  // namespace spiga
