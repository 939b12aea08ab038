// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/loss_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define SPIGA_CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define SPIGA_CLONES
#endif
#define SPIGA_INLINE inline __attribute__((always_inline))

namespace spiga::train {
namespace {

constexpr std::int64_t kLanes = 16;
constexpr float kCropUnits = 64;
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef std::int32_t Whole __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

// Vectors travel by reference: passed by value their registers would depend on the instruction set.

// Maps are worked on 16 at a time. The last 16 overlap those before; fewer than 16 in all are padded with
// zeros.
struct Block {
  std::int64_t first, active;
};

SPIGA_INLINE Block block_at(std::int64_t first, std::int64_t maps) {
  return maps < kLanes ? Block{0, maps} : Block{std::min(first, maps - kLanes), kLanes};
}

SPIGA_INLINE void load(const float* from, const Block& block, Vector& to) {
  if (block.active == kLanes) {
    std::memcpy(&to, from + block.first, sizeof to);
  } else {
    to = Vector{};
    for (std::int64_t i = 0; i < block.active; ++i) to[i] = from[i];
  }
}

SPIGA_INLINE void store(const Vector& from, const Block& block, float* to) {
  if (block.active == kLanes)
    std::memcpy(to + block.first, &from, sizeof from);
  else
    for (std::int64_t i = 0; i < block.active; ++i) to[i] = from[i];
}

// Bits of one kind read as the other.
template <typename To, typename From>
SPIGA_INLINE void bits(const From& from, To& to) {
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&to, &from, sizeof to);
}

// to = 2^x for x in [-126, 127] (clamped); relative error 2e-7.
SPIGA_INLINE void power_of_two(const Vector& exponent, Vector& to) {
  // Adding 1.5 x 2^23 rounds to the nearest whole number and leaves it in the low bits.
  constexpr float kRound = 12582912.0F;
  Vector x = exponent < -126.0F ? Vector{} - 126.0F : exponent;
  x = x > 127.0F ? Vector{} + 127.0F : x;
  const Vector shifted = x + kRound;
  const Vector f = x - (shifted - kRound);  // in [-0.5, 0.5]
  const Vector p =
      ((((((1.53533e-4F * f + 1.33989e-3F) * f + 9.61844e-3F) * f + 5.550329e-2F) * f + 0.24022651F) * f +
        0.69314718F) *
           f +
       1.0F);
  Whole whole;
  bits(shifted, whole);
  whole = (whole << 23) + (127 << 23);
  Vector scale;
  bits(whole, scale);
  to = p * scale;
}

SPIGA_INLINE void exponential(const Vector& x, Vector& to) { power_of_two(x * 1.44269504F, to); }

// to = log2(x) for normal x > 0; absolute error 2e-7 near 1, relative elsewhere.
SPIGA_INLINE void logarithm_of_two(const Vector& x, Vector& to) {
  Whole whole;
  bits(x, whole);
  // x = 2^e m with m in [sqrt(0.5), sqrt(2)).
  const Whole e = (whole - 0x3F3504F3) >> 23;
  whole -= e << 23;
  Vector m;
  bits(whole, m);
  // ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
  const Vector s = (m - 1.0F) / (m + 1.0F), q = s * s;
  const Vector ln = 2.0F * s * ((((q * 0.11111111F + 0.14285715F) * q + 0.2F) * q + 0.33333334F) * q + 1.0F);
  to = ln * 1.44269504F + __builtin_convertvector(e, Vector);
}

SPIGA_INLINE float place(std::int64_t index, std::int64_t side) {
  return (static_cast<float>(index) + 0.5F) * (kCropUnits / static_cast<float>(side)) - kCropUnits / 2;
}

}  // namespace

