// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>

#include "engine/bilinear.h"
#include "engine/operations.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Functions are compiled for AVX-512 one by one, so that nothing inline from a header can be: the linker
// might choose that copy for the whole program.
#define SPIGA_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define SPIGA_AVX512_INLINE \
  inline __attribute__((always_inline, target("avx512f,avx512bw,avx512dq,avx512vl")))

namespace spiga::engine {
namespace {

constexpr int kLanes = 16;

// The first `count` lanes; all of them for count >= 16.
SPIGA_AVX512_INLINE __mmask16 lanes(int count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << count) - 1U);
}

SPIGA_AVX512_INLINE __m512 load(__mmask16 mask, const float* from) {
  return _mm512_maskz_loadu_ps(mask, from);
}
SPIGA_AVX512_INLINE __m512 load(__mmask16 mask, const bfloat16* from) {
  const __m256i halves = _mm256_maskz_loadu_epi16(mask, from);
  return _mm512_castsi512_ps(
      _mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, halves), 16));
}

// Rounded to bf16 in the upper halves; the lower halves are rubbish.
SPIGA_AVX512_INLINE __m512i rounded(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(0xffff, bits, 16), _mm512_set1_epi32(1));
  return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
}

SPIGA_AVX512_INLINE void save(float* to, __mmask16 mask, __m512 value) {
  _mm512_mask_storeu_ps(to, mask, value);
}
SPIGA_AVX512_INLINE void save(bfloat16* to, __mmask16 mask, __m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(0xffff, bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  _mm256_mask_storeu_epi16(to, mask,
                           _mm512_maskz_cvtepi32_epi16(0xffff, _mm512_maskz_srli_epi32(0xffff, rounded, 16)));
}

// Thirty-two values as two vectors: float32 one after another, bf16 by even and odd place, which is cheaper
// to take apart and to put together than halves are.
struct Pair {
  __m512 a, b;
};
constexpr int kPairLanes = 2 * kLanes;

SPIGA_AVX512_INLINE Pair load_pair(const float* from) {
  return {_mm512_loadu_ps(from), _mm512_loadu_ps(from + kLanes)};
}
SPIGA_AVX512_INLINE Pair load_pair(const bfloat16* from) {
  const __m512i both = _mm512_loadu_si512(from);
  const __m512i odd = _mm512_and_si512(both, _mm512_set1_epi32(static_cast<int>(0xffff0000U)));
  return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, both, 16)), _mm512_castsi512_ps(odd)};
}

SPIGA_AVX512_INLINE void save_pair(float* to, Pair value) {
  _mm512_storeu_ps(to, value.a);
  _mm512_storeu_ps(to + kLanes, value.b);
}
SPIGA_AVX512_INLINE void save_pair(bfloat16* to, Pair value) {
  const __m512i even = _mm512_maskz_srli_epi32(0xffff, rounded(value.a), 16);
  _mm512_storeu_si512(to, _mm512_mask_blend_epi16(0xaaaaaaaa, even, rounded(value.b)));
}

SPIGA_AVX512_INLINE __m512 load(__mmask16 mask, const std::uint8_t* from) {
  const __m512i wide = _mm512_maskz_cvtepu8_epi32(0xffff, _mm_maskz_loadu_epi8(mask, from));
  return _mm512_maskz_cvtepi32_ps(0xffff, wide);
}
SPIGA_AVX512_INLINE Pair load_pair(const std::uint8_t* from) {
  return {load(0xffff, from), load(0xffff, from + kLanes)};
}

