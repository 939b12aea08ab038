// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cli/analyze_many.h"
#include "cli/analyze_pictures.h"
#include "cli/analyze_video.h"
#include "cli/commands.h"
#include "cli/shared_options.h"
#include "spiga/error.h"

namespace spiga::cli {
namespace {

void add_output_options(CLI::App& command, AnalyzeOptions& options) {
  const std::string group = "Output";
  command.add_option("-o,--output", options.output, "Where the JSON lines go; - is standard output")
      ->type_name("FILE")
      ->group(group)
      ->capture_default_str();
  command
      .add_option("--csv", options.csv,
                  "Write a table, one row per face; - prints it in place of the JSON lines")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--csv-style",
          [&options](const std::string& name) {
            options.openface = name == "openface";
            options.face3d.on = options.face3d.on || options.openface;
          },
          "Columns of the table: spiga, our own; openface, OpenFace 2.2's (implies --face3d)")
      ->type_name("S")
      ->group(group)
      ->check(CLI::IsMember({"spiga", "openface"}).description(""))
      ->default_str("spiga");
  command
      .add_option_function<std::string>(
          "--rows", [&options](const std::string& name) { options.all_rows = name == "all"; },
          "Rows of the table: all, of frames and pictures without a face, too; faces")
      ->type_name("R")
      ->group(group)
      ->check(CLI::IsMember({"all", "faces"}).description(""))
      ->default_str("all for videos, faces for pictures");
  command
      .add_option("--overlay", options.overlay,
                  "Write pictures with what was found into this folder; for a video, a video: seen.mp4")
      ->type_name("DIR|FILE")
      ->group(group);
}

// A detector's name, or boxes:FILE.
void choose_detector(AnalyzeOptions& options, const std::string& name) {
  constexpr std::string_view kBoxes = "boxes:";
  if (name.starts_with(kBoxes) && name.size() > kBoxes.size()) {
    options.boxes = name.substr(kBoxes.size());
  } else if (name.empty()) {
    throw Error(ErrorCode::invalid_argument, "--detector: expected a name, found none");
  } else {
    options.analyzer.detector = name;
  }
}

void add_face_options(CLI::App& command, AnalyzeOptions& options) {
  const std::string group = "Faces";
  auto* boxes = command.add_option(
      "--boxes", options.boxes,
      "Look for faces in this file's boxes instead of detecting them: annotations, or for a "
      "video a table");
  boxes->type_name("FILE")->group(group);
  command
      .add_option_function<std::string>(
          "--detector", [&options](const std::string& name) { choose_detector(options, name); },
          "Face detector: builtin, our own network, or builtin:FILE; dlib; yunet:FILE, an ONNX file; "
          "boxes:FILE "
          "is --boxes FILE")
      ->type_name("NAME")
      ->group(group)
      ->excludes(boxes)
      ->default_str(kDefaultDetector);
  static const std::map<std::string, DetectorEffort> efforts = {{"fast", DetectorEffort::fast},
                                                                {"normal", DetectorEffort::normal},
                                                                {"thorough", DetectorEffort::thorough}};
  command
      .add_option_function<std::string>(
          "--detector-effort",
          [&options](const std::string& name) { options.analyzer.effort = efforts.at(name); },
          "fast, normal or thorough")
      ->type_name("E")
      ->group(group)
      ->check(CLI::IsMember({"fast", "normal", "thorough"}).description(""))
      ->default_str("normal");
  command
      .add_option("--min-face", options.analyzer.min_face_px,
                  "Smallest face to look for, in pixels [as the effort says]")
      ->type_name("PX")
      ->group(group);
  command
      .add_option("--max-faces", options.max_faces,
                  "Faces of a picture at most, the surest; of a video at a time, the first [any number]")
      ->type_name("N")
      ->group(group)
      ->check(CLI::Range(1, 1000000).description(""));
  command.add_option("--min-score", options.analyzer.score_threshold, "Drop faces that score below")
      ->type_name("S")
      ->group(group)
      ->capture_default_str();
}

void add_face3d_options(CLI::App& command, media::Face3dOptions& options) {
  const std::string group = "Faces in three dimensions";
  command
      .add_flag("--face3d", options.on,
                "Fit a head to each face: pose before the camera in mm, 3-D points, blendshapes, blinks")
      ->group(group);
  auto* camera =
      command.add_option("--camera", options.camera,
                         "fx,fy,cx,cy in pixels (and maybe k1,k2,p1,p2,k3), or OpenCV's calibration "
                         "file; implies --face3d [a guess]");
  camera->type_name("C")->group(group);
  command
      .add_option("--fov", options.fov_deg, "The camera's field of view across the picture; implies --face3d")
      ->type_name("DEG")
      ->group(group)
      ->excludes(camera)
      ->check(CLI::Range(1.0, 170.0).description(""));
  command
      .add_option("--mesh", options.mesh,
                  "Write each picture's faces as textured meshes into this folder; implies --face3d")
      ->type_name("DIR")
      ->group(group);
  command.add_option("--mesh-format", options.mesh_format, "obj (.obj, .mtl, .png) or glb (one glTF file)")
      ->type_name("F")
      ->group(group)
      ->check(CLI::IsMember({"obj", "glb"}).description(""))
      ->capture_default_str();
  command.add_flag("--overlay-mesh", options.draw, "Draw the mesh in overlays; implies --face3d")
      ->group(group);
  command
      .add_option("--send", options.send,
                  "Send each frame of a video: udp://HOST:PORT (JSON lines), osc://HOST:PORT (VMC protocol; "
                  "implies --face3d)")
      ->type_name("URL")
      ->group(group)
      ->allow_extra_args(false);
}

}  // namespace

