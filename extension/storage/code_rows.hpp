#pragma once
// The coded and uncoded rows of a column, as a search meets them: blocks in the order of their groups, single
// rows by slot.

#include <functional>
#include <isovec/buffer.hpp>
#include <memory>

#include "codec/code_block.hpp"
#include "index/bounded_search.hpp"
#include "index/scorer.hpp"
#include "storage/code_groups.hpp"
#include "storage/row_filter.hpp"
#include "storage/row_scan.hpp"

namespace isovec::storage {

/// Calls visit(block, dead) for each block of a column; `dead` are its rows whose code no longer holds.
/// Throws Error{corrupt} where a block is missing, damaged or not of its group. A block is compared
/// with its checksum when it is first met.
using VisitBlock = std::function<void(const codec::CodeBlockView& block, const codec::RowMask& dead)>;
void for_each_block(Store& store, std::size_t column, const Buffer<GroupMarks>& marks,
                    const VisitBlock& visit);
/// The same in the snapshot that `state` is of, with the blocks that the table keeps in memory. Those stay in
/// place while the caller holds a BlockCache::Use.
void for_each_kept_block(Store& store, std::size_t column, const State& state,
                         const Buffer<GroupMarks>& marks, const VisitBlock& visit);

/// The rows with a vector and no code, by slot; among the last, behind the complete groups, may be some whose
/// vector is NULL.
[[nodiscard]] Buffer<RowHead> uncoded_rows(Store& store, std::size_t column, const State& state,
                                           const Buffer<GroupMarks>& marks);

/// Throws SqliteFailure(SQLITE_ABORT_ROLLBACK) unless the table still is as `state` says: what was written
/// after a search began, or before it in the same transaction, may be rolled back while it is being read.
void require_snapshot(Store& store, const State& state);

/// Scores the rows that a search asks for by slot, where they meet its conditions.
class SlotFetcher final : public index::RowFetcher {
 public:
  /// `scorer` and the values in `conditions` must outlive this.
  SlotFetcher(Store& store, std::size_t column, const State& state, index::Scorer& scorer,
              WithNorms with_norms, NormsBySlot given, Buffer<RowCondition> conditions);
  void fetch(std::span<const std::uint32_t> slots, std::span<index::Hit> hits) override;

 private:
  [[nodiscard]] std::int64_t row_in(std::int64_t slot);
  [[nodiscard]] bool passes(std::int64_t slot, std::int64_t rowid);
  void test_all();

  Store& store_;
  State state_;
  index::Scorer& scorer_;
  ChunkGeometry geometry_;
  Buffer<RowCondition> conditions_;
  std::optional<RowTest> test_;
  std::size_t tests_left_;
  Buffer<bool> passing_;  // by slot, once all rows have been tested
  SlotReader slots_;
  VectorReader reader_;
  std::optional<NormReader> norm_reader_;
};

}  // namespace isovec::storage
