// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/render.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "train/random.h"

// The loops below are compiled for several instruction sets; the widest that the machine has is taken at run
// time.
#if defined(__x86_64__) && defined(__GNUC__)
#define SPIGA_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SPIGA_CLONES
#endif

namespace spiga::train {

std::span<const float> noise_table() {
  static const std::vector<float> table = [] {
    std::vector<float> values(std::size_t{1} << 18);
    Random random(20221121);
    for (float& value : values) value = static_cast<float>(random.normal());
    return values;
  }();
  return table;
}

std::vector<float> jpeg_steps(int quality, bool chrominance) {
  static constexpr std::array<int, 64> kLuminance = {
      16, 11,  10,  16, 24, 40, 51, 61, 12,  12,  14,  19,  26, 58, 60, 55,  14,  13,  16,  24, 40, 57,
      69, 56,  14,  17, 22, 29, 51, 87, 80,  62,  18,  22,  37, 56, 68, 109, 103, 77,  24,  35, 55, 64,
      81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98,  112, 100, 103, 99};
  static constexpr std::array<int, 64> kChrominance = {
      17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
      99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  std::vector<float> steps;
  for (const int base : chrominance ? kChrominance : kLuminance)
    steps.push_back(static_cast<float>(std::clamp((base * scale + 50) / 100, 1, 255)));
  return steps;
}

std::vector<float> dct_matrix() {
  std::vector<float> matrix;
  for (int k = 0; k < 8; ++k)
    for (int n = 0; n < 8; ++n)
      matrix.push_back(static_cast<float>(std::sqrt((k == 0 ? 1 : 2) / 8.0) *
                                          std::cos(std::numbers::pi * (2 * n + 1) * k / 16)));
  return matrix;
}

std::vector<float> blur_weights(int kernel) {
  if (kernel == 5) return {0.0625F, 0.25F, 0.375F, 0.25F, 0.0625F};
  if (kernel == 3) return {0, 0.25F, 0.5F, 0.25F, 0};
  return {0, 0, 1, 0, 0};
}

namespace {

// ---------------------------------------------------------------- warping

// Bilinear sampling of bgr8 pixels at continuous places, zeros outside; adds weight x colour to out.
class Sampler {
 public:
  explicit Sampler(const ImageView& picture) : picture_(picture) {}

  void add(double x, double y, float weight, std::array<float, 3>& out) const {
    const double fx = std::floor(x - 0.5), fy = std::floor(y - 0.5);
    if (!(fx >= -1 && fy >= -1 && fx < picture_.width && fy < picture_.height)) return;
    const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
    const auto ax = static_cast<float>(x - 0.5 - fx), ay = static_cast<float>(y - 0.5 - fy);
    const std::array<float, 4> taps = {(1 - ax) * (1 - ay) * weight, ax * (1 - ay) * weight,
                                       (1 - ax) * ay * weight, ax * ay * weight};
    if (ix >= 0 && iy >= 0 && ix + 1 < picture_.width && iy + 1 < picture_.height)
      add_inside(ix, iy, taps, out);
    else
      add_at_border(ix, iy, taps, out);
  }

 private:
  const std::uint8_t* pixel(int x, int y) const { return picture_.data + y * picture_.stride_bytes + 3 * x; }

  void add_inside(int x, int y, const std::array<float, 4>& taps, std::array<float, 3>& out) const {
    const std::uint8_t *upper = pixel(x, y), *lower = upper + picture_.stride_bytes;
    for (int c = 0; c < 3; ++c)
      out[c] += taps[0] * upper[c] + taps[1] * upper[c + 3] + taps[2] * lower[c] + taps[3] * lower[c + 3];
  }

  void add_at_border(int x, int y, const std::array<float, 4>& taps, std::array<float, 3>& out) const {
    for (int t = 0; t < 4; ++t) {
      const int px = x + t % 2, py = y + t / 2;
      if (px < 0 || py < 0 || px >= picture_.width || py >= picture_.height) continue;
      for (int c = 0; c < 3; ++c) out[c] += taps[t] * pixel(px, py)[c];
    }
  }

  ImageView picture_;
};

void warp(const RenderJob& job, float* canvas) {
  const geometry::Affine& map = job.plan.face_from_canvas;
  const int side = job.plan.side, samples = job.plan.supersample;
  const std::size_t plane = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  const Sampler sampler(job.face);
  const float weight = 1.0F / (255.0F * static_cast<float>(samples * samples));
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      std::array<float, 3> colour = {0, 0, 0};
      for (int s = 0; s < samples * samples; ++s) {
        const double u = x + (s % samples + 0.5) / samples, v = y + (s / samples + 0.5) / samples;
        sampler.add(map.xx * u + map.xy * v + map.tx, map.yx * u + map.yy * v + map.ty, weight, colour);
      }
      for (std::size_t c = 0; c < 3; ++c) canvas[c * plane] = colour[c];
      ++canvas;
    }
  }
}

void draw_rectangle(const RenderJob& job, float* canvas) {
  const SamplePlan::Rectangle& r = job.plan.rectangle;
  const int side = job.plan.side;
  const ImageView& picture = job.occluder;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < r.height; ++y) {
      float* row = canvas + (std::size_t{static_cast<unsigned>(c)} * side + r.y + y) * side + r.x;
      const int py = std::min(r.picture_y + y, picture.height - 1);
      const std::uint8_t* source = picture.data + py * picture.stride_bytes + c;
      for (int x = 0; x < r.width; ++x)
        row[x] = r.picture
                     ? static_cast<float>(source[3 * std::min(r.picture_x + x, picture.width - 1)]) / 255
                     : r.bgr[c];
    }
}

