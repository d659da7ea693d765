// Factors and inverses are made in blocks of rows (Golub and Van Loan, Matrix Computations, 3.2 and 4.2), so
// that nearly all of the work is matrix products.

#include "core/solve.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>

#include "core/products.hpp"

namespace isovec::core {
namespace {

constexpr std::size_t kBlock = 64;

// A square matrix, row-major.
struct Square {
  Buffer<double> values;
  std::size_t n;

  double* row(std::size_t i) { return values.data() + i * n; }
  double& at(std::size_t i, std::size_t j) { return values[i * n + j]; }
  // The part that starts at (i, j), and its transpose.
  [[nodiscard]] MatrixView from(std::size_t i, std::size_t j) const {
    return {values.data() + i * n + j, n, 1};
  }
  [[nodiscard]] MatrixView transposed(std::size_t i, std::size_t j) const {
    return {values.data() + i * n + j, 1, n};
  }
};

// ---- Cholesky ----

// L over the lower triangle of A, rows [begin, end) of columns [begin, end).
void factor_diagonal_block(Square& a, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t j = begin; j <= i; ++j) {
      const double rest = a.at(i, j) - matrix_kernels().dot(a.row(i) + begin, a.row(j) + begin, j - begin);
      if (j < i) {
        a.at(i, j) = rest / a.at(j, j);
      } else if (rest > 0 && std::isfinite(rest)) {
        a.at(i, i) = std::sqrt(rest);
      } else {
        throw Error(Code::invalid_argument, "the covariance has no Cholesky factor: give eps=, or basis=zca");
      }
    }
  }
}

// L over the lower triangle of A; what is above is left as it was.
void factor_cholesky(Square& a, Work& work) {
  for (std::size_t begin = 0; begin < a.n; begin += kBlock) {
    const std::size_t end = std::min(a.n, begin + kBlock);
    factor_diagonal_block(a, begin, end);
    for (std::size_t i = end; i < a.n; ++i) {
      for (std::size_t j = begin; j < end; ++j) {
        const double known = matrix_kernels().dot(a.row(i) + begin, a.row(j) + begin, j - begin);
        a.at(i, j) = (a.at(i, j) - known) / a.at(j, j);
      }
      work.done(kBlock * kBlock / 2);
    }
    // What is left loses L21 L21^T; of its upper triangle only what lies in the way.
    constexpr std::size_t kStrip = 512;
    for (std::size_t row = end; row < a.n; row += kStrip) {
      const std::size_t rows = std::min(kStrip, a.n - row);
      multiply_add(rows, row + rows - end, end - begin, -1.0, a.from(row, begin), a.transposed(end, begin),
                   a.row(row) + end, a.n, work);
    }
  }
}

// ---- triangular systems ----

// x becomes L11^-1 x for the block of L that starts at `begin`: rows [begin, end) of x, columns [0, columns).
void solve_lower_block(Square& l, bool unit_diagonal, Square& x, std::size_t begin, std::size_t end,
                       std::size_t columns) {
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t j = begin; j < i; ++j) {
      matrix_kernels().add_scaled(-l.at(i, j), x.row(j), x.row(i), columns);
    }
    if (unit_diagonal) continue;
    for (std::size_t j = 0; j < columns; ++j) x.at(i, j) /= l.at(i, i);
  }
}

// ---- LU ----

// P A = L U in place, with partial pivoting: row i of P A is row rows[i] of A. False where a pivot is 0.
bool factor_lu(Square& a, Buffer<std::size_t>& rows, Work& work) {
  const MatrixKernels& kernels = matrix_kernels();
  for (std::size_t begin = 0; begin < a.n; begin += kBlock) {
    const std::size_t end = std::min(a.n, begin + kBlock);
    for (std::size_t j = begin; j < end; ++j) {
      std::size_t pivot = j;
      for (std::size_t i = j + 1; i < a.n; ++i) {
        if (std::abs(a.at(i, j)) > std::abs(a.at(pivot, j))) pivot = i;
      }
      if (!(std::abs(a.at(pivot, j)) > 0)) return false;
      if (pivot != j) std::swap_ranges(a.row(j), a.row(j) + a.n, a.row(pivot));
      std::swap(rows[j], rows[pivot]);
      for (std::size_t i = j + 1; i < a.n; ++i) {
        a.at(i, j) /= a.at(j, j);
        kernels.add_scaled(-a.at(i, j), a.row(j) + j + 1, a.row(i) + j + 1, end - j - 1);
      }
      work.done(8 * (a.n - j));  // each from another page
    }
    if (end == a.n) break;
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t j = begin; j < i; ++j) {
        kernels.add_scaled(-a.at(i, j), a.row(j) + end, a.row(i) + end, a.n - end);
      }
      work.done((i - begin) * (a.n - end));
    }
    multiply_add(a.n - end, a.n - end, end - begin, -1.0, a.from(end, begin), a.from(begin, end),
                 a.row(end) + end, a.n, work);
  }
  return true;
}

