// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/evaluate_pictures.h"
#include "cli/exit_status.h"
#include "eval/html_report.h"
#include "eval/text_report.h"
#include "spiga/detector.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

namespace fs = std::filesystem;

struct EvaluateOptions {
  std::string database;
  std::string annotations;
  std::string predictions;
  std::vector<std::string> compare;
  eval::EvaluationOptions evaluation;
  ModelRun model;
  std::string boxes = "annotated";
  std::string detector = kDefaultDetector;
  std::string save;
  std::string degrade;  // empty: none
  bool json = false;
  std::string report;
};

// "name=path" or a path, whose stem then is the name.
struct NamedPath {
  std::string name;
  fs::path path;
};

NamedPath named_path(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos && !base::exists(text))
    return {text.substr(0, equals), text.substr(equals + 1)};
  const fs::path path = text;
  return {path.has_stem() ? path.stem().string() : text, path};
}

// A model runs where one is named, or where pictures are given and nothing else could be evaluated.
bool runs_model(const EvaluateOptions& options) {
  return !options.model.network.model.empty() ||
         (options.predictions.empty() && options.compare.empty() && !options.model.images.empty());
}

// Where the model's predictions go if nobody says: into the report's folder, or here.
fs::path save_path(const EvaluateOptions& options) {
  if (!options.save.empty()) return options.save;
  return fs::path(options.report) / ("results_" + options.database + ".json");
}

eval::Method run_model(const EvaluateOptions& options, const scheme::Database& database,
                       const annotations::FaceList& truth) {
  eval::Method method;
  method.predictions = predict_with_model(options.model, database, truth);
  method.predictions.source = save_path(options).string();
  annotations::write_json(method.predictions.source, method.predictions.faces);
  std::cerr << "predictions written to " << method.predictions.source << '\n';
  method.name = fs::path(options.model.network.model_path()).stem().string() + ", " +
                (options.model.detector.empty() ? "annotated" : options.model.detector) + " boxes";
  if (!options.degrade.empty()) {
    method.degradations = score_degraded_pictures(
        options.model, database, truth, eval::parse_degradations(options.degrade), options.evaluation);
  }
  return method;
}

std::vector<eval::Method> collect_methods(const EvaluateOptions& options, const scheme::Database& database,
                                          const annotations::FaceList& truth) {
  std::vector<eval::Method> methods;
  if (runs_model(options)) methods.push_back(run_model(options, database, truth));
  std::vector<std::string> files = options.compare;
  if (!options.predictions.empty()) files.insert(files.begin(), options.predictions);
  for (const std::string& file : files) {
    const NamedPath named = named_path(file);
    eval::Method& method = methods.emplace_back();
    method.name = named.name;
    method.predictions = annotations::read(named.path, {.database_ids = database.ids});
  }
  std::set<std::string> names;
  for (eval::Method& method : methods) {
    if (!names.insert(method.name).second) method.name = method.predictions.source;
    method.evaluation = eval::evaluate(database, truth, method.predictions, options.evaluation);
  }
  return methods;
}

void write_report(const EvaluateOptions& options, const eval::Report& report) {
  const fs::path folder = options.report;
  base::write_file(folder / "report.html", eval::html_report(report));
  base::write_file(folder / "metrics.json", eval::json_report(report.methods, report.differences));
  std::cerr << "report written to " << (folder / "report.html").string() << '\n';
}

void check_options(const EvaluateOptions& options) {
  if (!runs_model(options) && options.predictions.empty() && options.compare.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "evaluate: expected --predictions, --compare, or --images for a model to run on; found none");
  }
  if (runs_model(options) && options.model.images.empty()) {
    throw Error(ErrorCode::invalid_argument, "evaluate: --model needs --images, the folder of the pictures");
  }
  if (options.degrade.empty()) return;
  if (!runs_model(options)) {
    throw Error(
        ErrorCode::invalid_argument,
        "evaluate: --degrade runs a model over degraded pictures: expected --images, and --model beside "
        "--predictions; found predictions alone");
  }
  eval::parse_degradations(options.degrade);
}

