#include "core/fit_parts.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <utility>

#include "core/key_values.hpp"
#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "core/products.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

constexpr std::size_t kCoordinatesNamed = 10;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

[[noreturn]] void refuse_mismatch(std::string_view key, std::string_view taken, std::string_view wanted) {
  refuse("the statistics were taken with " + std::string(key) + "=" + std::string(taken) +
         ", the spec says " + std::string(wanted) + ": take them anew, or leave the key out");
}

// normalize=before, weights and precision belong to the statistics: a spec may only repeat them.
Spec resolve(Spec spec, const StatisticsOptions& options) {
  const bool wants_before = before(spec.normalize.value_or(Normalize::none));
  if (spec.normalize && wants_before != options.normalize) {
    refuse_mismatch("normalize", options.normalize ? "before" : "none", wants_before ? "before" : "none");
  }
  if (spec.weights && *spec.weights != options.weights) {
    const bool frequency = options.weights == Weights::frequency;
    refuse_mismatch("weights", frequency ? "frequency" : "importance",
                    frequency ? "importance" : "frequency");
  }
  if (spec.precision && *spec.precision != options.precision) {
    const bool single = options.precision == Precision::float32;
    refuse_mismatch("precision", single ? "float" : "double", single ? "double" : "float");
  }
  if (!spec.normalize) spec.normalize = options.normalize ? Normalize::before : Normalize::none;
  spec.weights = options.weights;
  spec.precision = options.precision;
  return spec;
}

// Coordinates to fit: slice= may narrow the statistics' own slice, unless rows were normalized over more.
std::size_t columns_to_fit(Spec& spec, const Statistics& statistics) {
  const StatisticsOptions& options = statistics.options();
  const std::size_t summed = statistics.sums().columns();
  if (spec.slice == 0) spec.slice = options.slice;
  if (spec.slice == 0 || spec.slice == summed) return summed;
  if (spec.slice > summed) {
    refuse("slice=" + std::to_string(spec.slice) + " of statistics over " + std::to_string(summed) +
           " coordinates");
  }
  if (options.normalize) {
    refuse("the statistics normalized rows of " + std::to_string(summed) +
           " coordinates, slice=" + std::to_string(spec.slice) +
           " would have to come first: take them with slice=" + std::to_string(spec.slice) +
           " normalize=before");
  }
  if (spec.shrinkage == Shrinkage::ledoit_wolf) {
    refuse("shrinkage=lw with slice=" + std::to_string(spec.slice) +
           " needs statistics taken with slice=" + std::to_string(spec.slice));
  }
  return spec.slice;
}

void check_rows(const FitInput& input, const Statistics& statistics) {
  if (input.rows == 0) refuse("there are no rows to fit");
  if (input.spec.method == Method::none) return;
  if (input.rows == 1) {
    refuse("one row cannot be fitted: fit on the table, then apply the transform to each row");
  }
  if (!(input.weight > 0)) refuse("all weights are 0");
  if (!(statistics.degrees_of_freedom() > 0)) {
    refuse("the weights leave no degrees of freedom: " + std::to_string(input.positive_rows) +
           " rows of positive weight, " + shortest(input.weight) + " in all");
  }
}

std::string name_coordinates(const Buffer<bool>& chosen) {
  std::string text;
  std::size_t named = 0;
  for (std::size_t j = 0; j < chosen.size(); ++j) {
    if (!chosen[j]) continue;
    if (named == kCoordinatesNamed) return text + " and so on";
    text += (named++ == 0 ? "" : ", ") + std::to_string(j);
  }
  return text;
}

TransformParts fit_standardize(const FitInput& input) {
  TransformParts parts = start_parts(input);
  const Variances& v = input.variances;
  if (v.dead_count == v.columns) refuse("all rows are equal: there is no variance to standardize");
  parts.kind = Linear::diagonal;
  parts.linear.resize(v.columns);
  for (std::size_t j = 0; j < v.columns; ++j) parts.linear[j] = v.dead[j] ? 0 : 1 / std::sqrt(v.variances[j]);
  parts.summary.dropped = v.dead_count;
  parts.summary.kept = v.columns - v.dead_count;
  return parts;
}

TransformParts fit_project_mean(const FitInput& input) {
  TransformParts parts = start_parts(input);
  const Buffer<double>& mean = input.variances.mean;
  double squares = 0;
  for (const double x : mean) squares += x * x;
  if (squares == 0) refuse("the mean is exactly 0: there is no direction to project away");
  parts.kind = Linear::projection;
  parts.mean.clear();
  for (const double x : mean) parts.linear.push_back(x / std::sqrt(squares));
  parts.summary.kept = mean.size() - 1;
  parts.summary.dropped = 1;
  if (input.effective_rows * squares < 4 * input.variances.trace) {
    parts.summary.warnings.push_back(
        "the mean is not far from 0 for this number of rows (n |mean|^2 is below 4 times the variance), so "
        "its direction is mostly chance: center instead, or do nothing");
  }
  return parts;
}

}  // namespace

