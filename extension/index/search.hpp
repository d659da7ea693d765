#pragma once
// A search: every row of a source scored, those within the wanted distances ranked.

#include <limits>

#include "index/ranking.hpp"
#include "index/row_source.hpp"
#include "index/scorer.hpp"

namespace isovec::index {

/// Distances from `least` to `most`, both included.
struct DistanceRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

/// Adds the rows of `source` whose distance is defined and within `range` to `ranking`.
void search(RowSource& source, Scorer& scorer, const DistanceRange& range, Ranking& ranking);

}  // namespace isovec::index
