// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/packed.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "geometry/boxes.h"
#include "spiga/error.h"

namespace spiga::train {
namespace {

static_assert(std::endian::native == std::endian::little, "packed files are little-endian");

constexpr std::string_view kMagic = "SPIGAPAK", kEnd = "SPIGAEND";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kBlock = 64;            // of head, tail and the alignment of pixels
constexpr int kMostLandmarks = 4096;          // beyond this a file is damaged
constexpr std::uint32_t kMostSide = 1 << 14;  // likewise
constexpr std::uint32_t kHasHeadPose = 1;

struct PackedTail {
  std::uint64_t text_offset, text_bytes, records_offset, faces, names_offset, names_bytes, zero;
  char end[8];
};
static_assert(sizeof(PackedTail) == kBlock);

struct PackedRecord {
  std::uint64_t pixels_offset, name_offset;  // the name's within the names
  double scale, tx, ty;                      // x_crop = scale x_image + tx, y_crop = scale y_image + ty
  std::uint32_t width, height;               // of the crop
  std::uint32_t name_bytes, flags;
  float box[4];       // x, y, width, height in the picture
  float headpose[6];  // 0 unless flagged
};
static_assert(sizeof(PackedRecord) == 96);

std::size_t record_size(int landmarks) {
  const std::size_t bytes = sizeof(PackedRecord) + 3 * sizeof(float) * static_cast<std::size_t>(landmarks);
  return (bytes + 7) / 8 * 8;
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

// ---------------------------------------------------------------- reading

struct FaceDataset::File {
  base::MappedFile mapped;
  PackedTail tail{};
  std::string database;
  int landmarks = 0;
  int largest_side = 0;

  explicit File(const std::string& path) : mapped(path) {
    check_frame();
    read_text();
    check_range("records", tail.records_offset, tail.faces, record_size(landmarks));
    check_range("names", tail.names_offset, tail.names_bytes, 1);
    if (tail.records_offset % 8 != 0)
      fail("records: expected an offset that is a multiple of 8, found ", tail.records_offset);
    for (std::uint64_t i = 0; i < tail.faces; ++i) check_record(i);
  }

  template <typename... Args>
  [[noreturn]] void fail(const Args&... what) const {
    throw Error(ErrorCode::bad_data, base::concat(mapped.path().string(), ": ", what...));
  }

  void check_frame() {
    const std::string_view bytes(reinterpret_cast<const char*>(mapped.data()), mapped.size());
    if (bytes.size() < 2 * kBlock || !bytes.starts_with(kMagic))
      fail("expected a file of packed faces (\"", kMagic, "\" at its start), found ",
           bytes.size() < 2 * kBlock ? "a shorter file" : "something else");
    std::uint32_t version;
    std::memcpy(&version, mapped.data() + kMagic.size(), sizeof version);
    if (version != kVersion) fail("packed faces, version: expected ", kVersion, ", found ", version);
    std::memcpy(&tail, mapped.data() + mapped.size() - kBlock, kBlock);
    if (std::string_view(tail.end, sizeof tail.end) != kEnd)
      fail("expected \"", kEnd, "\" at its end, found something else: the file was cut short");
  }

  // `count` things of `size` bytes must lie between head and tail.
  void check_range(const char* what, std::uint64_t offset, std::uint64_t count, std::uint64_t size) const {
    const std::uint64_t end = mapped.size() - kBlock;
    if (offset < kBlock || offset > end || count > (end - offset) / size)
      fail(what, ": expected to lie within the file's ", mapped.size(), " bytes, found ", count, " x ", size,
           " bytes at offset ", offset);
  }

  void read_text() {
    check_range("text", tail.text_offset, tail.text_bytes, 1);
    const auto* begin = reinterpret_cast<const char*>(mapped.data() + tail.text_offset);
    const auto json = nlohmann::json::parse(begin, begin + tail.text_bytes, nullptr, false);
    if (!json.is_object() || !json.contains("database") || !json["database"].is_string() ||
        !json.contains("landmarks") || !json["landmarks"].is_number_integer())
      fail("text: expected a JSON object with \"database\" and \"landmarks\", found something else");
    database = json["database"].get<std::string>();
    const auto count = json["landmarks"].get<std::int64_t>();
    if (count < 1 || count > kMostLandmarks)
      fail("text: landmarks: expected 1 to ", kMostLandmarks, ", found ", count);
    landmarks = static_cast<int>(count);
  }

  PackedRecord header(std::uint64_t index) const {
    PackedRecord record;
    std::memcpy(&record, mapped.data() + tail.records_offset + index * record_size(landmarks), sizeof record);
    return record;
  }

  // Landmarks (x, y, x, y ...), then visibility.
  std::span<const float> floats(std::uint64_t index) const {
    const std::uint8_t* at =
        mapped.data() + tail.records_offset + index * record_size(landmarks) + sizeof(PackedRecord);
    return {reinterpret_cast<const float*>(at), 3 * static_cast<std::size_t>(landmarks)};
  }

  void check_record(std::uint64_t index) {
    const PackedRecord record = header(index);
    const std::string where = base::concat("face ", index);
    if (record.width < 1 || record.height < 1 || record.width > kMostSide || record.height > kMostSide)
      fail(where, ": crop: expected 1 to ", kMostSide, " pixels a side, found ", record.width, " x ",
           record.height);
    check_range((where + ": pixels").c_str(), record.pixels_offset, record.height,
                3 * std::uint64_t{record.width});
    if (record.name_offset > tail.names_bytes || record.name_bytes > tail.names_bytes - record.name_offset)
      fail(where, ": name: expected to lie within ", tail.names_bytes, " bytes of names, found ",
           record.name_bytes, " at ", record.name_offset);
    if (!(record.scale > 0) || !std::isfinite(record.scale) || !std::isfinite(record.tx) ||
        !std::isfinite(record.ty))
      fail(where, ": crop map: expected finite numbers and a positive scale, found ", record.scale, ", ",
           record.tx, ", ", record.ty);
    if (!all_finite(record.box) || !all_finite(record.headpose) || !all_finite(floats(index)) ||
        !(std::max(record.box[2], record.box[3]) > 0))
      fail(where, ": expected finite numbers and a box with an area, found others");
    largest_side = std::max({largest_side, static_cast<int>(record.width), static_cast<int>(record.height)});
  }
};

FaceDataset::FaceDataset(std::shared_ptr<const File> file) : file_(std::move(file)) {}

FaceDataset FaceDataset::open(const std::string& path) { return FaceDataset(std::make_shared<File>(path)); }

std::int64_t FaceDataset::size() const { return static_cast<std::int64_t>(file_->tail.faces); }
int FaceDataset::landmarks() const { return file_->landmarks; }
const std::string& FaceDataset::database() const { return file_->database; }
int FaceDataset::largest_side() const { return file_->largest_side; }

FaceRecord FaceDataset::record(std::int64_t index) const {
  if (index < 0 || index >= size())
    throw Error(ErrorCode::invalid_argument,
                base::concat("packed faces: index: expected 0 to ", size() - 1, ", found ", index));
  const PackedRecord record = file_->header(static_cast<std::uint64_t>(index));
  const auto floats = file_->floats(static_cast<std::uint64_t>(index));
  const auto count = static_cast<std::size_t>(file_->landmarks);
  const std::uint8_t* base = file_->mapped.data();
  FaceRecord face;
  face.name = {reinterpret_cast<const char*>(base + file_->tail.names_offset + record.name_offset),
               record.name_bytes};
  face.box = {record.box[0], record.box[1], record.box[2], record.box[3]};
  face.crop_from_image = {record.scale, 0, record.tx, 0, record.scale, record.ty};
  static_assert(sizeof(Point) == 2 * sizeof(float));
  face.landmarks = {reinterpret_cast<const Point*>(floats.data()), count};
  face.visible = floats.subspan(2 * count);
  const float* pose = record.headpose;
  if (record.flags & kHasHeadPose)
    face.headpose = HeadPose{pose[0], pose[1], pose[2], {pose[3], pose[4], pose[5]}};
  const auto width = static_cast<int>(record.width);
  face.pixels = {base + record.pixels_offset, width, static_cast<int>(record.height),
                 std::ptrdiff_t{3} * width, PixelFormat::bgr8};
  return face;
}

// ---------------------------------------------------------------- writing

namespace {

// Which samples of a pixel are blue, green and red.
std::array<int, 3> bgr_order(PixelFormat format) {
  if (format == PixelFormat::gray8) return {0, 0, 0};
  if (format == PixelFormat::rgb8 || format == PixelFormat::rgba8) return {2, 1, 0};
  return {0, 1, 2};
}

// A part of a picture, in whole pixels.
struct Window {
  int x = 0, y = 0, width = 0, height = 0;
};

// The part of the square around the box that lies in the picture.
Window window_around(const Box& box, double margin, const ImageView& picture) {
  const Box square = geometry::square_around(box, margin);
  const int left = std::clamp(static_cast<int>(std::floor(square.x)), 0, picture.width);
  const int top = std::clamp(static_cast<int>(std::floor(square.y)), 0, picture.height);
  const int right = std::clamp(static_cast<int>(std::ceil(square.x + square.width)), left, picture.width);
  const int bottom = std::clamp(static_cast<int>(std::ceil(square.y + square.height)), top, picture.height);
  return {left, top, right - left, bottom - top};
}

// How much of source pixel i lies in [begin, end).
double overlap(int i, double begin, double end) {
  return std::min(i + 1.0, end) - std::max<double>(i, begin);
}

// Mean colour of the window's part [x0, x1) x [y0, y1), in the window's pixels.
std::array<double, 3> mean_colour(const ImageView& picture, const Window& window, double x0, double x1,
                                  double y0, double y1) {
  const auto order = bgr_order(picture.format);
  const int channels = channels_of(picture.format);
  x1 = std::min<double>(x1, window.width);
  y1 = std::min<double>(y1, window.height);
  std::array<double, 3> sum{};
  double weights = 0;
  for (int y = static_cast<int>(y0); y < y1; ++y) {
    const std::uint8_t* row = picture.data + (window.y + y) * picture.stride_bytes;
    for (int x = static_cast<int>(x0); x < x1; ++x) {
      const double weight = overlap(x, x0, x1) * overlap(y, y0, y1);
      weights += weight;
      for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * row[(window.x + x) * channels + order[c]];
    }
  }
  for (double& value : sum) value /= weights;
  return sum;
}

// The window, shrunk by `scale` <= 1 with area averaging, as bgr8.
Image cut(const ImageView& picture, const Window& window, double scale) {
  const auto shrunk = [scale](int length) {
    return std::max(1, static_cast<int>(std::ceil(length * scale - 1e-9)));
  };
  Image crop(shrunk(window.width), shrunk(window.height), PixelFormat::bgr8);
  std::uint8_t* out = crop.data();
  for (int y = 0; y < crop.height(); ++y)
    for (int x = 0; x < crop.width(); ++x)
      for (const double value :
           mean_colour(picture, window, x / scale, (x + 1) / scale, y / scale, (y + 1) / scale))
        *out++ = static_cast<std::uint8_t>(std::lround(value));
  return crop;
}

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::bad_data, what); }

std::array<float, 6> values_of(const HeadPose& pose) {
  return {pose.yaw_deg,        pose.pitch_deg,      pose.roll_deg,
          pose.translation[0], pose.translation[1], pose.translation[2]};
}

void check_face(const FaceToPack& face, std::size_t landmarks, const ImageView& picture) {
  if (face.landmarks.size() != landmarks || face.visible.size() != landmarks)
    refuse(base::concat("landmarks: expected ", landmarks, ", found ", face.landmarks.size(), " with ",
                        face.visible.size(), " visibilities"));
  const float side = std::max(face.box.width, face.box.height);
  if (!(side > 0) || !std::isfinite(side) || !std::isfinite(face.box.x) || !std::isfinite(face.box.y))
    refuse("box: expected finite numbers and an area, found others");
  if (face.headpose && !all_finite(values_of(*face.headpose)))
    refuse("headpose: expected finite numbers, found others");
  const float slack = 0.1F * side;
  for (std::size_t i = 0; i < landmarks; ++i) {
    const Point& p = face.landmarks[i];
    if (!std::isfinite(p.x) || !std::isfinite(p.y) || !std::isfinite(face.visible[i]))
      refuse(base::concat("landmark ", i, ": expected finite numbers, found others"));
    if (p.x < -slack || p.y < -slack || p.x > static_cast<float>(picture.width) + slack ||
        p.y > static_cast<float>(picture.height) + slack)
      refuse(base::concat("landmark ", i, ": expected a place in the picture of ", picture.width, " x ",
                          picture.height, " pixels, found ", p.x, ", ", p.y));
  }
}

template <typename T>
void append(std::vector<std::uint8_t>& bytes, const T* values, std::size_t count) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values);
  bytes.insert(bytes.end(), begin, begin + count * sizeof(T));
}

}  // namespace