// The nearest whole numbers, not below zero; NaN becomes zero.
SPIGA_AVX512_INLINE __m512i whole(__m512 value) {
  return _mm512_maskz_max_epi32(0xffff, _mm512_maskz_cvtps_epi32(0xffff, value), _mm512_setzero_si512());
}
SPIGA_AVX512_INLINE void save(std::uint8_t* to, __mmask16 mask, __m512 value) {
  _mm_mask_storeu_epi8(to, mask, _mm512_maskz_cvtusepi32_epi8(0xffff, whole(value)));
}
SPIGA_AVX512_INLINE void save(std::int8_t* to, __mmask16 mask, __m512 value) {
  _mm_mask_storeu_epi8(to, mask,
                       _mm512_maskz_cvtsepi32_epi8(0xffff, _mm512_maskz_cvtps_epi32(0xffff, value)));
}

// A pair in the order in which load_pair takes apart values of type T.
template <typename T>
SPIGA_AVX512_INLINE void save_pair_u8(std::uint8_t* to, Pair value) {
  if constexpr (sizeof(T) == sizeof(bfloat16)) {
    const __m512i most = _mm512_set1_epi32(255);
    const __m512i even = _mm512_maskz_min_epi32(0xffff, whole(value.a), most);
    const __m512i odd = _mm512_maskz_min_epi32(0xffff, whole(value.b), most);
    const __m512i both = _mm512_or_si512(even, _mm512_maskz_slli_epi32(0xffff, odd, 16));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_maskz_cvtepi16_epi8(0xffffffff, both));
  } else {
    save(to, 0xffff, value.a);
    save(to + kLanes, 0xffff, value.b);
  }
}

// max and min that give the second operand where the first is NaN.
SPIGA_AVX512_INLINE __m512 maximum(__m512 a, __m512 b) { return _mm512_maskz_max_ps(0xffff, a, b); }
SPIGA_AVX512_INLINE __m512 minimum(__m512 a, __m512 b) { return _mm512_maskz_min_ps(0xffff, a, b); }

// Lanes against lanes 8, 4, 2 and 1 further: after all four each lane has met every other.
SPIGA_AVX512_INLINE __m512 turned_8(__m512 x) { return _mm512_maskz_shuffle_f32x4(0xffff, x, x, 0x4e); }
SPIGA_AVX512_INLINE __m512 turned_4(__m512 x) { return _mm512_maskz_shuffle_f32x4(0xffff, x, x, 0xb1); }
SPIGA_AVX512_INLINE __m512 turned_2(__m512 x) { return _mm512_maskz_permute_ps(0xffff, x, 0x4e); }
SPIGA_AVX512_INLINE __m512 turned_1(__m512 x) { return _mm512_maskz_permute_ps(0xffff, x, 0xb1); }

SPIGA_AVX512_INLINE __m512 maximum_of_lanes(__m512 x) {
  x = maximum(x, turned_8(x));
  x = maximum(x, turned_4(x));
  x = maximum(x, turned_2(x));
  return maximum(x, turned_1(x));
}

SPIGA_AVX512_INLINE __m512 sum_of_lanes(__m512 x) {
  x = _mm512_add_ps(x, turned_8(x));
  x = _mm512_add_ps(x, turned_4(x));
  x = _mm512_add_ps(x, turned_2(x));
  return _mm512_add_ps(x, turned_1(x));
}

// e^x to a few units in the last place; 0 below -87, e^88 above 88.
SPIGA_AVX512_INLINE __m512 exponential(__m512 x) {
  x = minimum(maximum(x, _mm512_set1_ps(-87.5F)), _mm512_set1_ps(88.0F));
  const __m512 n = _mm512_maskz_roundscale_ps(0xffff, _mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)),
                                              _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), r);
  // Cephes' polynomial for |r| <= ln(2) / 2.
  __m512 p = _mm512_set1_ps(1.9875691500e-4F);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1F));
  p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1.0F)));
  return _mm512_maskz_scalef_ps(0xffff, p, n);
}

