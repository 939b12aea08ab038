// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// How well the tracker's face-or-not test tells faces from other places of the same pictures, with the
// default model: for each sign its quantiles, for each likelihood the share of either that reaches it.
//   face_test MODEL ANNOTATIONS.json...     e.g. face_test models/default.safetensors afw-scenes/train.json
// Other places are squares of the faces' sizes that overlap with no annotated face. Not every face need be
// annotated: a few of them are faces.
#include "vision/face_test.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "geometry/boxes.h"
#include "media/picture_reader.h"
#include "scheme/scheme.h"
#include "spiga/landmarker.h"

namespace {

using namespace spiga;
namespace fs = std::filesystem;

constexpr float kSmallestFace = 20;

struct Judged {
  vision::FaceSigns signs;
  double likelihood = 0;
};

// A list of {"imgpath", "faces": [{"bbox": [x, y, width, height]}]}.
std::map<fs::path, std::vector<Box>> read_pictures(const fs::path& file) {
  std::map<fs::path, std::vector<Box>> pictures;
  for (const auto& record : nlohmann::json::parse(base::read_file(file))) {
    for (const auto& face : record.at("faces")) {
      const auto b = face.at("bbox").get<std::vector<float>>();
      pictures[file.parent_path() / record.at("imgpath").get<std::string>()].push_back(
          {b.at(0), b.at(1), b.at(2), b.at(3)});
    }
  }
  return pictures;
}

class Places {
 public:
  // As a tracker sees a face: a tenth of its size beside where it was.
  Box beside(const Box& face) {
    const float side = std::max(face.width, face.height);
    return {face.x + 0.1f * side * normal_(random_), face.y + 0.1f * side * normal_(random_), face.width,
            face.height};
  }
  // A square of the face's size with no face in it, or an empty one.
  Box elsewhere(const Box& face, const Image& picture, const std::vector<Box>& faces) {
    const float side = std::max(face.width, face.height);
    for (int attempt = 0; attempt < 50; ++attempt) {
      const Box box = {uniform_(random_) * (static_cast<float>(picture.width()) - side),
                       uniform_(random_) * (static_cast<float>(picture.height()) - side), side, side};
      const bool free = std::ranges::none_of(
          faces, [&](const Box& other) { return geometry::overlap_of_smaller(box, other) > 0; });
      if (box.x >= 0 && box.y >= 0 && free) return box;
    }
    return {};
  }

 private:
  std::mt19937 random_{1};
  std::normal_distribution<float> normal_;
  std::uniform_real_distribution<float> uniform_;
};

void tell(const char* name, std::vector<double> values) {
  std::ranges::sort(values);
  std::printf("  %-8s", name);
  for (const double share : {0.05, 0.25, 0.5, 0.75, 0.95})
    std::printf(" %8.3f", values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]);
  std::printf("\n");
}

void tell(const char* title, const std::vector<Judged>& places) {
  if (places.empty()) return;
  std::printf("%zu %s; quantiles 5 %%, 25 %%, 50 %%, 75 %%, 95 %%\n", places.size(), title);
  std::vector<double> uncertainty, misfit, turn;
  for (const Judged& place : places) {
    uncertainty.push_back(place.signs.uncertainty);
    misfit.push_back(place.signs.misfit);
    turn.push_back(place.signs.turn);
  }
  tell("uncertainty", uncertainty);
  tell("misfit", misfit);
  tell("turn", turn);
  for (const double least : {0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7}) {
    const auto count =
        std::ranges::count_if(places, [&](const Judged& place) { return place.likelihood >= least; });
    std::printf("  likelihood of at least %.2f: %.1f %%\n", least,
                100 * static_cast<double>(count) / static_cast<double>(places.size()));
  }
}

void run(const std::vector<std::string>& arguments) {
  Landmarker landmarker = Landmarker::load(arguments[0], {.threads = 1});
  const vision::FaceTest test(scheme::find_database(landmarker.database()));
  Places places;
  std::array<std::vector<Judged>, 2> judged;
  for (const std::string& annotations : std::vector(arguments.begin() + 1, arguments.end())) {
    for (const auto& [path, boxes] : read_pictures(annotations)) {
      const Image picture = media::read_picture(path.string());
      for (const Box& box : boxes) {
        if (std::max(box.width, box.height) < kSmallestFace) continue;
        const std::array<Box, 2> looked = {places.beside(box), places.elsewhere(box, picture, boxes)};
        for (std::size_t i = 0; i < looked.size(); ++i) {
          if (looked[i].width <= 0) continue;
          const std::vector<Detection> look = {{looked[i], 1}};
          const Face face = landmarker.locate(picture.view(), look).at(0);
          judged[i].push_back({test.signs(face), test.likelihood(face)});
        }
      }
    }
  }
  tell("faces", judged[0]);
  tell("other places", judged[1]);
}

}  // namespace

int main(int count, char** values) {
  try {
    if (count < 3) throw std::runtime_error("usage: face_test MODEL ANNOTATIONS.json...");
    run({values + 1, values + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "face_test: %s\n", error.what());
    return 1;
  }
}
