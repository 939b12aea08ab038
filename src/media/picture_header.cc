// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "media/picture_header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>

#include "spiga/error.h"

namespace spiga::media {
namespace {

// The file's bytes with checked access; a read behind the end says where the file was cut.
class Bytes {
 public:
  Bytes(std::span<const std::uint8_t> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  std::size_t size() const { return bytes_.size(); }
  const std::uint8_t* data() const { return bytes_.data(); }
  bool starts_with(std::string_view magic, std::size_t at = 0) const {
    return at <= size() && magic.size() <= size() - at &&
           std::memcmp(data() + at, magic.data(), magic.size()) == 0;
  }
  std::uint8_t u8(std::size_t at) const {
    if (at >= size()) cut_short();
    return bytes_[at];
  }
  std::uint32_t big16(std::size_t at) const { return u8(at) << 8 | u8(at + 1); }
  std::uint32_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  std::uint32_t little16(std::size_t at) const { return u8(at) | u8(at + 1) << 8; }
  std::uint32_t little24(std::size_t at) const {
    return little16(at) | static_cast<std::uint32_t>(u8(at + 2)) << 16;
  }
  std::uint32_t little32(std::size_t at) const { return little16(at) | little16(at + 2) << 16; }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_data, std::string(name_) + ": " + what);
  }
  [[noreturn]] void cut_short() const {
    fail("the picture is cut short: the file ends at byte " + std::to_string(size()) +
         ", before its data do");
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::string_view name_;
};

constexpr std::string_view kPngMagic("\x89PNG\r\n\x1a\n", 8);

// ---- JPEG (ITU T.81, annex B): markers FF xx, most of them followed by a segment that says its length.

bool jpeg_stands_alone(int marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }
bool jpeg_has_size(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// The next marker at or behind `at`: the place of its second byte. Entropy-coded data hide FF as FF 00.
std::size_t next_jpeg_marker(const Bytes& file, std::size_t at) {
  for (;;) {
    const void* found = at < file.size() ? std::memchr(file.data() + at, 0xFF, file.size() - at) : nullptr;
    if (!found) file.cut_short();
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - file.data()) + 1;
    const int marker = file.u8(at);
    if (marker != 0x00 && marker != 0xFF && !(marker >= 0xD0 && marker <= 0xD7)) return at;
  }
}

PictureHeader jpeg_header(const Bytes& file) {
  PictureHeader header{PictureFormat::jpeg, 0, 0};
  for (std::size_t at = next_jpeg_marker(file, 2);; at = next_jpeg_marker(file, at)) {
    const int marker = file.u8(at++);
    if (marker == 0xD9) return header;
    if (jpeg_stands_alone(marker)) continue;
    const std::uint32_t length = file.big16(at);
    if (length < 2) file.fail("not a JPEG: a segment without length at byte " + std::to_string(at));
    if (jpeg_has_size(marker) && header.width == 0) {
      header.height = file.big16(at + 3);
      header.width = file.big16(at + 5);
    }
    at += length;
  }
}

// ---- PNG: chunks of length, type, data, checksum.

constexpr std::size_t kPngChunkExtra = 12;  // bytes of a chunk around its data

PictureHeader png_header(const Bytes& file) {
  std::size_t at = kPngMagic.size();
  const PictureHeader header{PictureFormat::png, file.big32(at + 8), file.big32(at + 12)};
  if (!file.starts_with("IHDR", at + 4)) file.fail("not a PNG: it does not begin with IHDR");
  while (!file.starts_with("IEND", at + 4)) {
    at += std::size_t{file.big32(at)} + kPngChunkExtra;
    if (at > file.size()) file.cut_short();
  }
  return header;
}

// ---- The others say their size at known places.

PictureHeader bmp_header(const Bytes& file) {
  if (file.little32(14) == 12) return {PictureFormat::bmp, file.little16(18), file.little16(20)};
  const auto signed32 = [&file](std::size_t at) {
    return std::int64_t{static_cast<std::int32_t>(file.little32(at))};
  };
  return {PictureFormat::bmp, signed32(18), std::abs(signed32(22))};  // a negative height: top row first
}

PictureHeader webp_header(const Bytes& file) {
  if (std::size_t{file.little32(4)} + 8 > file.size()) file.cut_short();
  if (file.starts_with("VP8X", 12))
    return {PictureFormat::webp, file.little24(24) + 1, file.little24(27) + 1};
  if (file.starts_with("VP8L", 12)) {
    const std::uint32_t bits = file.little32(21);
    return {PictureFormat::webp, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
  }
  return {PictureFormat::webp, file.little16(26) & 0x3FFF, file.little16(28) & 0x3FFF};
}

PictureHeader tiff_header(const Bytes& file) {
  const bool big = file.u8(0) == 'M';
  const auto u16 = [&](std::size_t at) { return big ? file.big16(at) : file.little16(at); };
  const auto u32 = [&](std::size_t at) { return big ? file.big32(at) : file.little32(at); };
  PictureHeader header{PictureFormat::tiff, 0, 0};
  const std::size_t directory = u32(4);
  const std::size_t entries = u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    const std::uint32_t tag = u16(entry), type = u16(entry + 2);
    if (tag != 256 && tag != 257) continue;
    std::int64_t& side = tag == 256 ? header.width : header.height;
    if (side != 0) file.fail("not a TIFF: it says its size twice");  // decoders differ in which one counts
    side = type == 3 ? u16(entry + 8) : u32(entry + 8);
  }
  return header;
}

// "P5 # comment \n 640 480 255": whole numbers between blanks and comments.
PictureHeader pnm_header(const Bytes& file) {
  std::size_t at = 2;
  const auto number = [&] {
    while (std::isspace(file.u8(at)) || file.u8(at) == '#') {
      if (file.u8(at) == '#') {
        while (file.u8(at) != '\n') ++at;
      }
      ++at;
    }
    std::int64_t value = 0;
    for (; std::isdigit(file.u8(at)) && value < 1'000'000'000; ++at) value = 10 * value + (file.u8(at) - '0');
    return value;
  };
  const std::int64_t width = number();
  return {PictureFormat::pnm, width, number()};
}

std::optional<PictureHeader> header_by_magic(const Bytes& file) {
  if (file.starts_with("\xFF\xD8\xFF")) return jpeg_header(file);
  if (file.starts_with(kPngMagic)) return png_header(file);
  if (file.starts_with("BM")) return bmp_header(file);
  if (file.starts_with("RIFF") && file.starts_with("WEBPVP8", 8)) return webp_header(file);
  if (file.starts_with(std::string_view("II*\0", 4)) || file.starts_with(std::string_view("MM\0*", 4)))
    return tiff_header(file);
  if (file.size() > 2 && file.data()[0] == 'P' && file.data()[1] >= '1' && file.data()[1] <= '6' &&
      std::isspace(file.data()[2]))
    return pnm_header(file);
  return std::nullopt;
}

}  // namespace

PictureHeader read_picture_header(std::span<const std::uint8_t> bytes, std::string_view name) {
  const Bytes file(bytes, name);
  if (bytes.empty()) file.fail("the file is empty");
  const std::optional<PictureHeader> header = header_by_magic(file);
  if (!header) file.fail("not a picture (JPEG, PNG, BMP, WebP, TIFF and PNM are known)");
  if (header->width <= 0 || header->height <= 0)
    file.fail("the picture has no size: " + std::to_string(header->width) + " x " +
              std::to_string(header->height));
  return *header;
}

bool is_known_picture(std::span<const std::uint8_t> bytes) {
  try {
    return header_by_magic(Bytes(bytes, "picture")).has_value();
  } catch (const Error&) {  // known, and damaged
    return true;
  }
}

std::vector<std::uint8_t> essential_png(std::span<const std::uint8_t> png) {
  const Bytes file(png, "PNG");
  std::vector<std::uint8_t> kept(png.begin(), png.begin() + kPngMagic.size());
  kept.reserve(png.size());
  for (std::size_t at = kPngMagic.size(); at + kPngChunkExtra <= png.size();) {
    const std::size_t end = std::min(png.size(), at + file.big32(at) + kPngChunkExtra);
    const bool critical = !(png[at + 4] & 0x20);
    const bool wanted = critical || file.starts_with("tRNS", at + 4) || file.starts_with("eXIf", at + 4);
    if (wanted) kept.insert(kept.end(), png.begin() + at, png.begin() + end);
    at = end;
  }
  return kept;
}

bool has_picture_extension(std::string_view file_name) {
  constexpr std::array<std::string_view, 12> kExtensions = {".jpg",  ".jpeg", ".jpe", ".png", ".bmp", ".webp",
                                                            ".tiff", ".tif",  ".pnm", ".ppm", ".pgm", ".pbm"};
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string extension(file_name.substr(dot));
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

}  // namespace spiga::media
