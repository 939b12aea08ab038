// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/degradation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/text.h"
#include "spiga/error.h"

namespace spiga::eval {
namespace {

using annotations::AnnotatedFace;
using annotations::Coordinate;
using annotations::FaceList;
using annotations::Rect;
using base::concat;

// A patch holds the network's crop (1.6 box sides) with what blur brings in from beyond; a turned face's box
// may be larger and lie off the middle.
constexpr int kPatchPx = 2 * kDegradedFacePx;
constexpr int kTurnedPatchPx = 3 * kDegradedFacePx;
constexpr double kDarkNoise = 2;  // grey levels
constexpr double kGamma = 2.2;
constexpr std::size_t kMostStrengths = 32;

struct Known {
  const char* name;
  const char* unit;
  std::vector<double> strengths;
  double least, most;  // strengths that make sense
};

const std::vector<Known>& known_degradations() {
  static const std::vector<Known> known = {
      {"blur", "standard deviation, % of the box", {0.5, 1, 2, 3, 4}, 0.01, 50},
      {"motion", "length, % of the box", {4, 8, 12, 18, 24}, 0.01, 100},
      {"noise", "standard deviation, grey levels", {8, 16, 32, 48, 64}, 0.01, 255},
      {"darkness", "stops", {1, 2, 3, 4, 5}, 0.01, 8},
      {"jpeg", "quality", {40, 20, 10, 5, 2}, 1, 100},
      {"size", "box side, pixels", {64, 48, 32, 24, 16}, 2, kDegradedFacePx},
      {"roll", "degrees", {30, 60, 90, 135, 180}, -180, 180},
      {"occlusion", "% of the box", {10, 20, 30, 40, 50}, 0.01, 100},
  };
  return known;
}

const Known& find_known(std::string_view name) {
  for (const Known& known : known_degradations()) {
    if (name == known.name) return known;
  }
  throw Error(ErrorCode::invalid_argument, concat("degrade: expected all, ", base::join(degradation_names()),
                                                  ", found '", std::string(name), "'"));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

double parse_strength(std::string_view text, const Known& known) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc() && end == text.data() + text.size() && value >= known.least &&
      value <= known.most)
    return value;
  throw Error(ErrorCode::invalid_argument,
              concat("degrade: ", known.name, ": expected strengths from ", known.least, " to ", known.most,
                     " (", known.unit, "), found '", std::string(text), "'"));
}

Degradation parse_one(std::string_view text) {
  const std::size_t equals = text.find('=');
  const Known& known = find_known(text.substr(0, equals));
  Degradation result{known.name, known.unit, known.strengths};
  if (equals == std::string_view::npos) return result;
  result.strengths.clear();
  for (const std::string_view strength : split(text.substr(equals + 1), ':'))
    result.strengths.push_back(parse_strength(strength, known));
  if (result.strengths.size() <= kMostStrengths) return result;
  throw Error(ErrorCode::invalid_argument,
              concat("degrade: ", known.name, ": expected at most ", kMostStrengths, " strengths, found ",
                     result.strengths.size()));
}

cv::Mat pixels_of(const ImageView& picture) {
  const cv::Mat pixels(picture.height, picture.width, CV_MAKETYPE(CV_8U, channels_of(picture.format)),
                       const_cast<std::uint8_t*>(picture.data),
                       static_cast<std::size_t>(picture.stride_bytes));
  return pixels;
}

cv::Mat pixels_of(Image& picture) {
  return cv::Mat(picture.height(), picture.width(), CV_8UC3, picture.data());
}

void make_bgr(PixelFormat format, cv::Mat& pixels) {
  if (format == PixelFormat::rgb8) cv::cvtColor(pixels, pixels, cv::COLOR_RGB2BGR);
  if (format == PixelFormat::bgra8) cv::cvtColor(pixels, pixels, cv::COLOR_BGRA2BGR);
  if (format == PixelFormat::rgba8) cv::cvtColor(pixels, pixels, cv::COLOR_RGBA2BGR);
  if (format == PixelFormat::gray8) cv::cvtColor(pixels, pixels, cv::COLOR_GRAY2BGR);
}

// The part of the picture that a patch shows, and how its pixels lie in the picture:
// picture = scale * part + offset on each axis (pixel indices).
struct Part {
  cv::Mat pixels;  // B G R; empty where the patch lies outside the picture
  double scale_x = 1, offset_x = 0;
  double scale_y = 1, offset_y = 0;
};

// Shrunk by the mean of the covered area where the patch shrinks by more than two, so that what is sampled
// between pixels afterwards does not alias.
Part part_around(const ImageView& picture, const Coordinate& centre, double reach, double patch_scale) {
  const auto low = [&](double middle) { return std::max(0.0, std::floor(middle - reach)); };
  const auto high = [&](double middle, int end) {
    return std::min(static_cast<double>(end), std::ceil(middle + reach));
  };
  const double left = low(centre.x), right = high(centre.x, picture.width);
  const double top = low(centre.y), bottom = high(centre.y, picture.height);
  Part part;
  if (right <= left || bottom <= top) return part;
  const cv::Rect region(static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left),
                        static_cast<int>(bottom - top));
  part.pixels = pixels_of(picture)(region).clone();
  make_bgr(picture.format, part.pixels);
  const double shrink = std::max(1.0, std::floor(1 / patch_scale));
  if (shrink > 1) {
    const cv::Size size(std::max(1, static_cast<int>(std::lround(region.width / shrink))),
                        std::max(1, static_cast<int>(std::lround(region.height / shrink))));
    part.scale_x = static_cast<double>(region.width) / size.width;
    part.scale_y = static_cast<double>(region.height) / size.height;
    cv::Mat small;
    cv::resize(part.pixels, small, size, 0, 0, cv::INTER_AREA);
    part.pixels = small;
  }
  part.offset_x = left + (part.scale_x - 1) / 2;
  part.offset_y = top + (part.scale_y - 1) / 2;
  return part;
}

