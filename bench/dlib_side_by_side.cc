// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <dlib/image_processing.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_transforms.h>
#include <dlib/opencv.h>

#include <cmath>
#include <exception>
#include <iostream>
#include <opencv2/core.hpp>

#include "annotations/annotations.h"
#include "eval/predictor.h"
#include "geometry/boxes.h"
#include "media/picture_reader.h"
#include "scheme/scheme.h"
#include "vision/image_mat.h"

// Predicts the annotated faces of a 68-point set with dlib's landmark model (Kazemi and Sullivan, CVPR 2014)
// and writes the published form. Boxes are the squares that the model was trained on: those of dlib's own
// detector (a face it misses is a missed face), or squares like them around the annotated boxes.
namespace {

using namespace spiga;
using Pixels = dlib::array2d<dlib::rgb_pixel>;

// dlib's square against the tight landmark box, in units of the box's larger side: medians over 300-W, but
// without their sideways part (-0.04), which says more about the faces than about the squares and costs dlib
// a lot on faces that look the other way.
constexpr double kCentreX = 0, kCentreY = -0.075, kSide = 1.02;

dlib::rectangle square_around(const annotations::Rect& box) {
  const double unit = std::max(box.width, box.height);
  const double x = box.x + box.width / 2 + kCentreX * unit;
  const double y = box.y + box.height / 2 + kCentreY * unit;
  const double half = kSide * unit / 2;
  return {std::lround(x - half), std::lround(y - half), std::lround(x + half) - 1, std::lround(y + half) - 1};
}

Box to_box(const dlib::rectangle& r) {
  return {static_cast<float>(r.left()), static_cast<float>(r.top()), static_cast<float>(r.width()),
          static_cast<float>(r.height())};
}

// The square of dlib's detector, on the picture at twice its size, that overlaps `expected` most, and enough.
std::optional<dlib::rectangle> detect(const Pixels& pixels, const dlib::rectangle& expected) {
  static dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
  dlib::pyramid_down<2> pyramid;
  Pixels doubled;
  dlib::pyramid_up(pixels, doubled, pyramid);
  std::optional<dlib::rectangle> best;
  double best_overlap = eval::kSameFaceOverlap;
  for (const dlib::rectangle& found : detector(doubled)) {
    const dlib::rectangle square = pyramid.rect_down(found);
    const double overlap = geometry::intersection_over_union(to_box(square), to_box(expected));
    if (overlap < best_overlap) continue;
    best_overlap = overlap;
    best = square;
  }
  return best;
}

annotations::AnnotatedFace predict(const dlib::shape_predictor& model,
                                   const annotations::AnnotatedFace& truth,
                                   const std::filesystem::path& images, const std::vector<int>& ids,
                                   bool detector) {
  const Image picture = media::read_picture(images / truth.image);
  Pixels pixels;
  dlib::assign_image(pixels, dlib::cv_image<dlib::bgr_pixel>(vision::as_mat(picture.view())));
  std::optional<dlib::rectangle> square = square_around(*annotations::box_of(truth));
  if (detector) square = detect(pixels, *square);
  annotations::AnnotatedFace face;
  face.image = truth.image;
  if (!square) return face;
  const dlib::full_object_detection shape = model(pixels, *square);
  face.box = truth.box;
  face.ids = ids;
  for (unsigned long i = 0; i < shape.num_parts(); ++i) {
    face.landmarks.push_back(
        {static_cast<double>(shape.part(i).x()), static_cast<double>(shape.part(i).y())});
  }
  face.visible.assign(ids.size(), 1);
  return face;
}

void run(const std::string& model_file, const std::string& annotations_file, const std::string& images,
         const std::string& boxes, const std::string& output) {
  const scheme::Database& database = scheme::find_database("300wpublic");
  dlib::shape_predictor model;
  dlib::deserialize(model_file) >> model;
  const annotations::FaceList truth = annotations::read(annotations_file, {.database_ids = database.ids});
  std::vector<annotations::AnnotatedFace> faces;
  for (const annotations::AnnotatedFace& face : truth.faces) {
    faces.push_back(predict(model, face, images, database.ids, boxes == "detector"));
  }
  annotations::write_json(output, faces);
  std::cerr << output << ": " << faces.size() << " faces through dlib's model, " << boxes << " boxes\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string boxes = argc == 6 ? argv[4] : "";
  if (boxes != "annotated" && boxes != "detector") {
    std::cerr << "usage: dlib_side_by_side MODEL.dat ANNOTATIONS IMAGES annotated|detector OUTPUT.json\n";
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], boxes, argv[5]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "dlib_side_by_side: " << error.what() << '\n';
    return 1;
  }
}
