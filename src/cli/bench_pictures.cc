// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/bench_pictures.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/ordered_workers.h"
#include "base/processor_time.h"
#include "cli/exit_status.h"
#include "cli/shared_options.h"
#include "media/face_text.h"
#include "media/picture_analyzer.h"
#include "media/picture_sources.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

using Workers = base::OrderedWorkers<media::PictureSource, media::AnalyzedPicture>;
using Clock = std::chrono::steady_clock;

struct Tally {
  std::size_t pictures = 0, failed = 0, faces = 0;
  double megapixels = 0;
  double wall = 0;       // seconds, without loading
  double load = 0;       // of the processor, like the following
  double processor = 0;  // in all, without loading
  media::PictureTimes times;
  double output = 0;
};

Analyzer load(const BenchPicturesOptions& options, int threads) {
  AnalyzerOptions analyzer;
  analyzer.quality = Quality::normal;
  analyzer.threads = threads;
  analyzer.precision = options.precision;
  analyzer.model = options.model;
  return Analyzer::load(analyzer);
}

void add(const media::AnalyzedPicture& picture, Tally& tally) {
  ++tally.pictures;
  tally.times.decode += picture.times.decode;
  tally.times.detect += picture.times.detect;
  tally.times.locate += picture.times.locate;
  for (const std::string& problem : picture.problems) print_error(problem.c_str());
  if (!picture.faces) {
    ++tally.failed;
    return;
  }
  tally.faces += picture.faces->faces.size();
  tally.megapixels += 1e-6 * picture.faces->width * picture.faces->height;
  std::string line;
  tally.output += base::processor_seconds([&] { media::append_json_line(line, *picture.faces); });
}

Tally measure(const BenchPicturesOptions& options) {
  NetworkOptions network;
  network.threads = options.threads;
  media::PictureSources sources({options.folder}, false, std::cin);
  const auto threads = static_cast<std::size_t>(network.thread_count());
  const std::size_t count = sources.count().value_or(0);
  if (count == 0) throw Error(ErrorCode::not_found, options.folder + ": expected pictures, found none");
  const std::size_t at_once = std::clamp<std::size_t>(count, 1, threads);
  Tally tally;
  const double begin = base::process_seconds();
  const Analyzer analyzer = load(options, at_once == 1 ? static_cast<int>(threads) : 1);
  tally.load = base::process_seconds() - begin;
  const auto start = Clock::now();
  std::vector<Workers::Work> workers;
  for (std::size_t i = 0; i < at_once; ++i)
    workers.push_back([own = std::make_shared<media::PictureAnalyzer>(
                           analyzer, media::PictureAnalyzerOptions{.may_reduce = true})](
                          const media::PictureSource& source) -> media::AnalyzedPicture {
      if (!source.problem.empty()) return {std::nullopt, {source.problem}, {}};
      return own->analyze(source.path, {});
    });
  Workers pool([&] { return sources.next(); }, std::move(workers), 4 * at_once);
  while (const std::optional<media::AnalyzedPicture> picture = pool.next()) add(*picture, tally);
  tally.wall = std::chrono::duration<double>(Clock::now() - start).count();
  tally.processor = base::process_seconds() - begin - tally.load;
  return tally;
}

// Milliseconds a picture.
std::vector<std::pair<const char*, double>> parts_of(const Tally& tally) {
  const media::PictureTimes& t = tally.times;
  const double told = t.decode + t.detect + t.locate + tally.output;
  std::vector<std::pair<const char*, double>> parts = {{"decode", t.decode},
                                                       {"detect", t.detect},
                                                       {"locate", t.locate},
                                                       {"output", tally.output},
                                                       {"other", std::max(0.0, tally.processor - told)}};
  for (auto& part : parts) part.second *= 1e3 / static_cast<double>(tally.pictures);
  return parts;
}

nlohmann::json json_of(const BenchPicturesOptions& options, const Tally& tally) {
  const auto pictures = static_cast<double>(tally.pictures);
  nlohmann::json json = {{"pictures", tally.pictures},
                         {"failed", tally.failed},
                         {"faces", tally.faces},
                         {"threads", options.threads},
                         {"megapixels_per_picture", tally.megapixels / pictures},
                         {"pictures_per_s", pictures / tally.wall},
                         {"seconds", tally.wall},
                         {"load_ms", 1e3 * tally.load},
                         {"processor_ms_per_picture", 1e3 * tally.processor / pictures}};
  for (const auto& [name, ms] : parts_of(tally)) json["ms_per_picture"][name] = ms;
  return json;
}

void print(const BenchPicturesOptions& options, const Tally& tally) {
  const auto pictures = static_cast<double>(tally.pictures);
  std::printf("pictures      %zu of %.2f megapixels with %.2f faces on average, %zu failed\n", tally.pictures,
              tally.megapixels / pictures, static_cast<double>(tally.faces) / pictures, tally.failed);
  std::printf("rate          %.1f pictures/s with threads %d: %.2f s\n", pictures / tally.wall,
              options.threads, tally.wall);
  std::printf("processor     %.2f ms a picture, and %.0f ms once to load the networks\n",
              1e3 * tally.processor / pictures, 1e3 * tally.load);
  for (const auto& [name, ms] : parts_of(tally))
    std::printf("  %-11s %7.2f ms  %5.1f %%\n", name, ms, 0.1 * ms * pictures / tally.processor);
}

}  // namespace

int bench_pictures(const BenchPicturesOptions& options) {
  const Tally tally = measure(options);
  if (options.json)
    std::printf("%s\n", json_of(options, tally).dump(2).c_str());
  else
    print(options, tally);
  return tally.failed > 0 ? kSomeFailed : kDone;
}

}  // namespace spiga::cli