bool uses_correlation(const Spec& spec) noexcept {
  return spec.method == Method::whiten && (spec.basis == Basis::zca_cor || spec.basis == Basis::pca_cor);
}

FitInput make_input(const Spec& spec, const Statistics& statistics, Checkpoint checkpoint) {
  FitInput input;
  input.checkpoint = std::move(checkpoint);
  input.spec = resolve(spec, statistics.options());
  const Sums& sums = statistics.sums();
  input.rows = sums.rows;
  input.positive_rows = sums.positive_rows;
  input.weight = sums.weight;
  input.effective_rows = statistics.effective_rows();
  input.weight_ever = sums.weight_ever;
  input.input_dimensions = sums.dimensions;
  check_rows(input, statistics);
  const std::size_t columns = columns_to_fit(input.spec, statistics);
  if (input.spec.method == Method::none && !(statistics.degrees_of_freedom() > 0)) {
    input.variances.columns = columns;
    return input;
  }
  input.variances = variances_of(statistics, columns);
  return input;
}

void set_rank(Directions& directions, double noise, std::size_t columns) noexcept {
  const Buffer<double>& values = directions.eigen.values;
  const double largest = values.empty() ? 0 : std::max(0.0, values.front());
  directions.threshold =
      noise + static_cast<double>(columns) * std::numeric_limits<double>::epsilon() / 2 * largest;
  directions.rank = 0;
  while (directions.rank < values.size() && values[directions.rank] > directions.threshold) ++directions.rank;
}

TransformParts start_parts(const FitInput& input) {
  TransformParts parts;
  Spec shown = input.spec;
  if (shown.slice == input.input_dimensions) shown.slice = 0;
  parts.spec = to_text(shown);
  parts.input_dimensions = input.input_dimensions;
  parts.columns = parts.output_dimensions = input.variances.columns;
  parts.normalize = *input.spec.normalize;
  if (input.spec.method != Method::none) parts.mean = input.variances.mean;
  FitSummary& summary = parts.summary;
  summary.rows = input.rows;
  summary.weight = input.weight;
  summary.effective_rows = input.effective_rows;
  summary.dead = input.variances.dead_count;
  summary.rank_threshold = input.variances.noise;
  summary.kept = parts.columns;
  if (summary.dead != 0 && input.spec.method != Method::none && input.spec.method != Method::center) {
    summary.warnings.push_back(std::to_string(summary.dead) + " of " + std::to_string(parts.columns) +
                               " coordinates have no variance: " + name_coordinates(input.variances.dead));
  }
  if (input.weight_ever > 1e6 * input.weight) {
    summary.warnings.push_back(
        "the rows removed from the statistics outweigh those left more than a million times, which costs "
        "digits: take them anew");
  }
  return parts;
}

void finish_parts(TransformParts& parts) {
  const std::string columns = std::to_string(parts.columns);
  if (parts.normalize != Normalize::none) {
    parts.not_invertible = "it divides by a norm, which is lost";
  } else if (parts.columns != parts.input_dimensions) {
    parts.not_invertible =
        "it keeps " + columns + " of " + std::to_string(parts.input_dimensions) + " coordinates";
  } else if (parts.kind == Linear::projection) {
    parts.not_invertible = "it projects " + std::to_string(parts.summary.dropped) + " direction" +
                           (parts.summary.dropped == 1 ? "" : "s") + " away";
  } else if (parts.output_dimensions != parts.columns) {
    parts.not_invertible =
        "it keeps " + std::to_string(parts.output_dimensions) + " of " + columns + " directions";
  } else if (parts.summary.dropped != 0) {
    parts.not_invertible = "it maps " + std::to_string(parts.summary.dropped) + " of " + columns +
                           " directions to 0; a ridge (eps=) keeps them";
  }
}

Buffer<double> spectral_matrix(const EigenDecomposition& eigen, std::size_t columns,
                               const Buffer<double>& factors, const Checkpoint& checkpoint) {
  const MatrixKernels& kernels = matrix_kernels();
  Work work(checkpoint);
  Buffer<double> packed(triangle(columns)), workspace(kernels.workspace(columns));
  for (std::size_t m = 0; m < factors.size(); m += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, factors.size() - m);
    const double* const vectors = eigen.vectors.data() + m * columns;
    std::size_t row = 0;
    add_products(kernels.add_products, vectors, vectors, factors.data() + m, rows, columns, row,
                 packed.data(), workspace.data(), work);
  }
  Buffer<double> full(columns * columns);
  for (std::size_t i = 0, index = 0; i < columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++index)
      full[i * columns + j] = full[j * columns + i] = packed[index];
    work.done(8 * (i + 1));  // half of them each to another page
  }
  return full;
}

TransformParts fit_first_moments(const FitInput& input) {
  TransformParts parts;
  switch (input.spec.method) {
    case Method::standardize:
      parts = fit_standardize(input);
      break;
    case Method::project_mean:
      parts = fit_project_mean(input);
      break;
    default:
      parts = start_parts(input);
      break;
  }
  finish_parts(parts);
  return parts;
}

}  // namespace isovec::core
