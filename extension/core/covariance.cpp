#include "core/covariance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"

namespace isovec::core {
namespace {

constexpr double kUnit = std::numeric_limits<double>::epsilon() / 2;
constexpr double kFloatUnit = static_cast<double>(std::numeric_limits<float>::epsilon()) / 2;
constexpr std::size_t kDuplicatesNamed = 5;

double square(double x) {
  return x * x;
}

}  // namespace

// A sum of n products in blocks of kBlockRows is wrong by at most (kBlockRows + n / kBlockRows) units of the
// sum of their sizes, entry by entry, hence in norm by as many units of the trace. In float32 that bound is
// far from what happens: roundings within a block add up like a random walk, sqrt(kBlockRows) units, their
// mean over N blocks shrinks by sqrt(N), and a random error matrix has a norm of 2 / sqrt(columns) of the
// trace.
double accumulation_error(const StatisticsOptions& options, double rows, std::size_t columns) noexcept {
  const double block = static_cast<double>(kBlockRows);
  const double exact = kUnit * (block + rows / block + 2);
  if (options.precision == Precision::float64 || options.moments == Moments::first) return exact;
  const double blocks = std::max(1.0, rows / block);
  return exact + 4 * kFloatUnit * std::sqrt(block / (blocks * static_cast<double>(columns)));
}

Variances variances_of(const Statistics& statistics, std::size_t columns) {
  const Sums& sums = statistics.sums();
  const double freedom = statistics.degrees_of_freedom();
  Variances result;
  result.columns = columns;
  result.mean.resize(columns);
  result.variances.resize(columns);
  result.dead.resize(columns);
  double spread = 0, largest_square = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    const double offset = sums.first[j] / sums.weight;
    const double squares = sums.second[diagonal_index(sums, j)];
    result.mean[j] = sums.shift[j] + offset;
    result.variances[j] = std::max(0.0, (squares - sums.weight * offset * offset) / freedom);
    result.trace += result.variances[j];
    spread += squares / freedom;
    largest_square = std::max(largest_square, result.variances[j] + square(result.mean[j]));
  }
  const double rows = static_cast<double>(sums.rows) * std::max(1.0, sums.weight_ever / sums.weight);
  result.noise = accumulation_error(sums.options, rows, columns) * std::max(spread, result.trace) +
                 square(sums.rounding) * largest_square;
  for (std::size_t j = 0; j < columns; ++j) {
    result.dead[j] = result.variances[j] <= result.noise;
    result.dead_count += result.dead[j] ? 1 : 0;
  }
  return result;
}

Buffer<double> covariance_of(const Statistics& statistics, std::size_t columns) {
  const Sums& sums = statistics.sums();
  const double freedom = statistics.degrees_of_freedom();
  Buffer<double> covariance(triangle(columns));
  for (std::size_t i = 0, index = 0; i < columns; ++i) {
    const double offset = sums.first[i] / sums.weight;
    for (std::size_t j = 0; j <= i; ++j, ++index) {
      covariance[index] = (sums.second[index] - offset * sums.first[j]) / freedom;
    }
    covariance[index - 1] = std::max(0.0, covariance[index - 1]);
  }
  return covariance;
}

Buffer<double> correlation_of(const Buffer<double>& covariance, const Variances& variances) {
  Buffer<double> deviations(variances.columns);
  for (std::size_t j = 0; j < deviations.size(); ++j) deviations[j] = std::sqrt(variances.variances[j]);
  Buffer<double> correlation(covariance.size());
  for (std::size_t i = 0, index = 0; i < deviations.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j, ++index) {
      if (variances.dead[i] || variances.dead[j]) continue;
      correlation[index] = covariance[index] / (deviations[i] * deviations[j]);
    }
    correlation[index++] = variances.dead[i] ? 0.0 : 1.0;
  }
  return correlation;
}

double correlation_noise(const Statistics& statistics, const Variances& variances) {
  const Sums& sums = statistics.sums();
  double spread = 0, largest_square = 0;
  for (std::size_t j = 0; j < variances.columns; ++j) {
    if (variances.dead[j]) continue;
    spread += sums.second[diagonal_index(sums, j)] / statistics.degrees_of_freedom() / variances.variances[j];
    largest_square = std::max(largest_square, 1 + square(variances.mean[j]) / variances.variances[j]);
  }
  const double rows = static_cast<double>(sums.rows) * std::max(1.0, sums.weight_ever / sums.weight);
  return accumulation_error(sums.options, rows, variances.columns) * spread +
         square(sums.rounding) * largest_square;
}

double squared_frobenius(const Buffer<double>& packed, std::size_t columns) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    const double* const row = packed.data() + triangle(i);
    sum += 2 * matrix_kernels().dot(row, row, i) + row[i] * row[i];
  }
  return sum;
}

double oas_shrinkage(double trace, double squared_norm, double dimensions, double rows) noexcept {
  const double mean = trace / dimensions, alpha = squared_norm / square(dimensions);
  const double numerator = alpha + mean * mean;
  const double denominator = (rows + 1) * (alpha - mean * mean / dimensions);
  return denominator <= numerator ? 1.0 : numerator / denominator;
}

// In terms of A = C / sum w: delta' = |A|^2, beta = (mean of |x - mean|^4 - delta') / (n d),
// delta = (delta' - 2 m tr A + d m^2) / d, rho = min(beta, delta) / delta. The fourth powers about the mean
// come from those about the shift by moving it there.
double ledoit_wolf_shrinkage(const Statistics& statistics, double squared_norm, double trace) {
  const Sums& sums = statistics.sums();
  const double d = static_cast<double>(sums.columns());
  const double scale = statistics.degrees_of_freedom() / sums.weight;
  const double norm = squared_norm * scale * scale, tr = trace * scale, m = tr / d;
  const double fourth = std::max(0.0, moved_to(sums, statistics.mean()).fourth / sums.weight);
  const double beta = (fourth - norm) / (statistics.effective_rows() * d);
  const double delta = (norm - 2 * m * tr + d * m * m) / d;
  if (delta <= 0) return 1;
  return std::clamp(beta / delta, 0.0, 1.0);
}

// Two coordinates repeat each other where the smaller eigenvalue of their 2 x 2 correlation, 1 - |r|, is
// noise.
Duplicates find_duplicates(const Buffer<double>& covariance, const Variances& variances) {
  Duplicates found;
  for (std::size_t i = 0; i < variances.columns; ++i) {
    if (variances.dead[i]) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (variances.dead[j]) continue;
      const double product = variances.variances[i] * variances.variances[j];
      const double covered = square(covariance[triangle(i) + j]);
      const double smaller = std::min(variances.variances[i], variances.variances[j]);
      if (product - covered > product / smaller * variances.noise) continue;
      if (found.count < kDuplicatesNamed) {
        found.text +=
            (found.count == 0 ? "coordinate " : ", ") + std::to_string(i) + " repeats " + std::to_string(j);
      }
      ++found.count;
      break;
    }
  }
  if (found.count > kDuplicatesNamed) found.text += " and so on";
  return found;
}

}  // namespace isovec::core
