#pragma once
// Covariance and correlation from statistics, with the size of the error they carry.

#include <cstddef>
#include <isovec/buffer.hpp>
#include <isovec/statistics.hpp>
#include <string>

namespace isovec::core {

/// Mean and variance of `columns` coordinates, and what of the variance is noise.
struct Variances {
  std::size_t columns = 0;
  Buffer<double> mean;       ///< c
  Buffer<double> variances;  ///< c
  double trace = 0;          ///< sum of variances
  /// Eigenvalues and variances at or below this are indistinguishable from 0: the error of the sums plus the
  /// rounding of the rows' elements. See noise_of.
  double noise = 0;
  Buffer<bool> dead;  ///< c: variance <= noise
  std::size_t dead_count = 0;
};

/// The first `columns` coordinates of statistics with positive degrees of freedom.
[[nodiscard]] Variances variances_of(const Statistics& statistics, std::size_t columns);

/// The leading columns x columns block of the covariance, packed lower triangle. Requires second moments.
[[nodiscard]] Buffer<double> covariance_of(const Statistics& statistics, std::size_t columns);

/// The correlation from a packed covariance; rows and columns of dead coordinates are 0.
[[nodiscard]] Buffer<double> correlation_of(const Buffer<double>& covariance, const Variances& variances);

/// The noise of correlations: as Variances::noise for variables of variance 1.
[[nodiscard]] double correlation_noise(const Statistics& statistics, const Variances& variances);

/// Relative error of a sum of products, per unit of the trace.
[[nodiscard]] double accumulation_error(const StatisticsOptions& options, double rows,
                                        std::size_t columns) noexcept;

/// Sum of squared entries of a symmetric matrix given by its packed lower triangle.
[[nodiscard]] double squared_frobenius(const Buffer<double>& packed, std::size_t columns) noexcept;

/// Oracle approximating shrinkage (Chen et al. 2010, in scikit-learn's form): the share rho of the mean
/// eigenvalue, from trace, squared Frobenius norm, dimension and number of rows. Free of scale.
[[nodiscard]] double oas_shrinkage(double trace, double squared_norm, double dimensions,
                                   double rows) noexcept;

/// Ledoit and Wolf's shrinkage (2004), from statistics over all columns.
[[nodiscard]] double ledoit_wolf_shrinkage(const Statistics& statistics, double squared_norm, double trace);

/// Groups of coordinates that are copies of one another up to scale, as "5 = 2": each later coordinate with
/// the first it equals. Dead coordinates are left out.
struct Duplicates {
  std::size_t count = 0;  ///< coordinates that repeat an earlier one
  std::string text;       ///< the first few, "coordinate 5 repeats 2, 7 repeats 2"
};
[[nodiscard]] Duplicates find_duplicates(const Buffer<double>& covariance, const Variances& variances);

}  // namespace isovec::core
