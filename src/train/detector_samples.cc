// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_samples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "train/detector_texts.h"
#include "train/random.h"
#include "train/render.h"

namespace spiga::train {
namespace {

using geometry::Affine;

constexpr float kKept = 0.55F;    // part of a face's box that must be seen for the face to be asked for
constexpr float kSmallestPx = 8;  // smaller faces are neither asked for nor background
constexpr double kFewestPx = 6;   // a face's own pixels, before it was enlarged
constexpr int kMostPlaces = 3;    // along x and y, that are averaged to a pixel of a shrunk picture

struct Tile {
  int left = 0, top = 0, right = 0, bottom = 0;

  int width() const { return right - left; }
  int height() const { return bottom - top; }
  int shorter() const { return std::min(width(), height()); }
  Box box() const {
    return {static_cast<float>(left), static_cast<float>(top), static_cast<float>(width()),
            static_cast<float>(height())};
  }
};

Box intersection(const Box& a, const Box& b) {
  const float left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const float right = std::min(a.x + a.width, b.x + b.width);
  const float bottom = std::min(a.y + a.height, b.y + b.height);
  return {left, top, std::max(0.0F, right - left), std::max(0.0F, bottom - top)};
}

float area(const Box& box) { return box.width * box.height; }
float larger_side(const Box& box) { return std::max(box.width, box.height); }

// Around an ellipse in the box that was moved.
Box moved_ellipse(const Box& box, const Affine& map) {
  const Point centre = map({box.x + box.width / 2, box.y + box.height / 2});
  const auto width = static_cast<float>(std::hypot(map.xx * box.width, map.xy * box.height));
  const auto height = static_cast<float>(std::hypot(map.yx * box.width, map.yy * box.height));
  return {centre.x - width / 2, centre.y - height / 2, width, height};
}

Box grown(const Box& box, float factor) {
  return {box.x - box.width * (factor - 1) / 2, box.y - box.height * (factor - 1) / 2, box.width * factor,
          box.height * factor};
}

double log_uniform(Random& random, double low, double high) {
  return high <= low ? high : low * std::exp(random.uniform() * std::log(high / low));
}

// What happens to a tile's colours: a table per channel, or all of them grey first.
struct Colours {
  bool grey = false;
  std::array<std::array<std::uint8_t, 256>, 3> table;
};

Colours draw_colours(const DetectorAugment& augment, Random& random) {
  Colours colours;
  colours.grey = random.chance(augment.grey);
  double gain = 1, shift = 0, gamma = 1;
  if (random.chance(augment.contrast)) {
    gain = random.uniform(0.6, 1.4);
    shift = random.uniform(-0.15, 0.15);
    gamma = std::exp(random.uniform(-0.5, 0.5));
  }
  if (random.chance(augment.dark)) {
    gain *= random.uniform(0.12, 0.5);
    shift = std::min(shift, 0.02);
  }
  const bool cast = random.chance(augment.cast);
  for (auto& table : colours.table) {
    const double own = cast ? random.uniform(0.75, 1.25) : 1;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const double value = own * gain * std::pow(static_cast<double>(i) / 255, gamma) + shift;
      table[i] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
    }
  }
  return colours;
}

const Colours& unchanged_colours() {
  static const Colours colours = [] {
    Colours same;
    for (auto& table : same.table) std::iota(table.begin(), table.end(), std::uint8_t{0});
    return same;
  }();
  return colours;
}

// Adds the bilinear sample at pixel indices (x, y), which must lie on the picture.
inline void add_bilinear(const ImageView& picture, float x, float y, float* sum) {
  const int column = std::clamp(static_cast<int>(x), 0, picture.width - 2);
  const int row = std::clamp(static_cast<int>(y), 0, picture.height - 2);
  const float right = x - static_cast<float>(column), down = y - static_cast<float>(row);
  const std::uint8_t* above = picture.data + row * picture.stride_bytes + 3 * column;
  const std::uint8_t* below = above + picture.stride_bytes;
  for (int c = 0; c < 3; ++c) {
    const float upper = static_cast<float>(above[c]) * (1 - right) + static_cast<float>(above[c + 3]) * right;
    const float lower = static_cast<float>(below[c]) * (1 - right) + static_cast<float>(below[c + 3]) * right;
    sum[c] += upper * (1 - down) + lower * down;
  }
}

// Draws the part of a picture that lies on the tile; `view_from_target` tells where. Averages over n x n
// places a pixel where the picture is shrunk.
class Painter {
 public:
  Painter(DetectorSample& sample, const ImageView& picture, const Affine& picture_from_sample,
          const Colours& colours)
      : sample_(sample), picture_(picture), map_(picture_from_sample), colours_(colours) {
    grid_ = std::clamp(static_cast<int>(std::ceil(map_.scale() * 0.6)), 1, kMostPlaces);
  }

