// Least squares by a QR factorization with column pivoting, and where that shows a rank below the number of
// columns, by a second factorization of the rows that are left (Golub and Van Loan, Matrix Computations, 5.4
// and 5.5).

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/matrix_kernels.hpp"
#include "core/solve.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

// I - tau (1, v) (1, v)^T, which turns (alpha, x) into (beta, 0).
struct Householder {
  double tau = 0;
  double beta = 0;
};

// x becomes v.
Householder make_householder(double alpha, double* x, std::size_t n) {
  const double rest = matrix_kernels().dot(x, x, n);
  if (rest == 0) return {0, alpha};
  const double beta = -std::copysign(std::sqrt(alpha * alpha + rest), alpha);
  for (std::size_t i = 0; i < n; ++i) x[i] /= alpha - beta;
  return {(beta - alpha) / beta, beta};
}

// Applies it to (head, tail).
void apply(double tau, const double* v, std::size_t n, double& head, double* tail) {
  const double along = tau * (head + matrix_kernels().dot(v, tail, n));
  head -= along;
  matrix_kernels().add_scaled(-along, v, tail, n);
}

class LeastSquares {
 public:
  LeastSquares(const Buffer<double>& matrix, std::size_t rows, std::size_t columns, const Buffer<double>& b,
               const Checkpoint& checkpoint)
      : rows_(rows), columns_(columns), a_(rows * columns), b_(b), order_(columns), work_(checkpoint) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (std::size_t j = 0; j < columns; ++j) {
      for (std::size_t i = 0; i < rows; ++i) column(j)[i] = matrix[i * columns + j];
      work_.done(rows);
    }
  }

  Buffer<double> solve() {
    triangularize();
    if (rank_ < columns_) shorten();
    Buffer<double> x = substitute();
    if (rank_ < columns_) extend(x);
    Buffer<double> result(columns_);
    for (std::size_t j = 0; j < columns_; ++j) result[order_[j]] = x[j];
    return result;
  }

 private:
  double* column(std::size_t j) { return a_.data() + j * rows_; }
  // The squared norm of column j below row k.
  double remaining(std::size_t j, std::size_t k) {
    return matrix_kernels().dot(column(j) + k, column(j) + k, rows_ - k);
  }

  // A P = Q R, and b becomes Q^T b. What remains below the rank is rounding.
  void triangularize() {
    Buffer<double> norms(columns_);
    for (std::size_t j = 0; j < columns_; ++j) norms[j] = remaining(j, 0);
    const double largest = columns_ == 0 ? 0 : *std::max_element(norms.begin(), norms.end());
    const double noise =
        std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(rows_, columns_));
    for (std::size_t k = 0; k < std::min(rows_, columns_); ++k) {
      const auto pivot = static_cast<std::size_t>(
          std::max_element(norms.begin() + static_cast<std::ptrdiff_t>(k), norms.end()) - norms.begin());
      if (!(norms[pivot] > largest * noise * noise)) break;
      if (pivot != k) std::swap_ranges(column(k), column(k) + rows_, column(pivot));
      std::swap(order_[k], order_[pivot]);
      std::swap(norms[k], norms[pivot]);
      eliminate(k, norms);
      rank_ = k + 1;
    }
  }

  void eliminate(std::size_t k, Buffer<double>& norms) {
    const std::size_t below = rows_ - k - 1;
    double* const v = column(k) + k + 1;
    const Householder householder = make_householder(column(k)[k], v, below);
    column(k)[k] = householder.beta;
    for (std::size_t j = k + 1; j < columns_; ++j) {
      apply(householder.tau, v, below, column(j)[k], column(j) + k + 1);
      norms[j] = remaining(j, k + 1);
      work_.done(3 * below + 1);
    }
    apply(householder.tau, v, below, b_[k], b_.data() + k + 1);
  }

  // (R S) = (T 0) Z for the leading rows R of full rank and the columns S beside them.
  void shorten() {
    const std::size_t beside = columns_ - rank_;
    beside_.resize(rank_ * beside);
    taus_.resize(rank_);
    for (std::size_t i = 0; i < rank_; ++i) {
      for (std::size_t j = 0; j < beside; ++j) beside_[i * beside + j] = column(rank_ + j)[i];
      work_.done(8 * beside);  // each from another page
    }
    for (std::size_t i = rank_; i-- > 0;) {
      double* const v = beside_.data() + i * beside;
      const Householder householder = make_householder(column(i)[i], v, beside);
      column(i)[i] = householder.beta;
      taus_[i] = householder.tau;
      for (std::size_t above = 0; above < i; ++above) {
        apply(householder.tau, v, beside, column(i)[above], beside_.data() + above * beside);
        work_.done(2 * beside + 1);
      }
    }
  }

  // The leading triangle against b.
  Buffer<double> substitute() {
    Buffer<double> x(columns_);
    std::copy_n(b_.begin(), rank_, x.begin());
    for (std::size_t i = rank_; i-- > 0;) {
      x[i] /= column(i)[i];
      matrix_kernels().add_scaled(-x[i], column(i), x.data(), i);
      work_.done(i);
    }
    return x;
  }

  // Z^T x
  void extend(Buffer<double>& x) {
    const std::size_t beside = columns_ - rank_;
    for (std::size_t i = 0; i < rank_; ++i) {
      apply(taus_[i], beside_.data() + i * beside, beside, x[i], x.data() + rank_);
      work_.done(2 * beside);
    }
  }

  std::size_t rows_, columns_, rank_ = 0;
  Buffer<double> a_;  // column by column
  Buffer<double> b_;
  Buffer<std::size_t> order_;
  Buffer<double> beside_;  // rank x (columns - rank): S, then the v of Z
  Buffer<double> taus_;
  Work work_;
};

}  // namespace

Buffer<double> least_squares(const Buffer<double>& matrix, std::size_t rows, std::size_t columns,
                             const Buffer<double>& b, const Checkpoint& checkpoint) {
  return LeastSquares(matrix, rows, columns, b, checkpoint).solve();
}

}  // namespace isovec::core
