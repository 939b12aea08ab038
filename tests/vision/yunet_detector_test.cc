// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "spiga/detector.h"
#include "spiga/error.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace spiga {
namespace {

TEST(YunetDetector, wants_its_file) {
  using spiga::testing::error_of;
  const spiga::testing::TemporaryFolder folder;
  const std::string text = (folder.path() / "text.onnx").string();
  spiga::testing::overwrite(text, "this is no network");
  const Error absent = error_of([] { make_detector("yunet:absent.onnx"); });
  EXPECT_EQ(absent.code(), ErrorCode::not_found);
  EXPECT_STREQ(absent.what(), "absent.onnx: no such file");
  const Error damaged = error_of([&] { make_detector("yunet:" + text); });
  EXPECT_EQ(damaged.code(), ErrorCode::bad_data);
  EXPECT_THAT(damaged.what(), ::testing::StartsWith(text + ": expected YuNet"));
  EXPECT_EQ(error_of([] { make_detector("yunet:"); }).code(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace spiga
