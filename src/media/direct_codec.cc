// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// JPEG, PNG and WebP by their own libraries, in place of OpenCV's imgcodecs, which brings a hundred others
// along. The same pixels: tests/media holds them to OpenCV's.
#include <algorithm>
#include <cctype>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

// Behind <cstdio>, which jpeglib.h wants.
#include <jpeglib.h>
#include <png.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include "base/text.h"
#include "media/picture_codec.h"
#include "spiga/error.h"

namespace spiga::media::codec {
namespace {

using Bytes = std::span<const std::uint8_t>;

[[noreturn]] void fail(std::string_view name, std::string_view why) {
  throw Error(ErrorCode::bad_data, base::concat(name, ": the picture cannot be decoded: ", why));
}

Image image_of(const PictureHeader& header) {
  return Image(static_cast<int>(header.width), static_cast<int>(header.height), PixelFormat::bgr8);
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
  bool start(Bytes bytes) {
    if (setjmp(error_.back) != 0) return false;
    jpeg_mem_src(&jpeg_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&jpeg_, TRUE);
    jpeg_.out_color_space = cmyk() ? JCS_CMYK : JCS_EXT_BGR;
    return jpeg_start_decompress(&jpeg_) != 0;
  }
  // `row`, where it is CMYK, takes a line of it.
  bool read(std::uint8_t* pixels, std::ptrdiff_t stride, std::uint8_t* row) {
    if (setjmp(error_.back) != 0) return false;
    while (jpeg_.output_scanline < jpeg_.output_height) {
      std::uint8_t* line = pixels + static_cast<std::ptrdiff_t>(jpeg_.output_scanline) * stride;
      JSAMPROW to = row ? row : line;
      if (jpeg_read_scanlines(&jpeg_, &to, 1) != 1) return false;
      if (row) make_bgr(row, line);
    }
    return jpeg_finish_decompress(&jpeg_) != 0;
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

Image decode_jpeg(Bytes bytes, const PictureHeader& header, std::string_view name) {
  const auto reader = std::make_unique<JpegReader>();
  if (!reader->start(bytes)) fail(name, reader->message());
  if (reader->width() != header.width || reader->height() != header.height)
    refuse_size(header, reader->width(), reader->height(), name);
  Image image = image_of(header);
  std::vector<std::uint8_t> row(reader->cmyk() ? 4 * static_cast<std::size_t>(header.width) : 0);
  if (!reader->read(image.data(), image.stride_bytes(), row.empty() ? nullptr : row.data()))
    fail(name, reader->message());
  const int orientation = orientation_of_jpeg(bytes);
  return orientation == 1 ? std::move(image) : turned(image, orientation);
}

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

// --- PNG

struct PngError {
  std::jmp_buf back;
  char message[200];
};

void leave_png(png_structp png, png_const_charp message) {
  auto* error = static_cast<PngError*>(png_get_error_ptr(png));
  std::snprintf(error->message, sizeof error->message, "%s", message);
  std::longjmp(error->back, 1);
}

class PngReader {
 public:
  explicit PngReader(Bytes bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &error_, leave_png,
                                  [](png_structp, png_const_charp) {});
    if (png_) info_ = png_create_info_struct(png_);
    if (info_) png_set_read_fn(png_, this, read);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // Nothing with a destructor may live in these two, which libpng leaves by longjmp.
  bool start() {
    if (!info_ || setjmp(error_.back) != 0) return false;
    png_read_info(png_, info_);
    const int colour = png_get_color_type(png_, info_), depth = png_get_bit_depth(png_, info_);
    if (depth == 16) png_set_strip_16(png_);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
    if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
    if (colour & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png_);
    if (!(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png_);
    png_set_bgr(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_all(png_bytepp rows) {
    if (setjmp(error_.back) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  const char* message() const { return error_.message; }

 private:
  static void read(png_structp png, png_bytep to, std::size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->left_.size()) png_error(png, "the file ends too early");
    std::memcpy(to, self->left_.data(), count);
    self->left_ = self->left_.subspan(count);
  }

  Bytes left_;
  PngError error_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

Image decode_png(Bytes bytes, const PictureHeader& header, std::string_view name) {
  const auto reader = std::make_unique<PngReader>(bytes);
  if (!reader->start()) fail(name, reader->message());
  if (reader->width() != header.width || reader->height() != header.height)
    refuse_size(header, reader->width(), reader->height(), name);
  Image image = image_of(header);
  if (reader->row_bytes() != 3 * static_cast<std::size_t>(header.width))
    fail(name, "an unknown kind of pixels");
  std::vector<png_bytep> rows;
  for (int y = 0; y < image.height(); ++y) rows.push_back(image.data() + y * image.stride_bytes());
  if (!reader->read_all(rows.data())) fail(name, reader->message());
  return image;
}

std::vector<std::uint8_t> encode_png(const Image& picture) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(picture.width());
  png.height = static_cast<png_uint_32>(picture.height());
  png.format = PNG_FORMAT_BGR;
  png.flags = PNG_IMAGE_FLAG_FAST;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::uint8_t> bytes(size);
  if (!png_image_write_to_memory(&png, bytes.data(), &size, 0, picture.data(),
                                 static_cast<png_int_32>(picture.stride_bytes()), nullptr))
    throw Error(ErrorCode::invalid_argument,
                base::concat("the picture cannot be encoded as PNG: ", png.message));
  bytes.resize(size);
  return bytes;
}

// --- WebP

Image decode_webp(Bytes bytes, const PictureHeader& header, std::string_view name) {
  int width = 0, height = 0;
  if (!WebPGetInfo(bytes.data(), bytes.size(), &width, &height)) fail(name, "not a WebP");
  if (width != header.width || height != header.height) refuse_size(header, width, height, name);
  Image image = image_of(header);
  const std::size_t size = static_cast<std::size_t>(image.stride_bytes()) * static_cast<std::size_t>(height);
  if (!WebPDecodeBGRInto(bytes.data(), bytes.size(), image.data(), size,
                         static_cast<int>(image.stride_bytes())))
    fail(name, "damaged");
  return image;
}

std::vector<std::uint8_t> encode_webp(const Image& picture) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessBGR(picture.data(), picture.width(), picture.height(),
                                                 static_cast<int>(picture.stride_bytes()), &bytes);
  if (size == 0) throw Error(ErrorCode::invalid_argument, "the picture cannot be encoded as WebP");
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(bytes, WebPFree);
  return {bytes, bytes + size};
}

}  // namespace

Image decode(Bytes bytes, const PictureHeader& header, std::string_view name) {
  switch (header.format) {
    case PictureFormat::jpeg:
      return decode_jpeg(bytes, header, name);
    case PictureFormat::png:
      return decode_png(bytes, header, name);
    case PictureFormat::webp:
      return decode_webp(bytes, header, name);
    default:
      break;
  }
  throw Error(ErrorCode::unsupported,
              base::concat(name,
                           ": this build of spiga reads JPEG, PNG and WebP, being configured with "
                           "SPIGA_WITH_IMGCODECS=OFF"));
}

std::vector<std::uint8_t> encode(const Image& picture, const std::string& extension, int jpeg_quality) {
  std::string kind = extension;
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
  if (kind == ".png") return encode_png(picture);
  if (kind == ".webp") return encode_webp(picture);
  if (kind != ".jpg" && kind != ".jpeg")
    throw Error(ErrorCode::invalid_argument, "no picture can be written as '" + extension +
                                                 "', which is none of .jpg, .png and .webp: this build of "
                                                 "spiga was configured with SPIGA_WITH_IMGCODECS=OFF");
  const auto writer = std::make_unique<JpegWriter>();
  if (!writer->write(picture, jpeg_quality))
    throw Error(ErrorCode::invalid_argument,
                base::concat("the picture cannot be encoded as JPEG: ", writer->message()));
  return writer->bytes();
}

}  // namespace spiga::media::codec
