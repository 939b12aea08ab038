// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/pack.h"

#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "scheme/scheme.h"
#include "spiga/error.h"

namespace spiga::train {
namespace {

FaceToPack face_to_pack(const annotations::AnnotatedFace& face, const scheme::Database& database) {
  if (face.landmarks.empty()) throw Error(ErrorCode::bad_data, "landmarks: expected some, found none");
  FaceToPack result{.name = face.image, .box = {}, .landmarks = {}, .visible = {}, .headpose = {}};
  const annotations::Rect box = annotations::box_of(face).value();
  result.box = {static_cast<float>(box.x), static_cast<float>(box.y), static_cast<float>(box.width),
                static_cast<float>(box.height)};
  const auto count = static_cast<std::size_t>(database.landmarks);
  // A landmark without annotation lies somewhere harmless: on the box's centre.
  result.landmarks.assign(count, {result.box.x + result.box.width / 2, result.box.y + result.box.height / 2});
  result.visible.assign(count, 0);
  for (std::size_t i = 0; i < face.ids.size(); ++i) {
    const auto index = static_cast<std::size_t>(database.index_of(face.ids[i]));
    result.landmarks[index] = {static_cast<float>(face.landmarks[i].x),
                               static_cast<float>(face.landmarks[i].y)};
    result.visible[index] = 1;
  }
  if (face.headpose) {
    const auto& [angles, translation] = *face.headpose;
    result.headpose = {static_cast<float>(angles[0]),
                       static_cast<float>(angles[1]),
                       static_cast<float>(angles[2]),
                       {static_cast<float>(translation[0]), static_cast<float>(translation[1]),
                        static_cast<float>(translation[2])}};
  }
  return result;
}

// Packs one list after the other; keeps the last picture, since faces of one picture come together.
class Packer {
 public:
  Packer(FaceWriter& writer, const scheme::Database& database, const PackEvents& events)
      : writer_(writer), database_(database), events_(events) {}

  void add(const PackInput& input) {
    annotations::ReadOptions options{.database_ids = database_.ids, .on_bad_record = {}};
    options.on_bad_record = [this](const std::string& message) { skip(message); };
    const annotations::FaceList list = annotations::read(input.annotations, options);
    const bool is_folder = base::is_folder(input.annotations);
    const auto folder = !input.pictures.empty() ? input.pictures
                        : is_folder             ? input.annotations
                                                : input.annotations.parent_path();
    std::int64_t looked_at = 0;
    for (const annotations::AnnotatedFace& face : list.faces) {
      add(face, folder);
      if (events_.on_progress) events_.on_progress(++looked_at, static_cast<std::int64_t>(list.faces.size()));
    }
  }

  std::int64_t skipped() const { return skipped_; }

 private:
  void add(const annotations::AnnotatedFace& face, const std::filesystem::path& folder) {
    try {
      const FaceToPack packed = face_to_pack(face, database_);
      const ImageView pixels = picture(folder / face.image).view();
      writer_.add(packed, pixels);
      if (events_.make_more)
        events_.make_more(packed, pixels, [this](const FaceToPack& more, const ImageView& its_picture) {
          writer_.add(more, its_picture);
        });
    } catch (const Error& error) {
      // A full disk is no property of this face.
      if (error.code() == ErrorCode::io) throw;
      skip(base::printable(face.image) + ": " + error.what());
    }
  }

  const Image& picture(const std::filesystem::path& path) {
    if (path != path_) {
      path_.clear();
      picture_ = events_.read_picture(path);
      path_ = path;
    }
    return picture_;
  }

  void skip(const std::string& message) {
    ++skipped_;
    if (events_.on_bad_record) events_.on_bad_record(message);
  }

  FaceWriter& writer_;
  const scheme::Database& database_;
  const PackEvents& events_;
  std::filesystem::path path_;
  Image picture_;
  std::int64_t skipped_ = 0;
};

}  // namespace

PackResult pack_annotations(const std::vector<PackInput>& inputs, const std::string& database,
                            const std::filesystem::path& output, const PackOptions& options,
                            const PackEvents& events) {
  const scheme::Database& scheme = scheme::find_database(database);
  FaceWriter writer(output.string(), database, scheme.landmarks, options);
  Packer packer(writer, scheme, events);
  for (const PackInput& input : inputs) packer.add(input);
  writer.finish();
  return {writer.size(), packer.skipped()};
}

}  // namespace spiga::train
