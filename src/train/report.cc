// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/report.h"

#include <spawn.h>
#include <sys/wait.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>

#include "base/file.h"
#include "base/text.h"
#include "charts/face_drawing.h"
#include "charts/page.h"
#include "charts/page_style.h"
#include "charts/plot.h"
#include "charts/svg.h"
#include "model/tensors.h"
#include "scheme/scheme.h"
#include "train/augment.h"

extern char** environ;

namespace spiga::train {
namespace {

using base::concat;
using charts::Coordinate;
using charts::fixed;
using charts::number;

constexpr double kWide = 540, kHigh = 300;
constexpr std::size_t kPlaces = 300;  // that a curve is drawn with, at most
constexpr std::size_t kWorstFaces = 18;
constexpr int kFacePixels = 160;

struct Curve {
  std::string name;
  std::vector<Coordinate> points;  // thousands of faces seen, value
  bool dashed = false;
};

std::int64_t steps_of(const TrainConfig& config, std::size_t stage) {
  return stage < config.stages.size() ? std::max<std::int64_t>(1, config.stages[stage].faces / config.batch)
                                      : 0;
}

// Thousands of faces seen when `stage` begins.
double stage_begin(const TrainConfig& config, std::size_t stage) {
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < stage; ++i) steps += steps_of(config, i);
  return static_cast<double>(steps * config.batch) / 1000;
}

// Values of a column that are there, runs of neighbours averaged until few enough are left.
Curve curve_of(const TrainConfig& config, const TrainingLog& log, const std::string& column,
               const std::string& name, bool dashed = false) {
  Curve curve{name, {}, dashed};
  const auto stages = log.column("stage"), steps = log.column("step"), values = log.column(column);
  const std::size_t run = (log.rows() + kPlaces - 1) / kPlaces;
  Coordinate sum;
  std::size_t count = 0;
  for (std::size_t i = 0; i < log.rows(); ++i) {
    if (std::isfinite(values[i])) {
      sum.x += stage_begin(config, static_cast<std::size_t>(stages[i])) + steps[i] * config.batch / 1000;
      sum.y += values[i];
      ++count;
    }
    const bool stage_ends = i + 1 == log.rows() || stages[i + 1] != stages[i];
    if (count > 0 && (count == run || stage_ends)) {
      curve.points.push_back({sum.x / static_cast<double>(count), sum.y / static_cast<double>(count)});
      sum = {};
      count = 0;
    }
  }
  return curve;
}

// Ends of an axis that shows all curves; a logarithmic one shows what is above 0.
charts::Axis axis_for(const std::vector<Curve>& curves, const std::string& label, bool logarithmic) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const Curve& curve : curves)
    for (const Coordinate& point : curve.points)
      if (!logarithmic || point.y > 0) low = std::min(low, point.y), high = std::max(high, point.y);
  if (!(high > 0)) return {label, 0, 1};
  if (!logarithmic) return {label, 0, 1.05 * high};
  return {label, low * 0.9, std::max(high, 1.5 * low) * 1.1, true};
}

std::string draw(const RunReport& run, const std::string& label, std::vector<Curve> curves,
                 bool logarithmic) {
  std::erase_if(curves, [](const Curve& curve) { return curve.points.empty(); });
  const charts::Axis y = axis_for(curves, label, logarithmic);
  double end = 1e-3;
  for (const Curve& curve : curves)
    if (!curve.points.empty()) end = std::max(end, curve.points.back().x);
  charts::Plot plot(kWide, kHigh, label, {"thousand faces seen", 0, end}, y);
  for (std::size_t stage = 1; stage < run.config.stages.size(); ++stage) {
    const double x = stage_begin(run.config, stage);
    if (x > 0 && x < end) plot.curve(std::vector<Coordinate>{{x, y.low}, {x, y.high}}, "#999", "", true);
  }
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (logarithmic) std::erase_if(curves[i].points, [](const Coordinate& p) { return !(p.y > 0); });
    plot.curve(curves[i].points, charts::palette(i), curves[i].name, curves[i].dashed);
  }
  return std::move(plot).finish();
}

// Parts of the loss: what the log has beside the columns of every run.
std::vector<Curve> loss_curves(const RunReport& run) {
  std::vector<Curve> curves = {curve_of(run.config, run.steps, "loss", "total")};
  for (const std::string& name : run.steps.names())
    if (name.starts_with("loss_")) curves.push_back(curve_of(run.config, run.steps, name, name.substr(5)));
  return curves;
}

struct Chart {
  std::string drawing;
  std::string caption;
};

