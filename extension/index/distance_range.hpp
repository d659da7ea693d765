#pragma once
// Which distances a search may find.

#include <limits>

namespace isovec::index {

/// Distances from `least` to `most`, both included.
struct DistanceRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

}  // namespace isovec::index
