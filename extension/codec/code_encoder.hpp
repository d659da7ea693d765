#pragma once
// Makes blocks of codes (code_block.hpp) and codes single rows of them anew. Fixed-order float64 arithmetic
// under the default floating-point environment: the same rows give the same bytes on every instruction set
// and in every host.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <isovec/buffer.hpp>
#include <span>

#include "codec/code_block.hpp"

namespace isovec::codec {

/// What a block says beside its rows.
struct CodeBlockLabel {
  CodeMetric metric = CodeMetric::cosine;
  std::size_t dimension = 0;            ///< d, 1 ... kLargestBlockDimension
  std::span<const std::int64_t> slots;  ///< where each of the 1 ... kBlockRows rows lies; 0 ... 2^32 - 1
  std::uint64_t seed = 0;               ///< of the checksum
};

/// Rows after a transform z = W (x - mean).
struct TransformedRows {
  std::span<const double> z;  ///< n x d, row-major, by fixed-order float64 arithmetic
  /// What scores divide z by, n numbers: |z| where they compare directions, as for cosine, else 1; 0 where a
  /// row has no distance.
  std::span<const double> divisors;
  /// n numbers: |x| + |mean|, with x as the map meets it (1 + |mean| where rows are normalized before it): it
  /// tells how much rounding a score of the untransformed row can suffer.
  std::span<const double> reaches;
};

/// A block of untransformed rows: n x d, row-major. float16 and bfloat16 rows are widened first. Throws
/// Error{invalid_argument} where a number is not finite or the label is impossible, Error{too_big} for a slot
/// beyond 2^32 - 1.
[[nodiscard]] Buffer<std::byte> encode_block(const CodeBlockLabel& label, std::span<const float> rows);

/// A block of transformed rows. Throws as above; a z that is not finite makes its row unbounded.
[[nodiscard]] Buffer<std::byte> encode_block(const CodeBlockLabel& label, const TransformedRows& rows);

/// Codes rows of a block anew: row which[i] becomes what row i of `rows` is. The center stays as it is, for
/// which the numbers of a row hold whatever the row; far from it, they bound less closely. So does the
/// checksum: see seal_block(). Throws Error{corrupt} where `block` is none, and as encode_block() does.
void recode_rows(std::span<std::byte> block, std::span<const std::size_t> which, std::span<const float> rows);
void recode_rows(std::span<std::byte> block, std::span<const std::size_t> which, const TransformedRows& rows);

/// Gives a block the checksum of its bytes.
void seal_block(std::span<std::byte> block, std::uint64_t seed) noexcept;

/// The parts of a block that differ after recode_rows() of one row and seal_block(), in ascending order.
void for_each_part(const CodeBlockShape& shape, std::size_t row,
                   const std::function<void(std::size_t offset, std::size_t bytes)>& visit);

}  // namespace isovec::codec
