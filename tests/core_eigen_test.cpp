#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <limits>

#include "catch.hpp"
#include "core/eigen.hpp"
#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "core/products.hpp"
#include "core/solve.hpp"
#include "core/work.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

isovec::Buffer<double> packed_of(const Matrix& a) {
  isovec::Buffer<double> packed;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) packed.push_back(a(i, j));
  }
  return packed;
}

Matrix covariance_for(std::size_t n) {
  return covariance_of(normal_rows(n + 10, n, static_cast<unsigned>(n), 1, 1e6), 1);
}

// |V^T L V - A| and |V V^T - I| within a few roundings a dimension of the largest eigenvalue.
void check_decomposition(const core::EigenDecomposition& eigen, const Matrix& a) {
  const std::size_t n = a.rows;
  const Matrix v(n, n, eigen.vectors);
  Matrix scaled = v;
  for (std::size_t m = 0; m < n; ++m) {
    for (std::size_t j = 0; j < n; ++j) scaled(m, j) *= eigen.values[m];
    if (m > 0) CHECK(eigen.values[m] <= eigen.values[m - 1]);
  }
  const double bound = 20 * static_cast<double>(n) * 1.2e-16;
  double size = 0;
  for (const double x : a.values) size = std::max(size, std::abs(x));
  const Matrix rebuilt = transposed(v) * scaled, gram = v * transposed(v), one = identity(n);
  for (std::size_t i = 0; i < n * n; ++i) {
    CHECK(std::abs(rebuilt.values[i] - a.values[i]) <= bound * std::max(size, std::abs(eigen.values[0])));
    CHECK(std::abs(gram.values[i] - one.values[i]) <= bound);
  }
}

}  // namespace

TEST_CASE("a symmetric matrix is the sum of its eigenvalues and vectors", "[core][eigen]") {
  const std::size_t n = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5},
                                 std::size_t{31}, std::size_t{32}, std::size_t{33}, std::size_t{64},
                                 std::size_t{65}, std::size_t{66}, std::size_t{100});
  CAPTURE(n);
  const Matrix a = covariance_for(n);
  check_decomposition(core::decompose_symmetric(packed_of(a), n), a);
}

TEST_CASE("degenerate matrices decompose too", "[core][eigen]") {
  const std::size_t n = 40;
  Matrix zero(n, n), ones(n, n), indefinite = covariance_for(n), diagonal(n, n), tiny = identity(n);
  std::fill(ones.values.begin(), ones.values.end(), 1.0);
  for (std::size_t i = 0; i < n; ++i) {
    indefinite(i, i) -= 3 * indefinite(0, 0);
    diagonal(i, i) = static_cast<double>(i % 3);
    tiny(i, i) = 1e-300;
  }
  for (const Matrix& a : {zero, ones, identity(n), indefinite, diagonal, tiny}) {
    check_decomposition(core::decompose_symmetric(packed_of(a), n), a);
  }
  const core::EigenDecomposition of_ones = core::decompose_symmetric(packed_of(ones), n);
  CHECK(std::abs(of_ones.values[0] - 40) <= 1e-12);
  CHECK(std::abs(of_ones.values[1]) <= 1e-12);
}

TEST_CASE("the entry of largest size of every eigenvector is positive, the first of equals decides",
          "[core][eigen]") {
  const core::EigenDecomposition eigen = core::decompose_symmetric(packed_of(covariance_for(30)), 30);
  for (std::size_t m = 0; m < 30; ++m) {
    const double* const v = eigen.vector(m);
    const double* const largest =
        std::max_element(v, v + 30, [](double a, double b) { return std::abs(a) < std::abs(b); });
    CHECK(*largest > 0);
  }
  isovec::Buffer<double> tie = {-0.5, 0.5 * (1 + 1e-14), 0.5};
  core::fix_sign(tie.data(), tie.size());
  CHECK(tie[0] == 0.5);
  isovec::Buffer<double> zero_first = {0, -2, 1};
  core::fix_sign(zero_first.data(), zero_first.size());
  CHECK(zero_first == isovec::Buffer<double>{-0.0, 2, -1});
}