// x becomes L^-1 x, L with ones in its diagonal.
void solve_unit_lower(Square& lu, Square& x, Work& work) {
  for (std::size_t begin = 0; begin < x.n; begin += kBlock) {
    const std::size_t end = std::min(x.n, begin + kBlock);
    multiply_add(end - begin, x.n, begin, -1.0, lu.from(begin, 0), x.from(0, 0), x.row(begin), x.n, work);
    solve_lower_block(lu, true, x, begin, end, x.n);
    work.done(kBlock * kBlock / 2 * x.n);
  }
}

// x becomes U^-1 x.
void solve_upper(Square& lu, Square& x, Work& work) {
  for (std::size_t end = x.n; end > 0;) {
    const std::size_t begin = (end - 1) / kBlock * kBlock;
    multiply_add(end - begin, x.n, x.n - end, -1.0, lu.from(begin, end), x.from(end, 0), x.row(begin), x.n,
                 work);
    for (std::size_t i = end; i-- > begin;) {
      for (std::size_t j = i + 1; j < end; ++j) {
        matrix_kernels().add_scaled(-lu.at(i, j), x.row(j), x.row(i), x.n);
      }
      for (std::size_t j = 0; j < x.n; ++j) x.at(i, j) /= lu.at(i, i);
      work.done((end - i) * x.n);
    }
    end = begin;
  }
}

// The largest sum of sizes in a column.
double norm_of(const Buffer<double>& matrix, std::size_t n) {
  Buffer<double> sums(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) sums[j] += std::abs(matrix[i * n + j]);
  }
  return *std::max_element(sums.begin(), sums.end());
}

}  // namespace

Buffer<double> inverse_cholesky(const Buffer<double>& packed, std::size_t n, const Checkpoint& checkpoint) {
  Square l{Buffer<double>(n * n), n};
  for (std::size_t i = 0, index = 0; i < n; ++i, index += i) {
    std::copy_n(packed.begin() + static_cast<std::ptrdiff_t>(index), i + 1, l.row(i));
  }
  Work work(checkpoint);
  factor_cholesky(l, work);
  Square result{Buffer<double>(n * n), n};
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t end = std::min(n, begin + kBlock);
    multiply_add(end - begin, begin, begin, -1.0, l.from(begin, 0), result.from(0, 0), result.row(begin), n,
                 work);
    for (std::size_t i = begin; i < end; ++i) result.at(i, i) = 1;
    solve_lower_block(l, false, result, begin, end, end);
    work.done(kBlock * kBlock / 2 * end);
  }
  return std::move(result.values);
}

std::optional<Buffer<double>> inverse(const Buffer<double>& matrix, std::size_t n,
                                      const Checkpoint& checkpoint) {
  Square lu{matrix, n};
  Buffer<std::size_t> rows(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = i;
  Work work(checkpoint);
  if (!factor_lu(lu, rows, work)) return std::nullopt;
  Square result{Buffer<double>(n * n), n};
  for (std::size_t i = 0; i < n; ++i) result.at(i, rows[i]) = 1;
  solve_unit_lower(lu, result, work);
  solve_upper(lu, result, work);
  const double condition = norm_of(matrix, n) * norm_of(result.values, n);
  if (!(condition * std::numeric_limits<double>::epsilon() < 1)) return std::nullopt;
  return std::move(result.values);
}

}  // namespace isovec::core
