// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "onnx/protobuf.h"

#include <gtest/gtest.h>

#include <limits>

namespace spiga::onnx {
namespace {

using namespace std::string_literals;

// The examples of the format's own description (protobuf.dev/programming-guides/encoding).
TEST(Message, IsProtocolBuffersWireFormat) {
  EXPECT_EQ(Message().number(1, 150).bytes(), "\x08\x96\x01"s);
  EXPECT_EQ(Message().text(2, "testing").bytes(), "\x12\x07testing"s);
  EXPECT_EQ(Message().message(3, Message().number(1, 150)).bytes(), "\x1a\x03\x08\x96\x01"s);
  EXPECT_EQ(Message().number(16, 0).bytes(), "\x80\x01\x00"s);
  EXPECT_EQ(Message().real(5, 1.0F).bytes(), "\x2d\x00\x00\x80\x3f"s);
}

TEST(Message, WritesNegativeAndLargeNumbersInTenAndNineBytes) {
  EXPECT_EQ(Message().number(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
  EXPECT_EQ(Message().number(1, std::numeric_limits<std::int64_t>::max()).bytes(),
            "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s);
}

TEST(Message, PutsTheLengthOfLongTextsInFront) {
  const std::string text(300, 'x');
  EXPECT_EQ(Message().text(1, text).bytes(), "\x0a\xac\x02"s + text);
}

}  // namespace
}  // namespace spiga::onnx
