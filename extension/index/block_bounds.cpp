#include "index/block_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "core/floating_point.hpp"

namespace isovec::index {
namespace {

using codec::CodeBlockView;
using codec::CodeMetric;
using codec::kBlockRows;

static_assert(static_cast<int>(Metric::cosine) == static_cast<int>(CodeMetric::cosine) &&
              static_cast<int>(Metric::l2) == static_cast<int>(CodeMetric::l2) &&
              static_cast<int>(Metric::dot) == static_cast<int>(CodeMetric::dot));

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Slack of a computed bound against its own roundings, a few units of float64.
constexpr double kUp = 1 + 0x1p-48;

/// Unit rows as encoded: within 2^-30 of norm 1.
constexpr double kUnitNorm = 1 + 0x1p-29;

void check_match(const CodeBlockView& block, const QueryCode& query) {
  const codec::CodeBlockShape& shape = block.shape();
  if (static_cast<int>(shape.metric) == static_cast<int>(query.metric()) &&
      shape.transformed == query.is_transformed() && shape.dimension == query.dimension()) {
    return;
  }
  throw Error(Code::corrupt, "a block of codes is of another column: it codes " +
                                 std::to_string(shape.dimension) + " dimensions where the query has " +
                                 std::to_string(query.dimension()) + ", or another distance or transform");
}

void know_nothing(DistanceBounds& bounds) noexcept {
  bounds.least.fill(-kInfinity);
  bounds.most.fill(kInfinity);
}

/// What the rows of one block share.
struct BlockSums {
  double query_norm;   // Q
  double center_norm;  // C
  double dot;          // <q, c>
  double squared_distance;
  double along;          // t
  double perpendicular;  // at least |q - t c|
  double rounding;       // (d + 64) 2^-52
  double largest_code;   // |code| of a row is at most this: 127 sqrt(d)
};

BlockSums sums_of(const CodeBlockView& block, const QueryCode& query) noexcept {
  const std::size_t d = block.dimension();
  const core::CenterSums center = core::code_kernels().center_sums(query.vector().data(), block.center(), d);
  BlockSums sums{};
  sums.rounding = static_cast<double>(d + 64) * 0x1p-52;
  sums.query_norm = query.norm();
  sums.center_norm = std::sqrt(center.squared_norm) * (1 + sums.rounding);
  sums.dot = center.dot;
  sums.squared_distance = center.squared_distance;
  // -128 is no code, but bytes are not checked for it.
  sums.largest_code = 128 * std::sqrt(static_cast<double>(d)) * kUp;
  const double squared_norm = query.norm() * query.norm();
  if (center.squared_norm > 0) sums.along = center.dot / center.squared_norm;
  // |q - t c|^2 = |q|^2 - 2 t <q, c> + t^2 |c|^2: three terms of at most 2 |q|^2, each within (d + 2)
  // roundings.
  const double left = squared_norm - sums.along * (2 * center.dot - sums.along * center.squared_norm);
  sums.perpendicular = std::sqrt(std::max(left, 0.0) + 8 * sums.rounding * squared_norm) * kUp;
  return sums;
}

/// At least |y|.
double norm_of(const CodeBlockView& block, std::size_t row) noexcept {
  return block.shape().has_norms() ? static_cast<double>(block.norms()[row]) : kUnitNorm;
}

/// Bounds of -<q, y>, and of 1 - <q, y> where `origin` is 1.
void bound_products(const CodeBlockView& block, const QueryCode& query, double origin,
                    const codec::PerRow<double>& products, DistanceBounds& bounds) noexcept {
  BlockSums sums = sums_of(block, query);
  if (block.shape().metric == CodeMetric::l2) {  // no corrections are stored: t = 0
    sums.along = 0;
    sums.perpendicular = sums.query_norm;
  }
  const ScoreError& error = query.score_error();
  const double per_error = sums.perpendicular + sums.query_norm * (sums.rounding + 0x1p-23);
  const double per_residual = query.residual() + sums.rounding * sums.query_norm;
  const double fixed = sums.rounding * (sums.query_norm * sums.center_norm + origin) +
                       std::abs(sums.along) * 0x1p-149 + error.absolute;
  const double start = origin - sums.dot;
  const double step = query.step();
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    const double scale = block.scales()[row];
    const double e = block.errors()[row];
    const double norm = norm_of(block, row);
    const double by_norm = norm + sums.center_norm + e;
    const double by_scale = sums.largest_code * scale;
    const double residual = by_scale < by_norm ? by_scale : by_norm;
    const double slack = (per_error * e + per_residual * residual + fixed + error.per_norm * norm +
                          error.per_reach * static_cast<double>(block.reaches()[row])) *
                         kUp;
    const double estimate =
        start - step * scale * products[row] - sums.along * static_cast<double>(block.terms()[row]);
    bounds.least[row] = estimate - slack;
    bounds.most[row] = estimate + slack;
  }
}

/// Bounds of |q - y|.
void bound_l2(const CodeBlockView& block, const QueryCode& query, const codec::PerRow<double>& products,
              DistanceBounds& bounds) noexcept {
  const BlockSums sums = sums_of(block, query);
  const ScoreError& error = query.score_error();
  const double squared_query = sums.query_norm * sums.query_norm;
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    const double scale = block.scales()[row];
    const double e = block.errors()[row];
    const double offset = block.terms()[row];
    const double norm = norm_of(block, row);
    const double residual = std::min(sums.largest_code * scale, norm + sums.center_norm + e);
    const double squared = sums.squared_distance - 2 * query.step() * scale * products[row] + offset;
    const double slack = (2 * query.residual() * residual + 0x1p-23 * std::abs(offset) + 0x1p-149 +
                          sums.rounding * (sums.squared_distance + 2 * sums.query_norm * residual +
                                           residual * (residual + 2 * sums.center_norm))) *
                         kUp;
    // From the decoded row to the real one, then from the real distance to the computed one.
    const double nearest = std::max(0.0, std::sqrt(std::max(0.0, squared - slack)) / kUp - e);
    const double farthest = (std::sqrt(std::max(0.0, squared + slack)) + e) * kUp;
    const double off =
        2 * (error.per_norm * norm + error.per_reach * static_cast<double>(block.reaches()[row])) +
        error.squared * (squared_query + norm * norm);
    const double low = std::sqrt(std::max(0.0, nearest * nearest - off));
    const double high = std::sqrt(farthest * farthest + off);
    bounds.least[row] = low * (1 - error.relative) / kUp - error.absolute;
    bounds.most[row] = high * (1 + error.relative) * kUp + error.absolute;
  }
}

