// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz/support.h"
#include "train/packed.h"

namespace spiga::fuzz {

void fuzz_packed(Bytes bytes) {
  const MemoryFile file(bytes);
  expect_error_or_success([&] {
    const train::FaceDataset faces = train::FaceDataset::open(file.path());
    unsigned sum =
        0;  // touches the first and last byte of everything, so that a sanitizer or the kernel objects
    for (std::int64_t i = 0; i < faces.size(); ++i) {
      const train::FaceRecord face = faces.record(i);
      require(static_cast<int>(face.landmarks.size()) == faces.landmarks());
      const ImageView& pixels = face.pixels;
      sum += pixels.data[0] + pixels.data[pixels.height * pixels.stride_bytes - 1];
      if (!face.name.empty()) sum += static_cast<unsigned char>(face.name.back());
    }
    volatile unsigned sink = sum;
    static_cast<void>(sink);
  });
}

}  // namespace spiga::fuzz