SPIGA_AVX512_INLINE __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0F);
  return _mm512_div_ps(one, _mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

SPIGA_AVX512_INLINE Pair add(Pair x, Pair y) { return {_mm512_add_ps(x.a, y.a), _mm512_add_ps(x.b, y.b)}; }

// a + (b - a) part
SPIGA_AVX512_INLINE __m512 blend(__m512 a, __m512 b, __m512 part) {
  return _mm512_fmadd_ps(_mm512_sub_ps(b, a), part, a);
}
SPIGA_AVX512_INLINE Pair blend(Pair x, Pair y, __m512 part) {
  return {blend(x.a, y.a, part), blend(x.b, y.b, part)};
}

SPIGA_AVX512_INLINE __m512 scaled_relu(__m512 x, __m512 scale, __m512 shift) {
  return maximum(_mm512_fmadd_ps(x, scale, shift), _mm512_setzero_ps());
}
SPIGA_AVX512_INLINE Pair scaled_relu(Pair x, Pair scale, Pair shift) {
  return {scaled_relu(x.a, scale.a, shift.a), scaled_relu(x.b, scale.b, shift.b)};
}

// Thirty-two float32 parameters in the order in which load_pair takes values apart.
template <typename T>
SPIGA_AVX512_INLINE Pair load_parameters(const float* from) {
  const Pair pair = load_pair(from);
  if constexpr (sizeof(T) == sizeof(float)) return pair;
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  return {_mm512_permutex2var_ps(pair.a, even, pair.b), _mm512_permutex2var_ps(pair.a, odd, pair.b)};
}

// Thirty-two channels of all pixels before the next, so that the parameters stay in registers.
template <typename T>
SPIGA_AVX512 void scale_shift_relu_of(const T* x, T* y, T* copy, const float* scale, const float* shift,
                                      std::int64_t pixels, int channels) {
  if (copy != nullptr) std::memcpy(copy, x, static_cast<std::size_t>(pixels * channels) * sizeof(T));
  int c = 0;
  for (; c + kPairLanes <= channels; c += kPairLanes) {
    const Pair scales = load_parameters<T>(scale + c), shifts = load_parameters<T>(shift + c);
    for (std::int64_t i = c; i < pixels * channels; i += channels) {
      save_pair(y + i, scaled_relu(load_pair(x + i), scales, shifts));
    }
  }
  for (; c < channels; c += kLanes) {
    const __mmask16 mask = lanes(channels - c);
    const __m512 scales = load(mask, scale + c), shifts = load(mask, shift + c);
    for (std::int64_t i = c; i < pixels * channels; i += channels) {
      save(y + i, mask, scaled_relu(load(mask, x + i), scales, shifts));
    }
  }
}

// The same with y as u8.
template <typename T>
SPIGA_AVX512 void scale_shift_relu_u8_of(const T* x, std::uint8_t* y, T* copy, const float* scale,
                                         const float* shift, std::int64_t pixels, int channels) {
  if (copy != nullptr) std::memcpy(copy, x, static_cast<std::size_t>(pixels * channels) * sizeof(T));
  int c = 0;
  for (; c + kPairLanes <= channels; c += kPairLanes) {
    const Pair scales = load_parameters<T>(scale + c), shifts = load_parameters<T>(shift + c);
    for (std::int64_t i = c; i < pixels * channels; i += channels) {
      save_pair_u8<T>(y + i, scaled_relu(load_pair(x + i), scales, shifts));
    }
  }
  for (; c < channels; c += kLanes) {
    const __mmask16 mask = lanes(channels - c);
    const __m512 scales = load(mask, scale + c), shifts = load(mask, shift + c);
    for (std::int64_t i = c; i < pixels * channels; i += channels) {
      save(y + i, mask, scaled_relu(load(mask, x + i), scales, shifts));
    }
  }
}

template <typename T, typename Y>
SPIGA_AVX512 void to_8_bit_of(const T* x, Y* y, float factor, std::int64_t count) {
  const __m512 factors = _mm512_set1_ps(factor);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const __mmask16 mask = lanes(static_cast<int>(std::min<std::int64_t>(count - i, kLanes)));
    save(y + i, mask, _mm512_mul_ps(load(mask, x + i), factors));
  }
}

