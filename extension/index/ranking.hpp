#pragma once
// The rows that a search found, in ascending distance, ties by rowid: all of them, or the k nearest.

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

/// Hits are added in any order and then read in order. Without a limit they are sorted in growing steps as
/// they are read, so that the first few of many are cheap. 16 bytes a hit.
class Ranking {
 public:
  /// Keeps the `limit` nearest, or all.
  Ranking(Metric metric, std::optional<std::size_t> limit) : metric_(metric), limit_(limit) {}

  /// Requires a score that is a number, and no call of next() before.
  void add(Hit hit);
  /// The next hit in order, nothing after the last.
  [[nodiscard]] std::optional<Hit> next();
  [[nodiscard]] Metric metric() const noexcept { return metric_; }

 private:
  [[nodiscard]] bool nearer(const Hit& a, const Hit& b) const noexcept;
  void sort_more();

  Metric metric_;
  std::optional<std::size_t> limit_;
  Buffer<Hit> hits_;        // a heap with the farthest on top while a limit is reached
  std::size_t sorted_ = 0;  // this many hits at the front are in order
  std::size_t position_ = 0;
};

}  // namespace isovec::index
