#pragma once
// What the codes of a block prove about the distances of its rows: from where to where each must lie.
//
// Let q be the query (q / |q| for cosine), q^ = step * codes its 16-bit form, c the center, y^ = c + r^ a
// decoded row, delta = y - y^ with |delta| <= e, and t any number. Exactly,
//
//   <q, y> = <q, c> + <q^, r^> + <q - q^, r^> + t <c, delta> + <q - t c, delta>.
//
// The first two terms are computed, <q^, r^> from an exact integer; t b is computed with b = <c, delta>
// stored; what is left is at most |q - q^||r^| + |q - t c| e. It is smallest for t = <q, c> / |c|^2, which
// leaves the part of q that is perpendicular to c: the error of a row counts only in the directions in which
// the query differs from the rows' mean. For l2
//
//   |q - y^|^2 = |q - c|^2 - 2 <q, r^> + (|y^|^2 - |c|^2),   | |q - y| - |q - y^| | <= e,
//
// with the last bracket stored. |r^| <= min(127 sqrt(d) scale, |y| + |c| + e). Rounding: with Q >= |q|, C >=
// |c| and R >= |r^|, every float64 sum above has at most d terms and every product of norms is at most Q (C +
// R + e), so (d + 64) 2^-52 Q (C + R + e) covers all of it, b's own sum included, whose terms t c delta are
// at most Q e; the float32 rounding of b adds 2^-24 |t b| <= 2^-24 Q e and, where b is denormal, 2^-150 |t|.
// For l2 the sums are |q - c|^2, 2 Q R and at most R (R + 2 C), the last also rounded to float32. To this
// comes what the computed distance differs from the real one (ScoreError).
//
// Every bound of a distance from below falls as the product <q^, r^> grows: the largest product that coarse
// codes leave possible (code_products.hpp) gives a valid one.

#include <array>

#include "codec/code_block.hpp"
#include "index/query_code.hpp"

namespace isovec::index {

/// For each row of a block, least <= its computed distance <= most. Rows without a distance and places beyond
/// the last row hold nothing of meaning; a row of which nothing is known has -infinity and +infinity.
struct DistanceBounds {
  alignas(64) codec::PerRow<double> least;
  alignas(64) codec::PerRow<double> most;
};

/// Bounds all rows of a block. Throws Error{corrupt} where the block is of another metric, dimension or kind
/// (transformed or not) than the query.
void bound_distances(const codec::CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds);

/// Bounds the rows of a block whose distance may be at most `limit`, and returns them; the bounds of the
/// others have no meaning. Of a block with coarse codes that reads these, and the codes of the rows that
/// they leave.
[[nodiscard]] codec::RowMask bound_distances_within(const codec::CodeBlockView& block, const QueryCode& query,
                                                    double limit, DistanceBounds& bounds);

/// At most what bound_distances() gives as `least`, from the coarse codes of a block that has them. `terms`
/// are for bound_rows(). Requires that the query is bounded; throws as bound_distances() does.
void bound_coarsely(const codec::CodeBlockView& block, const QueryCode& query, core::BoundTerms& terms,
                    codec::PerRow<double>& least);

/// What bound_distances() gives of the rows of a mask, and nothing of meaning of the others.
void bound_rows(const codec::CodeBlockView& block, const QueryCode& query, const core::BoundTerms& terms,
                const codec::RowMask& rows, DistanceBounds& bounds);

/// The places whose lower bound is at most `limit`, also beyond the last row.
[[nodiscard]] codec::RowMask rows_within(const codec::PerRow<double>& least, double limit) noexcept;

/// The same as bound_distances() of -<q, y>, whatever distance the rows are coded for.
void bound_products(const codec::CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds);

}  // namespace isovec::index