SPIGA_AVX512 void repeat_add_u8(const std::uint8_t* x, std::uint8_t* y, std::int64_t begin, std::int64_t end,
                                int width, int channels, float x_factor, float y_factor) {
  const __m512 x_factors = _mm512_set1_ps(x_factor), y_factors = _mm512_set1_ps(y_factor);
  for (std::int64_t row = begin; row < end; ++row) {
    const std::uint8_t* from = x + row / 2 * (width / 2) * channels;
    std::uint8_t* to = y + row * width * channels;
    for (int column = 0; column < width; ++column, to += channels)
      for (int k = 0; k < channels; k += kLanes) {
        const __mmask16 mask = lanes(channels - k);
        const __m512 added = _mm512_mul_ps(load(mask, from + column / 2 * channels + k), x_factors);
        save(to + k, mask, _mm512_fmadd_ps(load(mask, to + k), y_factors, added));
      }
  }
}

template <typename T>
SPIGA_AVX512_INLINE void add_to(T* y, const T* x, int count) {
  int k = 0;
  for (; k + kPairLanes <= count; k += kPairLanes) save_pair(y + k, add(load_pair(y + k), load_pair(x + k)));
  for (; k < count; k += kLanes) {
    const __mmask16 mask = lanes(count - k);
    save(y + k, mask, _mm512_add_ps(load(mask, y + k), load(mask, x + k)));
  }
}

template <typename T>
SPIGA_AVX512 void depth_to_space_add_of(const T* x, T* y, std::int64_t begin, std::int64_t end, int width,
                                        int channels) {
  x += begin * width * 4 * channels;
  for (std::int64_t r = begin; r < end; ++r) {
    for (int c = 0; c < width; ++c) {
      for (int part = 0; part < 4; ++part, x += channels) {
        add_to(y + ((2 * r + part / 2) * 2 * width + 2 * c + part % 2) * channels, x, channels);
      }
    }
  }
}

template <typename T>
SPIGA_AVX512 void space_to_depth_of(const float* image, T* y, std::int64_t begin, std::int64_t end, int size,
                                    int block) {
  const int run = 3 * block;
  y += begin * size * block * 3;
  for (std::int64_t r = begin; r < end; ++r) {
    for (int c = 0; c < size / block; ++c) {
      for (int i = 0; i < block; ++i, y += run) {
        const float* from = image + ((r * block + i) * size + c * block) * 3;
        for (int k = 0; k < run; k += kLanes) {
          const __mmask16 mask = lanes(run - k);
          save(y + k, mask, load(mask, from + k));
        }
      }
    }
  }
}

// Which edges any of sixteen points is near: a few of them. Found anew for each call, which costs less than a
// pixel.
class EdgeLists {
 public:
  explicit EdgeLists(const HeatLayout& layout) {
    std::size_t used = 0;
    for (int group = 0; group * kLanes < layout.points; ++group) {
      for (int e = 0; e < layout.edges; ++e) {
        const float* row = layout.incidence + std::int64_t{e} * layout.points + group * kLanes;
        if (std::any_of(row, row + kLanes, [](float near) { return near != 0; })) {
          edges_[used++] = static_cast<std::uint16_t>(e);
        }
      }
      ends_[group] = used;
    }
  }
  const std::uint16_t* begin(int group) const { return edges_ + (group == 0 ? 0 : ends_[group - 1]); }
  const std::uint16_t* end(int group) const { return edges_ + ends_[group]; }

 private:
  static constexpr int kGroups = (kMaxPoints + kLanes - 1) / kLanes;
  std::size_t ends_[kGroups];
  std::uint16_t edges_[kGroups * kMaxEdges];  // only the beginning is touched
};

