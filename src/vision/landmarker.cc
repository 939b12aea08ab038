// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "spiga/landmarker.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "geometry/affine.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "vision/crop_session.h"
#include "vision/refinement.h"

namespace spiga {
namespace {

std::string text_of(const Box& box) {
  return "[" + std::to_string(box.x) + ", " + std::to_string(box.y) + ", " + std::to_string(box.width) +
         ", " + std::to_string(box.height) + "]";
}

// How many times longer than the picture's longer side a crop may be.
constexpr int kLargestCrop = 1000;

[[noreturn]] void refuse(const Box& box, const std::string& why) {
  throw Error(ErrorCode::invalid_argument, "box " + text_of(box) + ": " + why);
}

}  // namespace

void check_box(const Box& box, const ImageView& image) {
  if (!image.data || image.width <= 0 || image.height <= 0) refuse(box, "the picture has no pixels");
  for (const float value : {box.x, box.y, box.width, box.height})
    if (!std::isfinite(value)) refuse(box, "expected finite numbers");
  if (!(box.width > 0 && box.height > 0)) refuse(box, "expected sides longer than 0");
  const bool outside = box.x >= static_cast<float>(image.width) ||
                       box.y >= static_cast<float>(image.height) || box.x + box.width <= 0 ||
                       box.y + box.height <= 0;
  const double crop = geometry::kCropMargin * std::max(box.width, box.height);
  const double picture = std::max(image.width, image.height);
  if (crop > kLargestCrop * picture)
    refuse(box, "its crop of " + std::to_string(crop) + " pixels a side is more than " +
                    std::to_string(kLargestCrop) + " times the picture of " + std::to_string(image.width) +
                    " x " + std::to_string(image.height));
  if (outside)
    refuse(box, "lies outside the picture of " + std::to_string(image.width) + " x " +
                    std::to_string(image.height));
}

struct Landmarker::Impl {
  Impl(const Model& shared_model, const LandmarkerOptions& chosen)
      : options(chosen),
        model(shared_model),
        crops(model, chosen),
        database(scheme::find_database(crops.session().network().config().database)),
        refinement(database, options.quality, crops.size()) {}

  // One look of the network at each, in as few calls as max_batch allows.
  std::vector<Face> look(std::span<const FaceRequest> requests);
  // At most max_batch requests: one network call. Appends their faces.
  void call(std::span<const FaceRequest> requests, std::vector<Face>& faces);
  Face face_of(const FaceRequest& request, std::size_t index) const;

  LandmarkerOptions options;
  Model model;
  vision::CropSession crops;
  const scheme::Database& database;
  vision::Refinement refinement;
};

std::vector<Face> Landmarker::Impl::look(std::span<const FaceRequest> requests) {
  std::vector<Face> faces;
  faces.reserve(requests.size());
  const auto batch = static_cast<std::size_t>(options.max_batch);
  for (std::size_t done = 0; done < requests.size(); done += batch)
    call(requests.subspan(done, std::min(batch, requests.size() - done)), faces);
  return faces;
}

void Landmarker::Impl::call(std::span<const FaceRequest> requests, std::vector<Face>& faces) {
  crops.run(requests);
  for (std::size_t i = 0; i < requests.size(); ++i) faces.push_back(face_of(requests[i], i));
}

// From crop units to the picture.
Face Landmarker::Impl::face_of(const FaceRequest& request, std::size_t index) const {
  const auto landmarks = static_cast<std::size_t>(database.landmarks);
  const geometry::Affine image_from_crop = geometry::inverse(crops.crop_from_image(request.box));
  const float size = static_cast<float>(crops.size());
  const float crop_side = size * static_cast<float>(image_from_crop.xx);
  const model::Session& session = crops.session();
  const float* point = session.landmarks().data() + index * 2 * landmarks;
  const float* uncertainty = session.uncertainty().data() + index * landmarks;
  const float* pose = session.pose().data() + index * 6;
  Face face;
  face.box = request.box;
  face.score = request.score;
  face.confidence = request.confidence;
  face.landmarks.resize(landmarks);
  face.uncertainty.resize(landmarks);
  for (std::size_t i = 0; i < landmarks; ++i) {
    face.landmarks[i] = image_from_crop({size * point[2 * i], size * point[2 * i + 1]});
    face.uncertainty[i] = crop_side * uncertainty[i];
  }
  face.headpose = {pose[0], pose[1], pose[2], {pose[3], pose[4], pose[5]}};
  return face;
}

Landmarker::Landmarker(const Model& model, const LandmarkerOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {}

Landmarker Landmarker::load(const std::string& path, const LandmarkerOptions& options, Precision precision) {
  return Landmarker(Model::load(path, precision), options);
}

Landmarker::Landmarker(const Landmarker& other)
    : impl_(std::make_unique<Impl>(other.impl_->model, other.impl_->options)) {}
Landmarker& Landmarker::operator=(const Landmarker& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(other.impl_->model, other.impl_->options);
  return *this;
}
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;
Landmarker::~Landmarker() = default;

Face Landmarker::locate(const ImageView& image, const Box& box) {
  const FaceRequest request{image, box};
  return std::move(locate(std::span(&request, 1)).front());
}

std::vector<Face> Landmarker::locate(const ImageView& image, std::span<const Box> boxes) {
  std::vector<FaceRequest> requests;
  requests.reserve(boxes.size());
  for (const Box& box : boxes) requests.push_back({image, box});
  return locate(requests);
}

std::vector<Face> Landmarker::locate(const ImageView& image, std::span<const Detection> detections) {
  std::vector<FaceRequest> requests;
  requests.reserve(detections.size());
  for (const Detection& detection : detections)
    requests.push_back({image, detection.box, detection.score, detection.confidence});
  return locate(requests);
}

std::vector<Face> Landmarker::locate(std::span<const FaceRequest> requests) {
  for (const FaceRequest& request : requests) check_box(request.box, request.image);
  return impl_->refinement.locate(requests,
                                  [this](std::span<const FaceRequest> looks) { return impl_->look(looks); });
}

const std::string& Landmarker::database() const { return impl_->database.name; }
const std::vector<int>& Landmarker::landmark_ids() const { return impl_->database.ids; }
int Landmarker::landmark_count() const { return impl_->database.landmarks; }
const Model& Landmarker::model() const { return impl_->model; }
const LandmarkerOptions& Landmarker::options() const { return impl_->options; }

}  // namespace spiga
