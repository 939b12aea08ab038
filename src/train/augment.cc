// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/augment.h"

#include <torch/torch.h>

#include <algorithm>

#include "base/text.h"
#include "geometry/boxes.h"
#include "geometry/head_pose.h"
#include "scheme/scheme.h"
#include "spiga/error.h"
#include "train/render.h"
#include "train/sample_plan.h"

namespace spiga::train {
namespace {

const scheme::Database& database_for(const FaceDataset& faces, const model::NetworkConfig& config) {
  const scheme::Database& database = scheme::find_database(config.database);
  if (faces.landmarks() != database.landmarks || scheme::find_database(faces.database()).ids != database.ids)
    throw Error(ErrorCode::bad_data, base::concat("packed faces: expected the landmarks of ", config.database,
                                                  ", found those of ", faces.database()));
  return database;
}

// The labels of one batch, filled face by face on the CPU.
class Labels {
 public:
  Labels(const scheme::Database& database, std::size_t faces, int crop_size)
      : database_(database), crop_size_(static_cast<float>(crop_size)) {
    const auto n = static_cast<std::int64_t>(faces), l = std::int64_t{database.landmarks};
    batch_.landmarks = torch::empty({n, l, 2});
    batch_.visible = torch::empty({n, l});
    batch_.pose = torch::zeros({n, 6});
    batch_.has_pose = torch::zeros({n});
  }

  // `pose`: known already; else it is computed from the landmarks.
  void set(std::size_t index, const FaceRecord& face, const geometry::Affine& crop_from_face,
           const std::optional<HeadPose>& pose = {}) {
    const std::vector<Point> on_crop = landmarks_on_crop(face, crop_from_face);
    const bool mirrored = is_mirrored(crop_from_face);
    const std::size_t count = on_crop.size();
    float* landmarks = batch_.landmarks.data_ptr<float>() + index * count * 2;
    float* visible = batch_.visible.data_ptr<float>() + index * count;
    for (std::size_t i = 0; i < count; ++i) {
      const auto source = mirrored ? static_cast<std::size_t>(database_.flip_order[i]) : i;
      landmarks[2 * i] = on_crop[source].x / crop_size_;
      landmarks[2 * i + 1] = on_crop[source].y / crop_size_;
      visible[i] = face.visible[source] > 0 ? 1.0F : 0.0F;
    }
    std::optional<HeadPose> known = pose;
    // Half a profile's landmarks hardly determine its pose: one that was annotated is carried along.
    if (!known && face.headpose && !has_posit_landmarks(visible))
      known = geometry::pose_in_other_crop(*face.headpose, crop_from_box_crop(face, crop_from_face));
    if (const auto found = known ? known : pose_of(landmarks, visible)) set_pose(index, *found);
  }

  Batch finish(torch::Tensor images, torch::Device device) {
    batch_.images = std::move(images);
    for (torch::Tensor* tensor : {&batch_.landmarks, &batch_.visible, &batch_.pose, &batch_.has_pose})
      *tensor = tensor->to(device);
    return std::move(batch_);
  }

 private:
  // Whether all landmarks that POSIT looks at are annotated.
  bool has_posit_landmarks(const float* visible) const {
    for (std::size_t i = 0; i < database_.ids.size(); ++i)
      if (geometry::is_posit_landmark(database_.ids[i]) && !(visible[i] > 0)) return false;
    return true;
  }

  // From the crop of the annotated box, whose camera the annotated pose belongs to, to the training crop,
  // both in units of their sides.
  geometry::Affine crop_from_box_crop(const FaceRecord& face, const geometry::Affine& crop_from_face) const {
    const double scale = 1.0 / crop_size_;
    return geometry::compose({.xx = scale, .yy = scale},
                             geometry::compose(geometry::compose(crop_from_face, face.crop_from_image),
                                               geometry::inverse(geometry::crop_from_image(face.box, 1))));
  }

  std::optional<HeadPose> pose_of(const float* landmarks, const float* visible) const {
    std::vector<geometry::Vector3> world;
    std::vector<Point> image;
    for (std::size_t i = 0; i < database_.ids.size(); ++i)
      if (geometry::is_posit_landmark(database_.ids[i]) && visible[i] > 0) {
        world.push_back(database_.world_points[i]);
        image.push_back({landmarks[2 * i], landmarks[2 * i + 1]});
      }
    const auto rigid = geometry::posit(world, image);
    if (!rigid) return std::nullopt;
    return geometry::head_pose_from_rigid(*rigid);
  }

  void set_pose(std::size_t index, const HeadPose& pose) {
    float* out = batch_.pose.data_ptr<float>() + index * 6;
    for (const float value : {pose.yaw_deg, pose.pitch_deg, pose.roll_deg}) *out++ = value;
    std::ranges::copy(pose.translation, out);
    batch_.has_pose.data_ptr<float>()[index] = 1;
  }

  const scheme::Database& database_;
  float crop_size_;
  Batch batch_;
};

torch::Tensor render(std::span<const RenderJob> jobs, int size, torch::Device device) {
  if (!device.is_cpu()) return render_tensors(jobs, size, device);
  const auto count = static_cast<std::int64_t>(jobs.size());
  torch::Tensor pixels = torch::empty({count, size, size, 3});
  Renderer renderer;
  for (std::int64_t i = 0; i < count; ++i)
    renderer.render(jobs[static_cast<std::size_t>(i)], size, pixels.data_ptr<float>() + i * size * size * 3);
  return pixels.permute({0, 3, 1, 2});
}

}  // namespace

Batch make_batch(const FaceDataset& faces, std::span<const std::int64_t> indices, std::uint64_t seed,
                 const AugmentOptions& options, const model::NetworkConfig& config, torch::Device device) {
  Labels labels(database_for(faces, config), indices.size(), config.input_size);
  std::vector<RenderJob> jobs(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    Random random(mix(seed, static_cast<std::uint64_t>(indices[i])));
    const FaceRecord face = faces.record(indices[i]);
    const auto other = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(faces.size())));
    jobs[i].face = face.pixels;
    jobs[i].occluder = faces.record(other).pixels;
    jobs[i].plan = vary(face, jobs[i].occluder, options, config.input_size, random);
    labels.set(i, face, jobs[i].plan.crop_from_face);
  }
  return labels.finish(render(jobs, config.input_size, device), device);
}

EvalBatch make_eval_batch(const FaceDataset& faces, std::span<const std::int64_t> indices,
                          const model::NetworkConfig& config, torch::Device device, const EvalBox& box) {
  Labels labels(database_for(faces, config), indices.size(), config.input_size);
  const bool as_annotated = box.shift_x == 0 && box.shift_y == 0 && box.size == 1;
  EvalBatch result;
  std::vector<RenderJob> jobs(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const FaceRecord face = faces.record(indices[i]);
    const float side = std::max(face.box.width, face.box.height);
    Box moved = geometry::square_around(face.box, box.size);
    moved.x += static_cast<float>(box.shift_x) * side;
    moved.y += static_cast<float>(box.shift_y) * side;
    jobs[i] = {plain_plan(face, config.input_size, as_annotated ? face.box : moved), face.pixels,
               face.pixels};
    labels.set(i, face, jobs[i].plan.crop_from_face, as_annotated ? face.headpose : std::nullopt);
    result.image_from_crop.push_back(
        geometry::inverse(geometry::compose(jobs[i].plan.crop_from_face, face.crop_from_image)));
  }
  result.batch = labels.finish(render(jobs, config.input_size, device), device);
  return result;
}

}  // namespace spiga::train