// Sixteen points of a pixel at a time.
template <typename T>
SPIGA_AVX512 void heat_maps_of(const HeatLayout& layout, const T* heads, T* heat, std::int64_t pixels) {
  const EdgeLists lists(layout);
  const float* constant = layout.incidence + std::int64_t{layout.edges} * layout.points;
  float edges[kMaxEdges + kLanes];
  for (std::int64_t p = 0; p < pixels; ++p, heads += layout.channels, heat += layout.points) {
    for (int e = 0; e < layout.edges; e += kLanes) {
      const __mmask16 mask = lanes(layout.edges - e);
      save(edges + e, mask, sigmoid(load(mask, heads + layout.edges_offset() + e)));
    }
    for (int group = 0, k = 0; k < layout.points; ++group, k += kLanes) {
      __m512 near = _mm512_loadu_ps(constant + k);
      for (const std::uint16_t* e = lists.begin(group); e != lists.end(group); ++e) {
        const __m512 incidence = _mm512_loadu_ps(layout.incidence + std::int64_t{*e} * layout.points + k);
        near = _mm512_fmadd_ps(_mm512_set1_ps(edges[*e]), incidence, near);
      }
      near = minimum(near, _mm512_set1_ps(1.0F));
      const __m512 feature = load(0xffff, heads + layout.features_offset() + k);
      const __m512 point = sigmoid(load(0xffff, heads + k));
      save(heat + k, 0xffff, _mm512_mul_ps(_mm512_mul_ps(feature, point), near));
    }
  }
}

// Sixteen maps at a time, channels [begin, begin + 16) under the mask.
SPIGA_AVX512 void soft_argmax_lanes(const float* maps, int side, int channels, __mmask16 mask, Peak* peaks) {
  const std::int64_t cells = std::int64_t{side} * side;
  __m512 highest = load(mask, maps);
  for (std::int64_t i = 1; i < cells; ++i) highest = maximum(load(mask, maps + i * channels), highest);
  const __m512 zero = _mm512_setzero_ps();
  const float cell = 1.0F / static_cast<float>(side);
  __m512 sum = zero, x = zero, y = zero, square = zero;
  for (int row = 0; row < side; ++row) {
    __m512 row_sum = zero, row_x = zero, row_square = zero;
    for (int column = 0; column < side; ++column, maps += channels) {
      const __m512 weight = exponential(_mm512_sub_ps(load(mask, maps), highest));
      const __m512 at = _mm512_set1_ps((static_cast<float>(column) + 0.5F) * cell);
      const __m512 moment = _mm512_mul_ps(weight, at);
      row_sum = _mm512_add_ps(row_sum, weight);
      row_x = _mm512_add_ps(row_x, moment);
      row_square = _mm512_fmadd_ps(moment, at, row_square);
    }
    const __m512 at = _mm512_set1_ps((static_cast<float>(row) + 0.5F) * cell);
    const __m512 moment = _mm512_mul_ps(row_sum, at);
    sum = _mm512_add_ps(sum, row_sum);
    x = _mm512_add_ps(x, row_x);
    y = _mm512_add_ps(y, moment);
    square = _mm512_add_ps(square, _mm512_fmadd_ps(moment, at, row_square));
  }
  const __m512 height = _mm512_div_ps(_mm512_set1_ps(1.0F), sum);
  x = _mm512_mul_ps(x, height);
  y = _mm512_mul_ps(y, height);
  __m512 variance = _mm512_fnmadd_ps(x, x, _mm512_mul_ps(square, height));
  variance = maximum(_mm512_fnmadd_ps(y, y, variance), zero);
  alignas(64) float out[4][kLanes];
  _mm512_store_ps(out[0], x);
  _mm512_store_ps(out[1], y);
  _mm512_store_ps(out[2], variance);
  _mm512_store_ps(out[3], height);
  for (int i = 0; i < kLanes && (mask >> i & 1) != 0; ++i) {
    peaks[i] = {out[0][i], out[1][i], out[2][i], out[3][i]};
  }
}

