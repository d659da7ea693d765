// Transforms from outside and from other transforms.

#include <algorithm>
#include <array>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/transform.hpp>
#include <utility>

#include "core/key_values.hpp"
#include "core/matrix_kernels.hpp"
#include "core/products.hpp"
#include "core/solve.hpp"

namespace isovec {
namespace {

constexpr std::array<std::string_view, 4> kNormalize = {"none", "before", "after", "both"};
// A mean that the inner map cannot produce beyond this share of its length is refused. Means of transformed
// rows carry the rounding of float32.
constexpr double kMeanTolerance = 1e-6;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

// W as outputs x columns.
Buffer<double> narrow_matrix(const Transform& transform) {
  const TransformParts& parts = transform.parts();
  const Buffer<double> wide = transform.matrix();
  if (parts.columns == parts.input_dimensions) return wide;
  Buffer<double> narrow;
  for (std::size_t i = 0; i < parts.output_dimensions; ++i) {
    const auto row = wide.begin() + static_cast<std::ptrdiff_t>(i * parts.input_dimensions);
    narrow.insert(narrow.end(), row, row + static_cast<std::ptrdiff_t>(parts.columns));
  }
  return narrow;
}

Buffer<double> product(const Buffer<double>& a, const Buffer<double>& b, std::size_t rows, std::size_t inner,
                       std::size_t columns, const Checkpoint& checkpoint = {}) {
  Buffer<double> result(rows * columns);
  core::multiply_add(rows, columns, inner, 1.0, {a.data(), inner, 1}, {b.data(), columns, 1}, result.data(),
                     columns, checkpoint);
  return result;
}

double norm_of(const Buffer<double>& v) {
  return std::sqrt(core::matrix_kernels().dot(v.data(), v.data(), v.size()));
}

// x with inner.W x = outer.mean in the outputs that the outer map reads, so that one mean stands for both.
// What no x reaches must vanish in the outer map, or be rounding: that of the mean, or of the rows it was
// taken over.
Buffer<double> mean_behind(const Transform& inner, const Transform& outer) {
  const TransformParts& parts = inner.parts();
  const Buffer<double>& target = outer.parts().mean;
  const std::size_t read = target.size(), columns = parts.columns, outputs = outer.output_dimensions();
  Buffer<double> w = narrow_matrix(inner);
  w.resize(read * columns);
  Buffer<double> x = core::least_squares(w, read, columns, target);
  Buffer<double> missed = product(w, x, read, columns, 1);
  for (std::size_t i = 0; i < read; ++i) missed[i] -= target[i];
  const Buffer<double> outer_matrix = narrow_matrix(outer);
  const double lost = norm_of(product(outer_matrix, missed, outputs, read, 1));
  const double seen = norm_of(product(outer_matrix, target, outputs, read, 1));
  const double rounding = 10 * std::sqrt(parts.summary.rank_threshold * static_cast<double>(columns));
  if (lost > kMeanTolerance * seen && norm_of(missed) > kMeanTolerance * norm_of(target) + rounding) {
    refuse(
        "the outer transform's mean lies in a direction that the inner transform removes, so no single mean "
        "stands for both");
  }
  return x;
}

}  // namespace

Transform recenter(const Transform& transform, std::span<const double> mean) {
  if (!transform.subtracts_mean()) {
    refuse("the transform subtracts no mean (" + transform.parts().spec + "), so there is none to replace");
  }
  if (mean.size() != transform.input_dimensions()) {
    refuse("the transform takes " + std::to_string(transform.input_dimensions()) +
           " dimensions, got a mean of " + std::to_string(mean.size()));
  }
  TransformParts parts = transform.parts();
  std::copy_n(mean.begin(), parts.columns, parts.mean.begin());
  return Transform(std::move(parts));
}

Transform compose(const Transform& outer, const Transform& inner, const Checkpoint& checkpoint) {
  const TransformParts &first = inner.parts(), &second = outer.parts();
  if (first.output_dimensions != second.input_dimensions) {
    refuse("the inner transform gives " + std::to_string(first.output_dimensions) +
           " dimensions, the outer one takes " + std::to_string(second.input_dimensions));
  }
  if (after(first.normalize) || before(second.normalize)) {
    refuse(
        "a normalization stands between the transforms, so they do not make one map: apply one after the "
        "other");
  }
  TransformParts parts;
  parts.spec = second.spec + " after " + first.spec;
  parts.input_dimensions = first.input_dimensions;
  parts.columns = first.columns;
  parts.output_dimensions = second.output_dimensions;
  if (before(first.normalize))
    parts.normalize = after(second.normalize) ? Normalize::both : Normalize::before;
  else if (after(second.normalize))
    parts.normalize = Normalize::after;
  parts.kind = Linear::dense;
  Buffer<double> head = narrow_matrix(inner);
  head.resize(second.columns * first.columns);  // a slice of the outer one keeps the leading outputs
  parts.linear = product(narrow_matrix(outer), head, second.output_dimensions, second.columns, first.columns,
                         checkpoint);
  parts.mean = first.mean;
  if (!second.mean.empty()) {
    const Buffer<double> behind = mean_behind(inner, outer);
    parts.mean.resize(first.columns);
    for (std::size_t j = 0; j < first.columns; ++j) parts.mean[j] += behind[j];
  }
  parts.not_invertible = !first.not_invertible.empty() ? first.not_invertible : second.not_invertible;
  return Transform(std::move(parts));
}

Transform make_transform(std::span<const double> mean, std::span<const double> matrix, std::size_t columns,
                         std::string_view options) {
  TransformParts parts;
  for (const core::KeyValue& part : core::split_key_values(options)) {
    if (part.key != "normalize" || !part.value) {
      refuse("the option '" + std::string(part.key) +
             "' is unknown: what applies is normalize=none|before|after|both");
    }
    parts.normalize = static_cast<Normalize>(core::choice("normalize=", *part.value, kNormalize));
  }
  if (columns == 0 || matrix.empty() || matrix.size() % columns != 0) {
    refuse("expected a matrix of rows of equal length, got " + std::to_string(matrix.size()) +
           " numbers for " + std::to_string(columns) + " columns");
  }
  if (!mean.empty() && mean.size() != columns) {
    refuse("the mean has " + std::to_string(mean.size()) + " dimensions, the matrix " +
           std::to_string(columns) + " columns");
  }
  parts.spec = "custom";
  parts.input_dimensions = parts.columns = columns;
  parts.output_dimensions = matrix.size() / columns;
  parts.kind = Linear::dense;
  parts.mean.assign(mean.begin(), mean.end());
  parts.linear.assign(matrix.begin(), matrix.end());
  if (parts.output_dimensions != columns) {
    parts.not_invertible = "its matrix has " + std::to_string(parts.output_dimensions) + " rows and " +
                           std::to_string(columns) + " columns";
  } else {
    bool symmetric = true;
    for (std::size_t i = 0; i < columns && symmetric; ++i) {
      for (std::size_t j = 0; j < i && symmetric; ++j)
        symmetric = matrix[i * columns + j] == matrix[j * columns + i];
    }
    if (symmetric) parts.kind = Linear::symmetric;
  }
  if (parts.normalize != Normalize::none) parts.not_invertible = "it divides by a norm, which is lost";
  return Transform(std::move(parts));
}

bool same_linear_part(const Transform& a, const Transform& b) noexcept {
  const TransformParts &x = a.parts(), &y = b.parts();
  return x.kind == y.kind && x.input_dimensions == y.input_dimensions && x.columns == y.columns &&
         x.output_dimensions == y.output_dimensions && x.normalize == y.normalize && x.linear == y.linear;
}

}  // namespace isovec
