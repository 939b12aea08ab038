// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine/operations.h"

#include <algorithm>
#include <cmath>

#include "engine/bilinear.h"
#include "engine/primitives.h"

namespace spiga::engine {
namespace {

// Calls f with a null pointer of the type that stores `type`.
template <typename F>
void dispatch(DataType type, const F& f) {
  if (type == DataType::f32) {
    f(static_cast<float*>(nullptr));
  } else {
    f(static_cast<bfloat16*>(nullptr));
  }
}

template <typename T, typename Y>
void scale_shift_relu_of(const T* x, Y* y, T* copy, const float* scale, const float* shift,
                         std::int64_t pixels, int channels) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (int c = 0; c < channels; ++c) {
      const float value = to_float(x[c]) * scale[c] + shift[c];
      if (copy != nullptr) copy[c] = x[c];
      store(y[c], value > 0 ? value : 0);
    }
    x += channels;
    y += channels;
    if (copy != nullptr) copy += channels;
  }
}

void scale_shift_relu(DataType type, const void* x, void* y, void* copy, const float* scale,
                      const float* shift, std::int64_t pixels, int channels) {
  dispatch(type, [&]<typename T>(T*) {
    scale_shift_relu_of(static_cast<const T*>(x), static_cast<T*>(y), static_cast<T*>(copy), scale, shift,
                        pixels, channels);
  });
}

template <typename T>
void depth_to_space_add_of(const T* x, T* y, std::int64_t begin, std::int64_t end, int width, int channels) {
  x += begin * width * 4 * channels;
  for (std::int64_t r = begin; r < end; ++r) {
    for (int c = 0; c < width; ++c) {
      for (int part = 0; part < 4; ++part, x += channels) {
        T* to = y + ((2 * r + part / 2) * 2 * width + 2 * c + part % 2) * channels;
        for (int k = 0; k < channels; ++k) store(to[k], to_float(to[k]) + to_float(x[k]));
      }
    }
  }
}

void depth_to_space_add(DataType type, const void* x, void* y, std::int64_t begin, std::int64_t end,
                        int width, int channels) {
  dispatch(type, [&]<typename T>(T*) {
    depth_to_space_add_of(static_cast<const T*>(x), static_cast<T*>(y), begin, end, width, channels);
  });
}

template <typename T>
void space_to_depth_of(const float* image, T* y, std::int64_t begin, std::int64_t end, int size, int block) {
  const int run = 3 * block;
  y += begin * size * block * 3;
  for (std::int64_t r = begin; r < end; ++r) {
    for (int c = 0; c < size / block; ++c) {
      for (int i = 0; i < block; ++i) {
        const float* from = image + ((r * block + i) * size + c * block) * 3;
        for (int k = 0; k < run; ++k) store(*y++, from[k]);
      }
    }
  }
}

void space_to_depth(DataType type, const float* image, void* y, std::int64_t begin, std::int64_t end,
                    int size, int block) {
  dispatch(type,
           [&]<typename T>(T*) { space_to_depth_of(image, static_cast<T*>(y), begin, end, size, block); });
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

template <typename T>
void heat_maps_of(const HeatLayout& layout, const T* heads, T* heat, std::int64_t pixels) {
  float edges[kMaxEdges + 1];
  edges[layout.edges] = 1;
  for (std::int64_t p = 0; p < pixels; ++p, heads += layout.channels, heat += layout.points) {
    for (int e = 0; e < layout.edges; ++e) edges[e] = sigmoid(to_float(heads[layout.edges_offset() + e]));
    for (int k = 0; k < layout.points; ++k) {
      float near = 0;
      for (int e = 0; e <= layout.edges; ++e) near += edges[e] * layout.incidence[e * layout.points + k];
      const float feature = to_float(heads[layout.features_offset() + k]);
      store(heat[k], feature * sigmoid(to_float(heads[k])) * std::min(1.0F, near));
    }
  }
}

void heat_maps(DataType type, const HeatLayout& layout, const void* heads, void* heat, std::int64_t pixels) {
  dispatch(type, [&]<typename T>(T*) {
    heat_maps_of(layout, static_cast<const T*>(heads), static_cast<T*>(heat), pixels);
  });
}

// Of one channel.
Peak soft_argmax_of(const float* map, int side, int channels) {
  const std::int64_t cells = std::int64_t{side} * side;
  float highest = map[0];
  for (std::int64_t i = 1; i < cells; ++i) highest = std::max(highest, map[i * channels]);
  double sum = 0, x = 0, y = 0, square = 0;
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column, map += channels) {
      const double weight = std::exp(*map - highest);
      const double cx = (column + 0.5) / side, cy = (row + 0.5) / side;
      sum += weight;
      x += weight * cx;
      y += weight * cy;
      square += weight * (cx * cx + cy * cy);
    }
  }
  x /= sum;
  y /= sum;
  const double variance = std::max(0.0, square / sum - x * x - y * y);
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(variance),
          static_cast<float>(1 / sum)};
}

void soft_argmax(const float* maps, int side, int channels, int begin, int end, Peak* peaks) {
  for (int c = begin; c < end; ++c) peaks[c] = soft_argmax_of(maps + c, side, channels);
}