SPIGA_AVX512 void soft_argmax(const float* maps, int side, int channels, int begin, int end, Peak* peaks) {
  for (int c = begin; c < end; c += kLanes) {
    soft_argmax_lanes(maps + c, side, channels, lanes(end - c), peaks + c);
  }
}

// The pixels around a sample.
template <typename T>
struct Corners {
  const T* upper_left;
  const T* upper_right;
  const T* lower_left;
  const T* lower_right;
};

SPIGA_AVX512_INLINE Pair times(Pair x, __m512 factor) {
  return {_mm512_mul_ps(x.a, factor), _mm512_mul_ps(x.b, factor)};
}

// One sample: all channels between four pixels.
template <typename T>
SPIGA_AVX512_INLINE void sample(const Corners<T>& at, __m512 across, __m512 down, int channels, T* to) {
  int c = 0;
  for (; c + kPairLanes <= channels; c += kPairLanes) {
    const Pair top = blend(load_pair(at.upper_left + c), load_pair(at.upper_right + c), across);
    const Pair bottom = blend(load_pair(at.lower_left + c), load_pair(at.lower_right + c), across);
    save_pair(to + c, blend(top, bottom, down));
  }
  for (; c < channels; c += kLanes) {
    const __mmask16 mask = lanes(channels - c);
    const __m512 top = blend(load(mask, at.upper_left + c), load(mask, at.upper_right + c), across);
    const __m512 bottom = blend(load(mask, at.lower_left + c), load(mask, at.lower_right + c), across);
    save(to + c, mask, blend(top, bottom, down));
  }
}

// The same times `factor`, as u8.
template <typename T>
SPIGA_AVX512_INLINE void sample_u8(const Corners<T>& at, __m512 across, __m512 down, __m512 factor,
                                   int channels, std::uint8_t* to) {
  int c = 0;
  for (; c + kPairLanes <= channels; c += kPairLanes) {
    const Pair top = blend(load_pair(at.upper_left + c), load_pair(at.upper_right + c), across);
    const Pair bottom = blend(load_pair(at.lower_left + c), load_pair(at.lower_right + c), across);
    save_pair_u8<T>(to + c, times(blend(top, bottom, down), factor));
  }
  for (; c < channels; c += kLanes) {
    const __mmask16 mask = lanes(channels - c);
    const __m512 top = blend(load(mask, at.upper_left + c), load(mask, at.upper_right + c), across);
    const __m512 bottom = blend(load(mask, at.lower_left + c), load(mask, at.lower_right + c), across);
    save(to + c, mask, _mm512_mul_ps(blend(top, bottom, down), factor));
  }
}

// As u8 where Y is that.
template <typename T, typename Y>
SPIGA_AVX512 void sample_windows_of(const WindowLayout& layout, const T* field, const float* points,
                                    std::int64_t begin, std::int64_t end, float factor, Y* samples) {
  const int channels = layout.channels;
  const std::int64_t line = std::int64_t{layout.side} * channels;
  samples += begin * layout.grid * layout.grid * channels;
  for (std::int64_t p = begin; p < end; ++p) {
    for (int i = 0; i < layout.grid; ++i) {
      const BilinearTap row = bilinear_tap(layout, points[2 * p + 1], i);
      const T* upper = field + row.first * line;
      const T* lower = field + row.second * line;
      for (int j = 0; j < layout.grid; ++j, samples += channels) {
        const BilinearTap column = bilinear_tap(layout, points[2 * p], j);
        const std::int64_t left = std::int64_t{column.first} * channels;
        const std::int64_t right = std::int64_t{column.second} * channels;
        const Corners<T> corners = {upper + left, upper + right, lower + left, lower + right};
        const __m512 across = _mm512_set1_ps(column.part), down = _mm512_set1_ps(row.part);
        if constexpr (sizeof(Y) == 1) {
          sample_u8<T>(corners, across, down, _mm512_set1_ps(factor), channels, samples);
        } else {
          sample<T>(corners, across, down, channels, samples);
        }
      }
    }
  }
}