  void paint(const Tile& tile) const {
    if (picture_.width < 2 || picture_.height < 2) return;
    for (int y = tile.top; y < tile.bottom; ++y)
      for (int x = tile.left; x < tile.right; ++x) paint_pixel(x, y);
  }

 private:
  void paint_pixel(int x, int y) const {
    const auto width = static_cast<float>(picture_.width - 1),
               height = static_cast<float>(picture_.height - 1);
    const auto middle_x = static_cast<float>(map_.xx * x + map_.xy * y + map_.tx);
    const auto middle_y = static_cast<float>(map_.yx * x + map_.yy * y + map_.ty);
    if (!(middle_x >= 0 && middle_y >= 0 && middle_x <= width && middle_y <= height)) return;
    float sum[3] = {0, 0, 0};
    const float step = 1 / static_cast<float>(grid_), first = step / 2 - 0.5F;
    const auto xx = static_cast<float>(map_.xx), xy = static_cast<float>(map_.xy);
    const auto yx = static_cast<float>(map_.yx), yy = static_cast<float>(map_.yy);
    for (int i = 0; i < grid_; ++i) {
      const float v = first + step * static_cast<float>(i);
      for (int j = 0; j < grid_; ++j) {
        const float u = first + step * static_cast<float>(j);
        add_bilinear(picture_, std::clamp(middle_x + xx * u + xy * v, 0.0F, width),
                     std::clamp(middle_y + yx * u + yy * v, 0.0F, height), sum);
      }
    }
    store(sum, step * step, sample_.pixels.data() + 3 * (static_cast<std::ptrdiff_t>(y) * sample_.side + x));
  }

  void store(const float* sum, float part, std::uint8_t* pixel) const {
    float values[3] = {sum[0] * part, sum[1] * part, sum[2] * part};
    if (colours_.grey)
      values[0] = values[1] = values[2] = 0.114F * values[0] + 0.587F * values[1] + 0.299F * values[2];
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = colours_.table[c][static_cast<std::size_t>(values[c] + 0.5F)];
  }

  DetectorSample& sample_;
  const ImageView& picture_;
  Affine map_;
  const Colours& colours_;
  int grid_;
};

// Puts one training picture together.
class Composer {
 public:
  Composer(const SceneSources& scenes, const DetectorAugment& augment, DetectorSample& sample,
           std::uint64_t seed)
      : scenes_(scenes), augment_(augment), sample_(sample), random_(seed) {}

  void compose() {
    const double kind = random_.uniform();
    const int tiles = kind < augment_.tiles_4 ? 4 : kind < augment_.tiles_4 + augment_.tiles_2 ? 2 : 1;
    const std::vector<int> columns = cuts(tiles), rows = cuts(tiles);
    for (std::size_t r = 0; r + 1 < rows.size(); ++r)
      for (std::size_t c = 0; c + 1 < columns.size(); ++c)
        fill({columns[c], rows[r], columns[c + 1], rows[r + 1]});
    for (const SampleFace& face : sample_.faces)
      if (random_.chance(augment_.occlusion)) occlude(face.box);
    degrade();
  }

 private:
  std::vector<int> cuts(int tiles) {
    std::vector<int> at = {0};
    for (int i = 1; i < tiles; ++i)
      at.push_back(static_cast<int>(sample_.side * (i + random_.uniform(-0.25, 0.25)) / tiles));
    at.push_back(sample_.side);
    return at;
  }

  void fill(const Tile& tile) {
    paint_background(tile);
    if (random_.chance(augment_.background)) return;
    const Scene scene = scenes_.any(random_);
    const std::optional<Box> chosen = middle_of(scene);
    if (!chosen) return;
    const bool mirrored = random_.chance(augment_.mirror);
    const Affine sample_from_scene = place(tile, *chosen, mirrored);
    const Colours colours = draw_colours(augment_, random_);
    Painter(sample_, scene.pixels, geometry::inverse(sample_from_scene), colours).paint(tile);
    for (const std::vector<Point>& face : scene.landmarks) add_face(tile, face, sample_from_scene, mirrored);
    for (const Box& face : scene.boxes) add_box(tile, face, sample_from_scene);
    for (const Box& box : scene.ignored) add_ignored(tile, box, sample_from_scene);
  }

