// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
//
// spiga._spiga: the public C++ API with NumPy arrays in and out. What people see is spiga/__init__.py.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "spiga/analyzer.h"
#include "spiga/error.h"
#include "spiga/evaluation.h"
#include "spiga/face3d.h"
#include "spiga/tracker.h"
#include "spiga/version.h"

namespace py = pybind11;

namespace {

using spiga::ImageView;
using spiga::PixelFormat;

template <typename T>
T one_of(const std::map<std::string, T>& known, const std::string& name, const char* what) {
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  std::string names;
  for (const auto& [known_name, value] : known) names += (names.empty() ? "'" : ", '") + known_name + "'";
  throw py::value_error(std::string(what) + ": expected " + names + ", found '" + name + "'");
}

std::string shape_of(const py::array& array) {
  std::string text = "(";
  for (py::ssize_t i = 0; i < array.ndim(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(array.shape(i));
  return text + ")";
}

PixelFormat format_of(const py::array& image, const std::string& name) {
  static const std::map<std::string, PixelFormat> kFormats = {{"bgr", PixelFormat::bgr8},
                                                              {"rgb", PixelFormat::rgb8},
                                                              {"bgra", PixelFormat::bgra8},
                                                              {"rgba", PixelFormat::rgba8},
                                                              {"gray", PixelFormat::gray8}};
  const PixelFormat format = one_of(kFormats, name, "format");
  const py::ssize_t channels = image.ndim() == 2 ? 1 : image.ndim() == 3 ? image.shape(2) : 0;
  if (channels != spiga::channels_of(format)) {
    throw py::value_error("image: expected [height, width" +
                          (format == PixelFormat::gray8
                               ? std::string("]")
                               : ", " + std::to_string(spiga::channels_of(format)) + "]") +
                          " for format '" + name + "', found shape " + shape_of(image));
  }
  return format;
}

// The array's pixels, not copied. Rows may lie apart, as in a slice of a larger picture; a row's pixels may
// not.
ImageView view_of(const py::array& image, const std::string& format_name) {
  if (!py::isinstance<py::array_t<std::uint8_t>>(image))
    throw py::type_error("image: expected dtype uint8, found " + std::string(py::str(image.dtype())));
  const PixelFormat format = format_of(image, format_name);
  const py::ssize_t height = image.shape(0), width = image.shape(1), channels = spiga::channels_of(format);
  if (height == 0 || width == 0)
    throw py::value_error("image: expected pixels, found shape " + shape_of(image));
  constexpr py::ssize_t kLongest = 1 << 24;
  if (height > kLongest || width > kLongest)
    throw py::value_error("image: sides are too long, shape " + shape_of(image));
  const bool adjacent = image.strides(1) == channels && (image.ndim() == 2 || image.strides(2) == 1);
  if (!adjacent || (height > 1 && image.strides(0) < width * channels))
    throw py::value_error("image: expected pixels one after another; use numpy.ascontiguousarray(image)");
  return {static_cast<const std::uint8_t*>(image.data()), static_cast<int>(width), static_cast<int>(height),
          height > 1 ? image.strides(0) : width * channels, format};
}

// [N, 4] of x, y, width, height.
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
std::vector<spiga::Box> boxes_of(const Floats& array) {
  if (array.ndim() != 2 || array.shape(1) != 4)
    throw py::value_error("boxes: expected shape (N, 4), found " + shape_of(array));
  std::vector<spiga::Box> boxes;
  for (py::ssize_t i = 0; i < array.shape(0); ++i)
    boxes.push_back({array.at(i, 0), array.at(i, 1), array.at(i, 2), array.at(i, 3)});
  return boxes;
}

// The vector's memory as an array, without a copy.
template <typename T, typename Element = T>
py::array handed_over(std::vector<Element> values, std::vector<py::ssize_t> shape) {
  auto owned = std::make_unique<std::vector<Element>>(std::move(values));
  const T* data = reinterpret_cast<const T*>(owned->data());
  const py::capsule owner(owned.get(),
                          [](void* vector) { delete static_cast<std::vector<Element>*>(vector); });
  owned.release();
  return py::array_t<T>(std::move(shape), data, owner);
}

// What spiga.Face is made of.
py::tuple to_python(spiga::Face face) {
  static_assert(sizeof(spiga::Point) == 2 * sizeof(float));
  const auto count = static_cast<py::ssize_t>(face.landmarks.size());
  const spiga::HeadPose& pose = face.headpose;
  return py::make_tuple(
      py::make_tuple(face.box.x, face.box.y, face.box.width, face.box.height), face.score, face.confidence,
      handed_over<float>(std::move(face.landmarks), {count, 2}),
      handed_over<float>(std::move(face.uncertainty), {count}),
      py::make_tuple(pose.yaw_deg, pose.pitch_deg, pose.roll_deg,
                     py::make_tuple(pose.translation[0], pose.translation[1], pose.translation[2])));
}

py::list to_python(std::vector<spiga::Face> faces) {
  py::list list;
  for (spiga::Face& face : faces) list.append(to_python(std::move(face)));
  return list;
}

spiga::AnalyzerOptions analyzer_options(const std::string& model, const std::string& detector,
                                        float min_face_px, float score_threshold, const std::string& effort,
                                        const std::string& precision, int threads, int max_batch,
                                        const std::string& sampling, const std::string& quality) {
  static const std::map<std::string, spiga::Quality> kQualities = {
      {"fast", spiga::Quality::fast}, {"normal", spiga::Quality::normal}, {"best", spiga::Quality::best}};
  static const std::map<std::string, spiga::Precision> kPrecisions = {
      {"automatic", spiga::Precision::automatic},
      {"f32", spiga::Precision::f32},
      {"bf16", spiga::Precision::bf16},
      {"int8", spiga::Precision::int8}};
  static const std::map<std::string, spiga::Sampling> kSamplings = {{"bilinear", spiga::Sampling::bilinear},
                                                                    {"nearest", spiga::Sampling::nearest}};
  static const std::map<std::string, spiga::DetectorEffort> kEfforts = {
      {"fast", spiga::DetectorEffort::fast},
      {"normal", spiga::DetectorEffort::normal},
      {"thorough", spiga::DetectorEffort::thorough}};
  return {.model = model,
          .detector = detector,
          .precision = one_of(kPrecisions, precision, "precision"),
          .threads = threads,
          .max_batch = max_batch,
          .sampling = one_of(kSamplings, sampling, "sampling"),
          .quality = one_of(kQualities, quality, "quality"),
          .effort = one_of(kEfforts, effort, "effort"),
          .min_face_px = min_face_px,
          .score_threshold = score_threshold};
}

// Runs an action without Python's lock, one at a time per object: Python threads may share it.
class Exclusive {
 public:
  template <typename Action>
  auto run(const Action& action) {
    const py::gil_scoped_release unlocked;
    const std::lock_guard lock(mutex_);
    return action();
  }

 private:
  std::mutex mutex_;
};

class PyAnalyzer {
 public:
  // Without a detector where its name is empty.
  PyAnalyzer(const std::string& model, const std::string& detector, float min_face_px, float score_threshold,
             const std::string& effort, const std::string& precision, int threads, int max_batch,
             const std::string& sampling, const std::string& quality)
      : analyzer_(load(analyzer_options(model, detector, min_face_px, score_threshold, effort, precision,
                                        threads, max_batch, sampling, quality))) {}

  py::list analyze(const py::array& image, const std::string& format) {
    const ImageView view = view_of(image, format);
    return to_python(exclusive_.run([&] { return analyzer_.analyze(view); }));
  }
  py::list locate(const py::array& image, const Floats& boxes, const std::string& format) {
    const ImageView view = view_of(image, format);
    const std::vector<spiga::Box> list = boxes_of(boxes);
    return to_python(exclusive_.run([&] { return analyzer_.locate(view, list); }));
  }
  py::list detect(const py::array& image, const std::string& format) {
    const ImageView view = view_of(image, format);
    py::list list;
    for (const spiga::Detection& found : exclusive_.run([&] { return analyzer_.detect(view); }))
      list.append(py::make_tuple(py::make_tuple(found.box.x, found.box.y, found.box.width, found.box.height),
                                 found.score, found.confidence));
    return list;
  }
  spiga::Analyzer& get() { return analyzer_; }
  Exclusive& exclusive() { return exclusive_; }

 private:
  static spiga::Analyzer load(const spiga::AnalyzerOptions& options) {
    const py::gil_scoped_release unlocked;
    return spiga::Analyzer::load(options);
  }

  Exclusive exclusive_;
  spiga::Analyzer analyzer_;
};

class PyTracker {
 public:
  // Has a copy of the analyzer's landmarker, and shares its detector.
  PyTracker(std::shared_ptr<PyAnalyzer> analyzer, double smooth, int detect_every, double keep_lost_s)
      : analyzer_(std::move(analyzer)),
        tracker_(analyzer_->get().landmarker(),
                 {.smooth = smooth, .detect_every = detect_every, .keep_lost_s = keep_lost_s}) {}

  py::list next(const py::array& frame, double time_s, const std::string& format) {
    const ImageView view = view_of(frame, format);
    py::list list;
    for (spiga::TrackedFace& tracked :
         analyzer_->exclusive().run([&] { return tracker_.next(view, time_s, analyzer_->get().detector()); }))
      list.append(
          py::make_tuple(tracked.id, tracked.confidence, tracked.found, to_python(std::move(tracked.face))));
    return list;
  }

 private:
  std::shared_ptr<PyAnalyzer> analyzer_;
  spiga::FaceTracker tracker_;
};

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
py::dict evaluate(const Doubles& truth, const Doubles& predicted, const std::string& database,
                  const std::string& norm, std::optional<double> threshold) {
  for (const Doubles* array : {&truth, &predicted})
    if (array->ndim() != 3 || array->shape(2) != 2)
      throw py::value_error("evaluate: expected shapes (N, L, 2), found " + shape_of(*array));
  if (truth.shape(0) != predicted.shape(0) || truth.shape(1) != predicted.shape(1))
    throw py::value_error("evaluate: expected arrays of one shape, found " + shape_of(truth) + " and " +
                          shape_of(predicted));
  const auto values = [](const Doubles& array) {
    return std::span(array.data(), static_cast<std::size_t>(array.size()));
  };
  spiga::Scores scores;
  {
    const py::gil_scoped_release unlocked;
    scores = spiga::evaluate(values(truth), values(predicted),
                             {.database = database, .norm = norm, .threshold = threshold});
  }
  py::dict result;
  result["norm"] = scores.norm;
  result["threshold"] = scores.threshold;
  result["nme"] = scores.nme;
  result["nme_p90"] = scores.nme_p90;
  result["auc"] = scores.auc;
  result["failure_rate"] = scores.failure_rate;
  result["missed"] = scores.missed;
  const auto faces = static_cast<py::ssize_t>(scores.face_nme.size());
  result["face_nme"] = handed_over<double>(std::move(scores.face_nme), {faces});
  return result;
}

// Landmarks [68, 2] and their uncertainties [68], or none.
struct Landmarks {
  Landmarks(const Floats& points, const std::optional<Floats>& errors) {
    if (points.ndim() != 2 || points.shape(1) != 2)
      throw py::value_error("landmarks: expected shape (68, 2), found " + shape_of(points));
    if (errors && errors->ndim() != 1)
      throw py::value_error("uncertainty: expected shape (68,), found " + shape_of(*errors));
    for (py::ssize_t i = 0; i < points.shape(0); ++i) places.push_back({points.at(i, 0), points.at(i, 1)});
    if (errors) uncertainty.assign(errors->data(), errors->data() + errors->size());
  }
  std::vector<spiga::Point> places;
  std::vector<float> uncertainty;
};

// What spiga.Camera is made of, in its order.
using CameraFields = std::tuple<double, double, double, double, std::array<double, 5>, int, int, bool>;

spiga::Camera camera_of(const CameraFields& fields) {
  const auto& [fx, fy, cx, cy, distortion, width, height, guessed] = fields;
  return {fx, fy, cx, cy, distortion, width, height, guessed};
}

CameraFields to_python(const spiga::Camera& c) {
  return {c.fx, c.fy, c.cx, c.cy, c.distortion, c.width, c.height, c.guessed};
}

using Vectors = std::vector<std::array<float, 3>>;
py::array to_python(Vectors vectors) {
  const auto count = static_cast<py::ssize_t>(vectors.size());
  return handed_over<float>(std::move(vectors), {count, 3});
}

template <typename T, std::size_t N>
py::array_t<T> to_python(const std::array<T, N>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(N), values.data());
}

py::array_t<double> to_python(const std::array<std::array<double, 3>, 3>& matrix) {
  return py::array_t<double>(std::vector<py::ssize_t>{3, 3}, matrix[0].data());
}

// A fitted face as Python sees it: fields are arrays.
void bind_face3d(py::module_& module) {
  using spiga::Face3d;
  const auto copied = [](const std::vector<float>& values) {
    return py::array_t<float>(static_cast<py::ssize_t>(values.size()), values.data());
  };
  py::class_<Face3d>(
      module, "Face3d",
      "A face in three dimensions: pose before the camera, points, blendshapes, signals (docs/face3d.md).")
      .def_property_readonly("rotation", [](const Face3d& f) { return to_python(f.pose.rotation); })
      .def_property_readonly("quaternion", [](const Face3d& f) { return to_python(f.pose.quaternion); })
      .def_property_readonly("translation_mm",
                             [](const Face3d& f) { return to_python(f.pose.translation_mm); })
      .def_property_readonly("openface_rad", [](const Face3d& f) { return to_python(f.pose.openface_rad); })
      .def_property_readonly("yaw_deg", [](const Face3d& f) { return f.pose.yaw_deg; })
      .def_property_readonly("pitch_deg", [](const Face3d& f) { return f.pose.pitch_deg; })
      .def_property_readonly("roll_deg", [](const Face3d& f) { return f.pose.roll_deg; })
      .def_property_readonly("points_mm", [](const Face3d& f) { return to_python(f.points_mm); })
      .def_property_readonly("blendshapes",
                             [](const Face3d& f) {
                               py::dict d;
                               for (std::size_t i = 0; i < f.blendshapes.size(); ++i)
                                 d[spiga::blendshapes()[i].name] = f.blendshapes[i];
                               return d;
                             })
      .def_property_readonly("expression", [copied](const Face3d& f) { return copied(f.expression); })
      .def_property_readonly("identity", [copied](const Face3d& f) { return copied(f.identity); })
      .def_property_readonly("signals",
                             [](const Face3d& f) {
                               const spiga::FaceSignals& s = f.signals;
                               py::dict d;
                               d["eye_opening_left_mm"] = s.eye_opening_left;
                               d["eye_opening_right_mm"] = s.eye_opening_right;
                               d["eye_open_left"] = s.eye_open_left;
                               d["eye_open_right"] = s.eye_open_right;
                               d["blink"] = s.blink;
                               d["mouth_opening_mm"] = s.mouth_opening;
                               d["smile"] = s.smile;
                               d["brow_raise"] = s.brow_raise;
                               return d;
                             })
      .def_readonly("reprojection_px", &Face3d::reprojection_px)
      .def_readonly("landmarks_used", &Face3d::landmarks);
}

class PyFaceTrack {
 public:
  PyFaceTrack(const spiga::FaceModel& model, double smooth) : track_(model, {.smooth = smooth}) {}
  py::tuple next(const Floats& landmarks, const std::optional<Floats>& uncertainty,
                 const CameraFields& camera, double time_s) {
    const Landmarks seen(landmarks, uncertainty);
    std::vector<spiga::FaceEvent> events;
    spiga::Face3d face = exclusive_.run([&] {
      spiga::Face3d now = track_.next(seen.places, seen.uncertainty, camera_of(camera), time_s);
      events = track_.take_events();
      return now;
    });
    py::list told;
    for (const spiga::FaceEvent& event : events)
      told.append(py::make_tuple(spiga::name_of(event.kind), event.start_s, event.end_s));
    return py::make_tuple(std::move(face), told);
  }

 private:
  Exclusive exclusive_;
  spiga::FaceModelTrack track_;
};

void bind_face_model(py::module_& module) {
  using spiga::FaceModel;
  py::class_<FaceModel>(module, "FaceModel")
      .def(py::init([](const std::string& path) { return FaceModel::load(path); }))
      .def("fit",
           [](const FaceModel& model, const Floats& landmarks, const std::optional<Floats>& uncertainty,
              const CameraFields& camera) {
             const Landmarks seen(landmarks, uncertainty);
             const py::gil_scoped_release unlocked;
             return model.fit(seen.places, seen.uncertainty, camera_of(camera));
           })
      .def("mesh",
           [](const FaceModel& model, const spiga::Face3d& face, const CameraFields& camera) {
             spiga::Mesh mesh = model.mesh(face, camera_of(camera));
             const auto count = static_cast<py::ssize_t>(mesh.pixels.size());
             return py::make_tuple(to_python(std::move(mesh.vertices_mm)),
                                   handed_over<float>(std::move(mesh.pixels), {count, 2}));
           })
      .def_property_readonly("triangles",
                             [](const FaceModel& model) {
                               const auto t = model.triangles();
                               return py::array_t<std::uint16_t>(
                                   std::vector<py::ssize_t>{static_cast<py::ssize_t>(t.size()), 3},
                                   t.front().data());
                             })
      .def_property_readonly("expression_names", &FaceModel::expression_names);
  py::class_<PyFaceTrack>(module, "FaceModelTrack")
      .def(py::init<const FaceModel&, double>())
      .def("next", &PyFaceTrack::next);
}

// Python's own kinds of error where there is one; spiga.Error, a RuntimeError, otherwise.
void translate_errors(py::module_& module) {
  static py::exception<spiga::Error> base(module, "Error", PyExc_RuntimeError);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const spiga::Error& error) {
      switch (error.code()) {
        case spiga::ErrorCode::invalid_argument:
          return PyErr_SetString(PyExc_ValueError, error.what());
        case spiga::ErrorCode::not_found:
          return PyErr_SetString(PyExc_FileNotFoundError, error.what());
        case spiga::ErrorCode::io:
          return PyErr_SetString(PyExc_OSError, error.what());
        default:
          return base(error.what());
      }
    }
  });
}

}  // namespace

