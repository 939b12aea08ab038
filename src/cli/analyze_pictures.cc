// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/analyze_pictures.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

#include "base/ordered_workers.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "media/openface_text.h"
#include "media/picture_analyzer.h"
#include "media/picture_sources.h"
#include "media/text_output.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;

struct Job {
  media::PictureSource source;
  fs::path overlay;  // empty: none
};

using Workers = base::OrderedWorkers<Job, media::AnalyzedPicture>;

// Where the overlays of pictures go: the folder's own structure below the output folder, each name once.
class OverlayNames {
 public:
  explicit OverlayNames(fs::path folder) : folder_(std::move(folder)) {}

  fs::path next(const media::PictureSource& source) {
    if (folder_.empty() || !source.problem.empty()) return {};
    fs::path name = source.relative;
    const std::string extension = name.extension() == ".png" ? ".png" : ".jpg";
    const std::string stem = name.stem().string();
    name.replace_filename(stem + extension);
    for (int copy = 2; !taken_.insert(name.string()).second; ++copy)
      name.replace_filename(stem + "_" + std::to_string(copy) + extension);
    return folder_ / name;
  }

 private:
  fs::path folder_;
  std::set<std::string> taken_;
};

// JSON lines and table; either may be absent.
class Outputs {
 public:
  Outputs(const AnalyzeOptions& options, int landmarks) {
    const bool in_3d = options.face3d.wanted();
    const bool table_instead = options.csv == "-" && options.output == "-";
    if (!table_instead) json_ = media::open_text_output(options.output);
    if (options.csv.empty()) return;
    csv_ = media::open_text_output(options.csv);
    std::string header;
    openface_ = options.openface;
    if (options.all_rows.value_or(false)) empty_rows_of_ = landmarks;
    if (openface_) {
      media::append_openface_header(header, false);
    } else {
      media::append_csv_header(header, landmarks, in_3d);
    }
    csv_->write(header);
  }

  void write(const media::PictureFaces& faces) {
    std::string line, rows;
    if (json_) media::append_json_line(line, faces), json_->write(line);
    if (!csv_) return;
    if (openface_) {
      media::append_openface_rows(rows, faces);
    } else {
      media::append_csv_rows(rows, faces, empty_rows_of_);
    }
    csv_->write(rows);
  }

  void finish() {
    if (json_) json_->finish();
    if (csv_) csv_->finish();
  }

 private:
  bool openface_ = false;
  int empty_rows_of_ = 0;  // landmarks, where pictures without a face have a row
  std::unique_ptr<media::TextOutput> json_;
  std::unique_ptr<media::TextOutput> csv_;
};

// Counts and prints what went wrong.
class Problems {
 public:
  explicit Problems(Progress& progress) : progress_(progress) {}
  void tell(const std::string& line) {
    progress_.wipe();
    print_error(line.c_str());
    ++count_;
  }
  bool any() const { return count_ > 0; }

 private:
  Progress& progress_;
  std::size_t count_ = 0;
};

media::PictureAnalyzerOptions picture_options(const AnalyzeOptions& options, const media::FaceFitter* fitter,
                                              Problems& problems) {
  media::PictureAnalyzerOptions pictures;
  pictures.may_reduce =
      options.analyzer.detector.starts_with(kDefaultDetector) && options.analyzer.min_face_px == 0;
  pictures.max_faces = options.max_faces;
  if (fitter && options.face3d.draw)
    pictures.draw_below = [fitter](Image& picture, const std::vector<Face>& faces) {
      fitter->draw(picture, faces);
    };
  if (!options.boxes.empty())
    pictures.boxes = std::make_shared<media::GivenBoxes>(
        options.boxes, [&problems](const std::string& problem) { problems.tell(problem); });
  return pictures;
}

std::vector<Workers::Work> make_workers(const Analyzer& prototype,
                                        const media::PictureAnalyzerOptions& options, std::size_t count) {
  std::vector<Workers::Work> workers;
  for (std::size_t i = 0; i < count; ++i) {
    auto analyzer = std::make_shared<media::PictureAnalyzer>(prototype, options);
    workers.push_back([analyzer](const Job& job) -> media::AnalyzedPicture {
      if (!job.source.problem.empty()) return {std::nullopt, {job.source.problem}, {}};
      return analyzer->analyze(job.source.path, job.overlay);
    });
  }
  return workers;
}

void drain(Workers& workers, media::FaceFitter* fitter, Outputs& outputs, Problems& problems,
           Progress& progress) {
  std::size_t done = 0;
  while (std::optional<media::AnalyzedPicture> picture = workers.next()) {
    if (fitter && picture->faces) fitter->fit(*picture->faces, picture->problems);
    for (const std::string& problem : picture->problems) problems.tell(problem);
    if (picture->faces) {
      outputs.write(*picture->faces);
    }
    progress.advance(++done);
  }
  outputs.finish();
}

// What was written stays, whatever ends the run.
void finish_after_failure(Outputs& outputs) {
  try {
    outputs.finish();
  } catch (const Error&) {  // the first failure is the one to tell
  }
}

}  // namespace

Analyzer load_analyzer(const AnalyzeOptions& options, int threads) {
  AnalyzerOptions analyzer = options.analyzer;
  analyzer.quality = options.quality.value_or(Quality::normal);
  options.network.apply_to(analyzer);
  analyzer.threads = threads;
  if (!options.boxes.empty()) analyzer.detector.clear();
  return Analyzer::load(analyzer);
}

int analyze_pictures(const AnalyzeOptions& options) {
  catch_interrupts();
  media::PictureSources sources(options.inputs, options.recursive, std::cin);
  if (options.openface && !options.csv.empty() && sources.count() != 1)
    throw Error(
        ErrorCode::invalid_argument,
        "analyze: OpenFace's tables of pictures do not name them: expected one picture, or --out DIR for a "
        "table each");
  const auto threads = static_cast<std::size_t>(options.network.thread_count());
  const std::size_t at_once = std::clamp<std::size_t>(sources.count().value_or(threads), 1, threads);
  const Analyzer analyzer = load_analyzer(options, at_once == 1 ? static_cast<int>(threads) : 1);
  Progress progress("pictures", sources.count());
  Problems problems(progress);
  std::optional<media::FaceFitter> fitter;
  if (options.face3d.wanted()) fitter.emplace(options.face3d, analyzer.landmarker().database());
  media::FaceFitter* fits = fitter ? &*fitter : nullptr;
  const media::PictureAnalyzerOptions pictures = picture_options(options, fits, problems);
  Outputs outputs(options, analyzer.landmarker().landmark_count());
  OverlayNames names(options.overlay);
  const auto next_job = [&]() -> std::optional<Job> {
    if (interrupted()) return std::nullopt;
    std::optional<media::PictureSource> source = sources.next();
    if (!source) return std::nullopt;
    fs::path overlay = names.next(*source);
    return Job{std::move(*source), std::move(overlay)};
  };
  Workers workers(next_job, make_workers(analyzer, pictures, at_once), 4 * at_once);
  try {
    drain(workers, fits, outputs, problems, progress);
  } catch (...) {
    finish_after_failure(outputs);
    throw;
  }
  if (interrupted()) return kInterrupted;
  return problems.any() ? kSomeFailed : kDone;
}

}  // namespace spiga::cli