TEST_CASE("a matrix with NaN or infinity is refused", "[core][eigen]") {
  CHECK_THROWS_AS(core::decompose_symmetric({1, std::numeric_limits<double>::quiet_NaN(), 1}, 2), Error);
  CHECK_THROWS_AS(core::decompose_symmetric({std::numeric_limits<double>::infinity(), 0, 1}, 2), Error);
}

TEST_CASE("matrix products, symmetric products and rotations agree on every instruction set",
          "[core][eigen][kernels]") {
  const std::size_t n = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{29}, std::size_t{70});
  const Matrix a = covariance_for(n);
  const isovec::Buffer<double> packed = packed_of(a);
  isovec::Buffer<double> x(n), c(n - 1, 0.6), s(n - 1, 0.8);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(i % 7) - 2;
  const Matrix expected = a * Matrix(n, 1, x), square = a * a;
  Matrix turned = a;
  for (std::size_t i = n - 1; i-- > 0;) {
    for (std::size_t j = 0; j < n; ++j) {
      const double lower = turned(i, j), upper = turned(i + 1, j);
      turned(i + 1, j) = 0.8 * lower + 0.6 * upper;
      turned(i, j) = 0.6 * lower - 0.8 * upper;
    }
  }
  for (const core::MatrixKernels* kernels : core::runnable_matrix_kernels()) {
    CAPTURE(n, kernels->name);
    Matrix y(n, 1), product(n, n), rotated = a;
    isovec::Buffer<double> workspace(kernels->workspace(n));
    kernels->symmetric_times_vector(packed.data(), n, x.data(), y.values.data());
    CHECK(relative_difference(y, expected) <= 1e-13);
    kernels->multiply_add(n, n, n, 1.0, {a.values.data(), n, 1}, {a.values.data(), 1, n},
                          product.values.data(), n, workspace.data());
    CHECK(relative_difference(product, square) <= 1e-13);
    if (n > 1) {
      const core::Sweep sweep{n - 2, 0, c.data(), s.data()};
      kernels->rotate(&sweep, 1, rotated.values.data(), n, n, n, workspace.data());
      CHECK(relative_difference(rotated, turned) <= 1e-13);
    }
  }
}

TEST_CASE("kernels of newer instruction sets round a product and its sum once", "[core][eigen][kernels]") {
  for (const core::MatrixKernels* kernels : core::runnable_matrix_kernels()) {
    if (std::string_view(kernels->name) == "baseline") continue;
    CAPTURE(kernels->name);
    // (1 + u)^2 = 1 + 2 u + u^2: the last term is lost where the product is rounded by itself.
    const double u = 0x1p-30;
    const isovec::Buffer<double> x(16, 1 + u);
    isovec::Buffer<double> y(16, -(1 + 2 * u));
    kernels->add_scaled(1 + u, x.data(), y.data(), y.size());
    CHECK(y == isovec::Buffer<double>(16, u * u));
  }
}

TEST_CASE("long decompositions, factors and inverses stop where a checkpoint throws", "[core][eigen]") {
  struct Stop {};
  const std::size_t n = 300;
  const isovec::Buffer<double> packed = packed_of(covariance_for(n));
  const isovec::Buffer<double> full = covariance_for(n).values;
  const auto work = [&](int kind, const Checkpoint& checkpoint) -> isovec::Buffer<double> {
    if (kind == 0) return core::decompose_symmetric(packed, n, checkpoint).vectors;
    if (kind == 1) return core::inverse_cholesky(packed, n, checkpoint);
    return core::inverse(full, n, checkpoint).value();
  };
  const int kind = GENERATE(0, 1, 2);
  int asked = 0;
  const isovec::Buffer<double> result = work(kind, [&] { ++asked; });
  CAPTURE(kind, asked);
  CHECK(relative_difference({n, n, result}, {n, n, work(kind, {})}) <= 1e-9);
  CHECK(asked >= 10);
  for (const int last : {1, asked / 3, 2 * asked / 3, asked}) {
    int calls = 0;
    CHECK_THROWS_AS(work(kind,
                         [&] {
                           if (++calls == last) throw Stop();
                         }),
                    Stop);
    CHECK(calls == last);
  }
}