PYBIND11_MODULE(_spiga, module) {
  module.attr("__version__") = SPIGA_VERSION;
  translate_errors(module);
  module.def("default_model_path", &spiga::default_model_path);
  module.def("evaluate", &evaluate);
  module.def("parse_camera", [](const std::string& text) { return to_python(spiga::parse_camera(text)); });
  module.def("guessed_camera",
             [](int width, int height) { return to_python(spiga::guessed_camera(width, height)); });
  module.def("camera_from_fov", [](double fov_deg, int width, int height) {
    return to_python(spiga::camera_from_fov(fov_deg, width, height));
  });
  module.def("camera_for_picture", [](const CameraFields& camera, int width, int height) {
    return to_python(spiga::camera_for_picture(camera_of(camera), width, height));
  });
  module.def("blendshape_names", [] {
    std::vector<std::string> names;
    for (const spiga::BlendshapeInfo& info : spiga::blendshapes()) names.emplace_back(info.name);
    return names;
  });
  bind_face3d(module);
  bind_face_model(module);
  py::class_<PyAnalyzer, std::shared_ptr<PyAnalyzer>>(module, "Analyzer")
      .def(py::init<const std::string&, const std::string&, float, float, const std::string&,
                    const std::string&, int, int, const std::string&, const std::string&>())
      .def("analyze", &PyAnalyzer::analyze)
      .def("locate", &PyAnalyzer::locate)
      .def("detect", &PyAnalyzer::detect)
      .def_property_readonly("database", [](PyAnalyzer& a) { return a.get().landmarker().database(); })
      .def_property_readonly("landmark_ids",
                             [](PyAnalyzer& a) { return a.get().landmarker().landmark_ids(); })
      .def_property_readonly("precision",
                             [](PyAnalyzer& a) { return name_of(a.get().landmarker().model().precision()); });
  py::class_<PyTracker>(module, "Tracker")
      .def(py::init<std::shared_ptr<PyAnalyzer>, double, int, double>())
      .def("next", &PyTracker::next);
}
