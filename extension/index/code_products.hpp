#pragma once
// Products of a query's integers with the codes of a block.
//
// Where a block has coarse codes, code = s (u - 8) + rho with s = 256 / divisor, |u - 8| <= n and |rho| <= r.
// With the integers w = 256 h + l of the query,
//
//   <w, code> = 256 s <h, u - 8> + s <l, u - 8> + <w, rho>
//            <= 256 s (<h, u> - 8 <h, 1>) + s |l| n + |w| r,
//
// which needs <h, u> alone of every row. The r that is stored exceeds |rho| by 2^-10, and |w| is at least
// kLargestQueryCode: that covers the roundings of the sum, which is below 2^41.

#include "codec/code_block.hpp"
#include "index/query_code.hpp"

namespace isovec::index {

/// <w, code> of each row; beyond the last, numbers of no meaning.
using Products = codec::PerRow<double>;

/// Of every row, exact.
void multiply(const codec::CodeBlockView& block, const QueryCode& query, Products& products) noexcept;

/// Of every row of a block with coarse codes at least the product, from these alone.
void multiply_largest(const codec::CodeBlockView& block, const QueryCode& query, Products& products) noexcept;

/// Of the rows of a mask, exact; other products stay as they are.
void multiply_rows(const codec::CodeBlockView& block, const QueryCode& query, const codec::RowMask& rows,
                   Products& products) noexcept;

}  // namespace isovec::index
