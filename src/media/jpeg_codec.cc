// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/jpeg_codec.h"

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

// Behind <cstdio>, which jpeglib.h wants.
#include <jpeglib.h>

#include "base/text.h"
#include "media/picture_codec.h"
#include "spiga/error.h"

namespace spiga::media::codec {
namespace {

using Bytes = std::span<const std::uint8_t>;

[[noreturn]] void fail(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::bad_data, base::concat(name, ": the picture cannot be decoded: ", why));
}

// --- EXIF's orientation

class TiffBytes {
 public:
  TiffBytes(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  // 0 outside.
  std::uint32_t read(std::size_t at, int count) const {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const std::size_t place = at + static_cast<std::size_t>(big_endian_ ? i : count - 1 - i);
      value = value << 8 | (place < bytes_.size() ? bytes_[place] : 0U);
    }
    return value;
  }

 private:
  Bytes bytes_;
  bool big_endian_;
};

// Of an APP1 segment that begins with "Exif"; 1 where it says none.
int orientation_of(Bytes segment) {
  static constexpr std::uint8_t kExif[] = {'E', 'x', 'i', 'f', 0, 0};
  if (segment.size() < 14 || !std::equal(std::begin(kExif), std::end(kExif), segment.begin())) return 1;
  const Bytes file = segment.subspan(6);
  const bool big_endian = file[0] == 'M' && file[1] == 'M';
  if (!big_endian && !(file[0] == 'I' && file[1] == 'I')) return 1;
  const TiffBytes tiff(file, big_endian);
  if (tiff.read(2, 2) != 42) return 1;
  const std::size_t directory = tiff.read(4, 4);
  const std::size_t entries = tiff.read(directory, 2);
  for (std::size_t entry = 0; entry < entries; ++entry) {
    const std::size_t at = directory + 2 + 12 * entry;
    if (at + 12 > file.size()) return 1;
    if (tiff.read(at, 2) != 0x0112) continue;
    const std::uint32_t value = tiff.read(at + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

// As EXIF 2.3, section 4.6.4, would have it shown.
Image turned(const Image& image, int orientation) {
  const bool swapped = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int width = image.width(), height = image.height();
  Image result(swapped ? height : width, swapped ? width : height, PixelFormat::bgr8);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int across = from_right ? width - 1 - x : x, down = from_below ? height - 1 - y : y;
      std::memcpy(
          result.data() + (swapped ? across : down) * result.stride_bytes() + 3 * (swapped ? down : across),
          image.data() + y * image.stride_bytes() + 3 * x, 3);
    }
  }
  return result;
}

// --- JPEG

struct JpegError {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void leave_jpeg(j_common_ptr jpeg) {
  auto* error = reinterpret_cast<JpegError*>(jpeg->err);
  error->base.format_message(jpeg, error->message);
  std::longjmp(error->back, 1);
}

jpeg_error_mgr* quiet(JpegError& error) {
  jpeg_std_error(&error.base);
  error.base.error_exit = leave_jpeg;
  error.base.output_message = [](j_common_ptr) {};
  error.message[0] = '\0';
  return &error.base;
}

class JpegReader {
 public:
  JpegReader() {
    jpeg_.err = quiet(error_);
    jpeg_create_decompress(&jpeg_);
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // Nothing with a destructor may live in these two, which libjpeg leaves by longjmp.
  bool start(Bytes bytes, int reduction) {
    if (setjmp(error_.back) != 0) return false;
    jpeg_mem_src(&jpeg_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&jpeg_, TRUE);
    jpeg_.out_color_space = cmyk() ? JCS_CMYK : JCS_EXT_BGR;
    jpeg_.scale_num = 1;
    jpeg_.scale_denom = static_cast<unsigned>(reduction);
    return jpeg_start_decompress(&jpeg_) != 0;
  }
  // Lines [first, first + count). `row`, where it is CMYK, takes a line of it.
  bool read(unsigned first, unsigned count, std::uint8_t* pixels, std::ptrdiff_t stride, std::uint8_t* row) {
    if (setjmp(error_.back) != 0) return false;
    if (first > 0 && jpeg_skip_scanlines(&jpeg_, first) != first) return false;
    for (unsigned i = 0; i < count; ++i) {
      std::uint8_t* line = pixels + static_cast<std::ptrdiff_t>(i) * stride;
      JSAMPROW to = row ? row : line;
      if (jpeg_read_scanlines(&jpeg_, &to, 1) != 1) return false;
      if (row) make_bgr(row, line);
    }
    return jpeg_.output_scanline < jpeg_.output_height || jpeg_finish_decompress(&jpeg_) != 0;
  }

  bool cmyk() const { return jpeg_.num_components == 4; }
  unsigned width() const { return jpeg_.output_width; }
  unsigned height() const { return jpeg_.output_height; }
  const char* message() const { return error_.message; }

 private:
  // Inverted CMYK, as Adobe's programs write it.
  void make_bgr(const std::uint8_t* cmyk, std::uint8_t* bgr) const {
    for (unsigned x = 0; x < jpeg_.output_width; ++x, cmyk += 4, bgr += 3)
      for (int c = 0; c < 3; ++c)
        bgr[2 - c] = static_cast<std::uint8_t>(cmyk[3] - ((255 - cmyk[c]) * cmyk[3] >> 8));
  }

  jpeg_decompress_struct jpeg_{};
  JpegError error_{};
};

class JpegWriter {
 public:
  JpegWriter() {
    jpeg_.err = quiet(error_);
    jpeg_create_compress(&jpeg_);
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&jpeg_);
    std::free(bytes_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  bool write(const Image& picture, int quality) {
    if (setjmp(error_.back) != 0) return false;
    jpeg_mem_dest(&jpeg_, &bytes_, &size_);
    jpeg_.image_width = static_cast<JDIMENSION>(picture.width());
    jpeg_.image_height = static_cast<JDIMENSION>(picture.height());
    jpeg_.input_components = 3;
    jpeg_.in_color_space = JCS_EXT_BGR;
    jpeg_set_defaults(&jpeg_);
    jpeg_set_quality(&jpeg_, quality, TRUE);
    jpeg_start_compress(&jpeg_, TRUE);
    while (jpeg_.next_scanline < jpeg_.image_height) {
      JSAMPROW line = const_cast<std::uint8_t*>(picture.data()) +
                      static_cast<std::ptrdiff_t>(jpeg_.next_scanline) * picture.stride_bytes();
      jpeg_write_scanlines(&jpeg_, &line, 1);
    }
    jpeg_finish_compress(&jpeg_);
    return true;
  }
  std::vector<std::uint8_t> bytes() const { return {bytes_, bytes_ + size_}; }
  const char* message() const { return error_.message; }

 private:
  jpeg_compress_struct jpeg_{};
  JpegError error_{};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
};

}  // namespace

// The first EXIF segment of a JPEG that read_picture_header has walked through.
int orientation_of_jpeg(Bytes jpeg) {
  for (std::size_t at = 2; at + 4 <= jpeg.size() && jpeg[at] == 0xFF;) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    const std::size_t length = static_cast<std::size_t>(jpeg[at + 2]) << 8 | jpeg[at + 3];
    if (length < 2 || at + 2 + length > jpeg.size()) break;
    if (marker == 0xE1 && length >= 8 && std::memcmp(jpeg.data() + at + 4, "Exif", 4) == 0)
      return orientation_of(jpeg.subspan(at + 4, length - 2));
    at += 2 + length;
  }
  return 1;
}

Image decode_jpeg(Bytes bytes, const PictureHeader& header, std::string_view name, int reduction) {
  const auto reader = std::make_unique<JpegReader>();
  if (!reader->start(bytes, reduction)) fail(name, reader->message());
  const auto reduced = [&](std::int64_t size) { return (size + reduction - 1) / reduction; };
  if (reader->width() != reduced(header.width) || reader->height() != reduced(header.height))
    refuse_size(header, reader->width(), reader->height(), name);
  Image image(static_cast<int>(reader->width()), static_cast<int>(reader->height()), PixelFormat::bgr8);
  std::vector<std::uint8_t> row(reader->cmyk() ? 4 * static_cast<std::size_t>(reader->width()) : 0);
  if (!reader->read(0, reader->height(), image.data(), image.stride_bytes(),
                    row.empty() ? nullptr : row.data()))
    fail(name, reader->message());
  const int orientation = orientation_of_jpeg(bytes);
  return orientation == 1 ? std::move(image) : turned(image, orientation);
}

Image decode_jpeg_rows(Bytes bytes, const PictureHeader& header, std::string_view name, int first,
                       int count) {
  const auto reader = std::make_unique<JpegReader>();
  if (!reader->start(bytes, 1)) fail(name, reader->message());
  if (reader->width() != header.width || reader->height() != header.height)
    refuse_size(header, reader->width(), reader->height(), name);
  Image image(static_cast<int>(header.width), count, PixelFormat::bgr8);
  std::vector<std::uint8_t> row(reader->cmyk() ? 4 * static_cast<std::size_t>(header.width) : 0);
  if (!reader->read(static_cast<unsigned>(first), static_cast<unsigned>(count), image.data(),
                    image.stride_bytes(), row.empty() ? nullptr : row.data()))
    fail(name, reader->message());
  return image;
}

std::vector<std::uint8_t> encode_jpeg(const Image& picture, int quality) {
  const auto writer = std::make_unique<JpegWriter>();
  if (!writer->write(picture, quality))
    throw Error(ErrorCode::invalid_argument,
                base::concat("the picture cannot be encoded as JPEG: ", writer->message()));
  return writer->bytes();
}

}  // namespace spiga::media::codec