  // The box in the middle of things: of any face, or of what was wrongly taken for one.
  std::optional<Box> middle_of(const Scene& scene) {
    if (!scene.negatives.empty() && random_.chance(augment_.negatives))
      return scene.negatives[random_.below(scene.negatives.size())];
    const std::size_t count = scene.landmarks.size() + scene.boxes.size();
    if (count == 0) return std::nullopt;
    const std::size_t index = random_.below(count);
    return index < scene.landmarks.size() ? face_box(scene.landmarks[index])
                                          : scene.boxes[index - scene.landmarks.size()];
  }

  // Where the scene comes to lie: the chosen face of a drawn size, turned, somewhere on the tile.
  Affine place(const Tile& tile, const Box& face, bool mirrored) {
    const double size =
        log_uniform(random_, std::max(augment_.smallest_px, augment_.smallest_share * tile.shorter()),
                    augment_.largest_share * tile.shorter());
    const double scale = std::min(size / std::max(1.0F, larger_side(face)), augment_.most_enlarged);
    const double side = scale * larger_side(face);
    const double angle = random_.chance(augment_.upright)
                             ? augment_.upright_deg * random_.normal()
                             : random_.uniform(-augment_.rotation_deg, augment_.rotation_deg);
    const double stretch = 1 + random_.uniform(-augment_.stretch, augment_.stretch);
    const bool anywhere = random_.chance(augment_.at_edge);
    const auto somewhere = [&](int low, int high) {
      const double free = anywhere ? 0.5 * (high - low) : std::abs((high - low) - 0.9 * side) / 2;
      return 0.5 * (low + high) + random_.uniform(-free, free);
    };
    const Point centre = {face.x + face.width / 2, face.y + face.height / 2};
    const Affine shrunk = {(mirrored ? -scale : scale) * stretch, 0, 0, 0, scale / stretch, 0};
    const Affine turned = geometry::compose(geometry::rotation_about({0, 0}, angle), shrunk);
    const Point at = turned(centre);
    return {turned.xx, turned.xy, somewhere(tile.left, tile.right) - at.x,
            turned.yx, turned.yy, somewhere(tile.top, tile.bottom) - at.y};
  }

  void add_face(const Tile& tile, const std::vector<Point>& landmarks, const Affine& sample_from_scene,
                bool mirrored) {
    std::vector<Point> moved;
    for (const Point& p : landmarks) moved.push_back(sample_from_scene(p));
    SampleFace face = {face_box(moved), five_points(moved), true};
    if (mirrored) {  // what was right is left now
      std::swap(face.points[0], face.points[1]);
      std::swap(face.points[3], face.points[4]);
    }
    add_where_seen(tile, face);
  }

  void add_box(const Tile& tile, const Box& box, const Affine& sample_from_scene) {
    SampleFace face = {moved_ellipse(box, sample_from_scene), {}, false};
    constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
    face.points.fill({kUnknown, kUnknown});
    add_where_seen(tile, face);
  }

  void add_where_seen(const Tile& tile, const SampleFace& face) {
    const Box seen = intersection(face.box, tile.box());
    if (area(seen) <= 0) return;
    if (area(seen) < kKept * area(face.box) || larger_side(face.box) < kSmallestPx)
      sample_.ignored.push_back(grown(seen, 1.2F));
    else
      sample_.faces.push_back(face);
  }

  void add_ignored(const Tile& tile, const Box& box, const Affine& sample_from_scene) {
    const std::array<Point, 4> corners = {sample_from_scene({box.x, box.y}),
                                          sample_from_scene({box.x + box.width, box.y}),
                                          sample_from_scene({box.x, box.y + box.height}),
                                          sample_from_scene({box.x + box.width, box.y + box.height})};
    const Box seen = intersection(grown(geometry::tight_box(corners), 1.1F), tile.box());
    if (area(seen) > 0) sample_.ignored.push_back(seen);
  }

  // A colour, letters on cloth, or a piece of a picture in which nobody has seen a face.
  void paint_background(const Tile& tile) {
    if (random_.chance(augment_.text)) {
      paint_texts(tile);
      return;
    }
    paint_colour(tile);
    if (random_.chance(0.2)) return;
    Scene scene;
    std::optional<Box> piece;
    for (int attempt = 0; attempt < 3 && !piece; ++attempt) {
      scene = scenes_.any(random_);
      piece = free_piece(scene);
    }
    if (!piece) return;
    const double scale = std::max(static_cast<float>(tile.width()) / piece->width,
                                  static_cast<float>(tile.height()) / piece->height);
    const Affine scene_from_sample = {1 / scale, 0,         piece->x - tile.left / scale,
                                      0,         1 / scale, piece->y - tile.top / scale};
    Painter(sample_, scene.pixels, scene_from_sample, draw_colours(augment_, random_)).paint(tile);
  }

