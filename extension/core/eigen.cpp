#include "core/eigen.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <numeric>

#include "core/matrix_kernels.hpp"
#include "core/products.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

constexpr std::size_t kReductionBlock = 32;
constexpr std::size_t kReflectorBlock = 64;
constexpr std::size_t kRotationBatch = 1 << 16;
constexpr std::size_t kRotatedColumns = 256;
constexpr int kMaxSweepsPerValue = 60;
// Smaller matrices are decomposed before anyone could want to stop.
constexpr std::size_t kAsksFrom = 256;

std::size_t triangle(std::size_t n) {
  return n * (n + 1) / 2;
}

// T = Q^T A Q with Q = H(n-1) ... H(1), H(i) = I - tau_i v_i v_i^T, where v_i has i entries and ends in 1.
struct Tridiagonal {
  Buffer<double> diagonal;      // n
  Buffer<double> off_diagonal;  // n; entry i couples i and i + 1, the last is 0
  Buffer<double> taus;          // n; entry i is that of H(i)
  Buffer<double> reflectors;    // packed as the matrix was: row i holds v_i in its first i entries
};

// Turns x (n entries) into v such that (I - tau v v^T) x = beta e_last, v ending in 1.
struct Reflector {
  double tau;
  double beta;
};
Reflector make_reflector(double* x, std::size_t n, const MatrixKernels& kernels) {
  const double alpha = x[n - 1];
  const double rest = kernels.dot(x, x, n - 1);
  x[n - 1] = 1;
  if (rest == 0) return {0, alpha};
  const double beta = -std::copysign(std::sqrt(alpha * alpha + rest), alpha);
  for (std::size_t i = 0; i + 1 < n; ++i) x[i] /= alpha - beta;
  return {(beta - alpha) / beta, beta};
}

// Reduces a matrix from its last row upwards, so that what remains is always a prefix of the packed triangle.
class Reduction {
 public:
  Reduction(Buffer<double> packed, std::size_t n, const Checkpoint& checkpoint)
      : n_(n),
        work_(checkpoint),
        kernels_(matrix_kernels()),
        left_(2 * kReductionBlock * n),
        right_(2 * kReductionBlock * n),
        workspace_(kernels_.workspace(n)) {
    result_.reflectors = std::move(packed);
    result_.diagonal.resize(n);
    result_.off_diagonal.resize(n);
    result_.taus.resize(n);
  }

  Tridiagonal run() {
    std::size_t row = n_ - 1;
    while (row > 0) {
      const std::size_t steps = std::min(kReductionBlock, row);
      for (std::size_t s = 0; s < steps; ++s) reduce_row(row - s, s);
      update_remainder(row - steps + 1, steps);
      row -= steps;
    }
    result_.diagonal[0] = result_.reflectors[0];
    return std::move(result_);
  }

 private:
  double* v(std::size_t s) { return left_.data() + s * n_; }
  double* w(std::size_t s) { return right_.data() + s * n_; }

  // Eliminates row `row`, the s-th of its block; the remainder has not yet seen the block's earlier steps.
  void reduce_row(std::size_t row, std::size_t s) {
    work_.done(row * row);
    double* const a = result_.reflectors.data() + triangle(row);
    for (std::size_t t = 0; t < s; ++t) {
      kernels_.add_scaled(-v(t)[row], w(t), a, row + 1);
      kernels_.add_scaled(-w(t)[row], v(t), a, row + 1);
    }
    result_.diagonal[row] = a[row];
    const Reflector reflector = make_reflector(a, row, kernels_);
    result_.off_diagonal[row - 1] = reflector.beta;
    result_.taus[row] = reflector.tau;
    double* const vs = v(s);
    double* const ws = w(s);
    std::copy(a, a + row, vs);
    std::fill(vs + row, vs + n_, 0.0);
    std::fill(ws, ws + n_, 0.0);
    if (reflector.tau == 0) {
      std::fill(vs, vs + n_, 0.0);
      return;
    }
    kernels_.symmetric_times_vector(result_.reflectors.data(), row, vs, ws);
    for (std::size_t t = 0; t < s; ++t) {
      kernels_.add_scaled(-kernels_.dot(w(t), vs, row), v(t), ws, row);
      kernels_.add_scaled(-kernels_.dot(v(t), vs, row), w(t), ws, row);
    }
    for (std::size_t j = 0; j < row; ++j) ws[j] *= reflector.tau;
    kernels_.add_scaled(-0.5 * reflector.tau * kernels_.dot(ws, vs, row), vs, ws, row);
  }

