// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "vision/crop_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "spiga/error.h"

namespace spiga::vision {
namespace {

// Where blue, green and red lie in a pixel.
std::array<int, 3> bgr_offsets(PixelFormat format) {
  switch (format) {
    case PixelFormat::rgb8:
    case PixelFormat::rgba8:
      return {2, 1, 0};
    case PixelFormat::gray8:
      return {0, 0, 0};
    default:
      return {0, 1, 2};
  }
}

void check(const ImageView& image, const geometry::Affine& map) {
  if (!image.data || image.width <= 0 || image.height <= 0)
    throw Error(ErrorCode::invalid_argument, "picture: expected pixels, found " +
                                                 std::to_string(image.width) + " x " +
                                                 std::to_string(image.height));
  if (map.xy != 0 || map.yx != 0 || map.xx != map.yy || !(map.xx > 0))
    throw Error(ErrorCode::invalid_argument, "crop: expected a map that only shifts and scales");
}

// What share of source pixel j ([j, j + 1)) goes into a crop pixel centred at `centre` of the source axis,
// whose sides lie `scale` apart.
double share(Sampling sampling, double centre, double scale, double j) {
  if (sampling == Sampling::nearest) return std::floor(centre) == j ? 1 : 0;
  if (scale <= 2) return std::max(0.0, 1 - std::abs(j + 0.5 - centre));
  const double from = std::max(j, centre - 0.5 * scale), to = std::min(j + 1, centre + 0.5 * scale);
  return std::max(0.0, to - from) / scale;
}

}  // namespace

// scale: source pixels per crop pixel; source coordinate of crop coordinate u: scale * u + offset.
void CropSampler::make_taps(double scale, double offset, int source_size, int size, Sampling sampling,
                            Taps& taps) {
  const double reach = sampling == Sampling::nearest ? 0.5 : scale <= 2 ? 1 : 0.5 * scale + 1;
  taps.count = static_cast<int>(std::min(2 * reach + 1, double{1.0 * source_size}));
  taps.first.resize(size);
  taps.weight.resize(static_cast<std::size_t>(taps.count) * size);
  for (int i = 0; i < size; ++i) {
    const double centre = scale * (i + 0.5) + offset;
    const double leftmost = std::floor(centre - reach + 0.5);
    const int first = static_cast<int>(std::clamp(leftmost, 0.0, double{1.0 * (source_size - taps.count)}));
    taps.first[i] = first;
    for (int k = 0; k < taps.count; ++k)
      taps.weight[static_cast<std::size_t>(k) * size + i] =
          static_cast<float>(share(sampling, centre, scale, first + k));
  }
}

void CropSampler::sample(const ImageView& image, const geometry::Affine& crop_from_image, float* crop) {
  check(image, crop_from_image);
  const geometry::Affine image_from_crop = geometry::inverse(crop_from_image);
  make_taps(image_from_crop.xx, image_from_crop.tx, image.width, size_, sampling_, columns_);
  make_taps(image_from_crop.yy, image_from_crop.ty, image.height, size_, sampling_, rows_);
  for (float& weight : rows_.weight) weight /= 255;
  const int first_column = columns_.first.front();
  const int columns = columns_.first.back() + columns_.count - first_column;
  line_.resize(static_cast<std::size_t>(columns) * channels_of(image.format));
  for (int row = 0; row < size_; ++row) {
    sum_rows(image, row, first_column, columns);
    sum_columns(image.format, first_column, crop + static_cast<std::size_t>(row) * size_ * 3);
  }
}

void CropSampler::sum_rows(const ImageView& image, int row, int first_column, int columns) {
  const int channels = channels_of(image.format);
  const int n = columns * channels;
  float* line = line_.data();
  std::fill_n(line, n, 0.0f);
  for (int k = 0; k < rows_.count; ++k) {
    const float weight = rows_.weight[static_cast<std::size_t>(k) * size_ + row];
    if (weight == 0) continue;
    const std::uint8_t* source =
        image.data + (rows_.first[row] + k) * image.stride_bytes + first_column * channels;
    for (int i = 0; i < n; ++i) line[i] += weight * static_cast<float>(source[i]);
  }
}

void CropSampler::sum_columns(PixelFormat format, int first_column, float* out) const {
  const int channels = channels_of(format);
  const std::array<int, 3> bgr = bgr_offsets(format);
  std::fill_n(out, 3 * size_, 0.0f);
  for (int k = 0; k < columns_.count; ++k) {
    const float* weight = columns_.weight.data() + static_cast<std::size_t>(k) * size_;
    const float* line = line_.data() + (k - first_column) * channels;
    for (int i = 0; i < size_; ++i) {
      const float* pixel = line + columns_.first[i] * channels;
      out[3 * i + 0] += weight[i] * pixel[bgr[0]];
      out[3 * i + 1] += weight[i] * pixel[bgr[1]];
      out[3 * i + 2] += weight[i] * pixel[bgr[2]];
    }
  }
}

}  // namespace spiga::vision
