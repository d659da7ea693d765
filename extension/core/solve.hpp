#pragma once
// Dense solving in float64: factors, inverses and least squares of matrices given row by row. What takes long
// asks `checkpoint` between blocks.

#include <cstddef>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <optional>

namespace isovec::core {

/// L^-1 as a full n x n matrix, with zeros above the diagonal, for A = L L^T given by its packed lower
/// triangle. Throws Error where A is not positive definite.
[[nodiscard]] Buffer<double> inverse_cholesky(const Buffer<double>& packed, std::size_t n,
                                              const Checkpoint& checkpoint = {});

/// A^-1 of a row-major n x n matrix; nothing where A is singular to working precision.
[[nodiscard]] std::optional<Buffer<double>> inverse(const Buffer<double>& matrix, std::size_t n,
                                                    const Checkpoint& checkpoint = {});

/// The shortest x that minimizes |A x - b| for a row-major rows x columns matrix.
[[nodiscard]] Buffer<double> least_squares(const Buffer<double>& matrix, std::size_t rows,
                                           std::size_t columns, const Buffer<double>& b,
                                           const Checkpoint& checkpoint = {});

}  // namespace isovec::core