void add_analyze(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<AnalyzeOptions>();
  auto video = std::make_shared<VideoOptions>();
  auto many = std::make_shared<ManyOptions>();
  CLI::App* command =
      program.add_subcommand("analyze", "Find faces, their landmarks and head pose in pictures and videos");
  command
      ->add_option("INPUT", options->inputs,
                   "Pictures, folders of pictures, or - for a list of paths on stdin; or one video: a file, "
                   "rtsp://..., camera:0, frames/%05d.png, raw:480x270:bgr8 for raw frames on stdin; with "
                   "--out any number of "
                   "pictures, videos and folders")
      ->required()
      ->type_name("");
  command->add_flag("-r,--recursive", options->recursive, "Look into folders' folders, too");
  add_output_options(*command, *options);
  add_many_options(*command, *many);
  add_face_options(*command, *options);
  add_quality_option(*command, "Faces", "normal for pictures, fast for videos",
                     [options](Quality quality) { options->quality = quality; });
  add_face3d_options(*command, options->face3d);
  add_video_options(*command, *video);
  add_network_options(*command, options->network);
  command->footer(
      "One JSON line per picture or frame on standard output; the fields are in docs/cli.md, "
      "docs/video.md and docs/face3d.md.\n\n"
      "Examples:\n"
      "  spiga analyze portrait.jpg\n"
      "  spiga analyze -r holiday/ --csv faces.csv --overlay seen/ > faces.jsonl\n"
      "  find . -name '*.png' | spiga analyze -\n"
      "  spiga analyze talk.mp4 --csv talk.csv --overlay seen.mp4 --summary talk.html > talk.jsonl\n"
      "  spiga analyze a.mp4 b.mkv clips/ -r --out results/ --write lines,csv --resume\n"
      "  spiga analyze talk.mp4 --csv talk.csv --csv-style openface --max-faces 1 > talk.jsonl\n"
      "  spiga analyze talk.mp4 --start 1:30 --end 2:00 --max-faces 1 > talk.jsonl\n"
      "  spiga analyze talk.mp4 --face3d --fov 70 --csv talk.csv > talk.jsonl\n"
      "  spiga analyze camera:0 --show");
  command->callback([options, video, many, &chosen] {
    chosen = [options, video, many] {
      check_many_options(*options, *video, *many);
      if (!many->out.empty()) return analyze_many(*options, *video, *many);
      return is_video(*options, *video) ? analyze_video(*options, *video) : analyze_pictures(*options);
    };
  });
}

}  // namespace spiga::cli
