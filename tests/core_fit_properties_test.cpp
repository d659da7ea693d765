// Mathematical properties of fits, each against float64 arithmetic that shares no code with them.

#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <numeric>

#include "catch.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

const isovec::Buffer<std::string> kFullWhitenings = {"whiten", "whiten basis=pca", "whiten basis=cholesky",
                                                     "whiten basis=zca-cor", "whiten basis=pca-cor"};
constexpr double kCondition =
    1e4;  // of the rows used here; the correlated neighbours add about ten times that

Matrix sample_covariance(const Rows& rows) {
  return covariance_of(rows, static_cast<double>(rows.count - 1));
}

// Rows whose mean is 0 and whose covariance is exactly c A A^T: +- the columns of A.
Rows rows_with_factor(const Matrix& a) {
  Rows rows{2 * a.columns, a.rows, {}};
  for (std::size_t column = 0; column < a.columns; ++column) {
    for (const double sign : {1.0, -1.0}) {
      for (std::size_t i = 0; i < a.rows; ++i) rows.values.push_back(static_cast<float>(sign * a(i, column)));
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("whitened rows have the identity as covariance", "[core][fit][property]") {
  const Rows rows = normal_rows(500, 16, 40, 10, kCondition);
  const Matrix sigma = sample_covariance(rows);
  for (const std::string& spec : kFullWhitenings) {
    CAPTURE(spec);
    const Matrix w = matrix_of(fit_rows(rows, spec));
    CHECK(relative_difference(w * sigma * transposed(w), identity(16)) <= 1e-14 * 10 * kCondition);
  }
}

TEST_CASE("all full whitenings have the same W^T W, and it inverts the covariance", "[core][fit][property]") {
  const Rows rows = normal_rows(500, 16, 41, 10, kCondition);
  const Matrix sigma = sample_covariance(rows);
  for (const std::string& spec : kFullWhitenings) {
    CAPTURE(spec);
    const Matrix w = matrix_of(fit_rows(rows, spec));
    CHECK(relative_difference(transposed(w) * w * sigma, identity(16)) <= 1e-13 * 10 * kCondition);
  }
}

TEST_CASE("full whitening does not see an invertible map before it", "[core][fit][property]") {
  const Rows rows = normal_rows(300, 6, 42);
  Rows mapped = rows;
  for (std::size_t r = 0; r < rows.count; ++r) {
    for (std::size_t j = 0; j < 6; ++j) {
      mapped.values[r * 6 + j] = 4 * rows[r][(j + 1) % 6] - (j % 2 == 0 ? rows[r][j] : 0.0F) + 8;
    }
  }
  const Transform plain = fit_rows(rows, "whiten"), after = fit_rows(mapped, "whiten");
  for (std::size_t r = 1; r < 50; ++r) {
    // The mapped rows are rounded to float32, which whitening enlarges by the root of the condition.
    CHECK(std::abs(cosine(plain, rows[0], rows[r]) - cosine(after, mapped[0], mapped[r])) <= 1e-4);
  }
}

TEST_CASE("fits do not depend on the order of rows", "[core][fit][property]") {
  const Rows rows = normal_rows(600, 12, 43, 5, 100);
  isovec::Buffer<std::size_t> order(rows.count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  Statistics shuffled;
  for (const std::size_t r : order) shuffled.add(rows[r]);
  for (const char* spec : {"center", "standardize", "project_mean", "whiten", "whiten basis=cholesky",
                           "whiten eps=1", "whiten basis=zca-cor", "pca", "remove_top drop=2"}) {
    CAPTURE(spec);
    const Transform a = fit(statistics_of(rows), parse_spec(spec)), b = fit(shuffled, parse_spec(spec));
    CHECK(relative_difference(matrix_of(a), matrix_of(b)) <= 1e-12 * 1000);
    for (std::size_t j = 0; j < 12; ++j) CHECK(std::abs(a.mean()[j] - b.mean()[j]) <= 1e-12 * 5);
  }
}

TEST_CASE("fits from rows, from statistics and from few rows' products agree", "[core][fit][property]") {
  const Rows rows = normal_rows(20, 64, 44, 3, 100);
  StatisticsOptions options;
  for (const char* spec : {"pca k=5", "whiten k=5", "whiten k=12", "whiten variance=0.8", "pca variance=0.8",
                           "remove_top drop=3", "whiten k=5 eps=0.5", "whiten k=5 shrinkage=oas",
                           "whiten k=5 power=0.25", "pca k=40", "whiten k=5 slice=50",
                           "whiten k=5 normalize=before", "pca k=3 slice=48 normalize=both"}) {
    CAPTURE(spec);
    const Spec parsed = parse_spec(spec);
    const Transform from_rows = fit_rows(rows, spec);
    const Transform from_statistics = fit(statistics_of(rows, required_statistics(parsed)), parsed);
    Matrix a = matrix_of(from_rows), b = matrix_of(from_statistics);
    if (std::string_view(spec) == "pca k=40") {  // beyond the rank directions are arbitrary
      a.values.resize(19 * 64);
      b.values.resize(19 * 64);
    }
    CHECK(relative_difference(a, b) <= 1e-9);
    CHECK(from_rows.parts().summary.rank == from_statistics.parts().summary.rank);
    CHECK(from_rows.parts().spec == from_statistics.parts().spec);
    CHECK(std::abs(from_rows.parts().summary.explained - from_statistics.parts().summary.explained) <= 1e-10);
    for (std::size_t m = 0; m < from_rows.parts().eigenvalues.size(); ++m) {
      CHECK(std::abs(from_rows.parts().eigenvalues[m] - from_statistics.parts().eigenvalues[m]) <=
            1e-12 * from_rows.parts().eigenvalues[0]);
    }
  }
}

TEST_CASE("rows are summed once they are too many to keep", "[core][fit][property]") {
  const Rows rows = normal_rows(70, 64, 45, 3, 100);
  for (const std::size_t count : {31, 32, 33, 34, 70}) {
    RowFitter fitter(parse_spec("whiten k=5"));
    Statistics statistics;
    for (std::size_t r = 0; r < count; ++r) {
      const double weight = r % 4 == 3 ? 0 : 1 + static_cast<double>(r % 3);
      fitter.add(rows[r], weight);
      statistics.add(rows[r], weight);
    }
    CAPTURE(count);
    CHECK(fitter.rows() == count);
    const Transform streamed = fitter.finish(), summed = fit(statistics, parse_spec("whiten k=5"));
    CHECK(relative_difference(matrix_of(streamed), matrix_of(summed)) <= 1e-9);
    CHECK(streamed.parts().summary.rows == count);
    CHECK(std::abs(streamed.parts().summary.effective_rows - statistics.effective_rows()) <= 1e-9);
  }
}

TEST_CASE("shrinkage and eps are one family: eps = rho / (1 - rho), up to scale", "[core][fit][property]") {
  const Rows rows = normal_rows(200, 8, 46);
  const Transform shrunk = fit_rows(rows, "whiten shrinkage=0.2"), ridged = fit_rows(rows, "whiten eps=0.25");
  Matrix scaled = matrix_of(shrunk);
  for (double& w : scaled.values) w *= std::sqrt(0.8);
  CHECK(relative_difference(scaled, matrix_of(ridged)) <= 1e-12);
  const Transform full = fit_rows(rows, "whiten shrinkage=1");
  double trace = 0;
  for (const double value : full.parts().eigenvalues) trace += value;
  Matrix expected = identity(8);
  for (double& w : expected.values) w /= std::sqrt(trace / 8);
  CHECK(relative_difference(matrix_of(full), expected) <= 1e-12);
}

TEST_CASE("equicorrelated data whiten to the closed form", "[core][fit][property]") {
  const std::size_t d = 8;
  const double r = 0.5, c = 2.0 / static_cast<double>(2 * d - 1);
  // A = a I + b 1 1^T is the root of (1 - r) I + r 1 1^T.
  const double a = std::sqrt(1 - r), b = (std::sqrt(1 + (d - 1) * r) - a) / d;
  Matrix factor(d, d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) factor(i, j) = b + (i == j ? a : 0);
  }
  const Transform white = fit_rows(rows_with_factor(factor), "whiten");
  const double alpha = 1 / std::sqrt(1 - r), beta = (1 / std::sqrt(1 + (d - 1) * r) - alpha) / d;
  Matrix expected(d, d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) expected(i, j) = (beta + (i == j ? alpha : 0)) / std::sqrt(c);
  }
  CHECK(relative_difference(matrix_of(white), expected) <= 1e-6);  // rows were rounded to float32
}

TEST_CASE("the documented examples of other libraries come out", "[core][fit][property]") {
  SECTION("scikit-learn's PCA") {
    const Rows rows{6, 2, {-1, -1, -2, -1, -3, -2, 1, 1, 2, 1, 3, 2}};
    const isovec::Buffer<SpectrumLine> lines = spectrum(statistics_of(rows));
    CHECK(std::abs(lines[0].share - 0.9924428900898052) <= 1e-12);
    CHECK(std::abs(std::sqrt(lines[0].eigenvalue * 5) - 6.300612319734663) <= 1e-12);
    CHECK(std::abs(std::sqrt(lines[1].eigenvalue * 5) - 0.5498039617971051) <= 1e-12);
  }
  SECTION("BigQuery's PCA scales features first") {
    const Rows rows{6, 2, {-1, -1, -2, -1, -3, -2, 1, 1, 2, 1, 3, 2}};
    const isovec::Buffer<double> values = fit_rows(rows, "whiten basis=pca-cor").parts().eigenvalues;
    CHECK(std::abs(values[0] / 2 - 0.9909902530309829) <= 1e-12);
    CHECK(std::abs(values[1] / 2 - 0.009009746969017185) <= 1e-12);
  }
  SECTION("MADlib's PCA of rank 2") {
    const Rows rows{3, 3, {1, 2, 3, 2, 1, 2, 3, 2, 1}};
    const Transform pca = fit_rows(rows, "pca k=2");
    CHECK(pca.parts().summary.rank == 2);
    CHECK(std::abs(std::sqrt(pca.parts().eigenvalues[0]) - 1.4142135623730951) <= 1e-12);
    CHECK(std::abs(std::sqrt(pca.parts().eigenvalues[1]) - 0.5773502691896257) <= 1e-12);
    CHECK(std::abs(spectrum(pca)[0].share - 0.8571428571428571) <= 1e-12);
    CHECK_THROWS_AS(fit_rows(rows, "whiten"), Error);
  }
}

TEST_CASE("eigenvalues hold at a mean of 30 spreads, and none is negative", "[core][fit][property]") {
  const Rows rows = normal_rows(20000, 16, 47, 30, 1e4);
  // The reference: the same rows less a fixed vector, in float64.
  const Matrix sigma = sample_covariance(rows);
  Matrix trace_check(1, 1);
  for (const char* precision : {"precision=double", "precision=float"}) {
    const bool single = std::string_view(precision) == "precision=float";
    const Transform white = fit_rows(rows, std::string("whiten basis=pca ") + precision);
    const Matrix w = matrix_of(white), product = w * sigma * transposed(w);
    const isovec::Buffer<double>& values = white.parts().eigenvalues;
    CAPTURE(precision, values.back());
    CHECK(values.back() > 0);
    // v^T S v recovers each eigenvalue to the error of the sums over the largest one.
    for (std::size_t m = 0; m < 16; ++m) {
      CHECK(std::abs(product(m, m) - 1) * values[m] <= (single ? 1e-7 : 1e-12) * values[0]);
    }
  }
}
