#pragma once
// What the codes of a block prove about the distances of its rows, as arithmetic on arrays:
// index/block_bounds derives it and gives the terms.

#include <cstddef>

namespace isovec::core {

/// Rows that are bounded at a time.
inline constexpr std::size_t kBoundRows = 256;

/// Slack of a computed bound against its own roundings, a few units of float64.
inline constexpr double kBoundUp = 1 + 0x1p-48;

/// Bounds are computed of whole groups of so many rows.
inline constexpr std::size_t kBoundGroup = 8;

/// The numbers of `count` rows, a multiple of kBoundGroup.
struct BoundRows {
  const double* products;  ///< <integers of the query, codes>
  const float* scales;
  const float* errors;
  const float* terms;  ///< corrections, for l2 offsets
  const float* norms;
  const float* reaches;
  std::size_t count;
};

/// What all rows of a block share.
struct BoundTerms {
  double start = 0;  ///< estimate = start - step * scale * product - along * term; for l2 |q - c|^2
  double step = 0;
  double along = 0;
  double per_error = 0;  ///< slack = (per_error e + per_residual R + fixed + per_norm norm + per_reach reach)
  double per_residual = 0;  ///< with R = min(largest_code * scale, norm + center_norm + e)
  double fixed = 0;
  double per_norm = 0;
  double per_reach = 0;
  double largest_code = 0;
  double center_norm = 0;
  // For l2: the slack of a squared distance, and how far a computed distance is from the real one.
  double rounding = 0;
  double query_norm = 0;
  double squared = 0;
  double relative = 0;
  double absolute = 0;
};

/// From products of nibbles to the largest products of codes that they leave possible, see
/// index/code_products.hpp:
///   products[r] = factor * products[r] + middle + per_norm * norms[r] + per_error * errors[r].
struct LargestProducts {
  double factor;
  double middle;
  double per_norm;
  double per_error;
  const float* norms;
  const float* errors;
};

}  // namespace isovec::core
