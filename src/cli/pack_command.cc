// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/turned_views.h"
#include "media/picture_reader.h"
#include "scheme/scheme.h"
#include "train/pack.h"
#include "train/scenes.h"

namespace spiga::cli {
namespace {

struct PackCommandOptions {
  std::vector<std::string> annotations;
  std::string pictures;
  std::string database = "300wpublic";
  std::string output;
  train::PackOptions pack;
  bool scenes = false;
  std::vector<std::string> ignored;
  int turned = 0;
  std::string views;
};

// Whole pictures, for the detector.
int run_pack_scenes(const PackCommandOptions& options) {
  catch_interrupts();
  Progress progress("pictures");
  train::ScenePackOptions scenes;
  scenes.annotations.assign(options.annotations.begin(), options.annotations.end());
  scenes.ignored.assign(options.ignored.begin(), options.ignored.end());
  scenes.read_picture = [](const std::filesystem::path& path) { return media::read_picture(path); };
  scenes.on_progress = [&progress](std::size_t done, std::size_t) {
    if (interrupted()) throw Error(ErrorCode::interrupted, "interrupted: no file was written");
    progress.advance(done);
  };
  const train::ScenePackResult result = train::pack_scenes(scenes, options.output);
  progress.wipe();
  std::cerr << options.output << ": " << result.pictures << " pictures with " << result.faces
            << " faces packed, " << result.ignored << " ignored\n";
  return kDone;
}

int run_pack(const PackCommandOptions& options) {
  if (options.scenes) return run_pack_scenes(options);
  catch_interrupts();
  std::optional<Progress> progress;
  train::PackEvents events;
  events.read_picture = [](const std::filesystem::path& path) { return media::read_picture(path); };
  events.on_bad_record = [&progress](const std::string& message) {
    if (progress) progress->wipe();
    print_error(message.c_str());
  };
  events.on_progress = [&progress](std::int64_t done, std::int64_t total) {
    if (interrupted()) throw Error(ErrorCode::interrupted, "interrupted: no file was written");
    if (done == 1 || !progress) progress.emplace("faces", static_cast<std::size_t>(total));
    progress->advance(static_cast<std::size_t>(done));
  };
  std::optional<TurnedViews> turned;
  if (options.turned > 0) {
    turned.emplace(options.turned, options.views);
    events.make_more = [&turned](const train::FaceToPack& face, const ImageView& picture,
                                 const train::PackEvents::Add& add) { turned->make(face, picture, add); };
  }
  std::vector<train::PackInput> inputs;
  for (const std::string& path : options.annotations) inputs.push_back({path, options.pictures});
  const train::PackResult result =
      train::pack_annotations(inputs, options.database, options.output, options.pack, events);
  if (turned) turned->finish();
  if (progress) progress->wipe();
  std::cerr << options.output << ": " << result.packed << " faces packed, " << result.skipped << " skipped\n";
  if (turned) {
    std::cerr << "of them " << turned->made() << " turned views";
    for (const auto& [why, count] : turned->left_out()) std::cerr << "; " << count << " left out: " << why;
    std::cerr << '\n';
  }
  return result.skipped > 0 ? kSomeFailed : kDone;
}

}  // namespace

void add_pack(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<PackCommandOptions>();
  CLI::App* command = program.add_subcommand("pack", "Pack annotated faces into one file for training");
  command
      ->add_option("ANNOTATIONS", options->annotations,
                   "Published SPIGA JSON, folders of .pts files (300-W), WFLW text lists, CSV")
      ->required()
      ->type_name("");
  command->add_option("-o,--output", options->output, "File to write")->required()->type_name("FILE");
  command->add_option("--database", options->database, "Landmark database of the annotations")
      ->check(CLI::IsMember(scheme::database_names()))
      ->capture_default_str();
  command
      ->add_option("--pictures", options->pictures,
                   "Folder that picture names are relative to [the annotations' own]")
      ->type_name("DIR");
  command
      ->add_option("--margin", options->pack.margin,
                   "Side of the square kept around a face, in larger sides of its box")
      ->capture_default_str();
  command
      ->add_option("--max-side", options->pack.max_side,
                   "Squares with more pixels a side are shrunk to this; smaller ones are kept as they are")
      ->type_name("PX")
      ->capture_default_str();
  command->add_flag("--scenes", options->scenes,
                    "Pack whole pictures, for training a detector; ANNOTATIONS list the faces of each");
  command
      ->add_option(
          "--ignore", options->ignored,
          "With --scenes: what spiga analyze found on them; other faces than the annotated ones are no "
          "background in training")
      ->type_name("FILE");
  auto* turned =
      command
          ->add_option("--turned", options->turned,
                       "Add this many views of each face from the side, made from its picture: yaw "
                       "30 to 85, pitch within 25 degrees")
          ->type_name("N")
          ->check(CLI::Range(0, 100).description(""))
          ->excludes("--scenes");
  command
      ->add_option("--turned-pictures", options->views,
                   "Write these views into this folder, too, with their annotations in views.json")
      ->type_name("DIR")
      ->needs(turned);
  command->footer(
      "A record that cannot be used (picture missing, wrong number of points, a landmark outside the "
      "picture)\n"
      "is named on standard error and left out; the exit status is then 1.\n\n"
      "Examples:\n"
      "  spiga pack 300w/train.json -o train.pack\n"
      "  spiga pack list_98pt_rect_attr_train.txt --database wflw --pictures WFLW_images -o wflw.pack\n"
      "  spiga pack 300w/train.json --turned 2 --turned-pictures look/ -o turned.pack\n"
      "  spiga pack --scenes scenes/train.json --ignore found.jsonl -o scenes.pack");
  command->callback([options, &chosen] { chosen = [options] { return run_pack(*options); }; });
}

}  // namespace spiga::cli
