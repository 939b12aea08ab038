// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "spiga/error.h"

namespace spiga::testing {

// The spiga::Error that `action` ends with; without one the test fails and the error says so.
template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected a spiga::Error";
  return Error(ErrorCode::interrupted, "no error at all");
}

// The message of the Error(bad_data) that `action` ends with.
template <typename Action>
std::string bad_data_of(const Action& action) {
  const Error error = error_of(action);
  EXPECT_EQ(error.code(), ErrorCode::bad_data) << error.what();
  return error.what();
}

}  // namespace spiga::testing