  void paint_colour(const Tile& tile) {
    std::uint8_t colour[3];
    for (std::uint8_t& value : colour) value = static_cast<std::uint8_t>(random_.below(256));
    if (random_.chance(0.4)) colour[0] = colour[1] = colour[2];
    if (random_.chance(0.25)) colour[0] = colour[1] = colour[2] = 0;  // as letterboxes are
    for (int y = tile.top; y < tile.bottom; ++y) {
      std::uint8_t* pixel =
          sample_.pixels.data() + 3 * (static_cast<std::ptrdiff_t>(y) * sample_.side + tile.left);
      for (int x = tile.left; x < tile.right; ++x)
        for (const std::uint8_t value : colour) *pixel++ = value;
    }
  }

  void paint_texts(const Tile& tile) {
    const Image texts = draw_texts(tile.width(), tile.height(), random_);
    for (int y = tile.top; y < tile.bottom; ++y)
      std::copy_n(texts.data() + (y - tile.top) * texts.stride_bytes(), 3 * tile.width(),
                  sample_.pixels.data() + 3 * (static_cast<std::ptrdiff_t>(y) * sample_.side + tile.left));
  }

  std::optional<Box> free_piece(const Scene& scene) {
    for (int attempt = 0; attempt < 12; ++attempt) {
      const auto width = static_cast<float>(scene.pixels.width),
                 height = static_cast<float>(scene.pixels.height);
      const float side = static_cast<float>(random_.uniform(0.12, 0.5)) * std::min(width, height);
      const Box piece = {static_cast<float>(random_.uniform()) * (width - side),
                         static_cast<float>(random_.uniform()) * (height - side), side, side};
      const auto touches = [&](const Box& box) { return area(intersection(piece, grown(box, 1.5F))) > 0; };
      if (std::ranges::none_of(scene.landmarks, [&](const auto& f) { return touches(face_box(f)); }) &&
          std::ranges::none_of(scene.boxes, touches) && std::ranges::none_of(scene.ignored, touches))
        return piece;
    }
    return std::nullopt;
  }

  // A patch over up to half of one side of the face, of a colour or of what is seen elsewhere without a face.
  void occlude(const Box& face) {
    const auto part = [&](double low, double high) { return static_cast<float>(random_.uniform(low, high)); };
    const float width = face.width * part(0.2, 0.6), height = face.height * part(0.15, 0.5);
    const float x = face.x + face.width * part(-0.1, 1.1) - width / 2;
    const float y = face.y + face.height * part(-0.1, 1.1) - height / 2;
    const auto inside = [&](float value) { return std::clamp(static_cast<int>(value), 0, sample_.side); };
    const Tile patch = {inside(x), inside(y), inside(x + width), inside(y + height)};
    if (patch.width() > 1 && patch.height() > 1) paint_background(patch);
  }

  void degrade() {
    if (random_.chance(augment_.low_resolution)) lower_resolution();
    if (random_.chance(augment_.blur)) blur();
    if (random_.chance(augment_.noise)) add_noise();
    if (random_.chance(augment_.jpeg)) code_jpeg();
  }

  // As a small picture looks that was enlarged. Faces that had too few pixels are not asked for.
  void lower_resolution() {
    const double factor = random_.uniform(1.4, 4);
    DetectorSample small;
    small.side = static_cast<int>(sample_.side / factor);
    small.pixels.resize(3 * static_cast<std::size_t>(small.side) * small.side);
    redraw(sample_, small);
    redraw(small, sample_);
    std::erase_if(sample_.faces, [&](const SampleFace& face) {
      const bool too_small = larger_side(face.box) < factor * kFewestPx;
      if (too_small) sample_.ignored.push_back(grown(face.box, 1.2F));
      return too_small;
    });
  }

  static void redraw(const DetectorSample& from, DetectorSample& to) {
    const double scale = static_cast<double>(from.side) / to.side, shift = (scale - 1) / 2;
    const ImageView picture = {from.pixels.data(), from.side, from.side,
                               3 * static_cast<std::ptrdiff_t>(from.side), PixelFormat::bgr8};
    Painter(to, picture, {scale, 0, shift, 0, scale, shift}, unchanged_colours())
        .paint({0, 0, to.side, to.side});
  }