TEST_CASE("factors, inverses and least squares solve what they should", "[core][solve]") {
  const std::size_t n = GENERATE(std::size_t{1}, std::size_t{20}, std::size_t{63}, std::size_t{64},
                                 std::size_t{65}, std::size_t{130});
  CAPTURE(n);
  const Matrix a = covariance_of(normal_rows(n + 200, n, 3), 199);
  const Matrix l_inverse(n, n, core::inverse_cholesky(packed_of(a), n));
  CHECK(relative_difference(l_inverse * a * transposed(l_inverse), identity(n)) <= 1e-12);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) CHECK(l_inverse(i, j) == 0);
  }
  CHECK_THROWS_AS(core::inverse_cholesky({1, 1, 1}, 2), Error);
  const Matrix inverse(n, n, core::inverse(a.values, n).value());
  CHECK(relative_difference(inverse * a, identity(n)) <= 1e-11);
  // Rows in another order, so that the first pivots are far from the diagonal.
  Matrix turned(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) turned(i, j) = a((i * 7 + n / 2) % n, j) * (i % 2 == 0 ? 1 : -1);
  }
  if (n % 7 != 0) {
    const Matrix turned_inverse(n, n, core::inverse(turned.values, n).value());
    CHECK(relative_difference(turned_inverse * turned, identity(n)) <= 1e-10);
  }
  CHECK_FALSE(core::inverse({1, 2, 2, 4}, 2).has_value());
  CHECK_FALSE(core::inverse({1, 2, 2, 4 + 1e-15}, 2).has_value());
  CHECK_FALSE(core::inverse({0, 0, 0, 0}, 2).has_value());
  CHECK(core::inverse({0, 2, 4, 0}, 2).value() == isovec::Buffer<double>{0, 0.25, 0.5, 0});
  const isovec::Buffer<double> shortest = core::least_squares({1, 1}, 1, 2, {4});
  CHECK(std::abs(shortest[0] - 2) <= 1e-14);
  CHECK(std::abs(shortest[1] - 2) <= 1e-14);
}

