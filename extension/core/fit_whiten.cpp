// The methods that need directions: remove_top, pca and whiten. The order of a whitening is: rank test on the
// raw eigenvalues, then shrinkage or the ridge, then the power, then what is kept.

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <numeric>

#include "core/fit_parts.hpp"
#include "core/key_values.hpp"
#include "core/moment_sums.hpp"
#include "core/solve.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

// Whitened similarities of new rows correlate with the true ones as sqrt(1 - directions / rows).
constexpr double kTrustedRowsPerDirection = 10;
constexpr double kShareSlack = 1e-12;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

std::string count_of(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

TransformParts start_with(const FitInput& input, const Directions& directions) {
  if (directions.rank == 0) refuse("all rows are equal: there is no variance to fit");
  TransformParts parts = start_parts(input);
  parts.summary.rank = directions.rank;
  parts.summary.rank_threshold = directions.threshold;
  parts.standardizer = directions.standardizer;
  parts.eigenvalues = directions.eigen.values;
  parts.eigenvalues.resize(parts.columns);
  return parts;
}

double variance_of(const Directions& directions, std::size_t begin, std::size_t end) {
  const Buffer<double>& values = directions.eigen.values;
  double sum = 0;
  for (std::size_t m = begin; m < std::min(end, values.size()); ++m) sum += std::max(0.0, values[m]);
  return sum;
}

void describe_kept(FitSummary& summary, const Directions& directions, std::size_t begin, std::size_t end) {
  summary.kept = end - begin;
  summary.explained = std::min(1.0, variance_of(directions, begin, end) / directions.trace);
  const std::size_t last = std::min(end, directions.rank);
  if (last > begin) {
    summary.condition = directions.eigen.values[begin] / directions.eigen.values[last - 1];
  }
}

// Fewest leading directions that hold the share of the variance.
std::size_t directions_for(double share, const Directions& directions) {
  double sum = 0;
  for (std::size_t m = 0; m < directions.rank; ++m) {
    sum += directions.eigen.values[m];
    if (sum >= (share - kShareSlack) * directions.trace) return m + 1;
  }
  return directions.rank;
}

// ---- ridge ----

// lambda becomes scale * lambda + added.
struct Ridge {
  double scale = 1;
  double added = 0;
  double share = 0;  // rho
  [[nodiscard]] bool present() const { return added > 0; }
};

Ridge choose_ridge(const FitInput& input, const Directions& directions, const SecondMoments& moments) {
  const Spec& spec = input.spec;
  const std::size_t alive = input.variances.columns - input.variances.dead_count;
  const std::size_t dimensions = directions.standardizer.empty() ? input.variances.columns : alive;
  const double mean = directions.trace / static_cast<double>(dimensions);
  if (spec.shrinkage == Shrinkage::none) return {1, spec.eps * mean, 0};
  double share = spec.shrinkage_share;
  if (spec.shrinkage != Shrinkage::fixed) {
    const Buffer<double>& values = directions.eigen.values;
    const double norm = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
    share = spec.shrinkage == Shrinkage::oas
                ? oas_shrinkage(directions.trace, norm, static_cast<double>(dimensions), input.effective_rows)
                : moments.ledoit_wolf(norm, directions.trace);
  }
  return {1 - share, share * mean, share};
}

// ---- what is kept ----

[[noreturn]] void refuse_collapse(const FitInput& input, std::size_t kept) {
  refuse("whitening " + count_of(kept, "direction") + " needs more than " + std::to_string(kept + 1) +
         " rows of positive weight, got " + std::to_string(input.positive_rows) +
         ": every two rows would get the same cosine; give a smaller k=, eps=1 or shrinkage=oas");
}

// Directions without variance beyond dead coordinates. Copies of coordinates and a stray null direction (a
// layer normalization leaves one) are dropped with a warning; more mean that there are too few different
// rows.
void judge_null_directions(const FitInput& input, const Directions& directions, const SecondMoments& moments,
                           FitSummary& summary) {
  const std::size_t columns = input.variances.columns;
  const std::size_t missing = columns - input.variances.dead_count - directions.rank;
  if (missing == 0) return;
  const Duplicates duplicates = moments.duplicates();
  if (duplicates.count != 0) {
    summary.warnings.push_back(count_of(duplicates.count, "coordinate") +
                               " without variance of their own dropped: " + duplicates.text);
  }
  if (missing <= duplicates.count) return;
  const std::size_t stray = missing - duplicates.count;
  if (stray > std::max<std::size_t>(1, columns / 100)) {
    refuse(
        "the rows span only " + std::to_string(directions.rank) + " of " + std::to_string(columns) +
        " directions, so plain whitening would blow rounding up or make all cosines equal: give a k= below " +
        std::to_string(directions.rank) + ", eps=1 or shrinkage=oas");
  }
  summary.warnings.push_back(count_of(stray, "direction") +
                             " without variance dropped: coordinates depend on one another, as a layer "
                             "normalization makes them");
}

std::size_t choose_kept(const FitInput& input, const Directions& directions, const SecondMoments& moments,
                        bool has_ridge, FitSummary& summary) {
  const Spec& spec = input.spec;
  const std::size_t columns = input.variances.columns;
  if (spec.k > columns) {
    refuse("k=" + std::to_string(spec.k) + " of " + count_of(columns, "dimension"));
  }
  const bool truncates = spec.k != 0 || spec.variance != 0;
  std::size_t kept = has_ridge ? columns : directions.rank;
  if (spec.k != 0) kept = spec.k;
  if (spec.variance != 0) kept = directions_for(spec.variance, directions);
  if (has_ridge) return kept;
  if (input.positive_rows <= kept + 1) refuse_collapse(input, kept);
  if (kept > directions.rank) {
    refuse("k=" + std::to_string(kept) + " directions, but the rows span only " +
           std::to_string(directions.rank) + ": give a smaller k=, eps=1 or shrinkage=oas");
  }
  if (!truncates) judge_null_directions(input, directions, moments, summary);
  return kept;
}

void warn_of_few_rows(const FitInput& input, FitSummary& summary) {
  const double directions = static_cast<double>(summary.kept);
  if (input.effective_rows >= kTrustedRowsPerDirection * directions) return;
  summary.warnings.push_back("whitening " + count_of(summary.kept, "direction") + " from " +
                             shortest(std::round(input.effective_rows)) +
                             " effective rows: below 10 rows a direction it does not hold for new rows; give "
                             "eps=1, shrinkage=oas or a smaller k=");
}

// ---- bases ----

void build_zca(TransformParts& parts, const Directions& directions, const Buffer<double>& scales,
               const Checkpoint& checkpoint) {
  parts.kind = Linear::symmetric;
  parts.linear = spectral_matrix(directions.eigen, parts.columns, scales, checkpoint);
}

void build_pca(TransformParts& parts, const Directions& directions, const Buffer<double>& scales,
               std::size_t outputs, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  parts.kind = Linear::dense;
  parts.output_dimensions = outputs;
  parts.linear.resize(outputs * parts.columns);
  for (std::size_t m = 0; m < scales.size(); ++m) {
    const double* const v = directions.eigen.vectors.data() + m * parts.columns;
    for (std::size_t j = 0; j < parts.columns; ++j) parts.linear[m * parts.columns + j] = scales[m] * v[j];
    work.done(2 * parts.columns);
  }
}

// W becomes W diag(standardizer).
void standardize_columns(TransformParts& parts, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  parts.kind = Linear::dense;
  for (std::size_t i = 0; i < parts.output_dimensions; ++i) {
    for (std::size_t j = 0; j < parts.columns; ++j)
      parts.linear[i * parts.columns + j] *= parts.standardizer[j];
    work.done(2 * parts.columns);
  }
}

// L^-1 of the covariance with its ridge; without one, dead coordinates are set aside and mapped to 0.
void build_cholesky(TransformParts& parts, const FitInput& input, const Directions& directions,
                    const SecondMoments& moments, const Ridge& ridge) {
  const std::size_t columns = parts.columns;
  if (!ridge.present() && directions.rank + input.variances.dead_count < columns) {
    refuse("the covariance is singular, of rank " + std::to_string(directions.rank) + " in " +
           count_of(columns, "dimension") + ", and has no Cholesky factor: give eps=, or basis=zca");
  }
  Buffer<double> covariance = moments.covariance();
  for (double& c : covariance) c *= ridge.scale;
  const auto set_aside = [&](std::size_t j) { return !ridge.present() && input.variances.dead[j]; };
  for (std::size_t i = 0, index = 0; i < columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++index) {
      if (set_aside(i) || set_aside(j)) covariance[index] = 0;
    }
    covariance[index - 1] += set_aside(i) ? 1 : ridge.added;
  }
  parts.kind = Linear::dense;
  parts.linear = inverse_cholesky(covariance, columns, input.checkpoint);
  for (std::size_t j = 0; j < columns; ++j) {
    if (set_aside(j)) parts.linear[j * columns + j] = 0;
  }
}

}  // namespace

