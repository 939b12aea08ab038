// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "train/config.h"

namespace spiga::train {

// Starts of the cascade, varied as `variation` says: some faces' are replaced by `projected`, some are moved
// as a whole and landmark by landmark. Both [N, L, 2] float32 in crop units; the result is of the same kind,
// has no gradient, lies within half a crop around it and depends on `seed` and on a face's place in the batch
// of all processes (`first` is that of the first one), not on the device. A shape turns and grows about its
// mean.
torch::Tensor vary_start(const torch::Tensor& initial, const torch::Tensor& projected,
                         const StartVariation& variation, std::uint64_t seed, std::int64_t first = 0);

}  // namespace spiga::train
