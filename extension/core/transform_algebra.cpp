// Transforms from outside and from other transforms.

#include <algorithm>
#include <array>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/transform.hpp>
#include <utility>

#include "core/key_values.hpp"
#include "core/linear_map.hpp"
#include "core/matrix_kernels.hpp"
#include "core/solve.hpp"
#include "core/work.hpp"

namespace isovec {
namespace {

constexpr std::array<std::string_view, 4> kNormalize = {"none", "before", "after", "both"};
// A mean that the inner map cannot produce beyond this share of its length is refused. Means of transformed
// rows carry the rounding of float32.
constexpr double kMeanTolerance = 1e-6;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::invalid_argument, message);
}

double norm_of(const Buffer<double>& v) {
  return std::sqrt(core::matrix_kernels().dot(v.data(), v.data(), v.size()));
}

// The shortest x that W of `inner` takes to `target` in its leading outputs, or as near as it can.
Buffer<double> behind(const TransformParts& inner, const Buffer<double>& target,
                      const Checkpoint& checkpoint) {
  const std::size_t read = target.size(), columns = inner.columns;
  Buffer<double> x(target);
  x.resize(columns);
  switch (inner.kind) {
    case Linear::identity:
      return x;
    case Linear::diagonal:
      for (std::size_t j = 0; j < read; ++j) x[j] = inner.linear[j] == 0 ? 0 : x[j] / inner.linear[j];
      return x;
    case Linear::projection:
      if (read == columns) {  // it is its own pseudoinverse
        Buffer<double> projected(columns);
        core::apply_linear(inner, x.data(), projected.data());
        return projected;
      }
      if (columns > kMaxSecondMomentDimensions) {
        throw Error(Code::too_big, "the outer transform reads a part of a projection in " +
                                       std::to_string(columns) + " dimensions, of which " +
                                       std::to_string(kMaxSecondMomentDimensions) +
                                       " are the most: apply one after the other");
      }
      break;
    default:
      break;
  }
  Buffer<double> w = core::written_out(inner, columns, checkpoint);
  w.resize(read * columns);
  return core::least_squares(w, read, columns, target, checkpoint);
}

// What W of `parts` makes of x, which is followed by zeros.
Buffer<double> image_of(const TransformParts& parts, Buffer<double> x) {
  x.resize(parts.columns);
  Buffer<double> z(parts.output_dimensions);
  core::apply_linear(parts, x.data(), z.data());
  return z;
}

// x with inner.W x = outer.mean in the outputs that the outer map reads, so that one mean stands for both.
// What no x reaches must vanish in the outer map, or be rounding: that of the mean, or of the rows it was
// taken over.
Buffer<double> mean_behind(const TransformParts& inner, const TransformParts& outer,
                           const Checkpoint& checkpoint) {
  const Buffer<double>& target = outer.mean;
  Buffer<double> x = behind(inner, target, checkpoint);
  Buffer<double> missed = image_of(inner, x);
  missed.resize(target.size());
  for (std::size_t i = 0; i < missed.size(); ++i) missed[i] -= target[i];
  const double lost = norm_of(image_of(outer, missed)), seen = norm_of(image_of(outer, target));
  const double rounding = 10 * std::sqrt(inner.summary.rank_threshold * static_cast<double>(inner.columns));
  if (lost > kMeanTolerance * seen && norm_of(missed) > kMeanTolerance * norm_of(target) + rounding) {
    refuse(
        "the outer transform's mean lies in a direction that the inner transform removes, so no single mean "
        "stands for both");
  }
  return x;
}

// Both names, the middle left out where they are too long together: composing a transform with itself doubles
// its name each time.
std::string composed_name(const std::string& outer, const std::string& inner) {
  constexpr std::size_t kLongest = 1000;
  constexpr std::string_view kAfter = " after ", kLeftOut = " ... ";
  const std::string name = outer.substr(0, kLongest) + std::string(kAfter) +
                           (inner.size() > kLongest ? inner.substr(inner.size() - kLongest) : inner);
  if (outer.size() <= kLongest && inner.size() <= kLongest && name.size() <= kLongest) return name;
  constexpr std::size_t kEnd = (kLongest - kLeftOut.size()) / 2;
  return name.substr(0, kEnd) + std::string(kLeftOut) + name.substr(name.size() - kEnd);
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
  parts.spec = composed_name(second.spec, first.spec);
  parts.input_dimensions = first.input_dimensions;
  parts.columns = core::composed_columns(second, first);
  parts.output_dimensions = second.output_dimensions;
  if (before(first.normalize))
    parts.normalize = after(second.normalize) ? Normalize::both : Normalize::before;
  else if (after(second.normalize))
    parts.normalize = Normalize::after;
  parts.kind = core::composed_kind(second, first);
  parts.linear = core::composed_linear(second, first, checkpoint);
  parts.mean = first.mean;
  if (!second.mean.empty()) {
    const Buffer<double> shift = mean_behind(first, second, checkpoint);
    parts.mean.resize(first.columns);
    for (std::size_t j = 0; j < first.columns; ++j) parts.mean[j] += shift[j];
  }
  if (!parts.mean.empty()) parts.mean.resize(parts.columns);
  parts.not_invertible = !first.not_invertible.empty() ? first.not_invertible : second.not_invertible;
  const bool vanishes = parts.kind == Linear::diagonal &&
                        std::find(parts.linear.begin(), parts.linear.end(), 0.0) != parts.linear.end();
  if (vanishes && parts.not_invertible.empty()) parts.not_invertible = "it maps a direction to 0";
  return Transform(std::move(parts));
}

std::size_t composed_numbers(const Transform& outer, const Transform& inner) {
  const TransformParts &second = outer.parts(), &first = inner.parts();
  switch (core::composed_kind(second, first)) {
    case Linear::identity:
      return 0;
    case Linear::diagonal:
      return second.columns;
    case Linear::projection:
      return second.kind == Linear::projection ? second.linear.size() : first.linear.size();
    default:
      return second.output_dimensions * core::composed_columns(second, first);
  }
}

Transform make_transform(std::span<const double> mean, std::span<const double> matrix, std::size_t columns,
                         std::string_view options, const Checkpoint& checkpoint) {
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
    core::Work work(checkpoint);
    for (std::size_t i = 0; i < columns && symmetric; ++i) {
      work.done(8 * columns);  // half of them each from another page
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
