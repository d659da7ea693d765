#pragma once
// The rows that a search found, in order: all of them, or the k nearest.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>

#include "index/metric.hpp"

namespace isovec::index {

/// A row and its score (see Scorer).
struct Hit {
  double score;
  std::int64_t rowid;
};

/// What hits are sorted by, ties by rowid. The order of scores is that of distances, but for scores whose
/// distances are rounded to one.
enum class HitOrder { distance, score };

/// Whether one hit comes before another.
class HitOrdering {
 public:
  explicit HitOrdering(Metric metric, HitOrder order = HitOrder::distance) noexcept
      : metric_(metric), by_score_(order == HitOrder::score && metric == Metric::cosine) {}
  [[nodiscard]] bool operator()(const Hit& a, const Hit& b) const noexcept {
    const double key_a = key(a);
    const double key_b = key(b);
    return key_a != key_b ? key_a < key_b : a.rowid < b.rowid;
  }

 private:
  [[nodiscard]] double key(const Hit& hit) const noexcept {
    return by_score_ ? -hit.score : distance_of(metric_, hit.score);
  }
  Metric metric_;
  bool by_score_;
};

/// Hits are added in any order and then read in order. Without a limit they are sorted in growing steps as
/// they are read, so that the first few of many are cheap. 16 bytes a hit.
class Ranking {
 public:
  /// Keeps the `limit` nearest, or all.
  Ranking(HitOrdering order, std::optional<std::size_t> limit) : order_(order), limit_(limit) {}

  /// Requires a score that is a number, and no call of next() before.
  void add(Hit hit);
  /// The next hit in order, nothing after the last.
  [[nodiscard]] std::optional<Hit> next();

 private:
  void sort_more();

  HitOrdering order_;
  std::optional<std::size_t> limit_;
  Buffer<Hit> hits_;        // a heap with the farthest on top while a limit is reached
  std::size_t sorted_ = 0;  // this many hits at the front are in order
  std::size_t position_ = 0;
};

}  // namespace isovec::index
