// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/turned_views.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/file.h"
#include "media/picture_writer.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

constexpr double kLeastYaw = 30, kMostYaw = 85, kLeastTurn = 10, kMostPitch = 25;
constexpr double kSideways = 6;  // a face turned by less shows both sides

std::uint64_t seed_of(const std::string& name, const Box& box) {
  std::uint64_t seed = 0;
  for (const char c : name) seed = train::mix(seed, static_cast<unsigned char>(c));
  for (const float value : {box.x, box.y, box.width, box.height})
    seed = train::mix(seed, static_cast<std::uint64_t>(std::llround(value)));
  return seed;
}

Image copy_of(const Image& picture) {
  Image copy(picture.width(), picture.height(), picture.format());
  std::copy_n(picture.data(), picture.stride_bytes() * picture.height(), copy.data());
  return copy;
}

}  // namespace

TurnedViews::TurnedViews(int count, std::filesystem::path folder)
    : count_(count), folder_(std::move(folder)), head_(FaceModel::load()) {
  if (!folder_.empty()) base::create_folders(folder_);
}

void TurnedViews::make(const train::FaceToPack& face, const ImageView& picture,
                       const train::PackEvents::Add& add) {
  const views::MarkedFace marked = {face.box, face.landmarks, face.visible, face.headpose};
  const auto angles = views::angles_of(head_, marked, picture, limits_);
  if (!angles) {
    left_out_["the head does not fit, or landmarks are missing"] += count_;
    return;
  }
  train::Random random(seed_of(face.name, face.box));
  for (int k = 0; k < count_; ++k)
    make_one(marked, picture, (*angles)[0], random, face.name + "#turned" + std::to_string(k), add);
}

void TurnedViews::make_one(const views::MarkedFace& face, const ImageView& picture, double yaw_now,
                           train::Random& random, const std::string& name,
                           const train::PackEvents::Add& add) {
  const bool to_the_left = random.chance(0.5);
  const double aim = random.uniform(kLeastYaw, kMostYaw), pitch = random.uniform(-kMostPitch, kMostPitch);
  const double way = std::abs(yaw_now) > kSideways ? std::copysign(1.0, yaw_now) : to_the_left ? -1 : 1;
  const views::Turn turn = {way * std::max(kLeastTurn, aim - std::abs(yaw_now)), pitch};
  std::string why;
  const ImageView filling = background_.width() > 0 ? background_.view() : picture;
  std::optional<views::TurnedView> view =
      std::abs(yaw_now) + kLeastTurn > kMostYaw
          ? std::nullopt
          : views::turn_view(head_, face, picture, filling, turn, limits_, why);
  if (!view) {
    ++left_out_[why.empty() ? "turned too far already" : why];
    return;
  }
  try {
    add({name, view->face.box, view->face.landmarks, view->face.visible, view->face.headpose},
        view->picture.view());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;
    ++left_out_[error.what()];
    return;
  }
  ++made_;
  if (!folder_.empty()) keep(*view, name);
  background_ = copy_of(view->picture);
}

void TurnedViews::keep(const views::TurnedView& view, const std::string& name) {
  std::string file = name + ".jpg";
  std::ranges::replace(file, '/', '_');
  std::ranges::replace(file, '#', '_');
  media::write_picture(folder_ / file, view.picture);
  const scheme::Database& database = scheme::find_database("300wpublic");
  annotations::AnnotatedFace face;
  face.image = file;
  const Box& box = view.face.box;
  face.box = annotations::Rect{box.x, box.y, box.width, box.height};
  for (std::size_t i = 0; i < view.face.landmarks.size(); ++i) {
    if (view.face.visible[i] <= 0) continue;
    face.ids.push_back(database.ids[i]);
    face.landmarks.push_back({view.face.landmarks[i].x, view.face.landmarks[i].y});
    face.visible.push_back(1);
  }
  const HeadPose& pose = *view.face.headpose;
  face.headpose = annotations::Pose{{pose.yaw_deg, pose.pitch_deg, pose.roll_deg},
                                    {pose.translation[0], pose.translation[1], pose.translation[2]}};
  list_.push_back(std::move(face));
}

void TurnedViews::finish() const {
  if (!folder_.empty()) annotations::write_json(folder_ / "views.json", list_);
}

}  // namespace spiga::cli