// A straight line of this length through the kernel's middle, summing to one.
cv::Mat line_kernel(double length, double angle) {
  const int reach = static_cast<int>(std::ceil(length / 2)) + 1;
  cv::Mat kernel = cv::Mat::zeros(2 * reach + 1, 2 * reach + 1, CV_32F);
  const int steps = std::max(2, static_cast<int>(4 * length));
  for (int i = 0; i < steps; ++i) {
    const double along = length * ((i + 0.5) / steps - 0.5);
    const double x = reach + along * std::cos(angle), y = reach + along * std::sin(angle);
    const int column = static_cast<int>(x), row = static_cast<int>(y);
    const double right = x - column, below = y - row;
    kernel.at<float>(row, column) += static_cast<float>((1 - right) * (1 - below));
    kernel.at<float>(row, column + 1) += static_cast<float>(right * (1 - below));
    kernel.at<float>(row + 1, column) += static_cast<float>((1 - right) * below);
    kernel.at<float>(row + 1, column + 1) += static_cast<float>(right * below);
  }
  kernel /= cv::sum(kernel)[0];
  return kernel;
}

void add_noise(double deviation, cv::RNG& random, cv::Mat& pixels) {
  cv::Mat noise(pixels.size(), CV_16SC3), sum;
  random.fill(noise, cv::RNG::NORMAL, 0, deviation);
  cv::add(pixels, noise, sum, cv::noArray(), CV_8U);
  sum.copyTo(pixels);
}

void darken(double stops, cv::RNG& random, cv::Mat& pixels) {
  pixels.convertTo(pixels, CV_8U, std::pow(2.0, -stops / kGamma));
  add_noise(kDarkNoise, random, pixels);
}

void compress(int quality, cv::Mat& pixels) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", pixels, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  cv::imdecode(bytes, cv::IMREAD_COLOR).copyTo(pixels);
}

void lose_resolution(double side, cv::Mat& pixels) {
  const int size = std::max(1, static_cast<int>(std::lround(pixels.cols * side / kDegradedFacePx)));
  cv::Mat small;
  cv::resize(pixels, small, {size, size}, 0, 0, cv::INTER_AREA);
  cv::resize(small, pixels, pixels.size(), 0, 0, cv::INTER_LINEAR);
}

// A turned rectangle of one colour, its middle within the box, its sides between 1 : 2 and 2 : 1.
void cover(double per_cent, const Rect& box, cv::RNG& random, cv::Mat& pixels) {
  const double area = per_cent / 100 * box.width * box.height;
  const double aspect = std::pow(2.0, random.uniform(-1.0, 1.0));
  const double width = std::sqrt(area * aspect), height = std::sqrt(area / aspect);
  const auto along = [&](double begin, double length, double covered) {
    const double slack = std::max(0.0, length - covered) / 2;
    return begin + length / 2 + random.uniform(-1.0, 1.0) * slack;
  };
  const double x = along(box.x, box.width, width), y = along(box.y, box.height, height);
  const cv::RotatedRect patch(cv::Point2f(static_cast<float>(x), static_cast<float>(y)),
                              cv::Size2f(static_cast<float>(width), static_cast<float>(height)),
                              static_cast<float>(random.uniform(-30.0, 30.0)));
  cv::Point2f corners[4];
  patch.points(corners);
  std::vector<cv::Point> polygon;
  for (const cv::Point2f& corner : corners) polygon.emplace_back(cvRound(corner.x), cvRound(corner.y));
  const cv::Scalar colour(random.uniform(0, 256), random.uniform(0, 256), random.uniform(0, 256));
  cv::fillConvexPoly(pixels, polygon, colour, cv::LINE_AA);
}

