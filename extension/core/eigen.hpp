#pragma once
// Eigendecomposition of symmetric matrices: Householder reduction to tridiagonal form in blocks, then
// implicit QL, its rotations applied in batches (Golub and Van Loan, Matrix Computations, 8.3).

#include <cstddef>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>

namespace isovec::core {

/// A = sum over m of values[m] v_m v_m^T.
struct EigenDecomposition {
  Buffer<double> values;   ///< n, descending
  Buffer<double> vectors;  ///< n x n, row-major: row m is v_m, of norm 1, its entry of largest size positive

  [[nodiscard]] std::size_t size() const noexcept { return values.size(); }
  /// v_m
  [[nodiscard]] const double* vector(std::size_t m) const noexcept { return vectors.data() + m * size(); }
};

/// Decomposes the symmetric n x n matrix whose packed lower triangle is given, which is used up.
/// Eigenvalues are accurate to a few roundings of the largest one. Throws Error where an entry is not finite.
/// Takes some 9 n^3 operations, and asks `checkpoint` meanwhile where these are many.
[[nodiscard]] EigenDecomposition decompose_symmetric(Buffer<double> packed, std::size_t n,
                                                     const Checkpoint& checkpoint = {});

/// Multiplies a direction by -1 where its entry of largest size is negative; sizes within 1e-12 of one
/// another count as equal, the first of them decides.
void fix_sign(double* direction, std::size_t n) noexcept;

}  // namespace isovec::core
