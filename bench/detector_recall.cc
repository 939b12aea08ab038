// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

// Detectors side by side on scenes: how many annotated faces they find, by head yaw and face size, with the
// pictures turned, what each effort costs, and a page of the boxes that meet no annotated face, to be judged
// by eye, since not every face need be annotated.
//   detector_recall --detectors builtin,dlib --report others.html scenes/valid.json
// Pictures are sought beside the annotations: a list of {"imgpath", "faces": [{"landmarks": [[x, y] x 68]}]};
// landmarks that were not annotated are null.
//
// On pictures of which every face is boxed ("boxes": [[x, y, width, height], ...], perhaps with "attributes"
// as scripts/fit_confidence.py reads them, instead of "faces") it also tells precision and average precision:
//   detector_recall --detectors builtin,builtin:new.safetensors --sheets /tmp/seen wider/valid.json
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "boxed_scores.h"
#include "charts/page.h"
#include "charts/svg.h"
#include "eval/head_pose_scores.h"
#include "geometry/affine.h"
#include "geometry/boxes.h"
#include "media/picture_reader.h"
#include "spiga/detector.h"
#include "vision/image_mat.h"

namespace {

using namespace spiga;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kFound = 0.5, kFoundLoosely = 0.4;  // IoU
constexpr double kFoundHead = 0.3;                   // boxes of heads, from forehead to chin, against ours
constexpr double kWantedPrecision = 0.97;
constexpr float kLowestScore = -1.6F;                // what the curve of precision by recall begins with
constexpr double kHeights[] = {0, 20, 40, 80, 1e9};  // pixels, of boxes of heads
constexpr double kYaws[] = {0, 20, 40, 180};
constexpr double kSides[] = {0, 64, 128, 256, 1e9};  // pixels

struct AnnotatedScene {
  fs::path path;
  std::vector<std::vector<Point>> faces;
  std::vector<double> yaws;  // absolute, degrees
};

struct Options {
  std::vector<std::string> detectors = {"builtin", "dlib"};
  std::vector<std::string> efforts = {"normal"};
  std::vector<double> turns = {0, 20, 45};  // degrees
  std::vector<fs::path> annotations;
  std::string report;
  std::size_t scenes_shown = 50;
  std::string sheets;
  float score = DetectorOptions{}.score_threshold;
};

double yaw_of(const std::vector<Point>& landmarks) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  annotations::AnnotatedFace face;
  face.ids = database.ids;
  for (const Point& p : landmarks) face.landmarks.push_back({p.x, p.y});
  const auto angles = eval::angles_from_landmarks(database, face);
  return angles ? std::abs((*angles)[0]) : 0;
}

Box box_from(const nlohmann::json& numbers) {
  return {numbers.at(0), numbers.at(1), numbers.at(2), numbers.at(3)};
}

bench::BoxedScene boxed_scene(const nlohmann::json& record, const fs::path& path) {
  bench::BoxedScene scene = {path.string(), {}, {}};
  const auto& boxes = record.at("boxes");
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    bench::BoxedFace face;
    face.box = box_from(boxes[i]);
    face.ignored = !(face.box.width > 0 && face.box.height > 0);
    if (record.contains("attributes")) {
      const auto& attributes = record["attributes"].at(i);
      face.blur = attributes.value("blur", 0);
      face.occlusion = attributes.value("occlusion", 0);
      face.pose = attributes.value("pose", 0);
      face.ignored = face.ignored || attributes.value("invalid", 0) != 0;
    }
    scene.faces.push_back(face);
  }
  if (record.contains("ignore"))
    for (const auto& box : record["ignore"]) scene.ignored.push_back(box_from(box));
  return scene;
}

struct Scenes {
  std::vector<AnnotatedScene> landmarks;
  std::vector<bench::BoxedScene> boxed;
};

Scenes read_scenes(const std::vector<fs::path>& files) {
  Scenes scenes;
  for (const fs::path& file : files) {
    for (const auto& record : nlohmann::json::parse(base::read_file(file))) {
      AnnotatedScene scene;
      scene.path = file.parent_path() / record.at("imgpath").get<std::string>();
      if (record.contains("boxes")) {
        scenes.boxed.push_back(boxed_scene(record, scene.path));
        continue;
      }
      for (const auto& face : record.at("faces")) {
        std::vector<Point> landmarks;
        bool complete = true;
        for (const auto& p : face.at("landmarks")) {
          complete = complete && !p.is_null();
          if (!p.is_null()) landmarks.push_back({p.at(0), p.at(1)});
        }
        scene.yaws.push_back(complete ? yaw_of(landmarks) : 90);  // what is not annotated is turned away
        scene.faces.push_back(std::move(landmarks));
      }
      scenes.landmarks.push_back(std::move(scene));
    }
  }
  return scenes;
}

