// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/sampled_network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <span>
#include <string_view>

#include "annotations/annotations.h"
#include "base/text.h"
#include "cli/progress.h"
#include "geometry/affine.h"
#include "media/picture_reader.h"
#include "media/picture_sources.h"
#include "model/compiled_network.h"
#include "model/detector.h"
#include "model/file_weights.h"
#include "model/model_file.h"
#include "model/session.h"
#include "scheme/scheme.h"
#include "spiga/detector.h"
#include "spiga/error.h"
#include "train/packed.h"
#include "train/scenes.h"
#include "vision/crop_sampler.h"
#include "weights/safetensors.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;
using base::concat;
using model::Quantization;

// At most `most` of `count` indices, evenly spaced.
std::vector<std::size_t> spread(std::size_t count, std::size_t most) {
  std::vector<std::size_t> indices;
  const std::size_t taken = std::min(count, most);
  for (std::size_t i = 0; i < taken; ++i) indices.push_back(i * count / taken);
  return indices;
}

[[noreturn]] void nothing_in(const std::string& source, const char* what) {
  throw Error(ErrorCode::bad_data, concat(source, ": expected ", what, ", found none"));
}

bool is_face_pack(const fs::path& path) {
  constexpr std::string_view kMagic = "SPIGAPAK";
  std::array<char, kMagic.size()> bytes{};
  std::ifstream(path, std::ios::binary).read(bytes.data(), bytes.size());
  return std::string_view(bytes.data(), bytes.size()) == kMagic;
}

// The pictures of a folder.
std::vector<std::string> pictures_of(const std::string& folder, std::size_t most) {
  media::PictureSources sources({folder}, /*recursive=*/true, std::cin);
  std::vector<std::string> all, chosen;
  while (const auto source = sources.next()) {
    if (!source->problem.empty()) throw Error(ErrorCode::bad_data, source->problem);
    all.push_back(source->path);
  }
  for (const std::size_t i : spread(all.size(), most)) chosen.push_back(all[i]);
  return chosen;
}

model::Precision precision_of(const Quantization& quantization) {
  return quantization.empty() ? Precision::f32 : Precision::int8;
}

// --- Landmarks

class SampledLandmarks : public SampledNetwork {
 public:
  SampledLandmarks(const weights::SafetensorsFile& file, const std::string& source, const fs::path& images,
                   std::size_t most)
      : path_(file.path()),
        info_(model::read_info(file)),
        sampler_(info_.config.input_size, Sampling::bilinear) {
    if (fs::is_directory(source)) {
      add_pictures(source, most);
    } else if (is_face_pack(source)) {
      add_packed(train::FaceDataset::open(source), most);
    } else {
      add_annotated(source, images.empty() ? fs::path(source).parent_path() : images, most);
    }
    if (crops_.empty()) nothing_in(source, "faces");
  }

  std::size_t samples() const override { return crops_.size(); }

  std::vector<float> answers(const Quantization& quantization, std::size_t count,
                             model::ActivationObserver* observer) const override {
    const weights::SafetensorsFile file(path_);
    model::FileWeights weights(file);
    model::Session session(model::CompiledNetwork::load(info_.config, weights, precision_of(quantization),
                                                        info_.uncertainty, quantization),
                           {.threads = 1, .max_batch = 1, .observer = observer});
    std::vector<float> all;
    for (std::size_t i = 0; i < std::min(count, crops_.size()); ++i) {
      std::ranges::copy(crops_[i], session.input(1).begin());
      session.run(1);
      all.insert(all.end(), session.landmarks().begin(), session.landmarks().end());
    }
    return all;
  }

  double difference(const std::vector<float>& exact, const std::vector<float>& other) const override {
    double sum = 0;
    for (std::size_t i = 0; i + 1 < exact.size(); i += 2)
      sum += std::hypot(exact[i] - other[i], exact[i + 1] - other[i + 1]);
    return sum * 2 / static_cast<double>(exact.size()) * info_.config.input_size;
  }
  std::string difference_unit() const override { return "pixels of the crop, a landmark on average"; }

 private:
  void add(const ImageView& picture, const Box& box) {
    const auto size = static_cast<std::size_t>(info_.config.input_size);
    std::vector<float> crop(size * size * 3);
    sampler_.sample(picture, geometry::crop_from_image(box, info_.config.input_size), crop.data());
    crops_.push_back(std::move(crop));
  }

  void add_packed(const train::FaceDataset& faces, std::size_t most) {
    for (const std::size_t i : spread(static_cast<std::size_t>(faces.size()), most)) {
      const train::FaceRecord face = faces.record(static_cast<std::int64_t>(i));
      const Point corner = face.crop_from_image({face.box.x, face.box.y});
      const auto scale = static_cast<float>(face.crop_from_image.scale());
      add(face.pixels, {corner.x, corner.y, face.box.width * scale, face.box.height * scale});
    }
  }

  void add_annotated(const std::string& source, const fs::path& images, std::size_t most) {
    const scheme::Database& database = scheme::find_database(info_.config.database);
    const annotations::FaceList list = annotations::read(source, {.database_ids = database.ids});
    Progress progress("faces", std::min(most, list.faces.size()));
    for (const std::size_t i : spread(list.faces.size(), most)) {
      const annotations::AnnotatedFace& face = list.faces[i];
      const auto rect = annotations::box_of(face);
      if (!rect) continue;
      const Image picture = media::read_picture(images / face.image);
      add(picture.view(), {static_cast<float>(rect->x), static_cast<float>(rect->y),
                           static_cast<float>(rect->width), static_cast<float>(rect->height)});
      progress.advance(crops_.size());
    }
    progress.wipe();
  }

