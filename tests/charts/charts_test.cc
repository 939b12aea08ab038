// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "charts/face_drawing.h"
#include "charts/plot.h"
#include "charts/svg.h"

namespace spiga::charts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Svg, NumbersAreShort) {
  EXPECT_EQ(number(1.5), "1.5");
  EXPECT_EQ(number(100), "100");
  EXPECT_EQ(number(100.004), "100");
  EXPECT_EQ(number(-0.001), "0");
  EXPECT_EQ(fixed(2, 3), "2.000");
  EXPECT_EQ(fixed(std::nan(""), 3), "–");
}

TEST(Svg, EscapesTextAndEncodesBase64) {
  EXPECT_EQ(escape("<a> & \"b\""), "&lt;a&gt; &amp; &quot;b&quot;");
  const auto encodes = [](std::string_view bytes) { return base64(bytes); };  // RFC 4648, section 10
  EXPECT_EQ(encodes(""), "");
  EXPECT_EQ(encodes("f"), "Zg==");
  EXPECT_EQ(encodes("fo"), "Zm8=");
  EXPECT_EQ(encodes("foo"), "Zm9v");
  EXPECT_EQ(encodes("foob"), "Zm9vYg==");
  EXPECT_EQ(encodes("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encodes("\xff\xfe"), "//4=");
}

TEST(Plot, TicksAreRound) {
  EXPECT_THAT(ticks(0, 8, 8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(ticks(-45, 45, 8), ElementsAre(-40, -20, 0, 20, 40));
  EXPECT_THAT(logarithmic_ticks(15, 150), ElementsAre(20, 30, 50, 70, 100));
}

TEST(Svg, ShapesAreElementsWithTheirLook) {
  Svg svg(20, 10, "a < b");
  svg.line({0, 1}, {2.5, 3}, R"(class="grid")");
  svg.path(std::vector<Coordinate>{{0, 0}, {1, 2}}, R"(fill="none")");
  svg.circle({1, 2}, 3, R"(fill="red")", "5 > 4");
  svg.text({1, 2}, "x & y", R"(class="tick")");
  svg.image(0, 0, 5, 5, "image/png", "foo");
  const std::string text = std::move(svg).finish();
  EXPECT_THAT(text, HasSubstr(R"(viewBox="0 0 20 10")"));
  EXPECT_THAT(text, HasSubstr(R"(aria-label="a &lt; b")"));
  EXPECT_THAT(text, HasSubstr(R"(<line x1="0" y1="1" x2="2.5" y2="3" class="grid"/>)"));
  EXPECT_THAT(text, HasSubstr(R"(<path d="M0 0L1 2" fill="none"/>)"));
  EXPECT_THAT(text, HasSubstr(R"(<circle cx="1" cy="2" r="3" fill="red"><title>5 &gt; 4</title></circle>)"));
  EXPECT_THAT(text, HasSubstr("x &amp; y</text>"));
  EXPECT_THAT(text, HasSubstr("data:image/png;base64,Zm9v"));
  EXPECT_THAT(text, ::testing::EndsWith("</svg>\n"));
}

TEST(Plot, CutsOffAtItsFrame) {
  Plot plot(100, 100, "plot", {"x", 0, 1}, {"y", 0, 1});
  plot.dots(std::vector<Coordinate>{{50, 50}}, "#123", 1);
  EXPECT_THAT(std::move(plot).finish(), HasSubstr(R"(<circle cx="86" cy="12")"));
}

TEST(FaceDrawing, LeavesOutLandmarksThatAreNotThere) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  std::vector<Coordinate> places(68, {NAN, NAN});
  places[36] = {10, 20};
  Svg svg(100, 100, "face");
  draw_landmarks(database, places, kTruthColour, svg);
  const std::string text = std::move(svg).finish();
  EXPECT_THAT(text, HasSubstr(R"(<circle cx="10" cy="20")"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace spiga::charts
