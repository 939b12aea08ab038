// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spiga::base {
namespace {

using ::testing::ElementsAre;

TEST(Text, ConcatJoinsAnything) { EXPECT_EQ(concat("a", 1, ' ', 2.5), "a1 2.5"); }

TEST(Text, PrintableKeepsMessagesOnOneLine) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable("a\nb\x1b\xff"), "a\\x0ab\\x1b\\xff");
  EXPECT_EQ(printable("abcdefghij", 8), "abcde...");
  EXPECT_EQ(printable("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(printable(std::string(1000, '\n'), 20).size(), 20U);
}

TEST(Text, TrimAndSplit) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_THAT(split_words("  one\ttwo  three "), ElementsAre("one", "two", "three"));
  EXPECT_THAT(split_words(" "), ElementsAre());
  EXPECT_THAT(split("a||b|", '|'), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", '|'), ElementsAre(""));
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"", "b"}, "/"), "/b");
}

TEST(Text, NumbersMustFillTheText) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("12 "), std::nullopt);
  EXPECT_EQ(parse_int(""), std::nullopt);
  EXPECT_EQ(parse_int("99999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_double("1.5e3"), 1500);
  EXPECT_EQ(parse_double("1,5"), std::nullopt);
  EXPECT_EQ(parse_double("x"), std::nullopt);
}

}  // namespace
}  // namespace spiga::base