template <typename T>
SPIGA_AVX512 void softmax_of(float* scores, T* weights, std::int64_t rows, int columns) {
  for (std::int64_t r = 0; r < rows; ++r, scores += columns, weights += columns) {
    __m512 highest = _mm512_set1_ps(scores[0]);
    for (int c = 0; c < columns; c += kLanes) {
      highest =
          _mm512_mask_max_ps(highest, lanes(columns - c), highest, load(lanes(columns - c), scores + c));
    }
    const __m512 offset = maximum_of_lanes(highest);
    __m512 sum = _mm512_setzero_ps();
    for (int c = 0; c < columns; c += kLanes) {
      const __mmask16 mask = lanes(columns - c);
      const __m512 weight = exponential(_mm512_sub_ps(load(mask, scores + c), offset));
      sum = _mm512_mask_add_ps(sum, mask, sum, weight);
      save(scores + c, mask, weight);
    }
    const __m512 share = _mm512_div_ps(_mm512_set1_ps(1.0F), sum_of_lanes(sum));
    for (int c = 0; c < columns; c += kLanes) {
      const __mmask16 mask = lanes(columns - c);
      save(weights + c, mask, _mm512_mul_ps(load(mask, scores + c), share));
    }
  }
}

// to[k] = pair[k % 2] - from[k]
template <typename T>
SPIGA_AVX512_INLINE void subtract_from_pair(__m512 pair, const float* from, int count, T* to) {
  for (int k = 0; k < count; k += kLanes) {
    const __mmask16 mask = lanes(count - k);
    save(to + k, mask, _mm512_sub_ps(pair, load(mask, from + k)));
  }
}

template <typename T>
SPIGA_AVX512 void pairwise_differences_of(const float* points, int count, int begin, int end,
                                          T* differences) {
  const int row = 2 * (count - 1);
  differences += std::int64_t{begin} * row;
  for (int i = begin; i < end; ++i, differences += row) {
    const __m512 x = _mm512_set1_ps(points[2 * i]), y = _mm512_set1_ps(points[2 * i + 1]);
    const __m512 pair = _mm512_mask_blend_ps(0xaaaa, x, y);
    subtract_from_pair(pair, points, 2 * i, differences);
    subtract_from_pair(pair, points + 2 * (i + 1), 2 * (count - 1 - i), differences + 2 * i);
  }
}

// --- The table's functions: choose the element type.

void scale_shift_relu(DataType type, const void* x, void* y, void* copy, const float* scale,
                      const float* shift, std::int64_t pixels, int channels) {
  if (type == DataType::f32) {
    scale_shift_relu_of(static_cast<const float*>(x), static_cast<float*>(y), static_cast<float*>(copy),
                        scale, shift, pixels, channels);
  } else {
    scale_shift_relu_of(static_cast<const bfloat16*>(x), static_cast<bfloat16*>(y),
                        static_cast<bfloat16*>(copy), scale, shift, pixels, channels);
  }
}

void depth_to_space_add(DataType type, const void* x, void* y, std::int64_t begin, std::int64_t end,
                        int width, int channels) {
  if (type == DataType::f32) {
    depth_to_space_add_of(static_cast<const float*>(x), static_cast<float*>(y), begin, end, width, channels);
  } else {
    depth_to_space_add_of(static_cast<const bfloat16*>(x), static_cast<bfloat16*>(y), begin, end, width,
                          channels);
  }
}

void space_to_depth(DataType type, const float* image, void* y, std::int64_t begin, std::int64_t end,
                    int size, int block) {
  if (type == DataType::f32) {
    space_to_depth_of(image, static_cast<float*>(y), begin, end, size, block);
  } else {
    space_to_depth_of(image, static_cast<bfloat16*>(y), begin, end, size, block);
  }
}