TEST_CASE("least squares give the shortest of the best solutions, whatever the shape and the rank",
          "[core][solve]") {
  struct Shape {
    std::size_t rows, columns, rank;
  };
  for (const Shape& shape :
       {Shape{1, 1, 1}, Shape{5, 3, 3}, Shape{3, 5, 3}, Shape{40, 40, 40}, Shape{40, 40, 7},
        Shape{30, 50, 20}, Shape{50, 30, 20}, Shape{6, 6, 0}, Shape{90, 70, 69}}) {
    CAPTURE(shape.rows, shape.columns, shape.rank);
    // A = L R with L of rows x rank and R of rank x columns, so that its rank is known.
    const Rows left = normal_rows(shape.rows, std::max<std::size_t>(shape.rank, 1), 1);
    const Rows right = normal_rows(std::max<std::size_t>(shape.rank, 1), shape.columns, 2);
    Matrix a(shape.rows, shape.columns);
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.columns; ++j) {
        for (std::size_t t = 0; t < shape.rank; ++t)
          a(i, j) += static_cast<double>(left[i][t]) * static_cast<double>(right[t][j]);
      }
    }
    const Rows b_row = normal_rows(1, shape.rows, 3);
    const Buffer<double> b(b_row.values.begin(), b_row.values.end());
    const auto x = core::least_squares(a.values, shape.rows, shape.columns, b);
    REQUIRE(x.size() == shape.columns);
    // Best: the residual is orthogonal to every column of A.
    std::vector<double> residual(b.begin(), b.end());
    for (std::size_t i = 0; i < shape.rows; ++i) {
      for (std::size_t j = 0; j < shape.columns; ++j) residual[i] -= a(i, j) * x[j];
    }
    for (std::size_t j = 0; j < shape.columns; ++j) {
      double along = 0;
      for (std::size_t i = 0; i < shape.rows; ++i) along += a(i, j) * residual[i];
      CHECK(std::abs(along) <= 1e-9 * static_cast<double>(shape.rows));
    }
    // Shortest: x lies in the span of the rows of A, so that what is orthogonal to all of them is orthogonal
    // to x. Such a direction: a random one less its part along each row of an orthonormal basis
    // (Gram-Schmidt).
    std::vector<std::vector<double>> basis;
    for (std::size_t t = 0; t < shape.rank; ++t) {
      std::vector<double> row(right[t].begin(), right[t].end());
      for (int twice = 0; twice < 2; ++twice) {
        for (const auto& e : basis) {
          double along = 0;
          for (std::size_t j = 0; j < row.size(); ++j) along += e[j] * row[j];
          for (std::size_t j = 0; j < row.size(); ++j) row[j] -= along * e[j];
        }
      }
      double norm = 0;
      for (const double value : row) norm += value * value;
      for (double& value : row) value /= std::sqrt(norm);
      basis.push_back(row);
    }
    std::vector<double> outside(x.begin(), x.end());
    for (const auto& e : basis) {
      double along = 0;
      for (std::size_t j = 0; j < outside.size(); ++j) along += e[j] * x[j];
      for (std::size_t j = 0; j < outside.size(); ++j) outside[j] -= along * e[j];
    }
    double size = 0, left_over = 0;
    for (std::size_t j = 0; j < x.size(); ++j) size += x[j] * x[j], left_over += outside[j] * outside[j];
    CHECK(std::sqrt(left_over) <= 1e-9 * (1 + std::sqrt(size)));
  }
}

TEST_CASE("products that are cut into pieces have the same bits", "[core][solve]") {
  const std::size_t m = 140, n = 1100, k = 300;
  const Rows a_rows = normal_rows(m, k, 4), b_rows = normal_rows(k, n, 5);
  const std::vector<double> a(a_rows.values.begin(), a_rows.values.end());
  const std::vector<double> b(b_rows.values.begin(), b_rows.values.end());
  std::vector<double> whole(m * n, 1), cut(whole);
  long asked = 0;
  const Checkpoint none, count = [&] { ++asked; };
  core::Work silent(none), asking(count);
  core::multiply_add(m, n, k, 0.5, {a.data(), k, 1}, {b.data(), n, 1}, whole.data(), n, silent);
  core::multiply_add(m, n, k, 0.5, {a.data(), k, 1}, {b.data(), n, 1}, cut.data(), n, asking);
  CHECK(asked >= 2);
  CHECK(whole == cut);

  const std::size_t rows = 256, columns = 700;
  const Rows products = normal_rows(rows, columns, 6);
  const std::vector<double> left(products.values.begin(), products.values.end());
  const core::MatrixKernels& kernels = core::matrix_kernels();
  std::vector<double> workspace(kernels.workspace(columns));
  for (const core::AddProducts add : {kernels.add_products, kernels.add_products_f32}) {
    std::vector<double> at_once(core::triangle(columns), 1), pieces(at_once);
    std::size_t first = 0, second = 0;
    core::add_products(add, left.data(), left.data(), nullptr, rows, columns, first, at_once.data(),
                       workspace.data(), silent);
    asked = 0;
    core::add_products(add, left.data(), left.data(), nullptr, rows, columns, second, pieces.data(),
                       workspace.data(), asking);
    CHECK(asked >= 3);
    CHECK(first == columns);
    CHECK(second == columns);
    CHECK(at_once == pieces);
  }
}
