// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "annotations/annotations.h"
#include "eval/comparison.h"
#include "eval/html_report.h"

// How long the way from two JSON files to the figures takes, for as many faces as the largest of the
// databases has.
namespace {

namespace fs = std::filesystem;
using namespace spiga;

const scheme::Database& database() { return scheme::find_database("merlrav"); }

// Mean faces of random place and size, jittered; written in full precision, as published files are.
annotations::FaceList random_faces(std::size_t count, double jitter, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 1);
  annotations::FaceList list;
  for (std::size_t i = 0; i < count; ++i) {
    annotations::AnnotatedFace face;
    face.image = "images/" + std::to_string(i) + ".jpg";
    face.ids = database().ids;
    const double size = 60 + static_cast<double>(i % 400);
    for (const scheme::Point3& point : database().mean_face) {
      face.landmarks.push_back({500 + size * (point[0] + jitter * normal(random)),
                                500 - size * (point[1] + jitter * normal(random))});
    }
    face.visible.assign(face.ids.size(), 1);
    face.box = annotations::tight_box(face.landmarks);
    face.headpose = annotations::Pose{{20 * normal(random), 10 * normal(random), 5 * normal(random)}, {}};
    list.faces.push_back(std::move(face));
  }
  return list;
}

// The two files, gone at the end.
class Files {
 public:
  explicit Files(std::size_t count)
      : folder_(fs::temp_directory_path() / ("spiga_bench_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    annotations::write_json(truth(), random_faces(count, 0, 1).faces);
    annotations::write_json(predictions(), random_faces(count, 0.02, 1).faces);
  }
  ~Files() { fs::remove_all(folder_); }
  fs::path truth() const { return folder_ / "truth.json"; }
  fs::path predictions() const { return folder_ / "predictions.json"; }

 private:
  fs::path folder_;
};

annotations::FaceList read(const fs::path& path) {
  return annotations::read(path, {.database_ids = database().ids});
}

void json_to_figures(benchmark::State& state) {
  const Files files(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const annotations::FaceList truth = read(files.truth());
    const annotations::FaceList predictions = read(files.predictions());
    benchmark::DoNotOptimize(eval::evaluate(database(), truth, predictions));
  }
}

void figures_alone(benchmark::State& state) {
  const Files files(static_cast<std::size_t>(state.range(0)));
  const annotations::FaceList truth = read(files.truth());
  const annotations::FaceList predictions = read(files.predictions());
  for (auto _ : state) benchmark::DoNotOptimize(eval::evaluate(database(), truth, predictions));
}

void comparison_and_html(benchmark::State& state) {
  const Files files(static_cast<std::size_t>(state.range(0)));
  const annotations::FaceList truth = read(files.truth());
  std::vector<eval::Method> methods(2);
  for (eval::Method& method : methods) {
    method.predictions = read(files.predictions());
    method.evaluation = eval::evaluate(database(), truth, method.predictions);
  }
  for (auto _ : state) {
    const std::vector<eval::Difference> differences = eval::compare_methods(methods);
    benchmark::DoNotOptimize(eval::html_report({database(), truth, methods, differences}));
  }
}

BENCHMARK(json_to_figures)->Arg(4386)->Unit(benchmark::kMillisecond);
BENCHMARK(figures_alone)->Arg(4386)->Unit(benchmark::kMillisecond);
BENCHMARK(comparison_and_html)->Arg(4386)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