  // A -= V W^T + W V^T for the leading m x m block: one product of [V; W] with [W; V].
  void update_remainder(std::size_t m, std::size_t steps) {
    factors_left_.resize(2 * steps * m);
    factors_right_.resize(2 * steps * m);
    for (std::size_t s = 0; s < steps; ++s) {
      std::copy(v(s), v(s) + m, factors_left_.data() + s * m);
      std::copy(w(s), w(s) + m, factors_left_.data() + (steps + s) * m);
      std::copy(w(s), w(s) + m, factors_right_.data() + s * m);
      std::copy(v(s), v(s) + m, factors_right_.data() + (steps + s) * m);
    }
    const Buffer<double> weights(2 * steps, -1.0);
    std::size_t first = 0;
    add_products(kernels_.add_products, factors_left_.data(), factors_right_.data(), weights.data(),
                 2 * steps, m, first, result_.reflectors.data(), workspace_.data(), work_);
  }

  std::size_t n_;
  Work work_;
  const MatrixKernels& kernels_;
  Buffer<double> left_, right_;  // v and w of the block at hand, a row each
  Buffer<double> factors_left_, factors_right_;
  Buffer<double> workspace_;
  Tridiagonal result_;
};

// The triangular factor of a block: H(first) ... H(last - 1) = I - V^T F V with the v_i as rows of V (b x m).
Buffer<double> block_factor(const Buffer<double>& v, const double* taus, std::size_t b, std::size_t m,
                            const MatrixKernels& kernels) {
  Buffer<double> factor(b * b);
  Buffer<double> products(b);
  for (std::size_t j = 0; j < b; ++j) {
    for (std::size_t i = 0; i < j; ++i) products[i] = kernels.dot(&v[i * m], &v[j * m], m);
    for (std::size_t i = 0; i < j; ++i) {
      double sum = 0;
      for (std::size_t t = i; t < j; ++t) sum += factor[i * b + t] * products[t];
      factor[i * b + j] = -taus[j] * sum;
    }
    factor[j * b + j] = taus[j];
  }
  return factor;
}

// Q^T = H(1) ... H(n-1), row-major. The first i reflectors touch only the leading i x i block.
Buffer<double> form_transposed_basis(const Tridiagonal& tridiagonal, std::size_t n,
                                     const Checkpoint& checkpoint) {
  const MatrixKernels& kernels = matrix_kernels();
  Work work(checkpoint);
  Buffer<double> basis(n * n);
  for (std::size_t i = 0; i < n; ++i) basis[i * n + i] = 1;
  for (std::size_t first = 1; first < n; first += kReflectorBlock) {
    const std::size_t b = std::min(kReflectorBlock, n - first);
    const std::size_t m = first + b - 1;
    Buffer<double> v(b * m);
    for (std::size_t s = 0; s < b; ++s) {
      const double* const row = tridiagonal.reflectors.data() + triangle(first + s);
      std::copy(row, row + first + s, v.data() + s * m);
    }
    const Buffer<double> factor = block_factor(v, &tridiagonal.taus[first], b, m, kernels);
    Buffer<double> products(m * b), scaled(m * b);
    multiply_add(m, b, m, 1.0, {basis.data(), n, 1}, {v.data(), 1, m}, products.data(), b, work);
    multiply_add(m, b, b, 1.0, {products.data(), b, 1}, {factor.data(), b, 1}, scaled.data(), b, work);
    multiply_add(m, m, b, -1.0, {scaled.data(), b, 1}, {v.data(), m, 1}, basis.data(), n, work);
  }
  return basis;
}

// Implicit QL on a tridiagonal matrix; the rotations go to the rows of `vectors` in batches.
class ImplicitQl {
 public:
  ImplicitQl(Buffer<double>& d, Buffer<double>& e, Buffer<double>& vectors, const Checkpoint& checkpoint)
      : d_(d), e_(e), vectors_(vectors), work_(checkpoint), n_(d.size()) {
    cosines_.reserve(kRotationBatch + n_);
    sines_.reserve(kRotationBatch + n_);
    workspace_.resize(matrix_kernels().workspace(n_));
  }

  void run() {
    for (std::size_t l = 0; l < n_; ++l) {
      for (int sweeps = 0;; ++sweeps) {
        const std::size_t m = end_of_block(l);
        if (m == l) break;
        if (sweeps == kMaxSweepsPerValue) {
          throw Error(Code::invalid_argument, "the eigenvalues of the covariance did not converge");
        }
        sweep(l, m);
        work_.done(20 * (m - l));  // a root and divisions for each
      }
    }
    flush();
  }

 private:
  // The last index of the block of coupled entries that starts at l.
  std::size_t end_of_block(std::size_t l) const {
    std::size_t m = l;
    for (; m + 1 < n_; ++m) {
      const double size = std::abs(d_[m]) + std::abs(d_[m + 1]);
      if (std::abs(e_[m]) <= std::numeric_limits<double>::epsilon() * size) break;
    }
    return m;
  }

