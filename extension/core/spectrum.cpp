// Eigenvalues and components of transforms and statistics.

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>
#include <isovec/transform.hpp>
#include <limits>

#include "core/covariance.hpp"
#include "core/eigen.hpp"
#include "core/moment_sums.hpp"
#include "core/work.hpp"

namespace isovec {
namespace {

using core::Work;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

Buffer<SpectrumLine> lines_of(const Buffer<double>& values) {
  double total = 0;
  for (const double value : values) total += std::max(0.0, value);
  Buffer<SpectrumLine> lines;
  double sum = 0;
  for (const double value : values) {
    sum += std::max(0.0, value);
    lines.push_back({value, total > 0 ? std::max(0.0, value) / total : 0, total > 0 ? sum / total : 0});
  }
  return lines;
}

Component component(const TransformParts& parts, std::size_t m, double scale, const double* direction) {
  Component result;
  result.eigenvalue =
      m < parts.eigenvalues.size() ? parts.eigenvalues[m] : std::numeric_limits<double>::quiet_NaN();
  result.scale = scale;
  result.direction.assign(direction, direction + parts.columns);
  return result;
}

// W without the standardization of the -cor bases.
Buffer<double> unstandardized(const TransformParts& parts, Work& work) {
  Buffer<double> w = parts.linear;
  if (parts.standardizer.empty()) return w;
  for (std::size_t begin = 0; begin < w.size(); begin += parts.columns) {
    for (std::size_t j = 0; j < parts.columns; ++j) {
      const double scale = parts.standardizer[j];
      w[begin + j] = scale == 0 ? 0 : w[begin + j] / scale;
    }
    work.done(4 * parts.columns);
  }
  return w;
}

// Rows of W are the scaled directions.
Buffer<Component> rows_as_components(const TransformParts& parts, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  Buffer<double> w = unstandardized(parts, work);
  Buffer<Component> components;
  for (std::size_t m = 0; m < parts.output_dimensions; ++m) {
    double* const row = w.data() + m * parts.columns;
    double squares = 0;
    for (std::size_t j = 0; j < parts.columns; ++j) squares += row[j] * row[j];
    if (squares == 0) break;
    const double norm = std::sqrt(squares);
    for (std::size_t j = 0; j < parts.columns; ++j) row[j] /= norm;
    components.push_back(component(parts, m, norm, row));
    work.done(8 * parts.columns);
  }
  return components;
}

// W = sum of scale v v^T: the smaller the scale, the larger the eigenvalue; directions of scale 0 were
// dropped.
Buffer<Component> symmetric_components(const TransformParts& parts, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  const Buffer<double> w = unstandardized(parts, work);
  Buffer<double> packed;
  packed.reserve(core::triangle(parts.columns));
  for (std::size_t i = 0; i < parts.columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      packed.push_back((w[i * parts.columns + j] + w[j * parts.columns + i]) / 2);
    }
    work.done(8 * (i + 1));
  }
  const core::EigenDecomposition eigen =
      core::decompose_symmetric(std::move(packed), parts.columns, checkpoint);
  Buffer<Component> components;
  for (std::size_t m = std::min(parts.summary.kept, parts.columns); m-- > 0;) {
    components.push_back(component(parts, components.size(), eigen.values[m], eigen.vector(m)));
    work.done(2 * parts.columns);
  }
  return components;
}

Buffer<Component> removed_components(const TransformParts& parts, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  Buffer<Component> components;
  for (std::size_t begin = 0; begin < parts.linear.size(); begin += parts.columns) {
    components.push_back(component(parts, components.size(), 0, parts.linear.data() + begin));
    work.done(2 * parts.columns);
  }
  return components;
}

}  // namespace

Buffer<SpectrumLine> spectrum(const Transform& transform) {
  if (transform.parts().eigenvalues.empty()) {
    refuse("the transform has no spectrum (" + transform.parts().spec +
           "): remove_top, pca and whiten do, and statistics");
  }
  return lines_of(transform.parts().eigenvalues);
}

Buffer<SpectrumLine> spectrum(const Statistics& statistics, const Checkpoint& checkpoint) {
  if (statistics.options().moments == Moments::first) {
    refuse("a spectrum needs statistics with moments=second");
  }
  if (!(statistics.degrees_of_freedom() > 0)) refuse("a spectrum needs at least two rows of positive weight");
  statistics.settle(checkpoint);
  const std::size_t columns = statistics.sums().columns();
  return lines_of(
      core::decompose_symmetric(core::covariance_of(statistics, columns), columns, checkpoint).values);
}

Buffer<Component> components(const Transform& transform, const Checkpoint& checkpoint) {
  const TransformParts& parts = transform.parts();
  if (parts.kind == Linear::projection) return removed_components(parts, checkpoint);
  if (parts.eigenvalues.empty()) refuse("the transform has no components (" + parts.spec + ")");
  const Spec spec = parse_spec(parts.spec);
  if (spec.method == Method::whiten && spec.basis == Basis::cholesky) {
    refuse("basis=cholesky has no components: fit with basis=zca or basis=pca");
  }
  const bool in_rows = spec.method == Method::pca || spec.basis == Basis::pca || spec.basis == Basis::pca_cor;
  const std::size_t rows = in_rows ? parts.output_dimensions : parts.columns;
  if (parts.linear.size() != rows * parts.columns)
    refuse("the transform does not have the matrix that its spec names");
  if (in_rows) return rows_as_components(parts, checkpoint);
  if (spec.power == 0) refuse("power=0 leaves all directions alike, so the transform has no components");
  return symmetric_components(parts, checkpoint);
}

}  // namespace isovec