TransformParts fit_remove_top(const FitInput& input, const Directions& directions) {
  TransformParts parts = start_with(input, directions);
  const std::size_t drop = input.spec.drop;
  if (drop > directions.rank || drop >= parts.columns) {
    refuse("drop=" + std::to_string(drop) + " of " + count_of(directions.rank, "direction") + " in " +
           count_of(parts.columns, "dimension") + ": give a smaller drop=");
  }
  parts.kind = Linear::projection;
  parts.linear.assign(directions.eigen.vectors.begin(),
                      directions.eigen.vectors.begin() + static_cast<std::ptrdiff_t>(drop * parts.columns));
  describe_kept(parts.summary, directions, drop, parts.columns);
  parts.summary.dropped = drop;
  finish_parts(parts);
  return parts;
}

TransformParts fit_pca(const FitInput& input, const Directions& directions) {
  TransformParts parts = start_with(input, directions);
  std::size_t kept = parts.columns;
  if (input.spec.k > parts.columns) {
    refuse("k=" + std::to_string(input.spec.k) + " of " + count_of(parts.columns, "dimension"));
  }
  if (input.spec.k != 0) kept = input.spec.k;
  if (input.spec.variance != 0) kept = directions_for(input.spec.variance, directions);
  build_pca(parts, directions, Buffer<double>(kept, 1.0), kept, input.checkpoint);
  describe_kept(parts.summary, directions, 0, kept);
  finish_parts(parts);
  return parts;
}

