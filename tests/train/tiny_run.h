// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace spiga::testing {

// A network that trains in seconds: 64 x 64 crops, a 16 x 16 map, 68 landmarks.
model::NetworkConfig tiny_network();

// Packs drawn faces: the mean face of the database under as many head poses, a coloured dot at every
// landmark. Faces differ between seeds.
void pack_drawn_faces(const std::filesystem::path& path, int faces, unsigned seed,
                      const std::string& database = "300wpublic");

// Float32, one thread, no checkpoint or validation but at the end, faces as they are. Two stages, backbone
// and cascade, of `steps` steps each. Data and folder as given.
train::TrainConfig tiny_config(const std::filesystem::path& folder, const std::filesystem::path& train_data,
                               int steps);

// The same kind of run as a recipe beside the run's folder: FOLDER.toml, whose path it returns. `run_keys`
// are more lines of [run], `stage_keys` of both stages.
std::string write_tiny_recipe(const std::filesystem::path& folder, const std::filesystem::path& data,
                              const std::string& run_keys, const std::string& stage_keys);

// Every tensor of a checkpoint by name, as bytes.
std::map<std::string, std::string> tensors_of(const std::filesystem::path& checkpoint);

// Names of tensors that are not the same in both.
std::vector<std::string> differing_tensors(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace spiga::testing
