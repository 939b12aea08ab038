// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "spiga/analyzer.h"
#include "spiga/spiga.h"
#include "spiga/tracker.h"
#include "spiga/version.h"

namespace spiga::capi {
namespace {

// The C structs are handed out and taken in as the C++ ones.
static_assert(sizeof(spiga_point) == sizeof(Point) && sizeof(spiga_box) == sizeof(Box));

struct AnalyzerObject {
  explicit AnalyzerObject(Analyzer loaded)
      : analyzer(std::move(loaded)),
        ids(analyzer.landmarker().landmark_ids().begin(), analyzer.landmarker().landmark_ids().end()) {}

  std::mutex mutex;
  Analyzer analyzer;
  const std::vector<std::int32_t> ids;
};

struct TrackerObject {
  TrackerObject(const Analyzer& loaded, const TrackerOptions& options)
      : detector(loaded.make_detector(loaded.detector_options())), tracker(loaded.landmarker(), options) {}

  std::mutex mutex;
  std::unique_ptr<Detector> detector;
  FaceTracker tracker;
};

using FacesObject = const std::vector<TrackedFace>;

// Never destroyed, so that programs may free handles as late as they like.
auto& analyzers() {
  static auto& handles = *new Handles<spiga_analyzer, AnalyzerObject>("spiga_analyzer");
  return handles;
}
auto& trackers() {
  static auto& handles = *new Handles<spiga_tracker, TrackerObject>("spiga_tracker");
  return handles;
}
auto& all_faces() {
  static auto& handles = *new Handles<spiga_faces, FacesObject>("spiga_faces");
  return handles;
}

ImageView view_of(const spiga_image* given) {
  const spiga_image& image = required(given, "image");
  constexpr PixelFormat kFormats[] = {PixelFormat::bgr8, PixelFormat::rgb8, PixelFormat::bgra8,
                                      PixelFormat::rgba8, PixelFormat::gray8};
  if (image.format < 0 || image.format > SPIGA_GRAY8)
    refuse(concat("image: format: expected a spiga_pixel_format, found ", image.format));
  const PixelFormat format = kFormats[image.format];
  required(image.data, "image: data");
  if (image.width <= 0 || image.height <= 0)
    refuse(concat("image: expected sides longer than 0, found ", image.width, " x ", image.height));
  const std::int64_t row = std::int64_t{image.width} * channels_of(format);
  if (image.stride_bytes < row)
    refuse(concat("image: stride_bytes: expected at least ", row, ", found ", image.stride_bytes));
  return {image.data, image.width, image.height, static_cast<std::ptrdiff_t>(image.stride_bytes), format};
}

AnalyzerOptions analyzer_options(const spiga_options& options) {
  if (options.size != sizeof(spiga_options))
    refuse(concat("options: size: expected ", sizeof(spiga_options), " (call spiga_options_init), found ",
                  options.size));
  if (options.effort < 0 || options.effort > SPIGA_EFFORT_THOROUGH)
    refuse(concat("options: effort: expected a spiga_effort, found ", options.effort));
  if (options.precision < 0 || options.precision > SPIGA_PRECISION_INT8)
    refuse(concat("options: precision: expected a spiga_precision, found ", options.precision));
  if (options.quality < 0 || options.quality > SPIGA_QUALITY_BEST)
    refuse(concat("options: quality: expected a spiga_quality, found ", options.quality));
  constexpr Quality kQualities[] = {Quality::fast, Quality::normal, Quality::best};
  constexpr Precision kPrecisions[] = {Precision::automatic, Precision::f32, Precision::bf16,
                                       Precision::int8};
  constexpr DetectorEffort kEfforts[] = {DetectorEffort::fast, DetectorEffort::normal,
                                         DetectorEffort::thorough};
  AnalyzerOptions result;
  if (options.model) result.model = options.model;
  if (options.detector) result.detector = options.detector;
  result.precision = kPrecisions[options.precision];
  result.threads = options.threads;
  result.max_batch = options.max_batch;
  result.quality = kQualities[options.quality];
  result.effort = kEfforts[options.effort];
  result.min_face_px = options.min_face_px;
  result.score_threshold = options.score_threshold;
  return result;
}

void set_defaults(spiga_options& options) {
  const AnalyzerOptions analyzer;
  const TrackerOptions tracker;
  options = {.size = sizeof(spiga_options),
             .model = nullptr,
             .detector = nullptr,
             .precision = SPIGA_PRECISION_AUTOMATIC,
             .threads = analyzer.threads,
             .max_batch = analyzer.max_batch,
             .effort = SPIGA_EFFORT_NORMAL,
             .min_face_px = analyzer.min_face_px,
             .score_threshold = analyzer.score_threshold,
             .smooth = tracker.smooth,
             .detect_every = tracker.detect_every,
             .quality = SPIGA_QUALITY_NORMAL};
}

spiga_options chosen_options(const spiga_options* options) {
  spiga_options defaults;
  set_defaults(defaults);
  return options ? *options : defaults;
}

spiga_faces* hand_out(std::vector<TrackedFace> faces) {
  return all_faces().add(std::make_shared<FacesObject>(std::move(faces)));
}

spiga_faces* hand_out(std::vector<Face> faces) {
  std::vector<TrackedFace> numbered;
  for (Face& face : faces) {
    const float confidence = face.confidence;
    numbered.push_back(
        {.id = static_cast<int>(numbered.size()), .confidence = confidence, .face = std::move(face)});
  }
  return hand_out(std::move(numbered));
}

spiga_face to_c(const TrackedFace& tracked) {
  const Face& face = tracked.face;
  const HeadPose& pose = face.headpose;
  return {.id = tracked.id,
          .found = tracked.found ? 1 : 0,
          .score = face.score,
          .confidence = tracked.confidence,
          .box = {face.box.x, face.box.y, face.box.width, face.box.height},
          .yaw_deg = pose.yaw_deg,
          .pitch_deg = pose.pitch_deg,
          .roll_deg = pose.roll_deg,
          .translation = {pose.translation[0], pose.translation[1], pose.translation[2]},
          .landmark_count = face.landmarks.size(),
          .landmarks = reinterpret_cast<const spiga_point*>(face.landmarks.data()),
          .uncertainty = face.uncertainty.data()};
}

}  // namespace
}  // namespace spiga::capi