template <typename T, typename Y>
void sample_windows_of(const WindowLayout& layout, const T* field, const float* points, std::int64_t begin,
                       std::int64_t end, float factor, Y* samples) {
  const int channels = layout.channels;
  samples += begin * layout.grid * layout.grid * channels;
  for (std::int64_t p = begin; p < end; ++p) {
    for (int i = 0; i < layout.grid; ++i) {
      const BilinearTap row = bilinear_tap(layout, points[2 * p + 1], i);
      for (int j = 0; j < layout.grid; ++j, samples += channels) {
        const BilinearTap column = bilinear_tap(layout, points[2 * p], j);
        const T* upper = field + (std::int64_t{row.first} * layout.side + column.first) * channels;
        const T* lower = field + (std::int64_t{row.second} * layout.side + column.first) * channels;
        const std::int64_t right = std::int64_t{column.second - column.first} * channels;
        for (int c = 0; c < channels; ++c) {
          const float top = to_float(upper[c]) * (1 - column.part) + to_float(upper[c + right]) * column.part;
          const float bottom =
              to_float(lower[c]) * (1 - column.part) + to_float(lower[c + right]) * column.part;
          store(samples[c], (top * (1 - row.part) + bottom * row.part) * factor);
        }
      }
    }
  }
}

void sample_windows(DataType type, const WindowLayout& layout, const void* field, const float* points,
                    std::int64_t begin, std::int64_t end, void* samples) {
  dispatch(type, [&]<typename T>(T*) {
    sample_windows_of(layout, static_cast<const T*>(field), points, begin, end, 1.0F,
                      static_cast<T*>(samples));
  });
}

template <typename T>
void softmax_of(float* scores, T* weights, std::int64_t rows, int columns) {
  for (std::int64_t r = 0; r < rows; ++r, scores += columns, weights += columns) {
    const float highest = *std::max_element(scores, scores + columns);
    float sum = 0;
    for (int c = 0; c < columns; ++c) sum += scores[c] = std::exp(scores[c] - highest);
    for (int c = 0; c < columns; ++c) store(weights[c], scores[c] / sum);
  }
}

void softmax(DataType type, float* scores, void* weights, std::int64_t rows, int columns) {
  dispatch(type, [&]<typename T>(T*) { softmax_of(scores, static_cast<T*>(weights), rows, columns); });
}

template <typename T>
void pairwise_differences_of(const float* points, int count, int begin, int end, T* differences) {
  differences += std::int64_t{begin} * (count - 1) * 2;
  for (int i = begin; i < end; ++i) {
    for (int j = 0; j < count; ++j) {
      if (j == i) continue;
      store(*differences++, points[2 * i] - points[2 * j]);
      store(*differences++, points[2 * i + 1] - points[2 * j + 1]);
    }
  }
}

void pairwise_differences(DataType type, const float* points, int count, int begin, int end,
                          void* differences) {
  dispatch(type, [&]<typename T>(T*) {
    pairwise_differences_of(points, count, begin, end, static_cast<T*>(differences));
  });
}

// As dispatch, for any type.
template <typename F>
void dispatch_any(DataType type, const F& f) {
  if (type == DataType::u8) {
    f(static_cast<std::uint8_t*>(nullptr));
  } else if (type == DataType::s8) {
    f(static_cast<std::int8_t*>(nullptr));
  } else {
    dispatch(type, f);
  }
}

void to_8_bit(DataType type, const void* x, DataType y_type, void* y, float factor, std::int64_t count) {
  dispatch(type, [&]<typename T>(T*) {
    const T* from = static_cast<const T*>(x);
    dispatch_any(y_type, [&]<typename Y>(Y*) {
      Y* to = static_cast<Y*>(y);
      for (std::int64_t i = 0; i < count; ++i) store(to[i], to_float(from[i]) * factor);
    });
  });
}

void scale_shift_relu_u8(DataType type, const void* x, std::uint8_t* y, void* copy, const float* scale,
                         const float* shift, std::int64_t pixels, int channels) {
  dispatch(type, [&]<typename T>(T*) {
    scale_shift_relu_of(static_cast<const T*>(x), y, static_cast<T*>(copy), scale, shift, pixels, channels);
  });
}

void sample_windows_u8(DataType type, const WindowLayout& layout, const void* field, const float* points,
                       std::int64_t begin, std::int64_t end, float factor, std::uint8_t* samples) {
  dispatch_any(type, [&]<typename T>(T*) {
    sample_windows_of(layout, static_cast<const T*>(field), points, begin, end, factor, samples);
  });
}

void repeat_add_u8(const std::uint8_t* x, std::uint8_t* y, std::int64_t begin, std::int64_t end, int width,
                   int channels, float x_factor, float y_factor) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::uint8_t* from = x + row / 2 * (width / 2) * channels;
    std::uint8_t* to = y + row * width * channels;
    for (int column = 0; column < width; ++column, to += channels)
      for (int k = 0; k < channels; ++k)
        store(to[k], to_float(to[k]) * y_factor + to_float(from[column / 2 * channels + k]) * x_factor);
  }
}

constexpr Operations kPortable = {"portable",
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

const Operations& portable_operations() { return kPortable; }

const Operations& operations() {
  static const Operations& best =
      instruction_set() >= InstructionSet::avx512 && avx512_operations() != nullptr ? *avx512_operations()
                                                                                    : kPortable;
  return best;
}

void to_float32(DataType type, const void* from, float* to, std::int64_t count) {
  dispatch_any(type, [&]<typename T>(T*) {
    const T* values = static_cast<const T*>(from);
    for (std::int64_t i = 0; i < count; ++i) to[i] = to_float(values[i]);
  });
}

void from_float32(DataType type, const float* from, void* to, std::int64_t count) {
  dispatch_any(type, [&]<typename T>(T*) {
    T* values = static_cast<T*>(to);
    for (std::int64_t i = 0; i < count; ++i) store(values[i], from[i]);
  });
}

}  // namespace spiga::engine
