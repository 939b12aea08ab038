// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "annotations/annotations.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/progress.h"
#include "cli/shared_options.h"
#include "eval/statistics.h"
#include "media/picture_reader.h"
#include "model/model_file.h"
#include "scheme/scheme.h"
#include "vision/crop_session.h"
#include "weights/safetensors.h"

namespace spiga::cli {
namespace {

struct CalibrateOptions {
  std::string model;
  std::string annotations;
  std::string images;
  std::string output;
  Precision precision = Precision::automatic;
};

// One entry per annotated landmark, in crop units.
struct Sample {
  std::vector<model::UncertaintyFeatures> features;
  std::vector<float> errors;
};

// Looks at the face in its annotated box.
void add_face(const annotations::AnnotatedFace& face, const ImageView& picture,
              const scheme::Database& database, vision::CropSession& crops, Sample& sample) {
  const annotations::Rect rect = annotations::box_of(face).value();
  const Box box = {static_cast<float>(rect.x), static_cast<float>(rect.y), static_cast<float>(rect.width),
                   static_cast<float>(rect.height)};
  const FaceRequest request = {picture, box};
  crops.run(std::span(&request, 1));
  const model::Session& session = crops.session();
  const geometry::Affine crop_from_image = crops.crop_from_image(box);
  const auto size = static_cast<float>(crops.size());
  for (std::size_t i = 0; i < face.ids.size(); ++i) {
    const int index = database.index_of(face.ids[i]);
    if (index < 0) continue;
    const Point truth =
        crop_from_image({static_cast<float>(face.landmarks[i].x), static_cast<float>(face.landmarks[i].y)});
    const auto place = static_cast<std::size_t>(index);
    const float* found = &session.landmarks()[2 * place];
    sample.features.push_back(session.uncertainty_features()[place]);
    sample.errors.push_back(std::hypot(found[0] - truth.x / size, found[1] - truth.y / size));
  }
}

Sample look_at_faces(const CalibrateOptions& options, const annotations::FaceList& truth,
                     const scheme::Database& database) {
  vision::CropSession crops(Model::load(options.model, options.precision), {.threads = 1, .max_batch = 1});
  Progress progress("faces", truth.faces.size());
  Sample sample;
  for (std::size_t i = 0; i < truth.faces.size(); ++i) {
    const annotations::AnnotatedFace& face = truth.faces[i];
    const Image picture = media::read_picture(std::filesystem::path(options.images) / face.image);
    if (!face.landmarks.empty()) add_face(face, picture.view(), database, crops, sample);
    progress.advance(i + 1);
  }
  return sample;
}

double rank_correlation(const Sample& sample, const model::UncertaintyFormula& formula) {
  std::vector<double> expected;
  for (const model::UncertaintyFeatures& features : sample.features) {
    expected.push_back(model::expected_error(formula, features));
  }
  return eval::rank_correlation(expected, std::vector<double>(sample.errors.begin(), sample.errors.end()));
}

int run_calibrate(const CalibrateOptions& options) {
  const weights::SafetensorsFile file(options.model);
  model::ModelInfo info = model::read_info(file);
  const scheme::Database& database = scheme::find_database(info.config.database);
  const annotations::FaceList truth = annotations::read(options.annotations, {.database_ids = database.ids});
  const Sample sample = look_at_faces(options, truth, database);
  const model::UncertaintyFormula before =
      info.uncertainty.value_or(model::default_uncertainty(info.config.initial_shape));
  info.uncertainty = model::fit_uncertainty(sample.features, sample.errors);
  std::printf("landmarks         %zu of %zu faces\n", sample.errors.size(), truth.faces.size());
  std::printf("rank correlation  %.3f of uncertainty and error, %.3f before\n",
              rank_correlation(sample, *info.uncertainty), rank_correlation(sample, before));
  std::printf("uncertainty            %s\n", model::to_json(*info.uncertainty).dump().c_str());
  weights::Metadata metadata = file.metadata();
  metadata.merge(model::metadata_of(info));  // keeps what others wrote
  metadata["spiga.uncertainty"] = model::metadata_of(info).at("spiga.uncertainty");
  if (!options.output.empty()) weights::write_safetensors(options.output, file.tensors(), metadata);
  return kDone;
}

}  // namespace

void add_calibrate(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command =
      program.add_subcommand("calibrate", "Fit a model's expected errors (uncertainty) to annotated faces");
  command->add_option("MODEL", options->model, "Model file")->required();
  command->add_option("ANNOTATIONS", options->annotations, "Annotated faces, see docs/benchmark.md")
      ->required();
  command
      ->add_option("--images", options->images, "Folder that the annotations' picture names are relative to")
      ->required();
  command->add_option("-o,--output", options->output,
                      "Model file to write: the same weights, the new uncertainty");
  add_precision_option(*command, options->precision);
  command->footer(
      "Choose faces that the model was not trained on: it is surer of those.\n\n"
      "Example:\n  spiga calibrate model.safetensors valid.json --images faces/ -o calibrated.safetensors");
  command->callback([options, &chosen] { chosen = [options] { return run_calibrate(*options); }; });
}

}  // namespace spiga::cli