// The picture turned about its centre, on a canvas that holds all of it, and the way there.
cv::Mat turned(const cv::Mat& picture, double angle_deg, geometry::Affine& turned_from_picture) {
  const double angle = angle_deg * CV_PI / 180, c = std::abs(std::cos(angle)), s = std::abs(std::sin(angle));
  const cv::Size size(static_cast<int>(picture.cols * c + picture.rows * s),
                      static_cast<int>(picture.cols * s + picture.rows * c));
  const Point centre = {static_cast<float>(picture.cols) / 2, static_cast<float>(picture.rows) / 2};
  const geometry::Affine moved = {1, 0, size.width / 2.0 - centre.x, 0, 1, size.height / 2.0 - centre.y};
  const geometry::Affine m = geometry::compose(moved, geometry::rotation_about(centre, angle_deg));
  turned_from_picture = m;
  cv::Mat result;
  cv::warpAffine(picture, result, cv::Matx23d(m.xx, m.xy, m.tx, m.yx, m.yy, m.ty), size, cv::INTER_LINEAR);
  return result;
}

// One face, and whether it was found.
struct Sighting {
  double yaw = 0, side = 0, overlap = 0;
};

// A box that meets no annotated face.
struct Other {
  fs::path path;
  std::size_t scene = 0;
  Detection detection;
};

struct Result {
  std::vector<Sighting> faces;
  std::vector<Other> others;
  double megapixels = 0, seconds = 0;

  double recall(double overlap) const {
    const auto found = std::ranges::count_if(faces, [&](const Sighting& s) { return s.overlap >= overlap; });
    return 100.0 * static_cast<double>(found) / static_cast<double>(std::max<std::size_t>(1, faces.size()));
  }
  // "found / all" of the faces whose value lies in [low, high).
  std::string found_in(double Sighting::*value, double low, double high) const {
    int all = 0, found = 0;
    for (const Sighting& s : faces) {
      if (s.*value < low || s.*value >= high) continue;
      ++all;
      found += s.overlap >= kFound;
    }
    return base::concat(found, " / ", all);
  }
};

void compare(const AnnotatedScene& scene, std::size_t index, const geometry::Affine& turned_from_picture,
             const std::vector<Detection>& detections, Result& result) {
  std::vector<bool> meets(detections.size());
  for (std::size_t f = 0; f < scene.faces.size(); ++f) {
    std::vector<Point> points;
    for (const Point& p : scene.faces[f]) points.push_back(turned_from_picture(p));
    const Box box = geometry::tight_box(points);
    Sighting sighting = {.yaw = scene.yaws[f], .side = std::max(box.width, box.height)};
    for (std::size_t d = 0; d < detections.size(); ++d) {
      const double overlap = geometry::intersection_over_union(detections[d].box, box);
      sighting.overlap = std::max(sighting.overlap, overlap);
      if (overlap >= kFoundLoosely) meets[d] = true;
    }
    result.faces.push_back(sighting);
  }
  for (std::size_t d = 0; d < detections.size(); ++d)
    if (!meets[d]) result.others.push_back({scene.path, index, detections[d]});
}

Result measure(Detector& detector, const std::vector<AnnotatedScene>& scenes, double turn) {
  Result result;
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    const Image picture = media::read_picture(scenes[i].path);
    const cv::Mat pixels = vision::as_mat(picture.view());
    geometry::Affine there;
    const cv::Mat seen = turned(pixels, turn, there);
    const ImageView view = {seen.data, seen.cols, seen.rows, static_cast<std::ptrdiff_t>(seen.step),
                            PixelFormat::bgr8};
    const auto start = Clock::now();
    const std::vector<Detection> detections = detector.detect(view);
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    result.megapixels += 1e-6 * seen.cols * seen.rows;
    compare(scenes[i], i, there, detections, result);
  }
  return result;
}

DetectorEffort effort_of(const std::string& name) {
  return name == "fast"     ? DetectorEffort::fast
         : name == "normal" ? DetectorEffort::normal
                            : DetectorEffort::thorough;
}

std::unique_ptr<Detector> make(const std::string& name, const std::string& effort, float score) {
  return make_detector(name, {.effort = effort_of(effort), .score_threshold = score});
}