// ---------------------------------------------------------------- colours

inline float clipped(float value) { return value < 0 ? 0.0F : (value > 1 ? 1.0F : value); }

// One channel of a colour from hue (in sixths, 0 to 6), saturation and value; n is 5, 3, 1 for R, G, B.
inline float channel_of(float n, float hue, float saturation, float value) {
  float k = n + hue;
  k = k >= 6 ? k - 6 : k;
  const float rest = 4 - k;
  float m = k < rest ? k : rest;
  m = m < 1 ? m : 1.0F;
  m = m > 0 ? m : 0.0F;
  return value - value * saturation * m;
}

SPIGA_CLONES
void change_hsv(float* blue, float* green, float* red, std::size_t count, float hue_factor,
                float saturation_factor, float value_factor) {
  for (std::size_t i = 0; i < count; ++i) {
    const float b = blue[i], g = green[i], r = red[i];
    const float gb_high = g > b ? g : b, gb_low = g > b ? b : g;
    const float high = r > gb_high ? r : gb_high, low = r > gb_low ? gb_low : r;
    const float span = high - low;
    const float per_span = 1 / (span > 0 ? span : 1.0F), per_high = 1 / (high > 0 ? high : 1.0F);
    float of_red = (g - b) * per_span;
    of_red = of_red < 0 ? of_red + 6 : of_red;
    const float of_green = (b - r) * per_span + 2, of_blue = (r - g) * per_span + 4;
    float hue = high == g ? of_green : of_blue;
    hue = high == r ? of_red : hue;
    hue *= hue_factor;
    hue = hue < 6 ? hue : 6.0F;
    const float saturation = clipped(span * per_high * saturation_factor),
                value = clipped(high * value_factor);
    blue[i] = channel_of(1, hue, saturation, value);
    green[i] = channel_of(3, hue, saturation, value);
    red[i] = channel_of(5, hue, saturation, value);
  }
}

SPIGA_CLONES
void scale_and_clip(float* values, std::size_t count, float by) {
  for (std::size_t i = 0; i < count; ++i) values[i] = clipped(values[i] * by);
}

SPIGA_CLONES
void make_grey(float* blue, float* green, float* red, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    blue[i] = green[i] = red[i] = 0.114F * blue[i] + 0.587F * green[i] + 0.299F * red[i];
}

void change_colours(const SamplePlan& plan, float* canvas) {
  const std::size_t plane = static_cast<std::size_t>(plan.side) * static_cast<std::size_t>(plan.side);
  float *blue = canvas, *green = canvas + plane, *red = canvas + 2 * plane;
  if (plan.hsv != std::array<float, 3>{1, 1, 1})
    change_hsv(blue, green, red, plane, plan.hsv[0], plan.hsv[1], plan.hsv[2]);
  for (std::size_t c = 0; c < 3; ++c)
    if (plan.cast[c] != 1) scale_and_clip(canvas + c * plane, plane, plan.cast[c]);
  if (plan.grey) make_grey(blue, green, red, plane);
}

// ---------------------------------------------------------------- camera and coder

