// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/program.h"
#include "model/detector_cells.h"
#include "model/detector_config.h"
#include "model/weight_source.h"
#include "spiga/image.h"
#include "spiga/precision.h"

namespace spiga::model {

// The face detector with its weights, ready to compute (docs/detector.md). Immutable and shared; safe from
// any thread.
class DetectorModel {
 public:
  struct Impl;

  // Reads a detector's model file; the file is not needed afterwards. Throws Error(not_found, bad_data)
  // naming file and tensor; Error(unsupported) where bf16 is asked for and this processor cannot compute it.
  static std::shared_ptr<const DetectorModel> load(const std::filesystem::path& path,
                                                   Precision precision = Precision::automatic);
  // The same from tensors that come from anywhere.
  static std::shared_ptr<const DetectorModel> load(const DetectorConfig& config, WeightSource& weights,
                                                   Precision precision = Precision::automatic);
  ~DetectorModel();

  const DetectorConfig& config() const;
  Precision precision() const;

  Impl& impl() const { return *impl_; }

 private:
  explicit DetectorModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct DetectorThresholds {
  float score = 0.5F;
  float most_overlap = 0.45F;  // IoU of two faces that are told
};

// The workspace of one thread. The first picture of a size compiles for it (tens of milliseconds); the
// programs of the sizes seen last are kept.
class DetectorSession {
 public:
  explicit DetectorSession(std::shared_ptr<const DetectorModel> model, int threads = 1);
  ~DetectorSession();

  // The faces on a picture, bgr8, which the network sees as it is, with black below and to the right up to
  // multiples of 32 pixels; surest first, in the picture's pixel indices. Throws Error(invalid_argument)
  // where the picture has no pixels or another format.
  std::vector<ScoredFace> run(const ImageView& picture, const DetectorThresholds& thresholds);

  // For tests and benchmarks: what the cells of the last run said, [cells, kOutputs] of all levels, and the
  // compiled steps of a picture's size.
  std::vector<float> outputs() const;
  engine::Program& program(int height, int width);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spiga::model