  void sweep(std::size_t l, std::size_t m) {
    double g = (d_[l + 1] - d_[l]) / (2 * e_[l]);
    double r = std::hypot(g, 1.0);
    g = d_[m] - d_[l] + e_[l] / (g + std::copysign(r, g));
    double s = 1, c = 1, p = 0;
    const std::size_t begin = cosines_.size();
    for (std::size_t i = m; i-- > l;) {
      const double f = s * e_[i], b = c * e_[i];
      r = std::hypot(f, g);
      e_[i + 1] = r;
      if (r == 0) {  // the block falls apart at i + 1
        d_[i + 1] -= p;
        e_[m] = 0;
        record(begin, m);
        return;
      }
      s = f / r;
      c = g / r;
      g = d_[i + 1] - p;
      r = (d_[i] - g) * s + 2 * c * b;
      p = s * r;
      d_[i + 1] = g + p;
      g = c * r - b;
      cosines_.push_back(c);
      sines_.push_back(s);
    }
    d_[l] -= p;
    e_[l] = g;
    e_[m] = 0;
    record(begin, m);
  }

  // The rotations from index `begin` on are a sweep from row m - 1 downwards.
  void record(std::size_t begin, std::size_t m) {
    const std::size_t count = cosines_.size() - begin;
    if (count == 0) return;
    sweeps_.push_back({m - 1, m - count, cosines_.data() + begin, sines_.data() + begin});
    if (cosines_.size() >= kRotationBatch) flush();
  }

  void flush() {
    for (std::size_t column = 0; column < n_; column += kRotatedColumns) {
      const std::size_t columns = std::min(kRotatedColumns, n_ - column);
      matrix_kernels().rotate(sweeps_.data(), sweeps_.size(), vectors_.data() + column, n_, columns, n_,
                              workspace_.data());
      work_.done(cosines_.size() * columns);
    }
    sweeps_.clear();
    cosines_.clear();
    sines_.clear();
  }

  Buffer<double>& d_;
  Buffer<double>& e_;
  Buffer<double>& vectors_;
  Work work_;
  std::size_t n_;
  Buffer<double> cosines_, sines_;  // never grow beyond what is reserved: sweeps point into them
  Buffer<Sweep> sweeps_;
  Buffer<double> workspace_;
};

// Rows of `vectors` in the order given, in place: follows the cycles of the permutation.
void reorder_rows(Buffer<double>& vectors, const Buffer<std::size_t>& order) {
  const std::size_t n = order.size();
  Buffer<bool> done(n);
  Buffer<double> saved(n);
  for (std::size_t start = 0; start < n; ++start) {
    if (done[start] || order[start] == start) continue;
    const auto row = [&](std::size_t i) { return vectors.begin() + static_cast<std::ptrdiff_t>(i * n); };
    std::copy(row(start), row(start + 1), saved.begin());
    std::size_t i = start;
    for (; order[i] != start; i = order[i]) {
      std::copy(row(order[i]), row(order[i] + 1), row(i));
      done[i] = true;
    }
    std::copy(saved.begin(), saved.end(), row(i));
    done[i] = true;
  }
}

// Scales entries to at most 1, so that no square below over- or underflows unheeded; returns the factor.
double scale_to_one(Buffer<double>& packed, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  double largest = 0;
  for (const double a : packed) {
    if (!std::isfinite(a)) throw Error(Code::invalid_argument, "the covariance is not finite");
    largest = std::max(largest, std::abs(a));
  }
  if (largest == 0) return 0;
  int exponent = 0;
  std::frexp(largest, &exponent);
  const double factor = std::ldexp(1.0, -exponent / 2), rest = std::ldexp(1.0, -exponent - -exponent / 2);
  for (double& a : packed) {
    a = a * factor * rest;
    work.done(1);
  }
  return std::ldexp(1.0, exponent);
}

}  // namespace

void fix_sign(double* direction, std::size_t n) noexcept {
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(direction[i]));
  for (std::size_t i = 0; i < n; ++i) {
    if (std::abs(direction[i]) < largest * (1 - 1e-12)) continue;
    if (direction[i] < 0) std::transform(direction, direction + n, direction, [](double x) { return -x; });
    return;
  }
}

EigenDecomposition decompose_symmetric(Buffer<double> packed, std::size_t n, const Checkpoint& checkpoint) {
  EigenDecomposition result;
  if (n == 0) return result;
  const Checkpoint asked = n >= kAsksFrom ? checkpoint : Checkpoint();
  const double scale = scale_to_one(packed, asked);
  Tridiagonal tridiagonal = Reduction(std::move(packed), n, asked).run();
  result.vectors = form_transposed_basis(tridiagonal, n, asked);
  Buffer<double>().swap(tridiagonal.reflectors);
  Buffer<double>& d = tridiagonal.diagonal;
  ImplicitQl(d, tridiagonal.off_diagonal, result.vectors, asked).run();

  Buffer<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return d[a] > d[b]; });
  reorder_rows(result.vectors, order);
  result.values.resize(n);
  Work work(asked);
  for (std::size_t m = 0; m < n; ++m) {
    result.values[m] = d[order[m]] * scale;
    fix_sign(result.vectors.data() + m * n, n);
    work.done(4 * n);
  }
  return result;
}

}  // namespace isovec::core
