#pragma once
// The first of two looks at blocks with coarse codes, for a search that wants few rows: it bounds all rows by
// these alone. Only when every block was shown are codes read, first of the rows that look nearest, so that
// the limit which decides about the others is almost the final one. Read block by block at once, the codes of
// five times as many rows would be needed.

#include <cstddef>
#include <isovec/buffer.hpp>
#include <span>

#include "codec/code_block.hpp"
#include "index/block_bounds.hpp"
#include "index/candidates.hpp"
#include "index/query_code.hpp"

namespace isovec::index {

class DeferredBlocks {
 public:
  /// Forgets all blocks, for a search of k rows. Memory is kept: that of a large table would be asked of the
  /// system, and given back, with every search.
  void begin(std::size_t k) {
    blocks_.clear();
    nearest_ = Thresholds(2 * k + 16);
  }

  /// Bounds the rows of a block, which must stay in place until settle(); requires coarse codes and a bounded
  /// query. Throws as bound_distances() does.
  void add(const codec::CodeBlockView& block, const QueryCode& query, const codec::RowMask& rows);

  /// Calls visit(block, rows, bounds) for the rows of each block that may be within limit(), which may fall
  /// with each call, and forgets all blocks.
  template <class Limit, class Visit>
  void settle(const QueryCode& query, Limit limit, Visit visit) {
    const double near = nearest_.limit();
    for (Block& block : blocks_) look(block, query, near, visit);
    for (Block& block : blocks_) look(block, query, limit(), visit);
    blocks_.clear();
  }

 private:
  struct Block {
    std::span<const std::byte> bytes;
    codec::CoarseCodes coarse;
    core::BoundTerms terms;
    codec::RowMask rows;  // not looked at yet
    alignas(64) codec::PerRow<double> least;
  };

  template <class Visit>
  void look(Block& block, const QueryCode& query, double limit, Visit& visit) {
    const codec::RowMask rows = block.rows & rows_within(block.least, limit);
    if (rows == codec::RowMask()) return;
    block.rows = block.rows & ~rows;
    const auto view = codec::CodeBlockView::recall(block.bytes, block.coarse);
    bound_rows(view, query, block.terms, rows, bounds_);
    visit(view, rows, bounds_);
  }

  Thresholds nearest_{0};  // of what coarse codes say
  Buffer<Block> blocks_;
  DistanceBounds bounds_{};
};

}  // namespace isovec::index