int run_evaluate(EvaluateOptions options) {
  check_options(options);
  if (options.boxes == "detector") options.model.detector = options.detector;
  const scheme::Database& database = scheme::find_database(options.database);
  if (!options.report.empty()) base::create_folders(options.report);
  const annotations::FaceList truth = annotations::read(options.annotations, {.database_ids = database.ids});
  const std::vector<eval::Method> methods = collect_methods(options, database, truth);
  const std::vector<eval::Difference> differences = eval::compare_methods(methods);
  if (options.json) {
    std::cout << eval::json_report(methods, differences);
  } else {
    for (const eval::Method& method : methods) std::cout << eval::text_report(method) << '\n';
    if (methods.size() > 1) std::cout << eval::text_comparison(methods, differences);
  }
  if (!options.report.empty()) {
    const bool pictures = !options.model.images.empty();
    write_report(options,
                 {.database = database,
                  .truth = truth,
                  .methods = methods,
                  .differences = differences,
                  .jpeg_of_region = pictures ? jpegs_from(options.model.images) : eval::JpegOfRegion()});
  }
  return kDone;
}

void add_picture_options(CLI::App& command, EvaluateOptions& options) {
  const std::string group = "Running a model";
  command
      .add_option("--images", options.model.images,
                  "Folder that picture names are relative to: the model runs over its pictures, the report "
                  "shows them")
      ->type_name("DIR")
      ->group(group)
      ->check(CLI::ExistingDirectory.description(""));
  command.add_option("--boxes", options.boxes, "Where the faces' boxes come from: annotated or detector")
      ->type_name("B")
      ->group(group)
      ->check(CLI::IsMember({"annotated", "detector"}).description(""))
      ->capture_default_str();
  command.add_option("--detector", options.detector, "Detector for --boxes detector, as of spiga analyze")
      ->type_name("NAME")
      ->group(group)
      ->capture_default_str();
  add_quality_option(command, group, "fast",
                     [&options](Quality quality) { options.model.quality = quality; });
  command
      .add_option("--degrade", options.degrade,
                  "Also measure on pictures made worse in five strengths each: all or some of " +
                      base::join(eval::degradation_names()) + "; NAME=S:S for strengths of one's own")
      ->type_name("NAMES")
      ->group(group)
      ->expected(0, 1)
      ->default_str("all");
  command
      .add_option(
          "--save", options.save,
          "Where the model's predictions go [results_DATABASE.json, in the report's folder if there is one]")
      ->type_name("FILE")
      ->group(group);
}

}  // namespace

void add_evaluate(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      program.add_subcommand("evaluate", "Metrics of predictions, or of a model, on annotated faces");
  command->add_option("--database", options->database, base::join(scheme::database_names()))
      ->required()
      ->type_name("NAME")
      ->check(CLI::IsMember(scheme::database_names()).description(""));
  command
      ->add_option("--annotations", options->annotations,
                   "True landmarks: published JSON, folder of .pts files, WFLW list (.txt) or CSV")
      ->required()
      ->type_name("PATH");
  command->add_option("--predictions", options->predictions, "Predictions in any of these forms; [NAME=]PATH")
      ->type_name("PATH");
  command
      ->add_option("--compare", options->compare,
                   "More predictions, [NAME=]PATH each, set against the first with confidence intervals")
      ->type_name("PATH");
  command
      ->add_option("--norm", options->evaluation.norm,
                   "What errors are divided by: corners, pupils, lnd_bbox, bbox, height, diagonal "
                   "[the database's first]")
      ->type_name("NORM");
  command
      ->add_option("--threshold", options->evaluation.threshold,
                   "NME in per cent over which a face has failed [the norm's published one]")
      ->type_name("T");
  command->add_flag("--json", options->json, "Print every figure as JSON");
  command->add_option("--report", options->report, "Write report.html and metrics.json into this folder")
      ->type_name("DIR");
  add_picture_options(*command, *options);
  add_network_options(*command, options->model.network);
  command->get_option("--predictions")->excludes(command->get_option("--model"));
  command->footer(
      "Figures and forms: docs/benchmark.md\n\nExamples:\n"
      "  spiga evaluate --database 300wpublic --annotations test.json --predictions results.json --report "
      "out\n"
      "  spiga evaluate --database 300wpublic --annotations valid.json --images 300w --boxes detector "
      "--report out\n"
      "  spiga evaluate --database wflw --annotations test.json --compare SPIGA=a.json STAR=b.json");
  command->callback([options, &chosen] { chosen = [options] { return run_evaluate(*options); }; });
}

}  // namespace spiga::cli