void print_line(const std::string& detector, const std::string& effort, double turn, const Result& r,
                std::size_t pictures) {
  std::printf("%-10s %-9s %4.0f %7zu %8.1f%% %8.1f%% %8zu %10.1f %8.1f\n", detector.c_str(), effort.c_str(),
              turn, r.faces.size(), r.recall(kFound), r.recall(kFoundLoosely), r.others.size(),
              1e3 * r.seconds / r.megapixels, 1e3 * r.seconds / static_cast<double>(pictures));
  std::fflush(stdout);
}

void print_groups(const std::map<std::string, Result>& upright) {
  const auto group = [&](const char* title, double Sighting::*value, auto& limits) {
    for (std::size_t i = 0; i + 1 < std::size(limits); ++i) {
      std::printf("%-8s %4.0f%s", title, limits[i],
                  limits[i + 1] > 1000 ? " and more " : base::concat(" to ", limits[i + 1], "   ").c_str());
      for (const auto& [name, result] : upright)
        std::printf("   %s %s", name.c_str(), result.found_in(value, limits[i], limits[i + 1]).c_str());
      std::printf("\n");
    }
  };
  std::printf("\nfound at IoU %.1f, pictures upright\n", kFound);
  group("yaw", &Sighting::yaw, kYaws);
  group("side px", &Sighting::side, kSides);
}

