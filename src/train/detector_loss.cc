// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause

#include "train/detector_loss.h"

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "geometry/boxes.h"
#include "model/detector_cells.h"

namespace spiga::train {
namespace {

using model::CellGrid;
using model::DetectorConfig;

constexpr float kRadius = 1.5F;        // strides from the face's centre within which cells are candidates
constexpr float kUsualSize = 4;        // a face's side in strides of the level that suits it best
constexpr float kFarthestSize = 1.6F;  // octaves beyond which a level is not asked
constexpr std::size_t kMostCells = 10;
constexpr int kBoxColumns = 4;

struct Candidate {
  std::int64_t cell;
  float overlap, cost;
};

struct LevelCells {
  CellGrid grid;
  std::int64_t first;
};

std::vector<LevelCells> levels_of(int side) {
  std::vector<LevelCells> levels;
  std::int64_t first = 0;
  for (const CellGrid& grid : model::cell_grids(side, side)) {
    levels.push_back({grid, first});
    first += grid.cells();
  }
  return levels;
}

// Octaves between a face's size and the one that suits the level; the outer levels take all that is beyond.
float distance_of_size(const SampleFace& face, const CellGrid& grid) {
  const float side = std::sqrt(face.box.width * face.box.height);
  const float octaves = std::log2(side / (kUsualSize * static_cast<float>(grid.stride)));
  const bool finest = grid.stride == DetectorConfig::stride(0);
  const bool coarsest = grid.stride == DetectorConfig::stride(DetectorConfig::kLevels - 1);
  if ((finest && octaves < 0) || (coarsest && octaves > 0)) return 0;
  return std::abs(octaves);
}

float cost_of(const float* output, float overlap, float size_distance) {
  const float p = std::clamp(1 / (1 + std::exp(-output[0])), 1e-4F, 1 - 1e-4F);
  const float score = -(overlap * std::log(p) + (1 - overlap) * std::log(1 - p));
  return score * std::abs(overlap - p) - 3 * std::log(overlap + 1e-3F) + size_distance;
}

std::vector<Candidate> candidates_of(const SampleFace& face, const std::vector<LevelCells>& levels,
                                     const float* outputs) {
  const float x = face.box.x + face.box.width / 2, y = face.box.y + face.box.height / 2;
  std::vector<Candidate> candidates;
  for (const auto& [grid, first] : levels) {
    const float octaves = distance_of_size(face, grid);
    if (octaves > kFarthestSize) continue;
    const float reach = kRadius * static_cast<float>(grid.stride);
    for (int row = 0; row < grid.height; ++row) {
      if (std::abs(grid.centre(row) - y) > reach) continue;
      for (int column = 0; column < grid.width; ++column) {
        if (std::abs(grid.centre(column) - x) > reach) continue;
        const std::int64_t cell = first + std::int64_t{row} * grid.width + column;
        const float* output = outputs + cell * DetectorConfig::kOutputs;
        const auto overlap = static_cast<float>(
            geometry::intersection_over_union(model::decode_cell(grid, row, column, output).box, face.box));
        candidates.push_back({cell, overlap, cost_of(output, overlap, octaves)});
      }
    }
  }
  return candidates;
}

// The cheapest ones, as many as the best overlaps add up to.
void keep_best(std::vector<Candidate>& candidates) {
  std::ranges::sort(candidates, std::ranges::greater(), &Candidate::overlap);
  float sum = 0;
  for (std::size_t i = 0; i < std::min(kMostCells, candidates.size()); ++i) sum += candidates[i].overlap;
  const std::size_t count = std::min(candidates.size(), static_cast<std::size_t>(std::max(1.0F, sum)));
  std::ranges::sort(candidates, {}, &Candidate::cost);
  candidates.resize(count);
}

void ignore_cells(const Box& box, const std::vector<LevelCells>& levels, std::vector<std::int64_t>& ignored) {
  for (const auto& [grid, first] : levels)
    for (int row = 0; row < grid.height; ++row) {
      const float y = grid.centre(row);
      if (y < box.y || y > box.y + box.height) continue;
      for (int column = 0; column < grid.width; ++column) {
        const float x = grid.centre(column);
        if (x >= box.x && x <= box.x + box.width)
          ignored.push_back(first + std::int64_t{row} * grid.width + column);
      }
    }
}

// The assigned cells of a batch as tensors.
struct Positives {
  std::vector<std::int64_t> cells;  // among those of all samples
  std::vector<float> centres;       // [P, 3]: x, y and stride of the cell
  std::vector<float> boxes;         // [P, 4]: centre and size
  std::vector<float> box_weights;   // [P]
  std::vector<float> points;        // [P, 2 kPoints], 0 where they are not known
  std::vector<float> known;         // [P, 2 kPoints], 1 or 0
};

void add_positive(const AssignedCell& one, const SampleFace& face, std::int64_t first_cell,
                  const std::vector<LevelCells>& levels, double inexact_box, Positives& positives) {
  const auto level =
      std::find_if(levels.rbegin(), levels.rend(), [&](const LevelCells& l) { return one.cell >= l.first; });
  const std::int64_t local = one.cell - level->first;
  const CellGrid& grid = level->grid;
  const auto add = [](std::vector<float>& to, std::initializer_list<float> values) {
    to.insert(to.end(), values);
  };
  positives.cells.push_back(first_cell + one.cell);
  add(positives.centres,
      {grid.centre(static_cast<int>(local % grid.width)), grid.centre(static_cast<int>(local / grid.width)),
       static_cast<float>(grid.stride)});
  add(positives.boxes,
      {face.box.x + face.box.width / 2, face.box.y + face.box.height / 2, face.box.width, face.box.height});
  positives.box_weights.push_back(face.exact ? 1.0F : static_cast<float>(inexact_box));
  for (const Point& p : face.points) {
    const bool known = !std::isnan(p.x) && !std::isnan(p.y);
    add(positives.points,
        known ? std::initializer_list<float>{p.x, p.y} : std::initializer_list<float>{0, 0});
    add(positives.known, known ? std::initializer_list<float>{1, 1} : std::initializer_list<float>{0, 0});
  }
}

torch::Tensor tensor_of(const std::vector<float>& values, std::int64_t columns) {
  return torch::tensor(values).view({-1, columns});
}

// IoU and DIoU of boxes [P, 4] given as centre and size.
std::pair<torch::Tensor, torch::Tensor> overlaps_of(const torch::Tensor& a, const torch::Tensor& b) {
  const auto centre = [](const torch::Tensor& t) { return t.narrow(1, 0, 2); };
  const auto half = [](const torch::Tensor& t) { return t.narrow(1, 2, 2) / 2; };
  const torch::Tensor a_low = centre(a) - half(a), a_high = centre(a) + half(a);
  const torch::Tensor b_low = centre(b) - half(b), b_high = centre(b) + half(b);
  const auto area = [](const torch::Tensor& low, const torch::Tensor& high) {
    return (high - low).clamp_min(0).prod(1);
  };
  const torch::Tensor common = area(torch::maximum(a_low, b_low), torch::minimum(a_high, b_high));
  const torch::Tensor overlap = common / (area(a_low, a_high) + area(b_low, b_high) - common + 1e-6);
  const torch::Tensor hull = torch::maximum(a_high, b_high) - torch::minimum(a_low, b_low);
  const torch::Tensor apart = (centre(a) - centre(b)).square().sum(1) / (hull.square().sum(1) + 1e-6);
  return {overlap, overlap - apart};
}

}  // namespace

Assignment assign_cells(const DetectorSample& sample, const float* outputs) {
  const std::vector<LevelCells> levels = levels_of(sample.side);
  struct Claim {
    std::int64_t cell;
    std::size_t face;
    float cost;
  };
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < sample.faces.size(); ++i) {
    std::vector<Candidate> candidates = candidates_of(sample.faces[i], levels, outputs);
    keep_best(candidates);
    for (const Candidate& c : candidates) claims.push_back({c.cell, i, c.cost});
  }
  // A cell finds one face: the one that it fits better.
  std::ranges::sort(claims, [](const Claim& a, const Claim& b) {
    return a.cell != b.cell ? a.cell < b.cell : a.cost < b.cost;
  });
  Assignment assignment;
  for (const Claim& claim : claims)
    if (assignment.positives.empty() || assignment.positives.back().cell != claim.cell)
      assignment.positives.push_back({claim.cell, claim.face});
  for (const Box& box : sample.ignored) ignore_cells(box, levels, assignment.ignored);
  return assignment;
}

