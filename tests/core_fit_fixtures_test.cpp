// Fits of Fisher's iris data against reference values of other libraries, to 1e-9 relative.

#include <cstdio>
#include <isovec/buffer.hpp>

#include "catch.hpp"
#include "fit_inputs.hpp"
#include "fixtures/iris.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

constexpr double kTolerance = 1e-9;
// Rows are in millimetres, references in centimetres: a map that undoes the scale of x is ten times smaller.
constexpr double kScale = 10;
constexpr double kMinusOne = 149.0 / 150.0;  // n - 1 over n

Rows iris_rows() {
  Rows rows{iris::kRows, iris::kDimensions, {}};
  for (const auto& row : iris::kMillimetres) rows.values.insert(rows.values.end(), row.begin(), row.end());
  return rows;
}

const Statistics& iris_statistics() {
  static const Statistics statistics = statistics_of(iris_rows());
  return statistics;
}

Transform fit_iris(std::string_view spec) {
  return fit(iris_statistics(), parse_spec(spec));
}

Matrix reference(const iris::Matrix& values, std::size_t rows = 4, double factor = 1) {
  Matrix matrix(rows, 4);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < 4; ++j) matrix(i, j) = factor * values[i][j];
  }
  return matrix;
}

double iris_cosine(const Transform& transform) {
  const Rows rows = iris_rows();
  return cosine(transform, rows[0], rows[100]);
}

// The spec whose ridge is `ridge` in square centimetres.
std::string with_ridge(double ridge) {
  double trace = 0;
  for (const double value : iris::kEigenvalues) trace += value;
  char text[64];
  std::snprintf(text, sizeof text, "whiten eps=%.17g", ridge / (trace / 4));
  return text;
}

}  // namespace

TEST_CASE("iris: mean, covariance and eigenvalues equal NumPy's", "[core][fit][fixture]") {
  const isovec::Buffer<double> mean = iris_statistics().mean();
  for (std::size_t j = 0; j < 4; ++j) CHECK(std::abs(mean[j] / kScale - iris::kMean[j]) <= kTolerance);
  const isovec::Buffer<SpectrumLine> lines = spectrum(iris_statistics());
  for (std::size_t m = 0; m < 4; ++m) {
    CHECK(std::abs(lines[m].eigenvalue / 100 / iris::kEigenvalues[m] - 1) <= kTolerance);
  }
  const Transform standard = fit_iris("whiten basis=pca-cor");
  for (std::size_t m = 0; m < 4; ++m) {
    CHECK(std::abs(standard.parts().eigenvalues[m] / iris::kCorrelationEigenvalues[m] - 1) <= kTolerance);
  }
}

TEST_CASE("iris: the matrix of every method equals its reference", "[core][fit][fixture]") {
  struct Case {
    std::string spec;
    Matrix expected;
  };
  const double one_over = std::sqrt(kMinusOne) / kScale;  // references that divide by n
  const isovec::Buffer<Case> cases = {
      {"whiten", reference(iris::kZca, 4, 1 / kScale)},
      {"whiten basis=pca", reference(iris::kPca, 4, 1 / kScale)},
      {"whiten basis=cholesky", reference(iris::kCholesky, 4, 1 / kScale)},
      {"whiten basis=zca-cor", reference(iris::kZcaCor, 4, 1 / kScale)},
      {"whiten k=2", reference(iris::kPcaTwo, 2, 1 / kScale)},
      {"whiten basis=zca k=2", reference(iris::kZcaRankTwo, 4, 1 / kScale)},
      {with_ridge(0.1), reference(iris::kSoftZcaAbsolute, 4, 1 / kScale)},
      {"whiten eps=0.1", reference(iris::kSoftZca, 4, 1 / kScale)},
      {"whiten power=0.25", reference(iris::kZcaQuarter, 4, 1 / std::sqrt(kScale))},
      {"remove_top", reference(iris::kRemoveTop)},
      {"project_mean", reference(iris::kProjectMean)},
      {"whiten shrinkage=lw", reference(iris::kZcaLedoitWolf, 4, one_over)},
      {"whiten shrinkage=oas", reference(iris::kZcaOas, 4, one_over)},
      {"pca", transposed(reference(iris::kEigenvectors))},
  };
  for (const Case& c : cases) {
    CAPTURE(c.spec);
    CHECK(relative_difference(matrix_of(fit_iris(c.spec)), c.expected) <= kTolerance);
  }
}

TEST_CASE("iris: rows of pca and pca-cor equal R's up to sign", "[core][fit][fixture]") {
  const auto check_rows = [](const Matrix& ours, const Matrix& expected) {
    for (std::size_t i = 0; i < 4; ++i) {
      const double sign = ours(i, 0) * expected(i, 0) < 0 ? -1 : 1;
      for (std::size_t j = 0; j < 4; ++j) {
        CHECK(std::abs(ours(i, j) - sign * expected(i, j)) <= kTolerance * std::abs(expected(3, 3)));
      }
    }
  };
  check_rows(matrix_of(fit_iris("whiten basis=pca-cor")),
             reference(iris::kPcaCorPositiveDiagonal, 4, 1 / kScale));
  check_rows(matrix_of(fit_iris("whiten basis=pca")), reference(iris::kPcaPositiveDiagonal, 4, 1 / kScale));
}

