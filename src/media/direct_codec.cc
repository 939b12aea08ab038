// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// JPEG, PNG and WebP by their own libraries, in place of OpenCV's imgcodecs, which brings a hundred others
// along. The same pixels: tests/media holds them to OpenCV's.
#include <png.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <cctype>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "media/jpeg_codec.h"
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
  return encode_jpeg(picture, jpeg_quality);
}

}  // namespace spiga::media::codec