std::vector<Chart> charts_of(const RunReport& run) {
  const auto valid = [&](const char* column, const char* name, bool dashed = false) {
    return curve_of(run.config, run.validations, column, name, dashed);
  };
  const auto step = [&](const char* column) { return curve_of(run.config, run.steps, column, ""); };
  Curve rate = step("learning_rate");
  for (Coordinate& point : rate.points) point.y *= 1000;
  return {
      {draw(run, "loss", loss_curves(run), true),
       "Losses of the training faces: the total and its parts before weighting, of the last stack or of each "
       "step "
       "of the cascade. A dashed vertical line begins a stage."},
      {draw(run, "NME [% of the outer eye distance]",
            {valid("nme", "landmarks"), valid("initial_nme", "where the cascade starts", true)}, true),
       "Validation faces: mean landmark error with the averaged weights."},
      {draw(run, "pose error [degrees]",
            {valid("yaw_deg", "yaw"), valid("pitch_deg", "pitch"), valid("roll_deg", "roll")}, true),
       "Validation faces: mean absolute errors of the head pose."},
      {draw(run, "faces with NME over 8 % [%]", {valid("failure_rate", "")}, false),
       "Validation faces: failures."},
      {draw(run, "learning rate x 1000", {rate}, true), "Learning rate."},
      {draw(run, "gradient norm", {step("gradient_norm")}, true), "Norm of the gradient before clipping."},
  };
}

// Cells in rows of a table.
void table_row(std::string& out, const std::vector<std::string>& cells, const char* tag) {
  out += "<tr>";
  for (const std::string& text : cells) out += concat('<', tag, '>', charts::escape(text), "</", tag, '>');
  out += "</tr>\n";
}

const char* name_of(Part part) {
  return part == Part::backbone ? "backbone" : part == Part::cascade ? "cascade" : "all";
}
const char* name_of(Schedule schedule) {
  return schedule == Schedule::constant ? "constant" : schedule == Schedule::cosine ? "cosine" : "step";
}

std::string stages_table(const TrainConfig& config) {
  std::string out = "<figure><table><thead>";
  table_row(out,
            {"stage", "trains", "faces", "steps", "learning rate", "schedule", "weight decay", "average"},
            "th");
  out += "</thead><tbody>";
  for (std::size_t i = 0; i < config.stages.size(); ++i) {
    const StageConfig& s = config.stages[i];
    table_row(out,
              {s.name, name_of(s.part), concat(s.faces), concat(steps_of(config, i)), concat(s.learning_rate),
               name_of(s.schedule), concat(s.weight_decay), concat(s.ema_decay)},
              "td");
  }
  const model::NetworkConfig& n = config.network;
  return concat(out, "</tbody></table>\n<figcaption>The recipe; ", config.batch, " faces a step, seed ",
                config.seed, ", ", config.bf16 ? "bfloat16" : "float32", ". The network: ", n.database, ", ",
                n.stacks, " stacks of width ", n.width, " on a ", n.map_size(), " x ", n.map_size(), " map, ",
                n.steps, " cascade steps, ", number(static_cast<double>(model::parameter_count(n)) / 1e6),
                " million weights.</figcaption></figure>\n");
}

// How the run stands, in one line.
std::string standing(const RunReport& run) {
  const Validation& v = run.validation;
  const auto stages = run.validations.column("stage"), steps = run.validations.column("step"),
             hours = run.steps.column("seconds"), nmes = run.validations.column("nme");
  std::string where;
  if (run.validations.rows() > 0) {
    const auto stage = static_cast<std::size_t>(stages.back());
    where = concat("Stage ", stage,
                   stage < run.config.stages.size() ? " (" + run.config.stages[stage].name + ")" : "",
                   ", step ", number(steps.back() + 1), " of ", steps_of(run.config, stage), ". ");
  }
  double best = v.nme;
  for (double nme : nmes) best = std::min(best, std::isfinite(nme) ? nme : best);
  const double last = hours.empty() ? NAN : hours.back() / 3600;
  return concat(
      "<p class=\"lead\">", charts::escape(where), run.valid_faces.size(), " validation faces: NME <b>",
      fixed(v.nme, 3), " %</b> (best ", fixed(best, 3), "), failures over 8 %: ", fixed(v.failure_rate, 2),
      " %, pose ", fixed(v.pose_deg, 2), "° (yaw ", fixed(v.yaw_deg, 2), ", pitch ", fixed(v.pitch_deg, 2),
      ", roll ", fixed(v.roll_deg, 2), ").",
      std::isfinite(last) ? concat(" Trained for ", fixed(last, 2), " hours.") : std::string(), "</p>\n");
}

// A 24-bit BMP file, which every browser shows: pixels [side, side, 3] of bytes, B G R.
std::string bmp_of(const torch::Tensor& pixels) {
  const auto side = static_cast<std::uint32_t>(pixels.size(0));
  const std::uint32_t row_bytes = (side * 3 + 3) / 4 * 4, bytes = 54 + row_bytes * side;
  const std::uint32_t header[] = {bytes, 0,    54, 40, side, side, 1 | 24U << 16, 0, row_bytes * side,
                                  2835,  2835, 0,  0};
  std::string file = "BM";
  file.append(reinterpret_cast<const char*>(header), sizeof header);
  file.resize(bytes);
  for (std::uint32_t y = 0; y < side; ++y)  // the last row comes first
    std::memcpy(&file[54 + (side - 1 - y) * row_bytes], pixels[y].data_ptr<std::uint8_t>(), side * 3);
  return file;
}