TransformParts fit_whiten(const FitInput& input, const Directions& directions, const SecondMoments& moments) {
  TransformParts parts = start_with(input, directions);
  const Spec& spec = input.spec;
  const Ridge ridge = choose_ridge(input, directions, moments);
  const std::size_t kept = choose_kept(input, directions, moments, ridge.present(), parts.summary);
  Buffer<double> scales(kept);
  for (std::size_t m = 0; m < kept; ++m) {
    const double value = ridge.scale * std::max(0.0, directions.eigen.values[m]) + ridge.added;
    scales[m] = std::pow(value, -spec.power);
  }
  const bool truncates = spec.k != 0 || spec.variance != 0;
  switch (spec.basis) {
    case Basis::zca:
    case Basis::zca_cor:
      build_zca(parts, directions, scales, input.checkpoint);
      break;
    case Basis::pca:
    case Basis::pca_cor:
      build_pca(parts, directions, scales, truncates ? kept : parts.columns, input.checkpoint);
      break;
    case Basis::cholesky:
      build_cholesky(parts, input, directions, moments, ridge);
      break;
  }
  if (!parts.standardizer.empty()) standardize_columns(parts, input.checkpoint);
  describe_kept(parts.summary, directions, 0, kept);
  parts.summary.dropped = parts.columns - kept;
  if (!parts.standardizer.empty()) {
    parts.summary.dropped = std::max(parts.summary.dropped, input.variances.dead_count);
  }
  parts.summary.shrinkage = ridge.share;
  parts.summary.ridge = ridge.added;
  if (!ridge.present()) warn_of_few_rows(input, parts.summary);
  finish_parts(parts);
  return parts;
}

}  // namespace isovec::core
