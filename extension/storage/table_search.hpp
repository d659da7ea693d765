#pragma once
// A search of one column: exactly the rows, in exactly the order, that scoring every row would give. It reads
// the codes and scores the few rows that their bounds leave; or scores every row, or every row that meets the
// conditions, where that is less work or the codes say nothing (the column is fitted, and the query brings
// another transform, or none).
//
// A stream whose blocks are kept in memory begins as a search for its first rows, which most readers leave it
// at; for the others it reads the codes a second time, for all that lie behind those.

#include <isovec/buffer.hpp>
#include <memory>
#include <optional>

#include "index/bounded_search.hpp"
#include "index/ranking.hpp"
#include "index/scorer.hpp"
#include "storage/code_rows.hpp"
#include "storage/row_filter.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

struct TableQuery {
  std::size_t column = 0;
  index::Query query;
  std::unique_ptr<const Transform> given;  ///< The query's transform where it is not the column's own.
  std::uint64_t given_checksum = 0;        ///< Of its BLOB.
  std::optional<std::size_t> k;
  index::DistanceRange range;
  index::HitOrder order = index::HitOrder::distance;
  Buffer<RowCondition> conditions;  ///< Their values must outlive the search.
};

class TableSearch {
 public:
  /// Begins a search of the snapshot that `state` is of.
  TableSearch(Store& store, const State& state, TableQuery query);
  /// The next row in order, nothing after the last.
  [[nodiscard]] std::optional<index::Hit> next();
  /// Works out all rows that are left, before any row changes.
  void settle();
  [[nodiscard]] index::Metric metric() const noexcept { return query_.query.metric; }

 private:
  [[nodiscard]] bool can_use_codes() const;
  [[nodiscard]] WithNorms with_norms() const noexcept;
  [[nodiscard]] NormsBySlot given_norms() const noexcept;
  [[nodiscard]] bool finds_kept_norms();
  void keep_norms();
  void search_codes();
  [[nodiscard]] index::SearchLimits all_rows() const;
  void show_rows(const index::SearchLimits& limits);
  void begin_rest();
  void add_uncoded(const Buffer<GroupMarks>& marks);
  /// Calls add(hit) for each row that meets the conditions.
  template <typename Add>
  void score_rows(std::optional<Buffer<RowHead>> chosen, Add&& add);
  void rank(std::optional<Buffer<RowHead>> chosen);
  void score_the_rest();

  Store& store_;
  State state_;
  TableQuery query_;
  std::shared_ptr<const Transform> own_;     // of the column
  std::unique_ptr<index::Scorer> scorer_;    // null where no row has a distance to the query
  std::shared_ptr<const GivenNorms> given_;  // norms under the query's transform, where they are known
  std::optional<index::Ranking> ranking_;
  std::optional<index::QueryCode> code_;
  std::optional<index::MappedQuery> mapped_;
  std::unique_ptr<SlotFetcher> fetcher_;
  std::optional<index::BoundedSearch> bounded_;
  bool is_slice_ = false;  // bounded_ finds only the first rows of a stream
};

}  // namespace isovec::storage