struct FaceWriter::State {
  base::AtomicFile file;
  std::string database;
  int landmarks;
  PackOptions options;
  std::uint64_t offset = 0;
  std::uint64_t faces = 0;
  std::vector<std::uint8_t> records;
  std::string names;

  void write(const void* data, std::size_t bytes) {
    file.write(data, bytes);
    offset += bytes;
  }
  void pad(std::size_t alignment) {
    static constexpr std::array<char, kBlock> kZeros{};
    write(kZeros.data(), (alignment - offset % alignment) % alignment);
  }
  void write_head() {
    write(kMagic.data(), kMagic.size());
    write(&kVersion, sizeof kVersion);
    pad(kBlock);
  }
  void add_record(const FaceToPack& face, const PackedRecord& record) {
    append(records, &record, 1);
    for (const Point& p : face.landmarks) {
      const std::array<float, 2> on_crop = {static_cast<float>(record.scale * p.x + record.tx),
                                            static_cast<float>(record.scale * p.y + record.ty)};
      append(records, on_crop.data(), 2);
    }
    append(records, face.visible.data(), face.visible.size());
    records.resize((records.size() + 7) / 8 * 8);
    ++faces;
  }
};

FaceWriter::FaceWriter(const std::string& path, std::string database, int landmarks,
                       const PackOptions& options)
    : state_(new State{base::AtomicFile(path), std::move(database), landmarks, options, 0, 0, {}, {}}) {
  if (landmarks < 1 || landmarks > kMostLandmarks || !(options.margin >= 1) || options.max_side < 16 ||
      options.max_side > static_cast<int>(kMostSide))
    throw Error(ErrorCode::invalid_argument,
                base::concat("packing: expected 1 to ", kMostLandmarks,
                             " landmarks, a margin of at least 1 and a side of 16 to ", kMostSide, ", found ",
                             landmarks, ", ", options.margin, " and ", options.max_side));
  state_->write_head();
}