std::vector<std::int64_t> worst_faces(const Validation& validation) {
  std::vector<std::int64_t> order(validation.face_nme.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::int64_t i) { return validation.face_nme[static_cast<std::size_t>(i)]; });
  order.resize(std::min(order.size(), kWorstFaces));
  return order;
}

std::vector<Coordinate> places_of(const float* landmarks, std::int64_t count) {
  std::vector<Coordinate> places;
  for (std::int64_t i = 0; i < count; ++i)
    places.push_back({kFacePixels * static_cast<double>(landmarks[2 * i]),
                      kFacePixels * static_cast<double>(landmarks[2 * i + 1])});
  return places;
}

std::string worst_faces_section(const RunReport& run) {
  const torch::NoGradGuard no_grad;
  const std::vector<std::int64_t> worst = worst_faces(run.validation);
  const Batch batch = make_eval_batch(run.valid_faces, worst, run.config.network, torch::kCPU).batch;
  const torch::Tensor pixels = at::adaptive_avg_pool2d(batch.images, {kFacePixels, kFacePixels})
                                   .mul(255)
                                   .round()
                                   .clamp(0, 255)
                                   .to(torch::kByte)
                                   .permute({0, 2, 3, 1})
                                   .contiguous();
  const torch::Tensor truth = batch.landmarks.contiguous();
  const scheme::Database& database = scheme::find_database(run.config.network.database);
  std::string out = "<div class=\"faces\">\n";
  for (std::size_t i = 0; i < worst.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const auto face = static_cast<std::size_t>(worst[i]);
    const std::string name = std::filesystem::path(run.valid_faces.record(worst[i]).name).filename().string();
    charts::Svg svg(kFacePixels, kFacePixels, name);
    svg.image(0, 0, kFacePixels, kFacePixels, "image/bmp", bmp_of(pixels[row]));
    std::vector<Coordinate> places = places_of(truth[row].data_ptr<float>(), truth.size(1));
    for (std::int64_t k = 0; k < truth.size(1); ++k)
      if (batch.visible[row][k].item<float>() == 0) places[static_cast<std::size_t>(k)] = {NAN, NAN};
    charts::draw_landmarks(database, places, charts::kTruthColour, svg);
    charts::draw_landmarks(database, places_of(run.validation.face_landmarks[face].data(), truth.size(1)),
                           charts::kPredictionColour, svg);
    out += concat("<figure>", std::move(svg).finish(), "<figcaption>", charts::escape(name), "<br>NME ",
                  fixed(run.validation.face_nme[face], 2), " %</figcaption></figure>\n");
  }
  return out + "</div>\n";
}

// Runs rsvg-convert; without it there is no picture, which is no mistake.
void convert_to_png(const std::filesystem::path& svg, const std::filesystem::path& png) {
  const std::string input = svg.string(), output = png.string() + ".part";
  const char* arguments[] = {"rsvg-convert", "-b", "white", "-o", output.c_str(), input.c_str(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, const_cast<char**>(arguments), environ) != 0)
    return;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::error_code ignored;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    std::filesystem::rename(output, png, ignored);
  else
    std::filesystem::remove(output, ignored);
}

}  // namespace

std::string draw_curves(const RunReport& run) {
  const std::vector<Chart> charts = charts_of(run);
  const std::size_t rows = (charts.size() + 1) / 2;
  std::string out =
      concat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", number(2 * kWide), "\" height=\"",
             number(kHigh * static_cast<double>(rows)), "\">\n<style>", charts::kPageStyle, "</style>\n");
  for (std::size_t i = 0; i < charts.size(); ++i)
    out += concat("<g transform=\"translate(", number(static_cast<double>(i % 2) * kWide), ' ',
                  number(static_cast<double>(i / 2) * kHigh), ")\">\n", charts[i].drawing, "</g>\n");
  return out + "</svg>\n";
}

std::string report_page(const RunReport& run) {
  const std::string title = concat("Training ", run.config.folder);
  std::string out = concat(standing(run), "<h2>Curves</h2>\n<div class=\"row\">\n");
  for (const Chart& chart : charts_of(run))
    out += concat("<figure>", chart.drawing, "<figcaption>", chart.caption, "</figcaption></figure>\n");
  out += concat(
      "</div>\n<h2>Worst validation faces</h2>\n<p class=\"lead\">As the network sees them, with the truth "
      "(blue) and its prediction (orange).</p>\n",
      worst_faces_section(run), "<h2>Recipe</h2>\n", stages_table(run.config));
  return charts::html_page(title, out);
}

void write_report(const RunReport& run) {
  const std::filesystem::path folder = run.config.folder;
  base::write_file(folder / "report.html", report_page(run));
  base::write_file(folder / "curves.svg", draw_curves(run));
  convert_to_png(folder / "curves.svg", folder / "curves.png");
}

}  // namespace spiga::train
