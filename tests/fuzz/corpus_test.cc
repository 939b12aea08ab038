// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "fuzz/targets.h"

namespace spiga::fuzz {
namespace {

struct Target {
  const char* name;
  void (*run)(Bytes);
};

constexpr Target kTargets[] = {
    {"annotations", fuzz_annotations},
    {"boxes", fuzz_boxes},
    {"checkpoint", fuzz_checkpoint},
    {"config", fuzz_config},
    {"csv", fuzz_csv},
    {"detector_scenes", fuzz_detector_scenes},
    {"form", fuzz_form},
    {"http", fuzz_http},
    {"markup", fuzz_markup},
    {"pickle", fuzz_pickle},
    {"picture", fuzz_picture},
    {"picture_header", fuzz_picture_header},
    {"pts", fuzz_pts},
    {"safetensors", fuzz_safetensors},
    {"table", fuzz_table},
    {"wflw", fuzz_wflw},
#if SPIGA_WITH_TRAIN
    {"packed", fuzz_packed},
    {"scenes", fuzz_scenes},
#endif
};

class Corpus : public ::testing::TestWithParam<Target> {};

// Every input that was ever of interest, through the ordinary build; clang's fuzzers look for new ones.
TEST_P(Corpus, EveryInputIsReadOrRefused) {
  const std::filesystem::path folder = std::filesystem::path("tests/fuzz/corpus") / GetParam().name;
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path());
    const std::string content = base::read_file(entry.path());
    EXPECT_NO_THROW(GetParam().run({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}));
    ++inputs;
  }
  EXPECT_GT(inputs, 0);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(kTargets),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace spiga::fuzz