  void add_pictures(const std::string& folder, std::size_t most) {
    const auto detector = make_detector("builtin", {});
    Progress progress("faces", most);
    for (const std::string& path : pictures_of(folder, most)) {
      const Image picture = media::read_picture(path);
      for (const Detection& found : detector->detect(picture.view()))
        if (crops_.size() < most) add(picture.view(), found.box);
      progress.advance(crops_.size());
    }
    progress.wipe();
  }

  fs::path path_;
  model::ModelInfo info_;
  vision::CropSampler sampler_;
  std::vector<std::vector<float>> crops_;
};

// --- Detector

// Half as large, each pixel the mean of four.
Image halved(const ImageView& picture) {
  Image half(picture.width / 2, picture.height / 2, PixelFormat::bgr8);
  const ImageView view = half.view();
  for (int row = 0; row < view.height; ++row) {
    const std::uint8_t* upper = picture.data + 2 * row * picture.stride_bytes;
    const std::uint8_t* lower = upper + picture.stride_bytes;
    std::uint8_t* to = half.data() + row * view.stride_bytes;
    for (int i = 0; i < 3 * view.width; ++i) {
      const int from = i / 3 * 6 + i % 3;
      to[i] =
          static_cast<std::uint8_t>((upper[from] + upper[from + 3] + lower[from] + lower[from + 3] + 2) / 4);
    }
  }
  return half;
}

Image copied(const ImageView& picture) {
  Image copy(picture.width, picture.height, PixelFormat::bgr8);
  for (int row = 0; row < picture.height; ++row)
    std::copy_n(picture.data + row * picture.stride_bytes, 3 * picture.width,
                copy.data() + row * copy.view().stride_bytes);
  return copy;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

class SampledDetector : public SampledNetwork {
 public:
  SampledDetector(const weights::SafetensorsFile& file, const std::string& source, std::size_t most)
      : path_(file.path()), config_(model::read_detector_config(file)) {
    if (fs::is_directory(source)) {
      for (const std::string& path : pictures_of(source, most)) add(media::read_picture(path).view());
    } else {
      const auto scenes = train::SceneDataset::open(source);
      for (const std::size_t i : spread(static_cast<std::size_t>(scenes.size()), most))
        add(scenes.scene(static_cast<std::int64_t>(i)).pixels);
    }
    if (pictures_.empty()) nothing_in(source, "pictures");
  }

  std::size_t samples() const override { return pictures_.size(); }

  std::vector<float> answers(const Quantization& quantization, std::size_t count,
                             model::ActivationObserver* observer) const override {
    const weights::SafetensorsFile file(path_);
    model::FileWeights weights(file);
    model::DetectorSession session(
        model::CompiledNetwork::load(config_, weights, precision_of(quantization), quantization), 1,
        observer);
    std::vector<float> all;
    for (std::size_t i = 0; i < std::min(count, pictures_.size()); ++i) {
      session.run(pictures_[i].view(), {});
      const std::vector<float> said = session.outputs();
      all.insert(all.end(), said.begin(), said.end());
    }
    return all;
  }

  // Of the scores, where one says that a face may be there.
  double difference(const std::vector<float>& exact, const std::vector<float>& other) const override {
    constexpr float kMaybe = 0.2F;
    double sum = 0;
    std::size_t cells = 0;
    for (std::size_t i = 0; i < exact.size(); i += model::DetectorConfig::kOutputs) {
      const float a = sigmoid(exact[i]), b = sigmoid(other[i]);
      if (a < kMaybe && b < kMaybe) continue;
      sum += std::abs(a - b);
      ++cells;
    }
    return cells == 0 ? 0 : sum / static_cast<double>(cells);
  }
  std::string difference_unit() const override { return "of a score, a likely cell on average"; }

 private:
  // As a detector looks at it: as it is, at most kMostSide wide and high, and half as large.
  void add(const ImageView& picture) {
    constexpr int kMostSide = 1280, kLeastSide = 64;
    Image scaled = copied(picture);
    while (std::max(scaled.view().width, scaled.view().height) > kMostSide) scaled = halved(scaled.view());
    if (std::min(scaled.view().width, scaled.view().height) >= kLeastSide) {
      Image half = halved(scaled.view());
      pictures_.push_back(std::move(half));
    }
    pictures_.push_back(std::move(scaled));
  }

  fs::path path_;
  model::DetectorConfig config_;
  std::vector<Image> pictures_;
};

}  // namespace

std::unique_ptr<SampledNetwork> open_sampled_network(const std::string& model, const std::string& source,
                                                     const fs::path& images, std::size_t most) {
  if (!fs::exists(source)) throw Error(ErrorCode::not_found, concat(source, ": expected a file or a folder"));
  const weights::SafetensorsFile file(model);
  if (model::is_detector_file(file)) return std::make_unique<SampledDetector>(file, source, most);
  return std::make_unique<SampledLandmarks>(file, source, images, most);
}

}  // namespace spiga::cli
