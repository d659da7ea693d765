#pragma once
// A search over blocks of codes that finds exactly what scoring every row would find, in the same order. The
// caller shows it every block (add_block) and every row that has no code (add_hit); then next() hands out
// hits in ascending distance, ties by rowid, and has those rows scored whose bounds leave no other way.
//
// Why it is exact: a row is handed out only when its computed distance is below the lower bound of every row
// that is not scored yet, and before every scored row of the same distance and a larger rowid. With a limit
// of k a row is dropped only when its lower bound is above the upper bounds of k rows that are certain to be
// hits; without one every row is kept, 8 bytes each, and sorted only when it is reached. So the first rows of
// a stream cost what a search for that many costs, and reading on repeats nothing.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "codec/code_block.hpp"
#include "index/block_bounds.hpp"
#include "index/candidates.hpp"
#include "index/deferred_blocks.hpp"
#include "index/distance_range.hpp"
#include "index/mapped_query.hpp"
#include "index/query_code.hpp"
#include "index/ranking.hpp"
#include "index/scorer.hpp"

namespace isovec::index {

/// Scores rows that a search asks for.
class RowFetcher {
 public:
  virtual ~RowFetcher() = default;
  /// hits[i] = the score (see Scorer) and rowid of the row in slots[i]; slots ascend. A score of NaN: the row
  /// takes no part, because it has no distance or a filter that was left to this moment rejects it.
  virtual void fetch(std::span<const std::uint32_t> slots, std::span<Hit> hits) = 0;
};

struct SearchLimits {
  /// No more hits than these are wanted.
  std::optional<std::size_t> k;
  /// How many hits will probably be read: what the first ones are prepared for.
  std::size_t expected = 10;
  /// How many rows will probably be shown in blocks, to make room for them at once; may be 0.
  std::size_t rows = 0;
  DistanceRange range;
  /// Only hits behind this one, in the order of hits.
  std::optional<Hit> after;
  /// fetch() may reject rows by a filter: then no row is dropped on the strength of one that is not fetched
  /// yet.
  bool rejects = false;
  HitOrder order = HitOrder::distance;
};

class BoundedSearch {
 public:
  /// `query` must outlive the search.
  BoundedSearch(const QueryCode& query, const SearchLimits& limits);
  BoundedSearch(const MappedQuery& query, const SearchLimits& limits);

  /// Looks at blocks with coarse codes twice, by what is lent until finish_blocks(); they must stay in place
  /// as long. For a limit without filters; without it they are bounded one by one.
  void defer(DeferredBlocks& deferred);
  /// Rows of one block that are not dead and pass the filters. Throws Error{corrupt} as bound_distances does.
  void add_block(const codec::CodeBlockView& block, const codec::RowMask& dead,
                 const codec::RowMask& passing);
  /// To be called after the last block where blocks are deferred.
  void finish_blocks();
  /// A row scored by the caller; a score of NaN is passed over.
  void add_hit(const Hit& hit);
  /// A row scored by the caller that fetch() may still reject. Requires limits.rejects.
  void add_candidate(std::uint32_t slot, double score);

  /// Whether more than a quarter of the coded rows have to be scored, so that reading all vectors in order
  /// costs less. Ask after the last block, and while reading on. Where it is so, call begin_raw_scan() and
  /// then add_hit() for every row of the table that passes the filters.
  [[nodiscard]] bool prefers_raw_scan();
  /// Forgets all rows, but not what was handed out: those hits are passed over when they are added again.
  void begin_raw_scan();

  /// The next hit, nothing after the last. Throws Error{corrupt} where a fetched row lies below its bound or,
  /// unless limits.rejects, has no distance although it has a bound: then its code is not that of the row.
  [[nodiscard]] std::optional<Hit> next(RowFetcher& fetcher);

  /// Whether rows are left that next() would have scored.
  [[nodiscard]] bool has_unscored() const noexcept { return !candidates_.empty(); }

  /// The hit that next() gave last, or what hits have to lie behind.
  [[nodiscard]] const std::optional<Hit>& last() const noexcept { return last_; }
  /// Hits that next() gave.
  [[nodiscard]] std::size_t handed_out() const noexcept { return handed_out_; }
  /// Rows fetched so far.
  [[nodiscard]] std::size_t fetched() const noexcept { return fetched_; }
  /// Rows that were shown in blocks.
  [[nodiscard]] std::size_t coded_rows() const noexcept { return coded_rows_; }

 private:
  /// For a heap with the nearest on top.
  [[nodiscard]] auto farthest_first() const noexcept {
    return [order = order_](const Hit& a, const Hit& b) { return order(b, a); };
  }
  [[nodiscard]] double distance(const Hit& hit) const noexcept { return distance_of(metric_, hit.score); }
  [[nodiscard]] bool prunes() const noexcept { return limits_.k.has_value() && !limits_.rejects; }
  /// Rows beyond it cannot be hits.
  [[nodiscard]] double limit() const noexcept;
  /// How many hits the next rows are fetched for.
  [[nodiscard]] std::size_t wanted() const noexcept;
  BoundedSearch(Metric metric, const SearchLimits& limits);
  void add_rows(const codec::CodeBlockView& block, const codec::RowMask& rows, const DistanceBounds& bounds);
  void add_thresholds(const codec::RowMask& rows, const DistanceBounds& bounds);
  void add_candidates(const codec::CodeBlockView& block, const codec::RowMask& rows,
                      const DistanceBounds& bounds);
  void keep_nearest();
  void begin_reading();
  [[nodiscard]] bool is_wanted(const Hit& hit) const noexcept;
  void push_scored(const Hit& hit);
  Hit pop_scored();
  [[nodiscard]] double distance_of_scored(std::size_t count);
  void fetch_batch(RowFetcher& fetcher);
  void check(const Candidate& candidate, const Hit& hit) const;

  Metric metric_;
  const QueryCode* query_ = nullptr;  // or
  const MappedQuery* mapped_ = nullptr;
  SearchLimits limits_;
  HitOrdering order_;
  DistanceBounds bounds_;
  DeferredBlocks* deferred_ = nullptr;
  Thresholds thresholds_;
  Candidates candidates_;
  std::size_t compact_at_;
  Buffer<Hit> scored_;  // while reading a heap, the nearest on top
  bool reading_ = false;
  std::optional<Hit> last_;  // what hits have to lie behind
  std::size_t handed_out_ = 0;
  std::size_t coded_rows_ = 0;
  std::size_t fetched_ = 0;
  std::size_t near_rows_ = 0;  // candidates below the threshold when reading began
  Buffer<std::uint32_t> slots_;
  Buffer<Hit> hits_;
};

}  // namespace isovec::index