void heat_maps(DataType type, const HeatLayout& layout, const void* heads, void* heat, std::int64_t pixels) {
  if (type == DataType::f32) {
    heat_maps_of(layout, static_cast<const float*>(heads), static_cast<float*>(heat), pixels);
  } else {
    heat_maps_of(layout, static_cast<const bfloat16*>(heads), static_cast<bfloat16*>(heat), pixels);
  }
}

void sample_windows(DataType type, const WindowLayout& layout, const void* field, const float* points,
                    std::int64_t begin, std::int64_t end, void* samples) {
  if (type == DataType::f32) {
    sample_windows_of(layout, static_cast<const float*>(field), points, begin, end, 1.0F,
                      static_cast<float*>(samples));
  } else {
    sample_windows_of(layout, static_cast<const bfloat16*>(field), points, begin, end, 1.0F,
                      static_cast<bfloat16*>(samples));
  }
}

void softmax(DataType type, float* scores, void* weights, std::int64_t rows, int columns) {
  if (type == DataType::f32) {
    softmax_of(scores, static_cast<float*>(weights), rows, columns);
  } else {
    softmax_of(scores, static_cast<bfloat16*>(weights), rows, columns);
  }
}

void pairwise_differences(DataType type, const float* points, int count, int begin, int end,
                          void* differences) {
  if (type == DataType::f32) {
    pairwise_differences_of(points, count, begin, end, static_cast<float*>(differences));
  } else {
    pairwise_differences_of(points, count, begin, end, static_cast<bfloat16*>(differences));
  }
}

void to_8_bit(DataType type, const void* x, DataType y_type, void* y, float factor, std::int64_t count) {
  const bool is_signed = y_type == DataType::s8;
  if (type == DataType::f32) {
    const float* from = static_cast<const float*>(x);
    is_signed ? to_8_bit_of(from, static_cast<std::int8_t*>(y), factor, count)
              : to_8_bit_of(from, static_cast<std::uint8_t*>(y), factor, count);
  } else {
    const bfloat16* from = static_cast<const bfloat16*>(x);
    is_signed ? to_8_bit_of(from, static_cast<std::int8_t*>(y), factor, count)
              : to_8_bit_of(from, static_cast<std::uint8_t*>(y), factor, count);
  }
}

void scale_shift_relu_u8(DataType type, const void* x, std::uint8_t* y, void* copy, const float* scale,
                         const float* shift, std::int64_t pixels, int channels) {
  if (type == DataType::f32) {
    scale_shift_relu_u8_of(static_cast<const float*>(x), y, static_cast<float*>(copy), scale, shift, pixels,
                           channels);
  } else {
    scale_shift_relu_u8_of(static_cast<const bfloat16*>(x), y, static_cast<bfloat16*>(copy), scale, shift,
                           pixels, channels);
  }
}

void sample_windows_u8(DataType type, const WindowLayout& layout, const void* field, const float* points,
                       std::int64_t begin, std::int64_t end, float factor, std::uint8_t* samples) {
  if (type == DataType::f32) {
    sample_windows_of(layout, static_cast<const float*>(field), points, begin, end, factor, samples);
  } else if (type == DataType::bf16) {
    sample_windows_of(layout, static_cast<const bfloat16*>(field), points, begin, end, factor, samples);
  } else {
    sample_windows_of(layout, static_cast<const std::uint8_t*>(field), points, begin, end, factor, samples);
  }
}

constexpr Operations kAvx512 = {"avx512",
                                scale_shift_relu,
                                depth_to_space_add,
                                space_to_depth,
                                heat_maps,
                                soft_argmax,
                                sample_windows,
                                softmax,
                                pairwise_differences,
                                to_8_bit,
                                scale_shift_relu_u8,
                                sample_windows_u8,
                                repeat_add_u8};

}  // namespace

const Operations* avx512_operations() { return &kAvx512; }

}  // namespace spiga::engine

#else

namespace spiga::engine {
const Operations* avx512_operations() { return nullptr; }
}  // namespace spiga::engine

#endif
