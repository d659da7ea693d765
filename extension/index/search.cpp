#include "index/search.hpp"

#include <cmath>

namespace isovec::index {

void search(RowSource& source, Scorer& scorer, const DistanceRange& range, Ranking& ranking) {
  while (const auto batch = source.next()) {
    const std::span<const double> scores = scorer.score(*batch);
    for (std::size_t r = 0; r < scores.size(); ++r) {
      if (std::isnan(scores[r])) continue;
      const double distance = distance_of(ranking.metric(), scores[r]);
      if (distance >= range.least && distance <= range.most) ranking.add({scores[r], batch->rowids[r]});
    }
  }
}

}  // namespace isovec::index
