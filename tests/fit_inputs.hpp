#pragma once
// Rows for the tests of statistics and fits, and plain float64 references that share no code with isovec.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <isovec/buffer.hpp>
#include <isovec/fit.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>
#include <random>
#include <span>

namespace isovec::test {

/// Rows of float32, row-major.
struct Rows {
  std::size_t count = 0;
  std::size_t dimensions = 0;
  isovec::Buffer<float> values;

  [[nodiscard]] std::span<const float> operator[](std::size_t r) const {
    return {values.data() + r * dimensions, dimensions};
  }
};

/// Normal rows about a mean of `offset` spreads, with standard deviations falling from 1 to 1 /
/// sqrt(condition) and neighbouring coordinates correlated.
inline Rows normal_rows(std::size_t count, std::size_t dimensions, unsigned seed, double offset = 2,
                        double condition = 100) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  Rows rows{count, dimensions, {}};
  for (std::size_t r = 0; r < count; ++r) {
    double previous = 0;
    for (std::size_t j = 0; j < dimensions; ++j) {
      const double place = dimensions > 1 ? static_cast<double>(j) / static_cast<double>(dimensions - 1) : 0;
      const double spread = std::pow(condition, -place / 2);
      const double value = 0.4 * previous + normal(generator);
      previous = value;
      rows.values.push_back(static_cast<float>(offset + spread * value));
    }
  }
  return rows;
}

inline Statistics statistics_of(const Rows& rows, StatisticsOptions options = {}, std::size_t begin = 0,
                                std::size_t end = static_cast<std::size_t>(-1)) {
  Statistics statistics(options);
  for (std::size_t r = begin; r < std::min(end, rows.count); ++r) statistics.add(rows[r]);
  return statistics;
}

inline Transform fit_rows(const Rows& rows, std::string_view spec) {
  RowFitter fitter(parse_spec(spec));
  for (std::size_t r = 0; r < rows.count; ++r) fitter.add(rows[r]);
  return fitter.finish();
}

/// A full float64 matrix.
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  isovec::Buffer<double> values;

  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c) {}
  Matrix(std::size_t r, std::size_t c, isovec::Buffer<double> v)
      : rows(r), columns(c), values(std::move(v)) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

inline Matrix matrix_of(const Transform& transform) {
  return {transform.output_dimensions(), transform.input_dimensions(), transform.matrix()};
}

inline Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
  }
  return t;
}

inline Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix product(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t t = 0; t < a.columns; ++t) {
      for (std::size_t j = 0; j < b.columns; ++j) product(i, j) += a(i, t) * b(t, j);
    }
  }
  return product;
}

inline Matrix identity(std::size_t n) {
  Matrix result(n, n);
  for (std::size_t i = 0; i < n; ++i) result(i, i) = 1;
  return result;
}

/// Largest difference of two matrices, over the largest entry of the second.
inline double relative_difference(const Matrix& a, const Matrix& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.values.size(); ++i) {
    difference = std::max(difference, std::abs(a.values[i] - b.values[i]));
    size = std::max(size, std::abs(b.values[i]));
  }
  return a.values.size() == b.values.size() ? difference / size : 1e300;
}

/// Weighted mean by two passes in float64; no weights are all 1.
inline isovec::Buffer<double> mean_of(const Rows& rows, const isovec::Buffer<double>& weights = {}) {
  isovec::Buffer<double> mean(rows.dimensions);
  double total = 0;
  for (std::size_t r = 0; r < rows.count; ++r) {
    const double w = weights.empty() ? 1 : weights[r];
    total += w;
    for (std::size_t j = 0; j < rows.dimensions; ++j) mean[j] += w * static_cast<double>(rows[r][j]);
  }
  for (double& m : mean) m /= total;
  return mean;
}

/// Sum of w (x - mean)(x - mean)^T over `divisor`, by two passes.
inline Matrix covariance_of(const Rows& rows, double divisor, const isovec::Buffer<double>& weights = {}) {
  const isovec::Buffer<double> mean = mean_of(rows, weights);
  Matrix covariance(rows.dimensions, rows.dimensions);
  for (std::size_t r = 0; r < rows.count; ++r) {
    const double w = (weights.empty() ? 1 : weights[r]) / divisor;
    for (std::size_t i = 0; i < rows.dimensions; ++i) {
      const double x = static_cast<double>(rows[r][i]) - mean[i];
      for (std::size_t j = 0; j < rows.dimensions; ++j) {
        covariance(i, j) += w * x * (static_cast<double>(rows[r][j]) - mean[j]);
      }
    }
  }
  return covariance;
}

inline double cosine(std::span<const double> a, std::span<const double> b) {
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

/// Cosine of two rows after a transform, in float64.
inline double cosine(const Transform& transform, std::span<const float> a, std::span<const float> b) {
  isovec::Buffer<double> za(transform.output_dimensions()), zb(transform.output_dimensions());
  transform.apply(a, za);
  transform.apply(b, zb);
  return cosine(za, zb);
}

}  // namespace isovec::test