SPIGA_CLONES
void heat_sums(const float* heat, std::int64_t side, std::int64_t maps, const float* target_x,
               const float* target_y, float* sums) {
  for (std::int64_t first = 0; first < maps; first += kLanes) {
    const Block block = block_at(first, maps);
    Vector h, e, largest;
    load(heat, block, largest);
    for (std::int64_t i = 1; i < side * side; ++i) {
      load(heat + i * maps, block, h);
      largest = h > largest ? h : largest;
    }
    Vector all{}, x_all{}, y_all{}, xx_all{}, yy_all{}, xy_all{}, expected{};
    for (std::int64_t y = 0; y < side; ++y) {
      Vector row{}, x_row{}, xx_row{}, expected_row{}, t;
      for (std::int64_t x = 0; x < side; ++x) {
        load(heat + (y * side + x) * maps, block, h);
        load(target_x + x * maps, block, t);
        expected_row += t * h;
        exponential(h - largest, e);
        row += e;
        const float at = place(x, side);
        x_row += e * at;
        xx_row += e * (at * at);
      }
      const float at = place(y, side);
      load(target_y + y * maps, block, t);
      expected += t * expected_row;
      all += row;
      x_all += x_row;
      xx_all += xx_row;
      y_all += row * at;
      yy_all += row * (at * at);
      xy_all += x_row * at;
    }
    const Vector share = 1.0F / all;
    Vector log_all;
    logarithm_of_two(all, log_all);
    store(largest + log_all * 0.69314718F, block, sums + kLogSum * maps);
    store(x_all * share, block, sums + kMeanX * maps);
    store(y_all * share, block, sums + kMeanY * maps);
    store(xx_all * share, block, sums + kSquareX * maps);
    store(yy_all * share, block, sums + kSquareY * maps);
    store(xy_all * share, block, sums + kProduct * maps);
    store(expected, block, sums + kExpected * maps);
  }
}

SPIGA_CLONES
void heat_sums_backward(const float* heat, std::int64_t side, std::int64_t maps, const float* target_x,
                        const float* target_y, const float* sums, const float* gradient,
                        float* heat_gradient) {
  for (std::int64_t first = 0; first < maps; first += kLanes) {
    const Block block = block_at(first, maps);
    Vector s[kHeatSums], g[kHeatSums];
    for (std::int64_t k = 0; k < kHeatSums; ++k) {
      load(sums + k * maps, block, s[k]);
      load(gradient + k * maps, block, g[k]);
    }
    // d mean of f / d heat = p (f - mean of f): a polynomial in x and y, times p.
    Vector constant = g[kLogSum];
    for (const std::int64_t k : {kMeanX, kMeanY, kSquareX, kSquareY, kProduct}) constant -= g[k] * s[k];
    for (std::int64_t y = 0; y < side; ++y) {
      const float at = place(y, side);
      const Vector of_row = constant + at * (g[kMeanY] + at * g[kSquareY]),
                   of_x = g[kMeanX] + at * g[kProduct];
      Vector t_row, t, h, p;
      load(target_y + y * maps, block, t_row);
      t_row *= g[kExpected];
      for (std::int64_t x = 0; x < side; ++x) {
        const std::int64_t cell = (y * side + x) * maps;
        const float at_x = place(x, side);
        load(heat + cell, block, h);
        load(target_x + x * maps, block, t);
        exponential(h - s[kLogSum], p);
        store(p * (of_row + at_x * (of_x + at_x * g[kSquareX])) + t * t_row, block, heat_gradient + cell);
      }
    }
  }
}

SPIGA_CLONES
void adaptive_wing(const float* values, const float* target, std::int64_t cells, std::int64_t maps,
                   float* sums, float* derivative) {
  constexpr float kTiny = 1e-8F, kLn2 = 0.69314718F;
  for (std::int64_t first = 0; first < maps; first += kLanes) {
    const Block block = block_at(first, maps);
    Vector sum{};
    for (std::int64_t i = 0; i < cells; ++i) {
      Vector value, t, at_theta, near, log_power;
      load(values + i * maps, block, value);
      load(target + i * maps, block, t);
      const Vector power = kWingAlpha - t, difference = value - t;
      const Vector distance = difference < 0.0F ? -difference : difference;
      const Vector least = distance > kTiny ? distance : Vector{} + kTiny;
      power_of_two(-power, at_theta);  // theta is a half
      logarithm_of_two(least, near);
      power_of_two(power * near, near);
      const Whole is_near = distance < kWingTheta;
      const Vector base = is_near ? near : at_theta;
      logarithm_of_two(base + 1.0F, log_power);
      const Vector slope = kWingOmega / (1.0F + at_theta) * power * at_theta / kWingTheta;
      const Vector loss = kWingOmega * kLn2 * log_power;
      sum += is_near ? loss : loss + slope * (distance - kWingTheta);
      const Vector steep = is_near ? kWingOmega * power * near / (least * (1.0F + near)) : slope;
      store(difference < 0.0F ? -steep : steep, block, derivative + i * maps);
    }
    store(sum, block, sums);
  }
}

}  // namespace spiga::train
