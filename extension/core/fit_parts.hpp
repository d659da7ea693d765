#pragma once
// The pieces of a fit: what is known of the rows, the directions of their covariance or correlation, and how
// a transform is built from both. fit.cpp takes them from statistics, row_fitter.cpp from a few rows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <isovec/fit.hpp>
#include <string>

#include "core/covariance.hpp"
#include "core/eigen.hpp"

namespace isovec::core {

/// What is known of the rows before any decomposition.
struct FitInput {
  Spec spec;  ///< every optional key resolved
  std::size_t input_dimensions = 0;
  Variances variances;
  std::uint64_t rows = 0;
  std::uint64_t positive_rows = 0;
  double weight = 0;
  double effective_rows = 0;
  double weight_ever = 0;
  Checkpoint checkpoint;  ///< asked during long work
};

/// Directions of the covariance, or of the correlation where `standardizer` is set.
struct Directions {
  EigenDecomposition eigen;  ///< the leading m <= c; any others have eigenvalue 0
  double trace = 0;          ///< sum of all eigenvalues
  double threshold = 0;      ///< eigenvalues at or below it are 0
  std::size_t rank = 0;
  Buffer<double> standardizer;  ///< c: 1/sigma, 0 for dead coordinates
};

/// What only statistics with second moments can tell; asked for where needed.
struct SecondMoments {
  std::function<double(double squared_norm, double trace)> ledoit_wolf;
  std::function<Duplicates()> duplicates;
  std::function<Buffer<double>()> covariance;  ///< packed
};

/// Checks a spec against statistics and resolves its optional keys. Throws Error where they do not fit.
[[nodiscard]] FitInput make_input(const Spec& spec, const Statistics& statistics, Checkpoint checkpoint);

/// Rank and threshold for eigenvalues whose sums carry `noise`.
void set_rank(Directions& directions, double noise, std::size_t columns) noexcept;

/// none, center, standardize, project_mean: from mean and variances alone.
[[nodiscard]] TransformParts fit_first_moments(const FitInput& input);
[[nodiscard]] TransformParts fit_remove_top(const FitInput& input, const Directions& directions);
[[nodiscard]] TransformParts fit_pca(const FitInput& input, const Directions& directions);
[[nodiscard]] TransformParts fit_whiten(const FitInput& input, const Directions& directions,
                                        const SecondMoments& moments);

/// Whether a spec works on correlations.
[[nodiscard]] bool uses_correlation(const Spec& spec) noexcept;

/// Parts with everything that all methods share filled in.
[[nodiscard]] TransformParts start_parts(const FitInput& input);
/// Fills in why the finished parts cannot be inverted, if they cannot.
void finish_parts(TransformParts& parts);

/// sum over m of factors[m] v_m v_m^T for the first factors.size() vectors: full c x c, symmetric to the bit.
[[nodiscard]] Buffer<double> spectral_matrix(const EigenDecomposition& eigen, std::size_t columns,
                                             const Buffer<double>& factors, const Checkpoint& checkpoint);

}  // namespace isovec::core
