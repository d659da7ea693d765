#pragma once
// The inner loops of fitting, once per instruction set: sums of products of rows, matrix products, and what
// an eigendecomposition repeats. Unlike kernels.hpp these use fused multiply-adds and the order that is
// fastest, so results may differ in their last bits between instruction sets; a fitted transform is therefore
// kept and shipped as a BLOB, never refitted elsewhere and expected equal.
//
// All entries are noexcept and allocate nothing; the caller hands in the workspace.

#include <cstddef>
#include <span>

namespace isovec::core {

/// Rows that a block of products may have: long enough to hide the writing of the result, short enough for
/// float32 sums to stay accurate and for the packed panels to stay in cache.
inline constexpr std::size_t kBlockRows = 256;

/// A matrix in memory: element (i, j) is at data[i * row_step + j * column_step].
struct MatrixView {
  const double* data;
  std::size_t row_step;
  std::size_t column_step;
};

/// Plane rotations of rows `low` to `high` + 1, from `high` downwards: rotation t turns rows i = high - t and
/// i + 1: (row i, row i + 1) becomes (c row i - s row i + 1, s row i + c row i + 1).
struct Sweep {
  std::size_t high;
  std::size_t low;
  const double* cosines;  // high - low + 1
  const double* sines;    // high - low + 1
};

struct MatrixKernels {
  /// "baseline", "avx2" or "avx512"
  const char* name;

  /// Doubles of workspace that products of `columns` columns need.
  std::size_t (*workspace)(std::size_t columns) noexcept;

  /// packed += sum over r of weights[r] * left_r right_r^T, lower triangle, row by row: columns (columns + 1)
  /// / 2; of its rows those from `first` and below `last`. left and right are rows x columns, row-major and
  /// dense, rows <= kBlockRows; the sum must be symmetric. weights may be null: all 1.
  void (*add_products)(const double* left, const double* right, const double* weights, std::size_t rows,
                       std::size_t columns, std::size_t first, std::size_t last, double* packed,
                       double* workspace) noexcept;
  /// The same in float32: factors rounded, products summed over the block in float32, the sum added in
  /// float64.
  void (*add_products_f32)(const double* left, const double* right, const double* weights, std::size_t rows,
                           std::size_t columns, std::size_t first, std::size_t last, double* packed,
                           double* workspace) noexcept;

  /// c += alpha a b for a (m x k) and b (k x n); c is row-major, row i at c + i * c_step. The workspace is
  /// that of max(m, n) columns.
  void (*multiply_add)(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                       double* c, std::size_t c_step, double* workspace) noexcept;

  /// y = A x for a symmetric n x n A, given by its packed lower triangle.
  void (*symmetric_times_vector)(const double* packed, std::size_t n, const double* x, double* y) noexcept;

  double (*dot)(const double* x, const double* y, std::size_t n) noexcept;
  /// y += alpha x
  void (*add_scaled)(double alpha, const double* x, double* y, std::size_t n) noexcept;

  /// Applies `count` sweeps in order to the rows of a row_count x columns matrix, row i at rows + i *
  /// row_step. The workspace is that of row_count columns.
  void (*rotate)(const Sweep* sweeps, std::size_t count, double* rows, std::size_t row_count,
                 std::size_t columns, std::size_t row_step, double* workspace) noexcept;
};

/// The kernels that go with the instruction set of kernels().
[[nodiscard]] const MatrixKernels& matrix_kernels() noexcept;

/// Every set that runs on this machine, the baseline first.
[[nodiscard]] std::span<const MatrixKernels* const> runnable_matrix_kernels() noexcept;

}  // namespace isovec::core
