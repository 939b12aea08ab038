// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "cli/parts.h"

#include "base/text.h"
#include "cli/trainer_program.h"

namespace spiga::cli {
namespace {

struct Part {
  const char* name;
  const char* option;
  bool built;
};

// CMake says which are built (src/cli/CMakeLists.txt).
constexpr Part kParts[] = {
    {"detector dlib", "SPIGA_WITH_DLIB", SPIGA_HAS_DLIB},
    {"detector yunet", "SPIGA_WITH_YUNET", SPIGA_HAS_YUNET},
    {"video files and cameras", "SPIGA_WITH_VIDEO", SPIGA_HAS_VIDEO},
    {"analyze --show", "SPIGA_WITH_SHOW", SPIGA_HAS_SHOW},
    {"import", "SPIGA_WITH_IMPORT", SPIGA_HAS_IMPORT},
    {"evaluate, evaluate-detector, calibrate, label, pack, quantize", "SPIGA_WITH_EVALUATE",
     SPIGA_HAS_EVALUATE},
    {"serve", "SPIGA_WITH_SERVE", SPIGA_HAS_SERVE},
    {"pictures other than JPEG, PNG and WebP", "SPIGA_WITH_IMGCODECS", SPIGA_HAS_IMGCODECS},
};

}  // namespace

std::string describe_parts() {
  std::string lines;
  for (const Part& part : kParts)
    lines += part.built ? base::concat("\n  ", part.name, ": yes")
                        : base::concat("\n  ", part.name, ": no (", part.option, "=OFF)");
  const std::filesystem::path trainer = trainer_program();
  std::error_code ignored;
  return lines + (std::filesystem::exists(trainer, ignored)
                      ? base::concat("\n  train, export: yes (", trainer.native(), ")")
                      : base::concat("\n  train, export: no (", trainer.native(), " is not there)"));
}

}  // namespace spiga::cli