TEST_CASE("iris: whitening by the precision's Cholesky factor has the same W^T W", "[core][fit][fixture]") {
  const Matrix ours = matrix_of(fit_iris("whiten")),
               theirs = reference(iris::kCholeskyOfPrecision, 4, 1 / kScale);
  CHECK(relative_difference(transposed(ours) * ours, transposed(theirs) * theirs) <= kTolerance);
}

TEST_CASE("iris: whitening groups of two coordinates equals the block matrix", "[core][fit][fixture]") {
  const Rows all = iris_rows();
  Matrix blocks(4, 4);
  for (std::size_t group = 0; group < 2; ++group) {
    Rows half{all.count, 2, {}};
    for (std::size_t r = 0; r < all.count; ++r) {
      half.values.insert(half.values.end(), {all[r][2 * group], all[r][2 * group + 1]});
    }
    const Matrix block = matrix_of(fit(statistics_of(half), parse_spec("whiten")));
    for (std::size_t i = 0; i < 4; ++i) blocks(2 * group + i / 2, 2 * group + i % 2) = block(i / 2, i % 2);
  }
  CHECK(relative_difference(blocks, reference(iris::kGroupZca, 4, 1 / kScale)) <= kTolerance);
}

TEST_CASE("iris: Zipf weights give the weighted mean, covariance and whitening", "[core][fit][fixture]") {
  const Rows rows = iris_rows();
  Statistics statistics;
  for (std::size_t r = 0; r < rows.count; ++r) statistics.add(rows[r], 1 / static_cast<double>(r + 1));
  const isovec::Buffer<double> mean = statistics.mean();
  for (std::size_t j = 0; j < 4; ++j)
    CHECK(std::abs(mean[j] / kScale - iris::kZipfMean[j]) <= kTolerance * 10);
  // The reference divides by the sum of the weights.
  const double factor = std::sqrt(statistics.degrees_of_freedom() / statistics.sums().weight) / kScale;
  const Transform white = fit(statistics, parse_spec("whiten"));
  CHECK(relative_difference(matrix_of(white), reference(iris::kZcaZipf, 4, factor)) <= kTolerance);
  CHECK(std::abs(iris_cosine(white) - iris::cosine::kZipf) <= kTolerance);
}

TEST_CASE("iris: shrinkage equals scikit-learn's, wherever the shift lies", "[core][fit][fixture]") {
  const Rows rows = iris_rows();
  for (const std::size_t first : {0, 57, 149}) {
    Statistics statistics;
    for (std::size_t r = 0; r < rows.count; ++r) statistics.add(rows[(first + r) % rows.count]);
    CAPTURE(first);
    CHECK(std::abs(fit(statistics, parse_spec("whiten shrinkage=lw")).parts().summary.shrinkage /
                       iris::kLedoitWolf -
                   1) <= kTolerance);
    CHECK(
        std::abs(fit(statistics, parse_spec("whiten shrinkage=oas")).parts().summary.shrinkage / iris::kOas -
                 1) <= kTolerance);
  }
}

TEST_CASE("iris: the cosine of two rows under every method equals its reference", "[core][fit][fixture]") {
  const isovec::Buffer<std::pair<std::string, double>> cases = {
      {"none", iris::cosine::kRaw},
      {"center", iris::cosine::kCentered},
      {"standardize", iris::cosine::kStandardized},
      {"whiten", iris::cosine::kWhite},
      {"whiten basis=pca", iris::cosine::kWhite},
      {"whiten basis=cholesky", iris::cosine::kWhite},
      {"whiten basis=zca-cor", iris::cosine::kWhite},
      {"whiten basis=pca-cor", iris::cosine::kWhite},
      {"whiten k=2", iris::cosine::kPcaTwo},
      {"whiten basis=zca k=2", iris::cosine::kPcaTwo},
      {with_ridge(0.1), iris::cosine::kSoftZcaAbsolute},
      {"whiten eps=0.1", iris::cosine::kSoftZca},
      {"whiten power=0.25", iris::cosine::kZcaQuarter},
      {"remove_top", iris::cosine::kRemoveTop},
      {"project_mean", iris::cosine::kProjectMean},
      {"whiten shrinkage=lw", iris::cosine::kLedoitWolf},
      {"whiten shrinkage=oas", iris::cosine::kOas},
  };
  for (const auto& [spec, expected] : cases) {
    CAPTURE(spec);
    CHECK(std::abs(iris_cosine(fit_iris(spec)) - expected) <= kTolerance);
  }
}
