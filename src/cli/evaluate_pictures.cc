// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/evaluate_pictures.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text.h"
#include "cli/progress.h"
#include "eval/predictor.h"
#include "geometry/affine.h"
#include "media/picture_reader.h"
#include "media/picture_writer.h"
#include "spiga/analyzer.h"
#include "spiga/error.h"
#include "vision/crop_sampler.h"

namespace spiga::cli {
namespace {

void check_landmarks(const Landmarker& landmarker, const std::string& model,
                     const scheme::Database& database) {
  const std::vector<int>& ids = landmarker.landmark_ids();
  for (int id : database.ids) {
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) continue;
    throw Error(ErrorCode::invalid_argument, base::concat(model, ": a model of ", landmarker.database(),
                                                          " has no landmark ", id, " of ", database.name));
  }
}

Image to_image(const std::vector<float>& crop, int side) {
  Image image(side, side, PixelFormat::bgr8);
  std::transform(crop.begin(), crop.end(), image.data(), [](float value) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
  });
  return image;
}

}  // namespace

namespace {

// The model ready to look at the run's pictures; `work` is what is done with it.
template <typename Work>
auto with_model(const ModelRun& run, const scheme::Database& database, std::size_t faces, const Work& work) {
  const std::string model = run.network.model_path();
  AnalyzerOptions options = {.detector = run.detector, .quality = run.quality};
  run.network.apply_to(options);
  Analyzer analyzer = Analyzer::load(options);
  Landmarker& landmarker = analyzer.landmarker();
  check_landmarks(landmarker, model, database);
  Progress progress("faces", faces);
  eval::PredictionSources sources;
  sources.read_picture = [&](const std::string& image) { return media::read_picture(run.images / image); };
  sources.locate = [&](std::span<const FaceRequest> requests) { return landmarker.locate(requests); };
  sources.landmark_ids = landmarker.landmark_ids();
  sources.detector = analyzer.has_detector() ? &analyzer.detector() : nullptr;
  sources.batch = static_cast<std::size_t>(run.network.batch);
  sources.on_progress = [&](std::size_t done) { progress.advance(done); };
  return work(sources);
}

}  // namespace

annotations::FaceList predict_with_model(const ModelRun& run, const scheme::Database& database,
                                         const annotations::FaceList& truth) {
  return with_model(run, database, truth.faces.size(), [&](const eval::PredictionSources& sources) {
    return eval::predict_faces(truth, sources);
  });
}

eval::DegradationScores score_degraded_pictures(const ModelRun& run, const scheme::Database& database,
                                                const annotations::FaceList& truth,
                                                const std::vector<eval::Degradation>& degradations,
                                                const eval::EvaluationOptions& options) {
  return with_model(run, database, eval::degraded_face_count(truth, degradations),
                    [&](const eval::PredictionSources& sources) {
                      return eval::score_degradations(database, truth, degradations, sources, options);
                    });
}

eval::JpegOfRegion jpegs_from(const std::filesystem::path& images) {
  return [images](const std::string& image, const annotations::Rect& region, int side) -> std::string {
    const Image picture = media::read_picture(images / image);
    const double scale = side / region.width;
    vision::CropSampler sampler(side, Sampling::bilinear);
    std::vector<float> crop(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
    sampler.sample(picture.view(),
                   {.xx = scale, .tx = -scale * region.x, .yy = scale, .ty = -scale * region.y}, crop.data());
    const std::vector<std::uint8_t> bytes = media::encode_picture(to_image(crop, side), ".jpg");
    return {bytes.begin(), bytes.end()};
  };
}

}  // namespace spiga::cli