// out = sum over 5 neighbours, `step` apart, of weight x in, for values whose neighbours are all there.
SPIGA_CLONES
void blur_span(const float* in, float* out, std::size_t count, std::ptrdiff_t step, const float* weight) {
  for (std::size_t i = 0; i < count; ++i) {
    const float* at = in + i;
    out[i] = weight[0] * at[-2 * step] + weight[1] * at[-step] + weight[2] * at[0] + weight[3] * at[step] +
             weight[4] * at[2 * step];
  }
}

void blur_row_ends(const float* in, float* out, int side, const float* weight) {
  for (const int x : {0, 1, side - 2, side - 1}) {
    float sum = 0;
    for (int t = -2; t <= 2; ++t) sum += weight[t + 2] * in[std::clamp(x + t, 0, side - 1)];
    out[x] = sum;
  }
}

SPIGA_CLONES
void blur_rows(const float* const* rows, float* out, int side, const float* weight) {
  for (int x = 0; x < side; ++x)
    out[x] = weight[0] * rows[0][x] + weight[1] * rows[1][x] + weight[2] * rows[2][x] +
             weight[3] * rows[3][x] + weight[4] * rows[4][x];
}

// Borders are continued by their last pixel.
void blur(int side, int kernel, float* canvas, float* scratch) {
  const std::vector<float> weight = blur_weights(kernel);
  for (int row = 0; row < 3 * side; ++row) {
    const float* in = canvas + std::ptrdiff_t{row} * side;
    float* out = scratch + std::ptrdiff_t{row} * side;
    blur_span(in + 2, out + 2, static_cast<std::size_t>(side - 4), 1, weight.data());
    blur_row_ends(in, out, side, weight.data());
  }
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < side; ++y) {
      std::array<const float*, 5> rows;
      for (int t = -2; t <= 2; ++t)
        rows[t + 2] = scratch + std::ptrdiff_t{c * side + std::clamp(y + t, 0, side - 1)} * side;
      blur_rows(rows.data(), canvas + std::ptrdiff_t{c * side + y} * side, side, weight.data());
    }
}

SPIGA_CLONES
void add_noise(float* values, std::size_t count, float strength, const float* table, std::size_t table_size,
               std::size_t offset) {
  for (std::size_t done = 0; done < count;) {
    const std::size_t from = (done + offset) % table_size, some = std::min(count - done, table_size - from);
    for (std::size_t i = 0; i < some; ++i)
      values[done + i] = clipped(values[done + i] + strength * table[from + i]);
    done += some;
  }
}

// B, G, R in [0, 1] to Y, Cb, Cr in [-128, 127] and back, in place.
SPIGA_CLONES
void to_ycc(float* blue, float* green, float* red, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const float b = 255 * blue[i], g = 255 * green[i], r = 255 * red[i];
    blue[i] = 0.299F * r + 0.587F * g + 0.114F * b - 128;
    green[i] = -0.168736F * r - 0.331264F * g + 0.5F * b;
    red[i] = 0.5F * r - 0.418688F * g - 0.081312F * b;
  }
}

SPIGA_CLONES
void from_ycc(float* y, float* cb, float* cr, std::size_t count) {
  constexpr float kScale = 1.0F / 255;
  for (std::size_t i = 0; i < count; ++i) {
    const float light = y[i] + 128, u = cb[i], v = cr[i];
    y[i] = clipped(kScale * (light + 1.772F * u));
    cb[i] = clipped(kScale * (light - 0.344136F * u - 0.714136F * v));
    cr[i] = clipped(kScale * (light + 1.402F * v));
  }
}

// out = a x b, 8 x 8 each.
inline void multiply8(const float* a, const float* b, float* out) {
  for (int i = 0; i < 8; ++i) {
    float row[8] = {};
    for (int k = 0; k < 8; ++k)
      for (int j = 0; j < 8; ++j) row[j] += a[8 * i + k] * b[8 * k + j];
    for (int j = 0; j < 8; ++j) out[8 * i + j] = row[j];
  }
}

