// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/progress.h"
#include "cli/shared_options.h"
#include "media/picture_reader.h"
#include "media/picture_sources.h"
#include "spiga/analyzer.h"
#include "spiga/error.h"
#include "vision/pseudo_labels.h"

namespace spiga::cli {
namespace {

struct LabelOptions {
  std::string folder, output, detector = kDefaultDetector;
  NetworkOptions network;
  double most_difference = 2.5, most_typical = 1.2, least_kept = 0.6, least_confidence = 0.9;
  double least_side = 60;
  std::size_t every = 1;
};

struct Totals {
  std::size_t pictures = 0, unreadable = 0, found = 0, kept = 0, landmarks = 0, landmarks_kept = 0;
};

double median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The face with the landmarks that its looks agree on; nothing where they are too few.
std::optional<annotations::AnnotatedFace> to_annotation(const vision::PseudoLabel& label,
                                                        const std::string& picture, const ImageView& image,
                                                        const std::vector<int>& ids,
                                                        const LabelOptions& options) {
  if (label.confidence < options.least_confidence ||
      std::min(label.box.width, label.box.height) < options.least_side ||
      100 * median(label.difference) > options.most_typical)
    return std::nullopt;
  annotations::AnnotatedFace face;
  face.image = picture;
  face.box = {label.box.x, label.box.y, label.box.width, label.box.height};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Point& p = label.landmarks[i];
    const bool inside = p.x >= 0 && p.y >= 0 && p.x <= static_cast<float>(image.width - 1) &&
                        p.y <= static_cast<float>(image.height - 1);
    if (!inside || 100 * label.difference[i] > options.most_difference) continue;
    face.ids.push_back(ids[i]);
    face.landmarks.push_back({p.x, p.y});
    face.visible.push_back(1);
  }
  if (static_cast<double>(face.ids.size()) < options.least_kept * static_cast<double>(ids.size()))
    return std::nullopt;
  return face;
}

int run_label(const LabelOptions& options) {
  AnalyzerOptions settings = {.detector = options.detector};
  options.network.apply_to(settings);
  Analyzer analyzer = Analyzer::load(settings);
  const std::vector<int> ids = analyzer.landmarker().landmark_ids();
  vision::PseudoLabeller labeller(analyzer.landmarker());
  media::PictureSources sources({options.folder}, true, std::cin);
  Progress progress("pictures", sources.count().value_or(0));
  std::vector<annotations::AnnotatedFace> faces;
  Totals totals;
  std::size_t place = 0;
  while (const auto source = sources.next()) {
    progress.advance(++place);
    if ((place - 1) % options.every != 0) continue;
    ++totals.pictures;
    try {
      if (!source->problem.empty()) throw Error(ErrorCode::bad_data, source->problem);
      const Image picture = media::read_picture(source->path);
      const std::vector<Detection> found = analyzer.detect(picture.view());
      for (const vision::PseudoLabel& label : labeller.label(picture.view(), found)) {
        ++totals.found, totals.landmarks += ids.size();
        if (auto face =
                to_annotation(label, source->relative.generic_string(), picture.view(), ids, options)) {
          ++totals.kept, totals.landmarks_kept += face->ids.size();
          faces.push_back(std::move(*face));
        }
      }
    } catch (const Error& error) {
      progress.wipe();
      print_error(error.what());
      ++totals.unreadable;
    }
  }
  if (totals.pictures == 0)
    throw Error(ErrorCode::not_found, base::concat(options.folder, ": no pictures in this folder"));
  annotations::write_json(options.output, faces);
  std::printf(
      "pictures   %zu, %zu could not be read\nfaces      %zu of %zu kept\nlandmarks  %zu of %zu kept\n",
      totals.pictures, totals.unreadable, totals.kept, totals.found, totals.landmarks_kept, totals.landmarks);
  return totals.unreadable ? kSomeFailed : kDone;
}

}  // namespace

void add_label(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<LabelOptions>();
  CLI::App* command =
      program.add_subcommand("label", "Label faces that nobody annotated, to train another network on them");
  command->add_option("FOLDER", options->folder, "Pictures, with those of its folders")->required();
  command->add_option("-o,--output", options->output, "Annotations to write, relative to FOLDER (.json)")
      ->required();
  command->add_option("--detector", options->detector, "As of spiga analyze")->capture_default_str();
  command
      ->add_option("--landmark-difference", options->most_difference,
                   "Leave out landmarks that looks at the face place further apart, in % of the box's side")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--face-difference", options->most_typical,
                   "Leave out faces whose landmarks (median) are further apart, in % of the box's side")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--least-landmarks", options->least_kept,
                   "Leave out faces that keep a smaller share of their landmarks")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--min-confidence", options->least_confidence,
                   "Leave out faces that the detector is less sure of")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--min-side", options->least_side,
                   "Leave out faces whose box has a shorter side, in pixels")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--every", options->every, "Of each N pictures the first only, as of videos cut in frames")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  add_network_options(*command, options->network);
  command->footer(
      "Each face is labelled as --quality best finds it, looked at again in six shifted and scaled boxes, "
      "and kept\n"
      "where the looks agree (docs/training.md, Pseudo-labels).\n\n"
      "Example:\n  spiga label pictures/ -o pictures.json\n  spiga pack pictures.json --pictures pictures/ "
      "-o more.pack");
  command->callback([options, &chosen] { chosen = [options] { return run_label(*options); }; });
}

}  // namespace spiga::cli
