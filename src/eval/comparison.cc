// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#include "eval/comparison.h"

namespace spiga::eval {
namespace {

Difference compare(const Method& baseline, const Method& method) {
  std::vector<double> differences;
  std::size_t better = 0;
  for (std::size_t i = 0; i < baseline.evaluation.faces.size(); ++i) {
    const FaceResult& before = baseline.evaluation.faces[i];
    const FaceResult& now = method.evaluation.faces[i];
    if (before.missed || now.missed) continue;
    differences.push_back(now.nme - before.nme);
    better += differences.back() < 0 ? 1 : 0;
  }
  return {.method = method.name,
          .baseline = baseline.name,
          .faces = differences.size(),
          .difference = mean(differences),
          .interval = bootstrap_mean(differences),
          .better_share = static_cast<double>(better) / static_cast<double>(differences.size())};
}

}  // namespace

std::vector<Difference> compare_methods(std::span<const Method> methods) {
  std::vector<Difference> differences;
  for (std::size_t i = 1; i < methods.size(); ++i) differences.push_back(compare(methods[0], methods[i]));
  return differences;
}

}  // namespace spiga::eval
