// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "geometry/boxes.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "spiga/tracker.h"
#include "vision/detection_schedule.h"
#include "vision/detector_passes.h"
#include "vision/face_test.h"
#include "vision/smoother.h"
#include "vision/tracker.h"

namespace spiga {
namespace {

// Parts of a picture that are smaller hold no face worth a run of the detector.
constexpr double kSmallestFace = 24;

void check(const TrackerOptions& options) {
  if (options.detect_every < 1)
    throw Error(ErrorCode::invalid_argument,
                base::concat("tracker: detect_every: expected at least 1, found ", options.detect_every));
  if (!(options.keep_lost_s >= 0 && std::isfinite(options.keep_lost_s)))
    throw Error(ErrorCode::invalid_argument,
                base::concat("tracker: keep_lost_s: expected at least 0, found ", options.keep_lost_s));
  if (options.max_faces < 0)
    throw Error(ErrorCode::invalid_argument,
                base::concat("tracker: max_faces: expected at least 0, found ", options.max_faces));
}

Landmarker with_quality(Landmarker landmarker, Quality quality) {
  if (landmarker.options().quality == quality) return landmarker;
  LandmarkerOptions options = landmarker.options();
  options.quality = quality;
  return Landmarker(landmarker.model(), options);
}

}  // namespace

struct FaceTracker::Impl {
  Impl(Landmarker given, const TrackerOptions& chosen)
      : landmarker(with_quality(std::move(given), chosen.quality)),
        options(chosen),
        database(scheme::find_database(landmarker.database())),
        test(database),
        schedule(chosen.detect_every),
        tracker({.keep_lost_s = chosen.keep_lost_s, .max_faces = chosen.max_faces}) {
    check(options);
    vision::Smoother(database, options.smooth);  // throws where the strength makes no sense
  }

  void begin(const ImageView& frame, double now_s);
  std::vector<TrackedFace> next(const ImageView& frame, std::span<const Detection> detections);
  Face steadied(std::int64_t track, const Face& face);

  Landmarker landmarker;
  TrackerOptions options;
  const scheme::Database& database;
  vision::FaceTest test;
  vision::DetectionSchedule schedule;
  vision::Tracker tracker;
  std::map<std::int64_t, vision::Smoother> smoothers;  // by track
  std::int64_t frames = 0;
  double time_s = 0;
  double frame_s = 0;  // from the last frame to this one
  int width = 0;
  int height = 0;
};

void FaceTracker::Impl::begin(const ImageView& frame, double now_s) {
  if (!std::isfinite(now_s) || (frames > 0 && now_s < time_s))
    throw Error(ErrorCode::invalid_argument,
                base::concat("tracker: expected a time of at least ", time_s, " s, found ", now_s));
  if (!frame.data || frame.width <= 0 || frame.height <= 0)
    throw Error(ErrorCode::invalid_argument, base::concat("tracker: expected a picture, found ", frame.width,
                                                          " x ", frame.height, " pixels"));
  if (frames > 0 && (frame.width != width || frame.height != height)) {
    tracker.rescale(static_cast<double>(frame.width) / width, static_cast<double>(frame.height) / height);
    smoothers.clear();
  }
  frame_s = frames > 0 ? now_s - time_s : 0;
  time_s = now_s;
  width = frame.width;
  height = frame.height;
}

Face FaceTracker::Impl::steadied(std::int64_t track, const Face& face) {
  const auto [entry, is_new] = smoothers.try_emplace(track, database, options.smooth);
  return entry->second.next(face, time_s);
}

std::vector<TrackedFace> FaceTracker::Impl::next(const ImageView& frame,
                                                 std::span<const Detection> detections) {
  ++frames;
  const std::vector<vision::Look> looks = tracker.look(time_s, width, height, detections);
  std::vector<FaceRequest> requests;
  for (const vision::Look& look : looks) requests.push_back({frame, look.box, look.score});
  const std::vector<Face> faces = landmarker.locate(requests);
  std::vector<vision::Seen> seen;
  for (const Face& face : faces) seen.push_back({geometry::tight_box(face.landmarks), test.likelihood(face)});
  const std::vector<vision::Verdict> verdicts = tracker.update(seen);

  std::vector<TrackedFace> tracked;
  std::map<std::int64_t, vision::Smoother> alive;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const vision::TrackState state = verdicts[i].state;
    if (state == vision::TrackState::ended) continue;
    const bool found = state != vision::TrackState::lost;
    TrackedFace face = {verdicts[i].id, seen[i].likelihood, found, {}};
    if (found) face.face = steadied(looks[i].track, faces[i]);
    face.face.confidence = face.confidence;
    if (auto smoother = smoothers.extract(looks[i].track)) alive.insert(std::move(smoother));
    if (state != vision::TrackState::tentative) tracked.push_back(std::move(face));
  }
  smoothers = std::move(alive);
  return tracked;
}

FaceTracker::FaceTracker(Landmarker landmarker, const TrackerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(landmarker), options)) {}
FaceTracker::FaceTracker(FaceTracker&&) noexcept = default;
FaceTracker& FaceTracker::operator=(FaceTracker&&) noexcept = default;
FaceTracker::~FaceTracker() = default;

std::vector<TrackedFace> FaceTracker::next(const ImageView& frame, double time_s, Detector& detector) {
  impl_->begin(frame, time_s);
  std::vector<Detection> detections;
  if (detector_is_due()) detections = detect_around(detector, frame, impl_->tracker.occupied(time_s));
  return impl_->next(frame, detections);
}

std::vector<TrackedFace> FaceTracker::next(const ImageView& frame, double time_s,
                                           std::span<const Detection> detections) {
  impl_->begin(frame, time_s);
  return impl_->next(frame, detections);
}

std::vector<TrackedFace> FaceTracker::next(const ImageView& frame, double time_s) {
  return next(frame, time_s, std::span<const Detection>());
}

bool FaceTracker::detector_is_due(int ahead) {
  return impl_->schedule.take(impl_->frames + ahead, impl_->tracker.misses_a_face());
}
std::vector<Box> FaceTracker::occupied() const {
  return impl_->tracker.occupied(impl_->time_s + impl_->frame_s);
}
const Landmarker& FaceTracker::landmarker() const { return impl_->landmarker; }
const TrackerOptions& FaceTracker::options() const { return impl_->options; }

std::vector<Detection> detect_around(Detector& detector, const ImageView& image,
                                     std::span<const Box> occupied) {
  if (!detector.prefers_parts()) return detector.detect(image);
  return vision::detect_in_free_regions(detector, image, occupied, kSmallestFace);
}

}  // namespace spiga
