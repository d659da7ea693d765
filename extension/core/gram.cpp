#include "core/gram.hpp"

#include <algorithm>
#include <cmath>

#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "core/products.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

// Columns that are multiplied at a time, to keep the workspace small.
constexpr std::size_t kColumnsAtOnce = 512;

// sqrt(w) (x - mean) for every row, x sliced and normalized as the options say.
Buffer<double> centered_rows(std::span<const float> rows, std::span<const double> weights,
                             std::size_t dimensions, const StatisticsOptions& options,
                             const Variances& variances, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  const std::size_t columns = variances.columns;
  Buffer<double> centered(weights.size() * columns);
  for (std::size_t r = 0; r < weights.size(); ++r) {
    const float* const row = rows.data() + r * dimensions;
    double* const out = centered.data() + r * columns;
    double squares = 0;
    for (std::size_t j = 0; j < columns; ++j)
      squares += static_cast<double>(row[j]) * static_cast<double>(row[j]);
    const double norm = options.normalize ? std::sqrt(squares) : 1.0;
    const double scale = std::sqrt(weights[r]);
    for (std::size_t j = 0; j < columns; ++j) {
      out[j] = scale * (static_cast<double>(row[j]) / norm - variances.mean[j]);
    }
    work.done(4 * columns);
  }
  return centered;
}

Buffer<double> products_of_rows(const Buffer<double>& centered, std::size_t n, std::size_t columns,
                                double freedom, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  Buffer<double> full(n * n);
  multiply_add(n, n, columns, 1 / freedom, {centered.data(), columns, 1}, {centered.data(), 1, columns},
               full.data(), n, work);
  Buffer<double> packed;
  packed.reserve(triangle(n));
  for (std::size_t i = 0; i < n; ++i) packed.insert(packed.end(), &full[i * n], &full[i * n] + i + 1);
  return packed;
}

// How many directions the spec can ask for.
std::size_t directions_needed(const Spec& spec, std::size_t rank) {
  if (spec.method == Method::remove_top) return std::min(spec.drop, rank);
  return spec.k != 0 ? std::min(spec.k, rank) : rank;
}

}  // namespace

bool gram_suffices(const Spec& spec) noexcept {
  if (spec.method == Method::remove_top) return true;
  if (spec.k == 0 && spec.variance == 0) return false;
  if (spec.method == Method::pca) return true;
  return spec.method == Method::whiten && spec.basis == Basis::pca &&
         spec.shrinkage != Shrinkage::ledoit_wolf;
}

Directions gram_directions(std::span<const float> rows, std::span<const double> weights,
                           std::size_t dimensions, const StatisticsOptions& options,
                           const Variances& variances, double freedom, const Spec& spec,
                           const Checkpoint& checkpoint) {
  const std::size_t n = weights.size(), columns = variances.columns;
  const Buffer<double> centered = centered_rows(rows, weights, dimensions, options, variances, checkpoint);
  EigenDecomposition small =
      decompose_symmetric(products_of_rows(centered, n, columns, freedom, checkpoint), n, checkpoint);

  Directions directions;
  directions.trace = variances.trace;
  directions.eigen.values = std::move(small.values);
  set_rank(directions, variances.noise, columns);
  const std::size_t needed = directions_needed(spec, directions.rank);
  Buffer<double>& vectors = directions.eigen.vectors;
  vectors.resize(needed * columns);
  const MatrixKernels& kernels = matrix_kernels();
  Work work(checkpoint);
  for (std::size_t j = 0; j < columns; j += kColumnsAtOnce) {
    multiply_add(needed, std::min(kColumnsAtOnce, columns - j), n, 1.0, {small.vectors.data(), n, 1},
                 {centered.data() + j, columns, 1}, vectors.data() + j, columns, work);
  }
  for (std::size_t m = 0; m < needed; ++m) {
    double* const v = vectors.data() + m * columns;
    const double norm = std::sqrt(kernels.dot(v, v, columns));
    for (std::size_t j = 0; j < columns; ++j) v[j] /= norm;
    fix_sign(v, columns);
  }
  return directions;
}

}  // namespace isovec::core