using namespace spiga::capi;

extern "C" {

const char* spiga_version(void) { return SPIGA_VERSION; }

const char* spiga_last_error(void) { return last_message; }

spiga_status spiga_options_init(spiga_options* options) {
  return guarded([&] { set_defaults(required(options, "options")); });
}

spiga_status spiga_analyzer_create(const spiga_options* options, spiga_analyzer** analyzer) {
  return guarded([&] {
    required(analyzer, "analyzer") = nullptr;
    *analyzer = analyzers().add(
        std::make_shared<AnalyzerObject>(spiga::Analyzer::load(analyzer_options(chosen_options(options)))));
  });
}

spiga_status spiga_analyzer_free(spiga_analyzer* analyzer) {
  return guarded([&] { analyzers().remove(analyzer); });
}

spiga_status spiga_analyze(spiga_analyzer* analyzer, const spiga_image* image, spiga_faces** faces) {
  return guarded([&] {
    required(faces, "faces") = nullptr;
    const auto object = analyzers().get(analyzer);
    const spiga::ImageView view = view_of(image);
    const std::lock_guard lock(object->mutex);
    *faces = hand_out(object->analyzer.analyze(view));
  });
}

spiga_status spiga_locate(spiga_analyzer* analyzer, const spiga_image* image, const spiga_box* boxes,
                          size_t count, spiga_faces** faces) {
  return guarded([&] {
    required(faces, "faces") = nullptr;
    const auto object = analyzers().get(analyzer);
    const spiga::ImageView view = view_of(image);
    if (count > 0) required(boxes, "boxes");
    std::vector<spiga::Box> list;
    for (const spiga_box& box : std::span(boxes, count))
      list.push_back({box.x, box.y, box.width, box.height});
    const std::lock_guard lock(object->mutex);
    *faces = hand_out(object->analyzer.locate(view, list));
  });
}

spiga_status spiga_landmark_ids(spiga_analyzer* analyzer, const int32_t** ids, size_t* count) {
  return guarded([&] {
    const auto object = analyzers().get(analyzer);
    required(ids, "ids") = object->ids.data();
    required(count, "count") = object->ids.size();
  });
}

spiga_status spiga_tracker_create(const spiga_options* options, spiga_tracker** tracker) {
  return guarded([&] {
    required(tracker, "tracker") = nullptr;
    const spiga_options chosen = chosen_options(options);
    const spiga::TrackerOptions rules = {.smooth = chosen.smooth, .detect_every = chosen.detect_every};
    *tracker = trackers().add(
        std::make_shared<TrackerObject>(spiga::Analyzer::load(analyzer_options(chosen)), rules));
  });
}

spiga_status spiga_tracker_free(spiga_tracker* tracker) {
  return guarded([&] { trackers().remove(tracker); });
}

spiga_status spiga_track(spiga_tracker* tracker, const spiga_image* frame, double time_s,
                         spiga_faces** faces) {
  return guarded([&] {
    required(faces, "faces") = nullptr;
    const auto object = trackers().get(tracker);
    const spiga::ImageView view = view_of(frame);
    const std::lock_guard lock(object->mutex);
    *faces = hand_out(object->tracker.next(view, time_s, *object->detector));
  });
}

spiga_status spiga_faces_count(const spiga_faces* faces, size_t* count) {
  return guarded([&] { required(count, "count") = all_faces().get(faces)->size(); });
}

spiga_status spiga_faces_get(const spiga_faces* faces, size_t index, spiga_face* face) {
  return guarded([&] {
    const auto list = all_faces().get(faces);
    if (index >= list->size())
      refuse(concat("index: expected less than ", list->size(), " faces, found ", index));
    required(face, "face") = to_c((*list)[index]);
  });
}

spiga_status spiga_faces_free(spiga_faces* faces) {
  return guarded([&] { all_faces().remove(faces); });
}

}  // extern "C"
