// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/evaluate_pictures.h"
#include "cli/exit_status.h"
#include "cli/progress.h"
#include "cli/shared_options.h"
#include "eval/detector_report.h"
#include "eval/turned_picture.h"
#include "media/picture_reader.h"
#include "spiga/detector.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kLandmarkOverlap = 0.5, kHeadOverlap = 0.3;

struct EvaluateDetectorOptions {
  std::string annotations, pictures, report;
  std::vector<std::string> detectors = {kDefaultDetector};
  std::vector<DetectorEffort> efforts = {DetectorEffort::normal};
  std::vector<double> turns = {0};
  std::optional<double> least_overlap;
  float score = DetectorOptions{}.score_threshold, lowest_score = -1.6F;
  Precision precision = Precision::automatic;
  bool json = false;
};

const std::map<std::string, DetectorEffort> kEfforts = {{"fast", DetectorEffort::fast},
                                                        {"normal", DetectorEffort::normal},
                                                        {"thorough", DetectorEffort::thorough}};

std::string name_of(DetectorEffort effort) {
  for (const auto& [name, value] : kEfforts)
    if (value == effort) return name;
  return {};
}

// What a run looks at: one detector, one effort, one angle.
struct Setting {
  std::string detector;
  DetectorEffort effort;
  double turn_deg;

  std::string name() const {
    const std::string plain = base::concat(detector, ' ', name_of(effort));
    return turn_deg == 0 ? plain : base::concat(plain, ", turned by ", turn_deg, " degrees");
  }
};

eval::DetectorRun measure(const Setting& setting, Detector& detector, const eval::SceneList& list,
                          const fs::path& pictures, double least_overlap, Progress& progress,
                          std::size_t& done) {
  eval::DetectorRun run = {setting.name(), eval::DetectorScores(least_overlap)};
  for (std::size_t i = 0; i < list.scenes.size(); ++i) {
    const eval::Scene& scene = list.scenes[i];
    const Image original = media::read_picture(pictures / scene.image);
    std::optional<eval::TurnedPicture> turned;
    if (setting.turn_deg != 0) turned = eval::turn_picture(original.view(), setting.turn_deg);
    const ImageView view = turned ? turned->picture.view() : original.view();
    const auto start = Clock::now();
    std::vector<Detection> found = detector.detect(view);
    run.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    run.megapixels += 1e-6 * view.width * view.height;
    run.scores.add(turned ? eval::turn_scene(scene, turned->turned_from_original) : scene, i,
                   std::move(found));
    progress.advance(++done);
  }
  return run;
}

std::vector<Setting> settings_of(const EvaluateDetectorOptions& options) {
  std::vector<Setting> settings;
  for (const std::string& detector : options.detectors)
    for (const DetectorEffort effort : options.efforts)
      for (const double turn : options.turns) settings.push_back({detector, effort, turn});
  return settings;
}

int run_evaluate_detector(const EvaluateDetectorOptions& options) {
  if (options.lowest_score > options.score)
    throw Error(ErrorCode::invalid_argument,
                base::concat("evaluate-detector: --curve-from ", options.lowest_score,
                             " is above --min-score ", options.score));
  if (!options.report.empty()) base::create_folders(options.report);
  const eval::SceneList list = eval::read_scenes(options.annotations);
  const fs::path pictures =
      options.pictures.empty() ? fs::path(options.annotations).parent_path() : fs::path(options.pictures);
  const double least = options.least_overlap.value_or(list.complete ? kHeadOverlap : kLandmarkOverlap);
  const std::vector<Setting> settings = settings_of(options);
  Progress progress("pictures", settings.size() * list.scenes.size());
  std::size_t done = 0;
  std::map<std::string, DetectorMaker> makers;
  std::vector<eval::DetectorRun> runs;
  for (const Setting& setting : settings) {
    DetectorMaker& maker = makers[setting.detector];
    if (!maker) maker = load_detector(setting.detector, options.precision);
    const auto detector = maker({.effort = setting.effort, .score_threshold = options.lowest_score});
    runs.push_back(measure(setting, *detector, list, pictures, least, progress, done));
  }
  eval::DetectorReport report = {list, runs, options.score, least};
  std::cout << (options.json ? detector_json(report) : detector_text(report));
  if (options.report.empty()) return kDone;
  if (options.turns.front() == 0) report.jpeg_of_region = jpegs_from(pictures);
  const fs::path page = fs::path(options.report) / "report.html";
  base::write_file(page, detector_html(report));
  base::write_file(fs::path(options.report) / "metrics.json", detector_json(report));
  std::cerr << "report written to " << page.string() << '\n';
  return kDone;
}

}  // namespace

void add_evaluate_detector(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<EvaluateDetectorOptions>();
  CLI::App* command = program.add_subcommand("evaluate-detector",
                                             "Detectors side by side on annotated pictures; report in HTML");
  command
      ->add_option("ANNOTATIONS", options->annotations,
                   "Pictures with their faces, JSON or WIDER FACE's text, see docs/detector.md")
      ->required();
  command->add_option("--pictures", options->pictures,
                      "Folder that picture names are relative to [the annotations' own]");
  command
      ->add_option("--detectors", options->detectors,
                   "Names as of spiga analyze --detector, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--efforts", options->efforts, "fast, normal, thorough, with commas between [normal]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(CLI::CheckedTransformer(kEfforts).description(""));
  command
      ->add_option("--turns", options->turns,
                   "Angles by which pictures are turned, degrees, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(-360.0, 360.0))
      ->capture_default_str();
  command
      ->add_option(
          "--overlap", options->least_overlap,
          "Intersection over union from which a find meets a face [0.3 of boxes alone, 0.5 of landmarks]")
      ->check(CLI::Range(0.01, 0.99));
  command->add_option("--min-score", options->score, "Finds that count")->capture_default_str();
  command
      ->add_option("--curve-from", options->lowest_score,
                   "Finds that the curves and average precision begin with")
      ->capture_default_str();
  add_precision_option(*command, options->precision);
  command->add_flag("--json", options->json, "Print the figures as JSON");
  command->add_option("--report", options->report, "Write report.html and metrics.json into this folder")
      ->type_name("DIR");
  command->footer(
      "Precision, average precision and F1 are told where lists have every face of a picture (boxes).\n\n"
      "Examples:\n"
      "  spiga evaluate-detector wider_face_val_bbx_gt.txt --pictures WIDER_val/images --report seen/\n"
      "  spiga evaluate-detector scenes/valid.json --detectors builtin,dlib --turns 0,45,90,180");
  command->callback([options, &chosen] { chosen = [options] { return run_evaluate_detector(*options); }; });
}

}  // namespace spiga::cli
