#include "index/deferred_blocks.hpp"

namespace isovec::index {

void DeferredBlocks::add(const codec::CodeBlockView& block, const QueryCode& query,
                         const codec::RowMask& rows) {
  Block& added = blocks_.emplace_back();
  added.bytes = block.bytes();
  added.coarse = *block.coarse();
  added.rows = rows;
  bound_coarsely(block, query, added.terms, added.least);
  const codec::RowMask near = rows & rows_within(added.least, static_cast<double>(nearest_.limit()));
  codec::for_each_row(near, [&](std::size_t row) { nearest_.add(added.least[row]); });
}

}  // namespace isovec::index
