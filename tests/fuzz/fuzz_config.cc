// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "fuzz/support.h"
#include "model/config.h"
#include "model/tensors.h"

namespace spiga::fuzz {

void fuzz_config(Bytes bytes) {
  const nlohmann::json json =
      nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return;
  expect_error_or_success([&] {
    const model::NetworkConfig config = model::config_from_json(json, "fuzz");
    require(model::config_from_json(model::to_json(config), "again") == config);
    require(model::parameter_count(config) > 0);
  });
}

}  // namespace spiga::fuzz
