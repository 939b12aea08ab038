// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "spiga/face3d.h"
#include "train/pack.h"
#include "train/random.h"
#include "views/turned_view.h"

namespace spiga::cli {

// What `spiga pack --turned` adds to each face: views of it from the side that the picture shows already, yaw
// 30 to 85 and pitch within 25 degrees. The same list gives the same views.
class TurnedViews {
 public:
  // `count` views of each face. `folder`: where they are written, too, as pictures with a list views.json;
  // empty: nowhere. Throws Error as FaceModel::load, and io where the folder cannot be made.
  TurnedViews(int count, std::filesystem::path folder);

  // For PackEvents::make_more.
  void make(const train::FaceToPack& face, const ImageView& picture, const train::PackEvents::Add& add);
  // Writes the list, if there is a folder.
  void finish() const;

  std::int64_t made() const { return made_; }
  // Views left out, by reason.
  const std::map<std::string, std::int64_t>& left_out() const { return left_out_; }

 private:
  void make_one(const views::MarkedFace& face, const ImageView& picture, double yaw_now,
                train::Random& random, const std::string& name, const train::PackEvents::Add& add);
  void keep(const views::TurnedView& view, const std::string& name);

  int count_;
  std::filesystem::path folder_;
  FaceModel head_;
  views::ViewLimits limits_;
  Image background_;  // of the face before: fills holes
  std::vector<annotations::AnnotatedFace> list_;
  std::int64_t made_ = 0;
  std::map<std::string, std::int64_t> left_out_;
};

}  // namespace spiga::cli