// Quantises the blocks of one plane: transforms, rounds to multiples of the steps, transforms back.
SPIGA_CLONES
void code_plane(float* plane, int side, const float* dct, const float* dct_transposed, const float* steps) {
  // Adding and taking away 1.5 x 2^23 rounds to the nearest whole number, ties to even.
  constexpr float kRound = 12582912.0F;
  float block[64], other[64], per_step[64];
  for (int i = 0; i < 64; ++i) per_step[i] = 1 / steps[i];
  for (int y = 0; y + 8 <= side; y += 8)
    for (int x = 0; x + 8 <= side; x += 8) {
      float* corner = plane + std::ptrdiff_t{y} * side + x;
      for (int i = 0; i < 8; ++i)
        for (int j = 0; j < 8; ++j) block[8 * i + j] = corner[std::ptrdiff_t{i} * side + j];
      multiply8(dct, block, other);
      multiply8(other, dct_transposed, block);
      for (int i = 0; i < 64; ++i) block[i] = (block[i] * per_step[i] + kRound - kRound) * steps[i];
      multiply8(dct_transposed, block, other);
      multiply8(other, dct, block);
      for (int i = 0; i < 8; ++i)
        for (int j = 0; j < 8; ++j) corner[std::ptrdiff_t{i} * side + j] = block[8 * i + j];
    }
}

}  // namespace

void code_jpeg(int side, int quality, float* canvas) {
  const std::size_t plane = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  const std::vector<float> dct = dct_matrix();
  std::vector<float> transposed(64);
  for (int i = 0; i < 64; ++i) transposed[i] = dct[i % 8 * 8 + i / 8];
  to_ycc(canvas, canvas + plane, canvas + 2 * plane, plane);
  for (std::size_t c = 0; c < 3; ++c)
    code_plane(canvas + c * plane, side, dct.data(), transposed.data(), jpeg_steps(quality, c > 0).data());
  from_ycc(canvas, canvas + plane, canvas + 2 * plane, plane);
}

namespace {

// ---------------------------------------------------------------- output

SPIGA_CLONES
void interleave(const float* canvas, std::size_t plane, float* image) {
  for (std::size_t i = 0; i < plane; ++i) {
    image[3 * i] = canvas[i];
    image[3 * i + 1] = canvas[plane + i];
    image[3 * i + 2] = canvas[2 * plane + i];
  }
}

// Where a coordinate of the large picture lies between two pixels of the small one.
struct Between {
  int low, high;
  float share;  // of high
};

Between between(int at, double ratio, int side) {
  const double place = std::max(0.0, (at + 0.5) * ratio - 0.5);
  const int low = std::min(static_cast<int>(place), side - 1);
  return {low, std::min(low + 1, side - 1), static_cast<float>(place - low)};
}

void enlarge(const float* canvas, int side, int size, float* image) {
  const double ratio = static_cast<double>(side) / size;
  std::vector<Between> columns;
  for (int x = 0; x < size; ++x) columns.push_back(between(x, ratio, side));
  for (int y = 0; y < size; ++y) {
    const Between v = between(y, ratio, side);
    for (int c = 0; c < 3; ++c) {
      const float* upper = canvas + std::ptrdiff_t{c * side + v.low} * side;
      const float* lower = canvas + std::ptrdiff_t{c * side + v.high} * side;
      float* out = image + std::ptrdiff_t{y} * size * 3 + c;
      for (const Between& h : columns) {
        const float top = upper[h.low] + h.share * (upper[h.high] - upper[h.low]);
        const float bottom = lower[h.low] + h.share * (lower[h.high] - lower[h.low]);
        *out = top + v.share * (bottom - top);
        out += 3;
      }
    }
  }
}

}  // namespace

void Renderer::render(const RenderJob& job, int size, float* image) {
  const SamplePlan& plan = job.plan;
  const std::size_t plane = static_cast<std::size_t>(plan.side) * static_cast<std::size_t>(plan.side);
  canvas_.resize(std::max(canvas_.size(), 3 * plane));
  float* canvas = canvas_.data();
  warp(job, canvas);
  draw_rectangle(job, canvas);
  change_colours(plan, canvas);
  if (plan.blur > 1) {
    scratch_.resize(std::max(scratch_.size(), 3 * plane));
    blur(plan.side, plan.blur, canvas, scratch_.data());
  }
  const std::span<const float> table = noise_table();
  if (plan.noise > 0) add_noise(canvas, 3 * plane, plan.noise, table.data(), table.size(), plan.noise_offset);
  if (plan.jpeg_quality > 0) code_jpeg(plan.side, plan.jpeg_quality, canvas);
  if (plan.side == size)
    interleave(canvas, plane, image);
  else
    enlarge(canvas, plan.side, size, image);
}

}  // namespace spiga::train