FaceWriter::~FaceWriter() = default;

void FaceWriter::add(const FaceToPack& face, const ImageView& picture) {
  check_face(face, static_cast<std::size_t>(state_->landmarks), picture);
  const Window window = window_around(face.box, state_->options.margin, picture);
  if (window.width < 1 || window.height < 1) refuse("box: expected to lie in the picture, found it outside");
  const double side = state_->options.margin * std::max(face.box.width, face.box.height);
  const double scale = std::min(1.0, state_->options.max_side / side);
  const Image crop = cut(picture, window, scale);
  state_->pad(kBlock);
  PackedRecord record{.pixels_offset = state_->offset,
                      .name_offset = state_->names.size(),
                      .scale = scale,
                      .tx = -scale * window.x,
                      .ty = -scale * window.y,
                      .width = static_cast<std::uint32_t>(crop.width()),
                      .height = static_cast<std::uint32_t>(crop.height()),
                      .name_bytes = static_cast<std::uint32_t>(face.name.size()),
                      .flags = face.headpose ? kHasHeadPose : 0,
                      .box = {face.box.x, face.box.y, face.box.width, face.box.height},
                      .headpose = {}};
  if (face.headpose) std::ranges::copy(values_of(*face.headpose), record.headpose);
  state_->write(crop.data(),
                static_cast<std::size_t>(crop.stride_bytes()) * static_cast<std::size_t>(crop.height()));
  state_->names += face.name;
  state_->add_record(face, record);
}

std::int64_t FaceWriter::size() const { return static_cast<std::int64_t>(state_->faces); }

void FaceWriter::finish() {
  State& s = *state_;
  if (s.faces == 0)
    throw Error(ErrorCode::bad_data, s.file.path().string() + ": expected faces to pack, found none");
  const std::string text = nlohmann::json{
      {"database", s.database},
      {"landmarks", s.landmarks},
      {"margin", s.options.margin},
      {"max_side",
       s.options.max_side}}.dump();
  PackedTail tail{};
  s.pad(8);
  tail.text_offset = s.offset;
  tail.text_bytes = text.size();
  s.write(text.data(), text.size());
  s.pad(8);
  tail.records_offset = s.offset;
  tail.faces = s.faces;
  s.write(s.records.data(), s.records.size());
  tail.names_offset = s.offset;
  tail.names_bytes = s.names.size();
  s.write(s.names.data(), s.names.size());
  std::ranges::copy(kEnd, tail.end);
  s.write(&tail, sizeof tail);
  s.file.commit();
}

}  // namespace spiga::train
