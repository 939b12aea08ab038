// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <string_view>

#include "face3d/fitted.h"

namespace spiga {
namespace {

// What bench/face3d prints for each (docs/face3d.md); what stays below 0.6 in tracks is not told.
constexpr BlendshapeInfo kBlendshapes[] = {
#include "face3d/blendshapes.inc"
};

int index_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kBlendshapes); ++i)
    if (kBlendshapes[i].name == name) return static_cast<int>(i);
  return -1;
}

float value_of(std::span<const float> blendshapes, std::string_view name) {
  const int i = index_of(name);
  return i < 0 ? 0 : blendshapes[static_cast<std::size_t>(i)];
}

// "mouthSmileLeft" is ICT-FaceKit's "mouthSmile_L".
std::string source_name(std::string_view arkit) {
  const auto stem = [&](std::string_view side, const char* suffix) {
    return std::string(arkit.substr(0, arkit.size() - side.size())) + suffix;
  };
  const bool whole =
      arkit == "jawLeft" || arkit == "jawRight" || arkit == "mouthLeft" || arkit == "mouthRight";
  if (!whole && arkit.ends_with("Left")) return stem("Left", "_L");
  if (!whole && arkit.ends_with("Right")) return stem("Right", "_R");
  return std::string(arkit);
}

float coefficient(const FaceModel::Data& head, std::span<const float> expression, const std::string& name) {
  const auto at = std::find(head.names.begin(), head.names.end(), name);
  return at == head.names.end() ? 0 : expression[static_cast<std::size_t>(at - head.names.begin())];
}

// Landmarks of the 300-W mark-up: upper lid over lower lid. 36 to 41 is the person's right eye.
constexpr int kRightLids[2][2] = {{37, 41}, {38, 40}}, kLeftLids[2][2] = {{43, 47}, {44, 46}};
constexpr int kLips[3][2] = {{61, 67}, {62, 66}, {63, 65}};
constexpr float kOpenEye_mm = 8;  // where the head has no lids to measure
constexpr float kBlinkBelow = 0.35f;

}  // namespace

std::span<const BlendshapeInfo> blendshapes() { return kBlendshapes; }

std::span<const ActionUnit> derived_action_units() {
  static const std::vector<ActionUnit> units = [] {
    const std::vector<std::pair<const char*, std::vector<const char*>>> named = {
        {"AU01_d", {"browInnerUp"}},
        {"AU02_d", {"browOuterUpLeft", "browOuterUpRight"}},
        {"AU04_d", {"browDownLeft", "browDownRight"}},
        {"AU09_d", {"noseSneerLeft", "noseSneerRight"}},
        {"AU12_d", {"mouthSmileLeft", "mouthSmileRight"}},
        {"AU15_d", {"mouthFrownLeft", "mouthFrownRight"}},
        {"AU20_d", {"mouthStretchLeft", "mouthStretchRight"}},
        {"AU26_d", {"jawOpen"}},
        {"AU45_d", {"eyeBlinkLeft", "eyeBlinkRight"}},
    };
    std::vector<ActionUnit> made;
    for (const auto& [name, shapes] : named) {
      ActionUnit unit{name, {}};
      for (const char* shape : shapes)
        if (const int i = index_of(shape); i >= 0) unit.shapes.push_back(i);
      if (unit.shapes.size() == shapes.size()) made.push_back(std::move(unit));
    }
    return made;
  }();
  return units;
}

namespace face3d {

std::vector<float> blendshapes_of(const FaceModel::Data& head, std::span<const float> expression) {
  std::vector<float> values;
  for (const BlendshapeInfo& info : kBlendshapes) {
    const std::string name = source_name(info.name);
    const bool single = std::find(head.names.begin(), head.names.end(), name) != head.names.end();
    values.push_back(single ? coefficient(head, expression, name)
                            : 0.5f * (coefficient(head, expression, name + "_L") +
                                      coefficient(head, expression, name + "_R")));
  }
  return values;
}

Openings openings(const Observation& seen, const State& state,
                  const Eigen::Matrix<float, 3, kLandmarks>& points) {
  // The landmark's own ray, met at the depth of the fitted point, in the head's frame.
  const auto place = [&](int i) -> Eigen::Vector3f {
    const float depth = state.rotation.row(2).dot(points.col(i)) + state.translation.z();
    if (seen.sigma[static_cast<std::size_t>(i)] <= 0) return points.col(i);
    const Eigen::Vector3f at(seen.place(0, i) * depth, seen.place(1, i) * depth, depth);
    return state.rotation.transpose() * (at - state.translation);
  };
  const auto gap = [&](const auto& pairs) {
    float sum = 0;
    for (const auto& pair : pairs) sum += place(pair[1]).y() - place(pair[0]).y();
    return std::max(0.0f, sum / static_cast<float>(std::size(pairs)));
  };
  return {gap(kLeftLids), gap(kRightLids), gap(kLips)};
}

std::array<float, 2> open_eyes(const FaceModel::Data& head, const State& state) {
  const auto height = [&](int landmark) {
    const int row = 3 * head.candidate_of(landmark) + 1;
    return head.base[row] + head.basis.row(row).tail(head.modes).dot(state.coefficients.tail(head.modes));
  };
  const auto gap = [&](const int(&pairs)[2][2]) {
    const float sum = height(pairs[0][1]) - height(pairs[0][0]) + height(pairs[1][1]) - height(pairs[1][0]);
    return sum > 2 ? 0.5f * sum : kOpenEye_mm;
  };
  return {gap(kLeftLids), gap(kRightLids)};
}

FaceSignals signals_of(const Openings& openings, std::span<const float> blendshapes, float open_left,
                       float open_right) {
  FaceSignals signals;
  signals.eye_opening_left = openings.eye_left;
  signals.eye_opening_right = openings.eye_right;
  signals.eye_open_left = std::clamp(openings.eye_left / open_left, 0.0f, 1.0f);
  signals.eye_open_right = std::clamp(openings.eye_right / open_right, 0.0f, 1.0f);
  signals.blink = 0.5f * (signals.eye_open_left + signals.eye_open_right) < kBlinkBelow;
  signals.mouth_opening = openings.mouth;
  signals.smile = 0.5f * (value_of(blendshapes, "mouthSmileLeft") + value_of(blendshapes, "mouthSmileRight"));
  signals.brow_raise =
      std::max(value_of(blendshapes, "browInnerUp"),
               0.5f * (value_of(blendshapes, "browOuterUpLeft") + value_of(blendshapes, "browOuterUpRight")));
  return signals;
}

}  // namespace face3d
}  // namespace spiga