// Milliseconds of processor time of one look at pictures of 640 x 480, which the first scenes are scaled to.
void print_speed(const Options& options, const std::vector<AnnotatedScene>& scenes) {
  constexpr std::size_t kPictures = 60;
  std::vector<cv::Mat> pictures;
  for (const AnnotatedScene& scene : scenes) {
    if (pictures.size() == kPictures) break;
    const Image picture = media::read_picture(scene.path);
    cv::resize(vision::as_mat(picture.view()), pictures.emplace_back(), {640, 480}, 0, 0, cv::INTER_AREA);
  }
  std::printf("\nprocessor time for 640 x 480, %zu pictures: median, mean, most\n", pictures.size());
  for (const std::string& name : options.detectors)
    for (const std::string& effort : options.efforts) {
      const auto detector = make(name, effort, options.score);
      std::vector<double> times;
      for (int round = 0; round < 2; ++round) {
        times.clear();
        for (const cv::Mat& picture : pictures) {
          const std::clock_t start = std::clock();
          detector->detect({picture.data, picture.cols, picture.rows,
                            static_cast<std::ptrdiff_t>(picture.step), PixelFormat::bgr8});
          times.push_back(1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
        }
      }
      double sum = 0;
      for (const double time : times) sum += time;
      std::ranges::sort(times);
      std::printf("%-10s %-9s %8.2f %8.2f %8.2f ms\n", name.c_str(), effort.c_str(), times[times.size() / 2],
                  sum / static_cast<double>(times.size()), times.back());
    }
}

std::string figure_of(const Other& other) {
  constexpr int kSide = 160;
  const Image picture = media::read_picture(other.path);
  const cv::Mat pixels = vision::as_mat(picture.view());
  const geometry::Affine crop_from_picture = geometry::crop_from_image(other.detection.box, kSide, 2.2);
  const auto& m = crop_from_picture;
  cv::Mat crop;
  cv::warpAffine(pixels, crop, cv::Matx23d(m.xx, m.xy, m.tx, m.yx, m.yy, m.ty), {kSide, kSide},
                 cv::INTER_AREA);
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", crop, bytes, {cv::IMWRITE_JPEG_QUALITY, 80});
  const Box& box = other.detection.box;
  const Point a = crop_from_picture({box.x, box.y}),
              b = crop_from_picture({box.x + box.width, box.y + box.height});
  charts::Svg svg(kSide, kSide, "a box that meets no annotated face");
  svg.image(0, 0, kSide, kSide, "image/jpeg", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  svg.rect(a.x, a.y, double{b.x} - a.x, double{b.y} - a.y,
           R"(fill="none" stroke="#ffb000" stroke-width="2")");
  return base::concat("<figure>", std::move(svg).finish(), "<figcaption>",
                      charts::fixed(other.detection.score, 2), ", ",
                      charts::fixed(std::max(box.width, box.height), 0), " px, ",
                      charts::escape(other.path.filename().string()), "</figcaption></figure>\n");
}

// Other boxes, surest first, of evenly spread scenes.
void write_report(const Options& options, const std::map<std::string, Result>& upright, std::size_t scenes) {
  std::string page;
  const std::size_t shown = std::min(options.scenes_shown, scenes);
  for (const auto& [name, result] : upright) {
    std::vector<Other> others;
    for (const Other& other : result.others)
      if (other.scene * shown / scenes != (other.scene + 1) * shown / scenes) others.push_back(other);
    std::ranges::stable_sort(others, std::greater<>(), [](const Other& o) { return o.detection.score; });
    page += base::concat("<h2>", charts::escape(name), "</h2>\n<p class=\"lead\">", others.size(), " on ",
                         shown, " of ", scenes,
                         " scenes, surest first. Not every face is annotated: look which are none.",
                         "</p>\n<div class=\"faces\">\n");
    for (const Other& other : others) page += figure_of(other);
    page += "</div>\n";
  }
  base::write_file(options.report, charts::html_page("Boxes that meet no annotated face", page));
}

// Detectors on pictures of which every face is boxed.
struct BoxedRun {
  std::string name;
  bench::BoxedTally tally{kFoundHead};
};

BoxedRun measure_boxed(const std::string& name, const std::string& effort,
                       const std::vector<bench::BoxedScene>& scenes) {
  BoxedRun result = {name + " " + effort};
  const auto detector = make(name, effort, kLowestScore);
  for (std::size_t i = 0; i < scenes.size(); ++i)
    result.tally.add(scenes[i], i, detector->detect(media::read_picture(scenes[i].path).view()));
  return result;
}

template <typename Belongs>
void print_part(const std::vector<BoxedRun>& runs, float score, const std::string& part, Belongs&& belongs) {
  std::printf("%-18s", part.c_str());
  for (const BoxedRun& one : runs) {
    const auto [found, all] = one.tally.found_of(score, belongs);
    std::printf("   %9s %5.1f%%", base::concat(found, " / ", all).c_str(), 100.0 * found / std::max(1, all));
  }
  std::printf("\n");
}

void print_parts(const std::vector<BoxedRun>& runs, float score) {
  using bench::BoxedFace;
  std::printf("\nfound at IoU %.1f with the default score, a column each as above\n", kFoundHead);
  for (std::size_t i = 0; i + 1 < std::size(kHeights); ++i)
    print_part(
        runs, score,
        base::concat("height ", kHeights[i],
                     i + 2 < std::size(kHeights) ? base::concat(" to ", kHeights[i + 1]) : " and more"),
        [i](const BoxedFace& f) { return f.box.height >= kHeights[i] && f.box.height < kHeights[i + 1]; });
  const auto attribute = [&](const char* title, int BoxedFace::*value, int values) {
    for (int v = 0; v < values; ++v)
      print_part(runs, score, base::concat(title, ' ', v), [&](const BoxedFace& f) { return f.*value == v; });
  };
  attribute("blur", &BoxedFace::blur, 3);
  attribute("occlusion", &BoxedFace::occlusion, 3);
  attribute("odd pose", &BoxedFace::pose, 2);
  print_part(runs, score, "clean, over 40", [](const BoxedFace& f) {
    return f.box.height >= 40 && f.blur == 0 && f.occlusion == 0 && f.pose == 0;
  });
}

// Crops around boxes as one picture, ten a row.
void write_sheet(const std::string& path, const std::vector<std::pair<std::string, Box>>& boxes) {
  constexpr int kSide = 128, kColumns = 10, kMost = 60;
  const int count = std::min(kMost, static_cast<int>(boxes.size()));
  if (count == 0) return;
  cv::Mat sheet((count + kColumns - 1) / kColumns * kSide, kColumns * kSide, CV_8UC3, cv::Scalar::all(0));
  for (int i = 0; i < count; ++i) {
    // Evenly spread over all of them.
    const auto& [picture_path, box] =
        boxes[static_cast<std::size_t>(i) * boxes.size() / static_cast<std::size_t>(count)];
    const Image picture = media::read_picture(picture_path);
    const geometry::Affine m = geometry::crop_from_image(box, kSide, 2.2);
    cv::Mat crop = sheet({i % kColumns * kSide, i / kColumns * kSide, kSide, kSide});
    cv::warpAffine(vision::as_mat(picture.view()), crop, cv::Matx23d(m.xx, m.xy, m.tx, m.yx, m.yy, m.ty),
                   crop.size(), cv::INTER_AREA);
    const Point a = m({box.x, box.y}), b = m({box.x + box.width, box.y + box.height});
    cv::rectangle(crop, cv::Point2f(a.x, a.y), cv::Point2f(b.x, b.y), {0, 176, 255}, 1);
  }
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", sheet, bytes);
  base::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// What was missed and what is no face, at the score.
void write_sheets(const std::string& prefix, const BoxedRun& one, float score,
                  const std::vector<bench::BoxedScene>& scenes) {
  std::vector<std::pair<std::string, Box>> missed, others;
  for (const auto& face : one.tally.all_faces())
    if (face.score < score) missed.emplace_back(scenes[face.scene].path, face.face.box);
  for (const bench::Judged& find : one.tally.judged())
    if (find.face < 0 && find.detection.score >= score)
      others.emplace_back(scenes[find.scene].path, find.detection.box);
  write_sheet(prefix + "-missed.png", missed);
  write_sheet(prefix + "-others.png", others);
}

void compare_boxed(const Options& options, const std::vector<bench::BoxedScene>& scenes) {
  std::vector<BoxedRun> runs;
  std::printf(
      "%zu pictures of which every face is boxed, IoU %.1f, score %.2f\n%7s %8s %10s %7s %7s %7s %10s %19s   "
      "%s\n",
      scenes.size(), kFoundHead, options.score, "faces", "recall", "precision", "others", "AP", "F1",
      "best F1 at", "recall at 97% (at)", "detector");
  for (const std::string& name : options.detectors)
    for (const std::string& effort : options.efforts) {
      const BoxedRun& one = runs.emplace_back(measure_boxed(name, effort, scenes));
      const auto rates = one.tally.rates(options.score);
      const auto [recall, at] = one.tally.recall_at(kWantedPrecision);
      std::printf("%7zu %7.1f%% %9.1f%% %7zu %6.1f%% %6.1f%% %10.2f %10.1f%% (%5.2f)   %s\n",
                  one.tally.faces(), 100 * rates.recall, 100 * rates.precision, rates.others,
                  100 * one.tally.average_precision(),
                  200 * rates.recall * rates.precision / std::max(1e-9, rates.recall + rates.precision),
                  one.tally.best_score(), 100 * recall, at, one.name.c_str());
      std::fflush(stdout);
      if (!options.sheets.empty())
        write_sheets(base::concat(options.sheets, '-', runs.size()), one, options.score, scenes);
    }
  print_parts(runs, options.score);
}

int run(const Options& options) {
  const Scenes all = read_scenes(options.annotations);
  if (!all.boxed.empty()) compare_boxed(options, all.boxed);
  const std::vector<AnnotatedScene>& scenes = all.landmarks;
  if (scenes.empty()) return 0;
  std::printf("%-10s %-9s %4s %7s %9s %9s %8s %10s %8s\n", "detector", "effort", "turn", "faces", "IoU 0.5",
              "IoU 0.4", "others", "ms/Mpixel", "ms each");
  std::map<std::string, Result> upright;
  for (const std::string& name : options.detectors) {
    for (const std::string& effort : options.efforts) {
      const auto detector = make(name, effort, options.score);
      for (const double turn : options.turns) {
        Result result = measure(*detector, scenes, turn);
        print_line(name, effort, turn, result, scenes.size());
        if (turn == 0 && effort == options.efforts.front()) upright[name] = std::move(result);
      }
    }
  }
  print_groups(upright);
  print_speed(options, scenes);
  if (!options.report.empty()) write_report(options, upright, scenes.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App program("Detectors side by side on annotated scenes");
  program.add_option("ANNOTATIONS", options.annotations, "Lists of scenes with their faces")->required();
  program.add_option("--detectors", options.detectors, "Names as of spiga analyze --detector")
      ->delimiter(',')
      ->allow_extra_args(false);
  program.add_option("--efforts", options.efforts, "The first one is told by yaw and size, too")
      ->delimiter(',')
      ->allow_extra_args(false);
  program.add_option("--turns", options.turns, "Degrees by which pictures are turned")
      ->delimiter(',')
      ->allow_extra_args(false);
  program.add_option("--min-score", options.score, "As of spiga analyze")->capture_default_str();
  program.add_option("--report", options.report, "Page with the boxes that meet no annotated face");
  program.add_option("--scenes", options.scenes_shown, "Scenes on that page")->capture_default_str();
  program.add_option("--sheets", options.sheets,
                     "Boxed pictures: missed faces and boxes that are none, as PREFIX-1-missed.png, ...");
  CLI11_PARSE(program, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "detector_recall: %s\n", error.what());
    return 1;
  }
}