// Every face under every degradation, in batches; predictions are kept per degradation and strength.
class DegradedRun {
 public:
  DegradedRun(const FaceList& truth, const std::vector<Degradation>& degradations,
              const PredictionSources& sources)
      : truth_(truth), sources_(sources) {
    for (std::size_t i = 0; i < truth.faces.size(); ++i) faces_of_[truth.faces[i].image].push_back(i);
    add_variant("", 0, 0);
    for (std::size_t d = 0; d < degradations.size(); ++d) {
      for (const double strength : degradations[d].strengths)
        add_variant(degradations[d].name, strength, d + 1);
    }
  }

  void run() {
    for (const auto& [image, faces] : faces_of_) {
      const Image picture = sources_.read_picture(image);
      for (const std::size_t face : faces) add_face(picture, face);
    }
    locate_pending();
  }

  Evaluation evaluate_next(const scheme::Database& database, const EvaluationOptions& options) {
    const Variant& variant = variants_[next_++];
    return evaluate(database, variant.truth, variant.predictions, options);
  }

 private:
  struct Variant {
    std::string name;  // empty: not degraded
    double strength;
    std::uint64_t seed;
    FaceList truth, predictions;
  };
  struct Pending {
    std::size_t variant, face;
    FacePatch patch;
  };

  void add_variant(const std::string& name, double strength, std::uint64_t seed) {
    Variant& variant = variants_.emplace_back(Variant{name, strength, seed, truth_, {}});
    variant.truth.subsets.clear();
    variant.predictions.source = truth_.source;
    variant.predictions.faces.resize(truth_.faces.size());
  }

  void add_face(const Image& picture, std::size_t face) {
    const AnnotatedFace& annotated = truth_.faces[face];
    if (annotated.landmarks.empty()) {
      throw Error(ErrorCode::bad_data, concat(truth_.source, ": face ", face, " (", annotated.image,
                                              "): expected landmarks, found none"));
    }
    const FacePatch upright = cut_patch(picture.view(), annotated);
    for (std::size_t v = 0; v < variants_.size(); ++v) {
      const Variant& variant = variants_[v];
      Pending& pending = pending_.emplace_back(Pending{v, face, {}});
      if (variant.name == "roll") {  // every other face to the other side
        pending.patch =
            cut_patch(picture.view(), annotated, face % 2 == 0 ? variant.strength : -variant.strength);
      } else {
        pending.patch = upright;
        if (!variant.name.empty())
          degrade(variant.name, variant.strength, 1000 * face + variant.seed, pending.patch);
      }
      if (pending_.size() >= sources_.batch) locate_pending();
    }
  }

  void locate_pending() {
    std::vector<FaceRequest> requests;
    for (const Pending& pending : pending_) {
      const Rect& box = *pending.patch.face.box;
      requests.push_back({pending.patch.picture.view(),
                          {static_cast<float>(box.x), static_cast<float>(box.y),
                           static_cast<float>(box.width), static_cast<float>(box.height)}});
    }
    const std::vector<Face> located =
        requests.empty() ? std::vector<Face>() : sources_.locate(std::span<const FaceRequest>(requests));
    for (std::size_t i = 0; i < located.size(); ++i) {
      Variant& variant = variants_[pending_[i].variant];
      const std::size_t face = pending_[i].face;
      variant.truth.faces[face] = std::move(pending_[i].patch.face);
      variant.predictions.faces[face] =
          to_annotated(truth_.faces[face].image, located[i], sources_.landmark_ids);
    }
    done_ += pending_.size();
    pending_.clear();
    if (sources_.on_progress) sources_.on_progress(done_);
  }

  const FaceList& truth_;
  const PredictionSources& sources_;
  std::map<std::string, std::vector<std::size_t>> faces_of_;
  std::vector<Variant> variants_;
  std::vector<Pending> pending_;
  std::size_t done_ = 0;
  std::size_t next_ = 0;
};

DegradedScores scores_of(double strength, const Evaluation& evaluation) {
  const SetScores& whole = evaluation.whole;
  return {strength, whole.nme.mean, whole.point_error, whole.exact.failure_rate};
}

}  // namespace

std::vector<std::string> degradation_names() {
  std::vector<std::string> names;
  for (const Known& known : known_degradations()) names.emplace_back(known.name);
  return names;
}

