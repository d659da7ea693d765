// Whether rows still look like those a transform was fitted to.

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/transform.hpp>

#include "core/covariance.hpp"
#include "core/eigen.hpp"
#include "core/key_values.hpp"
#include "core/linear_map.hpp"
#include "core/moment_sums.hpp"
#include "core/products.hpp"
#include "core/work.hpp"

namespace isovec {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

void check(const TransformParts& parts, const Statistics& statistics) {
  const StatisticsOptions& options = statistics.options();
  if (options.moments == Moments::first) refuse("drift needs statistics with moments=second");
  if (statistics.dimensions() != parts.input_dimensions) {
    refuse("dimensions differ: the transform takes " + std::to_string(parts.input_dimensions) +
           ", the statistics are of " + std::to_string(statistics.dimensions()));
  }
  if (options.normalize != before(parts.normalize)) {
    refuse(std::string("the transform ") + (options.normalize ? "does not normalize" : "normalizes") +
           " rows first, the statistics " + (options.normalize ? "do" : "do not"));
  }
  const std::size_t summed = statistics.sums().columns();
  if (summed < parts.columns || (options.normalize && summed != parts.columns)) {
    refuse("the transform reads " + std::to_string(parts.columns) + " coordinates, the statistics sum " +
           std::to_string(summed));
  }
  if (!(statistics.degrees_of_freedom() > 0)) refuse("drift needs at least two rows of positive weight");
}

// W S W^T, packed.
Buffer<double> transformed_covariance(const Transform& transform, const Buffer<double>& packed,
                                      const Checkpoint& checkpoint) {
  const TransformParts& parts = transform.parts();
  const std::size_t columns = parts.columns, outputs = parts.output_dimensions;
  if (parts.kind == Linear::identity || parts.kind == Linear::diagonal) {
    Buffer<double> scaled(packed.begin(),
                          packed.begin() + static_cast<std::ptrdiff_t>(core::triangle(columns)));
    for (std::size_t i = 0, index = 0; parts.kind == Linear::diagonal && i < columns; ++i) {
      for (std::size_t j = 0; j <= i; ++j, ++index) scaled[index] *= parts.linear[i] * parts.linear[j];
    }
    return scaled;
  }
  Buffer<double> full(columns * columns), half(outputs * columns), result(outputs * outputs);
  core::Work work(checkpoint);
  for (std::size_t i = 0, index = 0; i < columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++index)
      full[i * columns + j] = full[j * columns + i] = packed[index];
    work.done(8 * (i + 1));  // half of them each to another page
  }
  const Buffer<double> w = core::written_out(parts, columns, checkpoint);
  core::multiply_add(outputs, columns, columns, 1.0, {w.data(), columns, 1}, {full.data(), columns, 1},
                     half.data(), columns, work);
  core::multiply_add(outputs, outputs, columns, 1.0, {half.data(), columns, 1}, {w.data(), 1, columns},
                     result.data(), outputs, work);
  Buffer<double> lower;
  lower.reserve(core::triangle(outputs));
  for (std::size_t i = 0; i < outputs; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      lower.push_back((result[i * outputs + j] + result[j * outputs + i]) / 2);
    work.done(8 * (i + 1));
  }
  return lower;
}

void measure_mean(Drift& drift, const Transform& transform, const Buffer<double>& mean) {
  const TransformParts& parts = transform.parts();
  Buffer<double> moved(parts.columns), shift(parts.output_dimensions);
  for (std::size_t j = 0; j < moved.size(); ++j)
    moved[j] = mean[j] - (parts.mean.empty() ? 0.0 : parts.mean[j]);
  core::apply_linear(parts, moved.data(), shift.data());
  double squares = 0;
  for (const double s : shift) {
    squares += s * s;
    drift.worst_coordinate = std::max(drift.worst_coordinate, std::abs(s));
  }
  drift.mean_shift = std::sqrt(squares / static_cast<double>(parts.output_dimensions));
}

void measure_shape(Drift& drift, Buffer<double> packed, std::size_t outputs, double relative_error,
                   const Checkpoint& checkpoint) {
  double trace = 0;
  for (std::size_t i = 0; i < outputs; ++i) trace += packed[core::triangle(i) + i];
  const double norm = core::squared_frobenius(packed, outputs);
  drift.mean_variance = trace / static_cast<double>(outputs);
  drift.participation_ratio = norm > 0 ? trace * trace / norm : 0;
  const Buffer<double> values = core::decompose_symmetric(std::move(packed), outputs, checkpoint).values;
  const double threshold = relative_error * trace + 1e-12 * values.front();
  const auto last = std::find_if(values.rbegin(), values.rend(), [&](double v) { return v > threshold; });
  drift.condition = last != values.rend() ? values.front() / *last : 0;
}

void judge(Drift& drift, const Transform& transform) {
  const TransformParts& parts = transform.parts();
  const bool whitens = parts.spec.starts_with("whiten") && parts.summary.ridge == 0 &&
                       parts.spec.find("power=") == std::string::npos;
  const double directions =
      static_cast<double>(whitens && parts.summary.kept != 0 ? parts.summary.kept : parts.output_dimensions);
  if (transform.subtracts_mean() && drift.mean_shift > 0.5 * std::sqrt(drift.mean_variance)) {
    drift.findings.push_back(
        "the mean has moved by " +
        core::shortest(std::round(100 * drift.mean_shift / std::sqrt(drift.mean_variance)) / 100) +
        " standard deviations: refit, or use vec_recenter");
  }
  if (whitens && drift.participation_ratio < 0.8 * directions) {
    drift.findings.push_back("these rows are not white under the transform: they fill " +
                             core::shortest(std::round(drift.participation_ratio)) + " of " +
                             core::shortest(directions) +
                             " directions; refit, or fit on more rows or with eps=1");
  }
  if (drift.findings.empty()) drift.findings.push_back("no drift found");
}

}  // namespace

Drift drift(const Transform& transform, const Statistics& statistics, const Checkpoint& checkpoint) {
  const TransformParts& parts = transform.parts();
  check(parts, statistics);
  statistics.settle(checkpoint);
  Drift result;
  result.rows = statistics.rows();
  measure_mean(result, transform, statistics.mean());
  const double error =
      core::accumulation_error(statistics.options(), static_cast<double>(statistics.rows()), parts.columns);
  measure_shape(result,
                transformed_covariance(transform, core::covariance_of(statistics, parts.columns), checkpoint),
                parts.output_dimensions, error, checkpoint);
  judge(result, transform);
  return result;
}

}  // namespace isovec
