#include "core/solve.hpp"

#include <Eigen/Dense>
#include <isovec/error.hpp>
#include <limits>

namespace isovec::core {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> view(const std::vector<double>& matrix, std::size_t rows, std::size_t columns) {
  return {matrix.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
}

std::vector<double> copy(const Matrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

}  // namespace

std::vector<double> inverse_cholesky(const std::vector<double>& packed, std::size_t n) {
  const auto size = static_cast<Eigen::Index>(n);
  Eigen::MatrixXd matrix(size, size);
  for (Eigen::Index i = 0, index = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j, ++index) matrix(i, j) = packed[static_cast<std::size_t>(index)];
  }
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>, Eigen::Lower> factor(matrix);
  if (factor.info() != Eigen::Success) {
    throw Error(Code::invalid_argument, "the covariance has no Cholesky factor: give eps=, or basis=zca");
  }
  Matrix result = Matrix::Identity(size, size);
  matrix.triangularView<Eigen::Lower>().solveInPlace(result);
  return copy(result);
}

std::optional<std::vector<double>> inverse(const std::vector<double>& matrix, std::size_t n) {
  const Eigen::PartialPivLU<Matrix> factor(view(matrix, n, n));
  if (!(factor.rcond() > std::numeric_limits<double>::epsilon())) return std::nullopt;
  return copy(factor.inverse());
}

std::vector<double> least_squares(const std::vector<double>& matrix, std::size_t rows, std::size_t columns,
                                  const std::vector<double>& b) {
  const Eigen::CompleteOrthogonalDecomposition<Matrix> factor(view(matrix, rows, columns));
  const Eigen::VectorXd x =
      factor.solve(Eigen::Map<const Eigen::VectorXd>(b.data(), static_cast<Eigen::Index>(rows)));
  return {x.data(), x.data() + x.size()};
}

}  // namespace isovec::core
