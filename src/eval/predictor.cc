// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/predictor.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/text.h"
#include "geometry/boxes.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::AnnotatedFace;
using annotations::FaceList;
using annotations::Rect;
using base::concat;

Box to_box(const Rect& rect) {
  return {static_cast<float>(rect.x), static_cast<float>(rect.y), static_cast<float>(rect.width),
          static_cast<float>(rect.height)};
}

// Detections for the faces of one picture: largest overlap first, none twice; none where all overlap too
// little.
std::vector<std::optional<Detection>> assign_detections(const std::vector<Box>& faces,
                                                        const std::vector<Detection>& detections) {
  struct Pair {
    double overlap;
    std::size_t face, detection;
  };
  std::vector<Pair> pairs;
  for (std::size_t f = 0; f < faces.size(); ++f) {
    for (std::size_t d = 0; d < detections.size(); ++d) {
      const double overlap = geometry::intersection_over_union(faces[f], detections[d].box);
      if (overlap >= kSameFaceOverlap) pairs.push_back({overlap, f, d});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](auto& a, auto& b) { return a.overlap > b.overlap; });
  std::vector<std::optional<Detection>> assigned(faces.size());
  std::vector<bool> taken(detections.size(), false);
  for (const Pair& pair : pairs) {
    if (assigned[pair.face] || taken[pair.detection]) continue;
    assigned[pair.face] = detections[pair.detection];
    taken[pair.detection] = true;
  }
  return assigned;
}

// Goes through the pictures, each read once for all its faces, and locates faces in full batches.
class Run {
 public:
  Run(const FaceList& truth, const PredictionSources& sources) : truth_(truth), sources_(sources) {
    result_.source = truth.source;
    result_.faces.resize(truth.faces.size());
    for (std::size_t i = 0; i < truth.faces.size(); ++i) {
      result_.faces[i].image = truth.faces[i].image;
      const auto [found, fresh] = place_of_.emplace(truth.faces[i].image, pictures_.size());
      if (fresh) pictures_.emplace_back();
      pictures_[found->second].push_back(i);
    }
  }

  FaceList run() {
    for (const std::vector<std::size_t>& faces : pictures_) {
      add_picture(faces);
      if (pending_.size() >= sources_.batch) locate_pending();
      if (sources_.on_progress) sources_.on_progress(done_);
    }
    locate_pending();
    if (sources_.on_progress) sources_.on_progress(done_);
    return std::move(result_);
  }

 private:
  struct Pending {
    std::size_t face;
    std::shared_ptr<const Image> picture;
    Box box;
    float score;
  };

  void add_picture(const std::vector<std::size_t>& faces) {
    const std::string& name = truth_.faces[faces.front()].image;
    const auto picture = std::make_shared<const Image>(sources_.read_picture(name));
    std::vector<Box> boxes;
    for (std::size_t face : faces) {
      const std::optional<Rect> box = annotations::box_of(truth_.faces[face]);
      if (!box)
        throw Error(ErrorCode::bad_data,
                    concat(truth_.source, ": face ", face, " (", name, "): expected a box"));
      boxes.push_back(to_box(*box));
    }
    if (!sources_.detector) {
      for (std::size_t i = 0; i < faces.size(); ++i) pending_.push_back({faces[i], picture, boxes[i], 1});
      return;
    }
    const auto assigned = assign_detections(boxes, sources_.detector->detect(picture->view()));
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (assigned[i]) {
        pending_.push_back({faces[i], picture, assigned[i]->box, assigned[i]->score});
      } else {
        ++done_;
      }
    }
  }

  void locate_pending() {
    if (pending_.empty()) return;
    std::vector<FaceRequest> requests;
    for (const Pending& pending : pending_)
      requests.push_back({pending.picture->view(), pending.box, pending.score});
    const std::vector<Face> located = locate(requests);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      AnnotatedFace& face = result_.faces[pending_[i].face];
      face = to_annotated(face.image, located[i], sources_.landmark_ids);
    }
    done_ += pending_.size();
    pending_.clear();
  }

  std::vector<Face> locate(const std::vector<FaceRequest>& requests) const {
    try {
      return sources_.locate(requests);
    } catch (const Error& error) {
      throw Error(error.code(), concat(truth_.source, ": faces ", pending_.front().face, " to ",
                                       pending_.back().face, ": ", error.what()));
    }
  }

  const FaceList& truth_;
  const PredictionSources& sources_;
  FaceList result_;
  std::unordered_map<std::string, std::size_t> place_of_;
  std::vector<std::vector<std::size_t>>
      pictures_;  // the faces of each picture, in the order of their first one
  std::vector<Pending> pending_;
  std::size_t done_ = 0;
};

}  // namespace

AnnotatedFace to_annotated(const std::string& image, const Face& face, const std::vector<int>& ids) {
  AnnotatedFace result;
  result.image = image;
  result.box = Rect{face.box.x, face.box.y, face.box.width, face.box.height};
  result.ids = ids;
  for (const Point& point : face.landmarks) result.landmarks.push_back({point.x, point.y});
  result.visible.assign(ids.size(), 1.0);
  result.uncertainty.assign(face.uncertainty.begin(), face.uncertainty.end());
  const HeadPose& pose = face.headpose;
  result.headpose = annotations::Pose{{pose.yaw_deg, pose.pitch_deg, pose.roll_deg},
                                      {pose.translation[0], pose.translation[1], pose.translation[2]}};
  return result;
}

FaceList predict_faces(const FaceList& truth, const PredictionSources& sources) {
  return Run(truth, sources).run();
}

}  // namespace spiga::eval
