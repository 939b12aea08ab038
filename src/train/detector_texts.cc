// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_texts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "spiga/face.h"

namespace spiga::train {
namespace {

using Colour = std::array<float, 3>;  // 0 to 255

// Letters and numbers as strokes on a grid 4 wide and 6 high: points as two digits (x, y), a blank lifts the
// pen.
constexpr std::array<std::string_view, 36> kGlyphs = {
    "062046 1434",
    "06003041423303 3344453606",
    "4130100105163645",
    "06002042442606",
    "40000646 0333",
    "400006 0333",
    "41301001051636454323",
    "0006 4046 0343",
    "2026",
    "4045361605",
    "0006 4004 1346",
    "000646",
    "0600234046",
    "06004640",
    "103041453616050110",
    "06003041423303",
    "103041453616050110 3446",
    "06003041423303 1346",
    "41301001024445361605",
    "0040 2026",
    "000516364540",
    "002640",
    "0016233640",
    "0046 4006",
    "002340 2326",
    "00400646",
    "103041453616050110 0541",
    "022026 0646",
    "01103041420646",
    "0040234445361605",
    "300444 3036",
    "400002334445361605",
    "40100205163645443303",
    "004016",
    "10304142040516364544020110",
    "43130201103041453616",
};

Colour any_colour(Random& random) {
  const double grey = random.uniform(0, 255), chroma = random.uniform(0, 120);
  Colour colour;
  for (float& channel : colour)
    channel = static_cast<float>(std::clamp(grey + random.uniform(-chroma, chroma), 0.0, 255.0));
  return colour;
}

// Draws on an image of its own.
class Cloth {
 public:
  Cloth(Image& image, Random& random) : image_(image), random_(random) {}

  // Woven threads, folds and perhaps stripes or checks over one colour.
  void weave() {
    const Colour ground = any_colour(random_), stripe = any_colour(random_);
    const double thread = random_.uniform(1.5, 6), strength = random_.uniform(0, 0.15);
    const double fold = random_.uniform(20, 200), depth = random_.uniform(0, 0.35);
    const double angle = random_.uniform(0, std::numbers::pi), phase = random_.uniform(0, 6);
    const bool striped = random_.chance(0.3), checked = random_.chance(0.3);
    const double period = random_.uniform(4, 40);
    const auto wave = [](double at, double length) { return std::sin(2 * std::numbers::pi * at / length); };
    std::vector<double> threads(static_cast<std::size_t>(image_.width()));
    for (std::size_t x = 0; x < threads.size(); ++x) threads[x] = wave(static_cast<double>(x), thread);
    for (int y = 0; y < image_.height(); ++y) {
      const double across = strength * wave(y, thread);
      for (int x = 0; x < image_.width(); ++x) {
        const double along = x * std::cos(angle) + y * std::sin(angle);
        const double light =
            1 + across * threads[static_cast<std::size_t>(x)] + depth * wave(along + phase, fold);
        const bool other = striped && ((wave(x, period) > 0) != (checked && wave(y, period) > 0));
        blend(x, y, other ? stripe : ground, static_cast<float>(light), 1);
      }
    }
  }

  // A few letters side by side, upright or leaning.
  void write() {
    const auto number = [&](double low, double high) {
      return static_cast<float>(random_.uniform(low, high));
    };
    const float height = number(8, std::max(12.0, 0.7 * image_.height())), unit = height / 6;
    const float pen = unit * number(0.3, 2), lean = number(-0.4, 0.4),
                angle = random_.chance(0.6) ? 0 : number(-3, 3);
    const Colour colour = any_colour(random_), rim = any_colour(random_);
    const bool outlined = random_.chance(0.3);
    Point at = {number(-0.2, 0.8) * static_cast<float>(image_.width()),
                number(-0.1, 0.9) * static_cast<float>(image_.height())};
    for (auto letters = 1 + random_.below(8); letters > 0; --letters) {
      const std::string_view glyph = kGlyphs[random_.below(kGlyphs.size())];
      const auto place = [&](char column, char row) {
        const auto y = static_cast<float>(row - '0'), x = static_cast<float>(column - '0') + lean * (6 - y);
        return Point{at.x + unit * (x * std::cos(angle) - y * std::sin(angle)),
                     at.y + unit * (x * std::sin(angle) + y * std::cos(angle))};
      };
      if (outlined) strokes(glyph, place, 1.8F * pen, rim);
      strokes(glyph, place, pen, colour);
      at.x += 5.5F * unit * std::cos(angle);
      at.y += 5.5F * unit * std::sin(angle);
    }
  }