std::vector<Degradation> parse_degradations(std::string_view text) {
  std::vector<Degradation> result;
  if (text == "all") {
    for (const Known& known : known_degradations())
      result.push_back({known.name, known.unit, known.strengths});
    return result;
  }
  for (const std::string_view part : split(text, ',')) {
    Degradation one = parse_one(part);
    for (const Degradation& other : result) {
      if (other.name == one.name)
        throw Error(ErrorCode::invalid_argument, concat("degrade: '", one.name, "' is named twice"));
    }
    result.push_back(std::move(one));
  }
  return result;
}

FacePatch cut_patch(const ImageView& picture, const AnnotatedFace& face, double roll_deg) {
  const Rect box = annotations::tight_box(face.landmarks);
  const double side = std::max(box.width, box.height);
  if (!(side > 0)) {
    throw Error(ErrorCode::bad_data, concat(face.image, ": expected landmarks in more than one place"));
  }
  const double scale = kDegradedFacePx / side;
  const int size = roll_deg == 0 ? kPatchPx : kTurnedPatchPx;
  const Coordinate centre = {box.x + box.width / 2, box.y + box.height / 2};
  const double middle = (size - 1) / 2.0;
  const double angle = roll_deg * std::numbers::pi / 180;
  const double c = scale * std::cos(angle), s = scale * std::sin(angle);
  // Patch from picture: scaled and turned about the box's centre, which goes to the patch's middle.
  const auto place = [&](const Coordinate& p) {
    const double x = p.x - centre.x, y = p.y - centre.y;
    return Coordinate{c * x - s * y + middle, s * x + c * y + middle};
  };
  FacePatch patch{Image(size, size, PixelFormat::bgr8), face};
  const Part part = part_around(picture, centre, size / scale * std::numbers::sqrt2 / 2 + 2, scale);
  cv::Mat pixels = pixels_of(patch.picture);
  pixels = cv::Scalar::all(0);
  if (!part.pixels.empty()) {
    const Coordinate origin = place({part.offset_x, part.offset_y});
    const cv::Matx23d patch_from_part(c * part.scale_x, -s * part.scale_y, origin.x,  //
                                      s * part.scale_x, c * part.scale_y, origin.y);
    cv::warpAffine(part.pixels, pixels, patch_from_part, pixels.size(), cv::INTER_LINEAR,
                   cv::BORDER_CONSTANT);
  }
  for (Coordinate& landmark : patch.face.landmarks) landmark = place(landmark);
  patch.face.box = annotations::tight_box(patch.face.landmarks);
  if (patch.face.headpose && roll_deg != 0) patch.face.headpose.reset();
  return patch;
}

void degrade(std::string_view name, double strength, std::uint64_t seed, FacePatch& patch) {
  cv::Mat pixels = pixels_of(patch.picture);
  cv::RNG random(seed * 2654435761u + 1);
  for (int i = 0; i < 4; ++i) random.next();  // neighbouring seeds give similar first numbers
  const double box_share = strength / 100 * kDegradedFacePx;
  if (name == "blur") {
    cv::GaussianBlur(pixels, pixels, {}, box_share);
  } else if (name == "motion") {
    cv::filter2D(pixels, pixels, -1, line_kernel(box_share, random.uniform(0.0, std::numbers::pi)));
  } else if (name == "noise") {
    add_noise(strength, random, pixels);
  } else if (name == "darkness") {
    darken(strength, random, pixels);
  } else if (name == "jpeg") {
    compress(static_cast<int>(std::lround(strength)), pixels);
  } else if (name == "size") {
    lose_resolution(strength, pixels);
  } else if (name == "occlusion") {
    cover(strength, *patch.face.box, random, pixels);
  } else {
    find_known(name);
  }
}

std::size_t degraded_face_count(const FaceList& truth, const std::vector<Degradation>& degradations) {
  std::size_t variants = 1;
  for (const Degradation& degradation : degradations) variants += degradation.strengths.size();
  return variants * truth.faces.size();
}

DegradationScores score_degradations(const scheme::Database& database, const FaceList& truth,
                                     const std::vector<Degradation>& degradations,
                                     const PredictionSources& sources, const EvaluationOptions& options) {
  DegradedRun run(truth, degradations, sources);
  run.run();
  DegradationScores result;
  result.faces = truth.faces.size();
  result.clean = scores_of(0, run.evaluate_next(database, options));
  for (const Degradation& degradation : degradations) {
    DegradationCurve& curve = result.curves.emplace_back(DegradationCurve{degradation, {}});
    for (const double strength : degradation.strengths)
      curve.scores.push_back(scores_of(strength, run.evaluate_next(database, options)));
  }
  return result;
}

}  // namespace spiga::eval