// Whatever overflowed on the way proves nothing.
void forget_unknown(const CodeBlockView& block, DistanceBounds& bounds) noexcept {
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    const bool known =
        bounds.least[row] <= bounds.most[row] && block.errors()[row] < std::numeric_limits<float>::infinity();
    bounds.least[row] = known ? bounds.least[row] : -kInfinity;
    bounds.most[row] = known ? bounds.most[row] : kInfinity;
  }
}

void multiply(const CodeBlockView& block, const QueryCode& query, codec::PerRow<double>& products) noexcept {
  core::code_kernels().dot_rows(query.code(), block.codes(), block.rows(), block.dimension(),
                                products.data());
}

}  // namespace

void bound_distances(const CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds) {
  check_match(block, query);
  if (!query.bounded()) return know_nothing(bounds);
  const core::FloatingPointScope scope;
  alignas(64) codec::PerRow<double> products{};
  multiply(block, query, products);
  if (query.metric() == Metric::l2) {
    bound_l2(block, query, products, bounds);
  } else {
    bound_products(block, query, query.metric() == Metric::cosine ? 1 : 0, products, bounds);
  }
  forget_unknown(block, bounds);
}

void bound_products(const CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds) {
  check_match(block, query);
  if (!query.bounded()) return know_nothing(bounds);
  const core::FloatingPointScope scope;
  alignas(64) codec::PerRow<double> products{};
  multiply(block, query, products);
  bound_products(block, query, 0, products, bounds);
  forget_unknown(block, bounds);
}

}  // namespace isovec::index
