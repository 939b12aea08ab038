// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/builder.h"
#include "model/quantization.h"

namespace spiga::cli {

// A network and samples of what it is to see: faces, or whole pictures for a detector.
class SampledNetwork {
 public:
  virtual ~SampledNetwork() = default;

  virtual std::size_t samples() const = 0;
  // What the network answers to the first `count` samples: with these 8-bit activations, or in float32 where
  // there are none. The observer may be null.
  virtual std::vector<float> answers(const model::Quantization& quantization, std::size_t count,
                                     model::ActivationObserver* observer = nullptr) const = 0;
  // Mean difference of answers to the same samples, in difference_unit().
  virtual double difference(const std::vector<float>& exact, const std::vector<float>& other) const = 0;
  virtual std::string difference_unit() const = 0;
};

// `source`: for a network of landmarks packed faces (spiga pack) or annotated faces in any form that
// annotations::read knows, their pictures beside them or in `images`; for a detector packed scenes
// (spiga pack --scenes). For either a folder of pictures, in which the built-in detector finds the faces. At
// most `most` samples, evenly spaced, are read into memory (0.8 MB a face, 6 MB a picture at most). Throws
// Error, bad_data where there is none.
std::unique_ptr<SampledNetwork> open_sampled_network(const std::string& model, const std::string& source,
                                                     const std::filesystem::path& images, std::size_t most);

}  // namespace spiga::cli
