#pragma once
// Directions of the covariance of few rows in many dimensions, from their products with one another.

#include <cstddef>
#include <isovec/statistics.hpp>
#include <span>

#include "core/covariance.hpp"
#include "core/fit_parts.hpp"

namespace isovec::core {

/// Whether a spec needs leading directions only, so that it may be fitted without the covariance.
[[nodiscard]] bool gram_suffices(const Spec& spec) noexcept;

/// Leading directions of rows (weights.size() x dimensions, row-major) about the mean in `variances`: the
/// eigenvectors u of the n x n matrix of products of centered rows X give v = X^T u / |X^T u|. All
/// eigenvalues are there, but only the vectors that `spec` can ask for, at most rank. `freedom` is what sums
/// of products are divided by.
[[nodiscard]] Directions gram_directions(std::span<const float> rows, std::span<const double> weights,
                                         std::size_t dimensions, const StatisticsOptions& options,
                                         const Variances& variances, double freedom, const Spec& spec,
                                         const Checkpoint& checkpoint);

}  // namespace isovec::core