  // A filled or empty ellipse, such as balls, clocks, buttons and badges are.
  void draw_disc() {
    const double side = std::min(image_.width(), image_.height());
    const Point centre = {static_cast<float>(random_.uniform() * image_.width()),
                          static_cast<float>(random_.uniform() * image_.height())};
    const double radius = std::max(3.0, side * random_.uniform(0.05, 0.4));
    const double inner = random_.chance(0.7) ? 0 : radius * random_.uniform(0.6, 0.95);
    const double flat = random_.uniform(0.7, 1.3), shade = random_.uniform(0, 0.6);
    const Colour colour = any_colour(random_);
    for_around({centre, centre}, static_cast<float>(radius * std::max(1.0, flat)), [&](int x, int y) {
      const double dx = x - double{centre.x}, dy = (y - double{centre.y}) / flat,
                   distance = std::hypot(dx, dy);
      const double cover =
          std::clamp(radius - distance, 0.0, 1.0) * std::clamp(distance - inner + 1, 0.0, 1.0);
      blend(x, y, colour, static_cast<float>(1 - shade * (dx + dy + radius) / (3 * radius)),
            static_cast<float>(cover));
    });
  }

 private:
  struct Span {
    Point from, to;
  };

  void blend(int x, int y, const Colour& colour, float light, float cover) {
    std::uint8_t* pixel = image_.data() + y * image_.stride_bytes() + 3 * x;
    for (std::size_t c = 0; c < 3; ++c) {
      const float value = std::clamp(light * colour[c], 0.0F, 255.0F);
      pixel[c] = static_cast<std::uint8_t>(static_cast<float>(pixel[c]) * (1 - cover) + value * cover + 0.5F);
    }
  }

  template <typename Draw>
  void for_around(const Span& span, float reach, Draw&& draw) {
    const auto inside = [](float value, int size) { return std::clamp(static_cast<int>(value), 0, size); };
    const int left = inside(std::min(span.from.x, span.to.x) - reach - 1, image_.width());
    const int right = inside(std::max(span.from.x, span.to.x) + reach + 2, image_.width());
    const int top = inside(std::min(span.from.y, span.to.y) - reach - 1, image_.height());
    const int bottom = inside(std::max(span.from.y, span.to.y) + reach + 2, image_.height());
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x) draw(x, y);
  }

  void draw_span(const Span& span, float width, const Colour& colour) {
    const float dx = span.to.x - span.from.x, dy = span.to.y - span.from.y,
                square = dx * dx + dy * dy + 1e-6F;
    for_around(span, width / 2, [&](int x, int y) {
      const float px = static_cast<float>(x) - span.from.x, py = static_cast<float>(y) - span.from.y;
      const float along = std::clamp((px * dx + py * dy) / square, 0.0F, 1.0F);
      const float distance = std::hypot(px - along * dx, py - along * dy);
      blend(x, y, colour, 1, std::clamp(width / 2 - distance + 0.5F, 0.0F, 1.0F));
    });
  }

  template <typename Place>
  void strokes(std::string_view glyph, Place&& place, float width, const Colour& colour) {
    for (std::size_t i = 0; i + 3 < glyph.size();) {
      if (glyph[i + 2] == ' ') {
        i += 3;
        continue;
      }
      draw_span({place(glyph[i], glyph[i + 1]), place(glyph[i + 2], glyph[i + 3])}, width, colour);
      i += 2;
    }
  }

  Image& image_;
  Random& random_;
};

}  // namespace

Image draw_texts(int width, int height, Random& random) {
  Image image(width, height, PixelFormat::bgr8);
  Cloth cloth(image, random);
  cloth.weave();
  for (auto discs = random.below(3); discs > 0; --discs) cloth.draw_disc();
  for (auto lines = 1 + random.below(4); lines > 0; --lines) cloth.write();
  return image;
}

}  // namespace spiga::train
