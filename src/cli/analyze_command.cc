// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/analyze_pictures.h"
#include "cli/commands.h"
#include "cli/shared_options.h"

namespace spiga::cli {
namespace {

void add_output_options(CLI::App& command, AnalyzeOptions& options) {
  const std::string group = "Output";
  command.add_option("-o,--output", options.output, "Where the JSON lines go; - is standard output")
      ->type_name("FILE")
      ->group(group)
      ->capture_default_str();
  command
      .add_option("--csv", options.csv,
                  "Write a table, one row per face; - prints it in place of the JSON lines")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--overlay", options.overlay, "Write pictures with what was found into this folder")
      ->type_name("DIR")
      ->group(group);
}

void add_face_options(CLI::App& command, AnalyzeOptions& options) {
  const std::string group = "Faces";
  auto* boxes = command.add_option("--boxes", options.boxes,
                                   "Annotation file: look for faces in its boxes instead of detecting them");
  boxes->type_name("FILE")->group(group);
  command.add_option("--detector", options.detector, "Face detector: dlib")
      ->type_name("NAME")
      ->group(group)
      ->excludes(boxes)
      ->capture_default_str();
  command
      .add_option("--min-face", options.detector_options.min_face_px,
                  "Smallest face to look for, in pixels [a 40th of the picture, at least 48]")
      ->type_name("PX")
      ->group(group);
  command.add_option("--min-score", options.detector_options.score_threshold, "Drop faces that score below")
      ->type_name("S")
      ->group(group)
      ->capture_default_str();
}

}  // namespace

void add_analyze(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command =
      program.add_subcommand("analyze", "Find faces, their landmarks and head pose in pictures");
  command
      ->add_option("INPUT", options->inputs,
                   "Pictures, folders of pictures, or - for a list of paths on stdin")
      ->required()
      ->type_name("");
  command->add_flag("-r,--recursive", options->recursive, "Look into folders' folders, too");
  add_output_options(*command, *options);
  add_face_options(*command, *options);
  add_network_options(*command, options->network);
  command->footer(
      "One JSON line per picture on standard output; the fields are in docs/cli.md.\n\nExamples:\n"
      "  spiga analyze portrait.jpg\n"
      "  spiga analyze -r holiday/ --csv faces.csv --overlay seen/ > faces.jsonl\n"
      "  find . -name '*.png' | spiga analyze -");
  command->callback([options, &chosen] { chosen = [options] { return analyze_pictures(*options); }; });
}

}  // namespace spiga::cli
