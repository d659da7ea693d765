#include "index/mapped_query.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "core/floating_point.hpp"
#include "core/kernels.hpp"

namespace isovec::index {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnit = 0x1p-53;

/// Sums of squares that float32 holds without loss, and divisors that float64 does.
constexpr float kSmallestSum = 0x1p-80F;
constexpr float kLargestSum = 0x1p120F;
constexpr double kSmallestDivisor = 0x1p-900;
constexpr double kLargestDivisor = 0x1p900;

}  // namespace

void lengths_of(std::span<const float> rows, std::size_t d, std::span<float> lengths) {
  const core::FloatingPointScope scope;
  core::kernels().squared_norm_rows(rows.data(), lengths.size(), d, d, lengths.data());
  for (float& length : lengths) {
    const bool known = length >= kSmallestSum && length <= kLargestSum;
    length = known ? std::sqrt(length) : std::numeric_limits<float>::quiet_NaN();
  }
}

MappedQuery::MappedQuery(const Query& query, const QueryForm& form, const ImageNorms& norms)
    : metric_(query.metric),
      divides_(before(query.transform->parts().normalize)),
      unit_(query.metric == Metric::cosine || after(query.transform->parts().normalize)),
      b_(form.b),
      norm_(form.norm),
      code_(QueryCode::linear(query.metric, form.a)),
      norms_(norms) {
  const auto d = static_cast<double>(form.a.size());
  norm_error_ = (9 + d / 32) * 0x1p-24 + 0x1p-22;
  rounding_ = 2 * (d + 64) * kUnit;
}

// A transform that divides by the norm of fewer columns than the codes are of is not of their rows.
bool MappedQuery::is_possible(const Transform& transform) noexcept {
  const TransformParts& parts = transform.parts();
  return !before(parts.normalize) || parts.columns == parts.input_dimensions;
}

codec::RowMask MappedQuery::defined(const codec::CodeBlockView& block) const {
  codec::RowMask rows = codec::RowMask::first(block.rows());
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const std::size_t slot = block.slots()[row];
    if (slot >= norms_.images.size()) {
      throw Error(Code::corrupt, "a block of codes has a row in slot " + std::to_string(slot) +
                                     ", which the table does not have: run the command 'rebuild'");
    }
    if (unit_ && norms_.images[slot] == 0) rows.reset(row);
  }
  return rows;
}

void MappedQuery::bound(const codec::CodeBlockView& block, DistanceBounds& bounds) const {
  bound_products(block, code_, bounds);
  const core::FloatingPointScope scope;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const Interval product{-bounds.most[row], -bounds.least[row]};
    const Interval found = distance(dot(block, row, product), norms_.images[block.slots()[row]]);
    const bool known = found.low <= found.high;
    bounds.least[row] = known ? found.low : -kInfinity;
    bounds.most[row] = known ? found.high : kInfinity;
  }
}

/// From <a, y> to dot; NaN where |x| is not known.
MappedQuery::Interval MappedQuery::dot(const codec::CodeBlockView& block, std::size_t row,
                                       Interval product) const {
  const bool unit_rows = metric_ == Metric::cosine;
  const double length = norms_.rows[block.slots()[row]];
  double factor = 1;
  if (unit_rows && !divides_) factor = length;
  if (!unit_rows && divides_) factor = 1 / length;
  const double norm = unit_rows ? 1.001 : static_cast<double>(block.norms()[row]);
  const double largest = std::max(std::abs(product.low), std::abs(product.high));
  const double slack = factor * (norm_error_ * largest + rounding_ * code_.norm() * norm);
  const double rounding = 16 * kUnit * (factor * largest + slack + std::abs(b_));
  return {factor * product.low - slack - b_ - rounding, factor * product.high + slack - b_ + rounding};
}

/// From dot to the distance; NaN where nothing can be said.
MappedQuery::Interval MappedQuery::distance(Interval dot, double norm) const {
  constexpr Interval kUnknown{std::numeric_limits<double>::quiet_NaN(), 0};
  constexpr double kRounding = 16 * kUnit;
  if (!(dot.low <= dot.high && norm >= 0)) return kUnknown;
  if (unit_) {
    const double divisor = norm_ * norm;
    if (!(divisor >= kSmallestDivisor && divisor <= kLargestDivisor)) return kUnknown;
    const double relative = kRounding * std::max(std::abs(dot.low), std::abs(dot.high)) / divisor;
    if (!(relative < kInfinity)) return kUnknown;
    const double low = std::clamp(dot.low / divisor - relative, -1.0, 1.0);
    const double high = std::clamp(dot.high / divisor + relative, -1.0, 1.0);
    if (metric_ == Metric::cosine) return {1 - high - kRounding, 1 - low + kRounding};
    if (metric_ == Metric::dot) return {-high, -low};
    return {std::sqrt(std::max(0.0, 2 - 2 * high - kRounding)) * (1 - kRounding),
            std::sqrt(2 - 2 * low + kRounding) * (1 + kRounding)};
  }
  if (metric_ == Metric::dot) return {-dot.high, -dot.low};
  const double squares = norm_ * norm_ + norm * norm;
  const double rounding =
      kRounding * (squares + 2 * std::max(std::abs(dot.low), std::abs(dot.high))) + 0x1p-1000;
  return {std::sqrt(std::max(0.0, squares - 2 * dot.high - rounding)) * (1 - kRounding),
          std::sqrt(std::max(0.0, squares - 2 * dot.low + rounding)) * (1 + kRounding)};
}

}  // namespace isovec::index