  // Box of three pixels along rows and columns, once or twice.
  void blur() {
    const int times = 1 + static_cast<int>(random_.below(2));
    for (int i = 0; i < times; ++i) {
      blur_along(3, 3 * static_cast<std::ptrdiff_t>(sample_.side));
      blur_along(3 * static_cast<std::ptrdiff_t>(sample_.side), 3);
    }
  }

  void blur_along(std::ptrdiff_t step, std::ptrdiff_t other) {
    const std::vector<std::uint8_t> before = sample_.pixels;
    for (int line = 0; line < sample_.side; ++line)
      for (int i = 1; i + 1 < sample_.side; ++i)
        for (int c = 0; c < 3; ++c) {
          const std::ptrdiff_t at = line * other + i * step + c;
          const auto v = [&](std::ptrdiff_t k) { return int{before[static_cast<std::size_t>(k)]}; };
          sample_.pixels[static_cast<std::size_t>(at)] =
              static_cast<std::uint8_t>((v(at - step) + 2 * v(at) + v(at + step) + 2) / 4);
        }
  }

  void add_noise() {
    const double strength = 255 * random_.uniform(0.005, 0.06);
    const std::span<const float> table = noise_table();
    std::size_t at = random_.below(table.size());
    for (std::uint8_t& value : sample_.pixels) {
      const double noisy = value + strength * table[at];
      value = static_cast<std::uint8_t>(std::clamp(noisy + 0.5, 0.0, 255.0));
      if (++at == table.size()) at = 0;
    }
  }

  void code_jpeg() {
    const int quality = 20 + static_cast<int>(random_.below(70));
    const auto pixels = static_cast<std::size_t>(sample_.side) * sample_.side;
    std::vector<float> planes(3 * pixels);
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        planes[c * pixels + i] = static_cast<float>(sample_.pixels[3 * i + c]) / 255;
    train::code_jpeg(sample_.side, quality, planes.data());
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        sample_.pixels[3 * i + c] =
            static_cast<std::uint8_t>(255 * std::clamp(planes[c * pixels + i], 0.0F, 1.0F) + 0.5F);
  }

  const SceneSources& scenes_;
  const DetectorAugment& augment_;
  DetectorSample& sample_;
  Random random_;
};

}  // namespace

SceneSources::SceneSources(std::vector<SceneDataset> files, std::vector<double> shares)
    : files_(std::move(files)), shares_(std::move(shares)) {
  const double sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  for (double& share : shares_) share /= sum;
  for (const SceneDataset& scenes : files_) {
    std::vector<double>& sums = up_to_.emplace_back();
    for (std::int64_t i = 0; i < scenes.size(); ++i) {
      const Scene scene = scenes.scene(i);
      const auto faces = static_cast<double>(scene.landmarks.size() + scene.boxes.size());
      sums.push_back((sums.empty() ? 0 : sums.back()) + std::sqrt(std::max(1.0, faces)));
    }
  }
}

Scene SceneSources::any(Random& random) const {
  double at = random.uniform();
  std::size_t file = 0;
  while (file + 1 < files_.size() && at >= shares_[file]) at -= shares_[file++];
  const std::vector<double>& sums = up_to_[file];
  const auto at_scene = std::ranges::upper_bound(sums, random.uniform() * sums.back());
  const std::ptrdiff_t scene = std::min<std::ptrdiff_t>(at_scene - sums.begin(), files_[file].size() - 1);
  return files_[file].scene(scene);
}

DetectorSample make_detector_sample(const SceneSources& scenes, const DetectorAugment& augment, int side,
                                    std::uint64_t seed) {
  DetectorSample sample;
  sample.side = side;
  sample.pixels.resize(static_cast<std::size_t>(side) * side * 3);
  Composer(scenes, augment, sample, seed).compose();
  return sample;
}

std::array<Point, model::DetectorConfig::kPoints> five_points(const std::vector<Point>& landmarks) {
  const auto middle = [&](std::size_t begin, std::size_t end) {
    Point sum;
    for (std::size_t i = begin; i < end; ++i) {
      sum.x += landmarks[i].x;
      sum.y += landmarks[i].y;
    }
    const auto count = static_cast<float>(end - begin);
    return Point{sum.x / count, sum.y / count};
  };
  return {middle(36, 42), middle(42, 48), landmarks[30], landmarks[48], landmarks[54]};
}

}  // namespace spiga::train