DetectorLoss detector_loss(const torch::Tensor& outputs, const std::vector<DetectorSample>& samples,
                           const DetectorLossWeights& weights) {
  const std::int64_t cells = outputs.size(1);
  const torch::Tensor known = outputs.detach().contiguous();
  torch::Tensor counted = torch::ones({outputs.size(0) * cells});
  float* counts = counted.data_ptr<float>();
  Positives positives;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto first = static_cast<std::int64_t>(i) * cells;
    const Assignment assignment =
        assign_cells(samples[i], known.data_ptr<float>() + first * DetectorConfig::kOutputs);
    const std::vector<LevelCells> levels = levels_of(samples[i].side);
    for (const std::int64_t cell : assignment.ignored) counts[first + cell] = 0;
    for (const AssignedCell& one : assignment.positives) {
      counts[first + one.cell] = 1;
      add_positive(one, samples[i].faces[one.face], first, levels, weights.inexact_box, positives);
    }
  }
  const torch::Tensor flat = outputs.reshape({-1, DetectorConfig::kOutputs});
  torch::Tensor quality = torch::zeros({flat.size(0)});
  torch::Tensor box_loss = torch::zeros({}), point_loss = torch::zeros({});
  if (!positives.cells.empty()) {
    const torch::Tensor index = torch::tensor(positives.cells);
    const torch::Tensor chosen = flat.index_select(0, index);
    const torch::Tensor centres = tensor_of(positives.centres, 3);
    const torch::Tensor origin = centres.narrow(1, 0, 2), stride = centres.narrow(1, 2, 1);
    const torch::Tensor truth = tensor_of(positives.boxes, kBoxColumns);
    const torch::Tensor boxes = torch::cat(
        {origin + stride * chosen.narrow(1, 1, 2), stride * chosen.narrow(1, 3, 2).clamp(-6, 6).exp()}, 1);
    const auto [overlap, distance] = overlaps_of(boxes, truth);
    quality.index_put_({index}, overlap.detach().clamp(0, 1).pow(weights.quality_power));
    box_loss = ((1 - distance) * torch::tensor(positives.box_weights)).mean();
    const torch::Tensor side = truth.narrow(1, 2, 2).amax(1, true);
    const torch::Tensor points = origin.repeat({1, DetectorConfig::kPoints}) +
                                 stride * chosen.narrow(1, 5, 2 * DetectorConfig::kPoints);
    const torch::Tensor known_points = tensor_of(positives.known, 2 * DetectorConfig::kPoints);
    const torch::Tensor apart =
        at::smooth_l1_loss(points / side, tensor_of(positives.points, 2 * DetectorConfig::kPoints) / side,
                           at::Reduction::None, 0.05);
    point_loss = (apart * known_points).sum() / known_points.sum().clamp_min(1);
  }
  const torch::Tensor logits = flat.select(1, 0);
  const torch::Tensor focus = (quality - logits.sigmoid()).square();
  const torch::Tensor entropy =
      at::binary_cross_entropy_with_logits(logits, quality, {}, {}, at::Reduction::None);
  const double count = std::max<double>(1, static_cast<double>(positives.cells.size()));
  const torch::Tensor score_loss = (focus * entropy * counted).sum() / count;
  DetectorLoss loss;
  loss.total = weights.score * score_loss + weights.box * box_loss + weights.points * point_loss;
  loss.parts = {{"score", score_loss.detach()}, {"box", box_loss.detach()}, {"points", point_loss.detach()}};
  return loss;
}

}  // namespace spiga::train
