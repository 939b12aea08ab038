// Copyright (c) 2026, the spiga authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace spiga::scheme {

using Point3 = std::array<double, 3>;

// A contour of the face: landmark indices in the order in which a pen would draw them. Sides are the
// subject's: the right eye is on the left of the picture. Names are ours; order and members are the
// databases'.
struct Edge {
  std::string name;
  std::vector<int> landmarks;
};

// A normalisation of the error, and the NME in percent up to which AUC counts and over which a face has
// failed.
struct Norm {
  std::string name;
  double threshold = 0;
};

// A named part of a database's test set: picture indices, ascending.
struct Subset {
  std::string name;
  std::vector<int> images;
};

// What a landmark database fixes: which points, in which order, and how errors are counted. L landmarks, E
// edges.
struct Database {
  std::string name;
  int landmarks = 0;              // L
  std::vector<int> ids;           // [L] ids in the order in which the network and the annotations list them
  std::vector<int> flip_order;    // [L] landmark i of a mirrored face is landmark flip_order[i] of the face
  std::vector<Edge> edges;        // [E]
  std::vector<float> edge2point;  // [L, E + 1] 1 where landmark and edge belong together, else 0; the last
                                  // column holds the landmarks that belong to no edge
  std::vector<Norm> norms;        // published order; the first is the default
  std::vector<Subset> test_subsets;  // published order; may be empty
  std::vector<Point3> mean_face;  // [L] 3-D mean face as published: X to the picture's right, Y up, Z forward
  std::vector<Point3> world_points;  // [L] the same as the network's camera sees it: (Z, -X, -Y)

  int edge_count() const { return static_cast<int>(edges.size()); }
  // Index of the landmark with this id, or -1.
  int index_of(int id) const;
};

// The databases built into the library: "wflw", "300wpublic", "300wprivate", "cofw68", "merlrav". The
// reference is valid for the life of the program; safe from any thread. Throws Error(invalid_argument) naming
// the known ones.
const Database& find_database(std::string_view name);

// In the order above.
std::vector<std::string> database_names();

}  // namespace spiga::scheme
