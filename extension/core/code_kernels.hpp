#pragma once
// The inner loops of int8 codes, once per instruction set: the products of one query with the codes of many
// rows, and what encoding a row needs.
//
// Products of integers are exact. float64 sums follow the canonical reduction of kernels.hpp: 16 lanes,
// multiply then add, a fixed tree. So every table gives the same bits, and a block of codes is the same bytes
// wherever it was made. All entries are noexcept and allocate nothing; float and double pointers need no
// alignment. Hold a FloatingPointScope.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/code_bounds.hpp"

namespace isovec::core {

/// Bytes that must be readable after the last row of codes, and the multiple to which a query is padded.
inline constexpr std::size_t kCodePadding = 64;

/// The largest magnitude of a coded query's element: 127 * 256 + 127, so that high and low fit int8.
inline constexpr std::int32_t kLargestQueryCode = 32'639;

/// The largest dimension of codes: more would overflow the 32-bit sums of the VNNI form.
inline constexpr std::size_t kLargestCodeDimension = 65'535;

/// A query in 16 bits, in the two forms that the tables read. Each array has d elements and zeros up to the
/// next multiple of kCodePadding.
struct CodeQuery {
  const std::int16_t* wide;  ///< -kLargestQueryCode ... kLargestQueryCode
  const std::int8_t* high;   ///< wide = 256 * high + low
  const std::int8_t* low;
  std::int64_t sum;  ///< of wide
  /// high folded, for rows of nibbles: folded_bytes(d) elements, zeros up to a multiple of kCodePadding, then
  /// the others likewise.
  const std::int8_t* folded = nullptr;
};

/// Bytes of a row of d nibbles folded at its middle: byte j holds element j in its low half and element
/// folded_bytes(d) + j in its high half.
[[nodiscard]] constexpr std::size_t folded_bytes(std::size_t d) noexcept {
  return (d + 1) / 2;
}

/// Where the second half of a folded query begins.
[[nodiscard]] constexpr std::size_t folded_half(std::size_t d) noexcept {
  return (folded_bytes(d) + kCodePadding - 1) / kCodePadding * kCodePadding;
}

/// What coding a row left over; r = y - center, r^ = scale * code, delta = r - r^.
struct CodeResidual {
  double squared_norm;  ///< delta.delta
  double correction;    ///< center.delta
  double offset;        ///< r^.(r^ + 2 center) = |center + r^|^2 - |center|^2
};

/// Sums over a query and a center.
struct CenterSums {
  double dot;               ///< q.c
  double squared_norm;      ///< c.c
  double squared_distance;  ///< |q - c|^2
};

struct CodeKernels {
  /// The name of the KernelTable that it goes with.
  const char* name;

  /// out[r] = sum over i of wide[i] * codes[r * d + i], exact, for row_count rows of d codes, d <=
  /// kLargestCodeDimension. Reads up to kCodePadding bytes beyond the last row.
  void (*dot_rows)(const CodeQuery& query, const std::int8_t* codes, std::size_t row_count, std::size_t d,
                   double* out) noexcept;

  /// out[r] = sum over i of high[i] * element i of row r, exact, for row_count folded rows of d nibbles, each
  /// 0 ... 15. Reads up to kCodePadding bytes beyond the last row.
  void (*dot_nibbles)(const CodeQuery& query, const std::uint8_t* rows, std::size_t row_count, std::size_t d,
                      double* out) noexcept;

  /// See code_bounds.hpp; of largest_products kBoundRows rows.
  void (*largest_products)(const LargestProducts& terms, double* products) noexcept;
  void (*bound_products)(const BoundTerms& terms, const BoundRows& rows, double* least,
                         double* most) noexcept;
  void (*bound_l2)(const BoundTerms& terms, const BoundRows& rows, double* least, double* most) noexcept;
  /// Bit r % 64 of mask[r / 64]: whether values[r] <= limit, for kBoundRows values.
  void (*at_most)(const double* values, double limit, std::uint64_t* mask) noexcept;

  /// The largest |y_i - c_i|; y and c finite.
  double (*largest_residual)(const double* y, const float* center, std::size_t d) noexcept;

  /// codes[i] = (y_i - c_i) / scale, to the nearest integer, ties to even; scale > 0 and at least
  /// largest_residual / 127.
  CodeResidual (*quantize)(const double* y, const float* center, float scale, std::size_t d,
                           std::int8_t* codes) noexcept;

  CenterSums (*center_sums)(const double* q, const float* center, std::size_t d) noexcept;

  /// sum[i] += y[i]
  void (*accumulate)(const double* y, std::size_t d, double* sum) noexcept;

  /// y[i] = x[i] * factor, in float64.
  void (*widen)(const float* x, double factor, std::size_t d, double* y) noexcept;
};

/// The table that goes with kernels().
[[nodiscard]] const CodeKernels& code_kernels() noexcept;

/// Every table that runs on this machine, in the order of runnable_kernels().
[[nodiscard]] std::span<const CodeKernels* const> runnable_code_kernels() noexcept;

}  // namespace isovec::core
