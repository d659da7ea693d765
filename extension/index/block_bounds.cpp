#include "index/block_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "core/floating_point.hpp"
#include "index/code_products.hpp"

namespace isovec::index {
namespace {

using codec::CodeBlockView;
using codec::CodeMetric;
using codec::kBlockRows;
using codec::RowMask;

static_assert(static_cast<int>(Metric::cosine) == static_cast<int>(CodeMetric::cosine) &&
              static_cast<int>(Metric::l2) == static_cast<int>(CodeMetric::l2) &&
              static_cast<int>(Metric::dot) == static_cast<int>(CodeMetric::dot));

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Unit rows as encoded are within 2^-30 of norm 1.
constexpr codec::PerRow<float> kUnitNorms = [] {
  codec::PerRow<float> norms{};
  norms.fill(1 + 0x1p-23F);
  return norms;
}();

static_assert(core::kBoundRows == kBlockRows);

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

/// What the rows of one block share, apart from what the distance decides.
core::BoundTerms common_terms(const QueryCode& query, const core::CenterSums& center,
                              std::size_t d) noexcept {
  core::BoundTerms terms;
  const ScoreError& error = query.score_error();
  terms.step = query.step();
  terms.rounding = static_cast<double>(d + 64) * 0x1p-52;
  terms.center_norm = std::sqrt(center.squared_norm) * (1 + terms.rounding);
  // -128 is no code, but bytes are not checked for it.
  terms.largest_code = 128 * std::sqrt(static_cast<double>(d)) * core::kBoundUp;
  terms.per_norm = error.per_norm;
  terms.per_reach = error.per_reach;
  return terms;
}

/// Of |q - y|.
core::BoundTerms l2_terms(const QueryCode& query, const core::CenterSums& center, std::size_t d) noexcept {
  core::BoundTerms terms = common_terms(query, center, d);
  const ScoreError& error = query.score_error();
  terms.start = center.squared_distance;
  terms.per_residual = query.residual();
  terms.query_norm = query.norm();
  terms.squared = error.squared;
  terms.relative = error.relative;
  terms.absolute = error.absolute;
  return terms;
}

/// Of -<q, y>, and of 1 - <q, y> where `origin` is 1.
core::BoundTerms product_terms(const CodeBlockView& block, const QueryCode& query,
                               const core::CenterSums& center, double origin) noexcept {
  core::BoundTerms terms = common_terms(query, center, block.dimension());
  const double squared_norm = query.norm() * query.norm();
  const bool has_corrections = block.shape().metric != CodeMetric::l2;  // without, t = 0
  if (has_corrections && center.squared_norm > 0) terms.along = center.dot / center.squared_norm;
  // |q - t c|^2 = |q|^2 - 2 t <q, c> + t^2 |c|^2: three terms of at most 2 |q|^2, each within (d + 2)
  // roundings.
  const double left = squared_norm - terms.along * (2 * center.dot - terms.along * center.squared_norm);
  const double perpendicular =
      has_corrections ? std::sqrt(std::max(left, 0.0) + 8 * terms.rounding * squared_norm) * core::kBoundUp
                      : query.norm();
  terms.start = origin - center.dot;
  terms.per_error = perpendicular + query.norm() * (terms.rounding + 0x1p-23);
  terms.per_residual = query.residual() + terms.rounding * query.norm();
  terms.fixed = terms.rounding * (query.norm() * terms.center_norm + origin) +
                std::abs(terms.along) * 0x1p-149 + query.score_error().absolute;
  return terms;
}

core::CenterSums center_sums(const CodeBlockView& block, const QueryCode& query) noexcept {
  return core::code_kernels().center_sums(query.vector().data(), block.center(), block.dimension());
}

core::BoundRows rows_of(const CodeBlockView& block, const Products& products) noexcept {
  const float* const norms = block.shape().has_norms() ? block.norms().data() : kUnitNorms.data();
  return {products.data(), block.scales().data(), block.errors().data(), block.terms().data(),
          norms,           block.reaches().data()};
}

/// The terms of a block for the query's distance, and the bounds that products give with them.
class DistanceTerms {
 public:
  DistanceTerms(const CodeBlockView& block, const QueryCode& query) noexcept
      : block_(block), is_l2_(query.metric() == Metric::l2) {
    const core::CenterSums center = center_sums(block, query);
    const double origin = query.metric() == Metric::cosine ? 1 : 0;
    terms_ =
        is_l2_ ? l2_terms(query, center, block.dimension()) : product_terms(block, query, center, origin);
  }

  void bound(const Products& products, DistanceBounds& bounds) const noexcept {
    const core::CodeKernels& kernels = core::code_kernels();
    const auto bound = is_l2_ ? kernels.bound_l2 : kernels.bound_products;
    bound(terms_, rows_of(block_, products), bounds.least.data(), bounds.most.data());
  }

 private:
  const CodeBlockView& block_;
  bool is_l2_;
  core::BoundTerms terms_;
};

/// The rows whose lower bound is at most `limit`.
RowMask within(const CodeBlockView& block, const DistanceBounds& bounds, double limit) noexcept {
  RowMask rows;
  core::code_kernels().at_most(bounds.least.data(), limit, rows.words().data());
  return rows & RowMask::first(block.rows());
}

}  // namespace

void bound_distances(const CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds) {
  check_match(block, query);
  if (!query.bounded()) return know_nothing(bounds);
  const core::FloatingPointScope scope;
  alignas(64) Products products{};
  multiply(block, query, products);
  DistanceTerms(block, query).bound(products, bounds);
}

RowMask bound_distances_within(const CodeBlockView& block, const QueryCode& query, double limit,
                               DistanceBounds& bounds) {
  if (!block.coarse() || !query.bounded() || limit == kInfinity) {
    bound_distances(block, query, bounds);
    return within(block, bounds, limit);
  }
  check_match(block, query);
  const core::FloatingPointScope scope;
  const DistanceTerms terms(block, query);
  alignas(64) Products products{};
  multiply_largest(block, query, products);
  terms.bound(products, bounds);
  const RowMask left = within(block, bounds, limit);
  if (left == RowMask()) return left;
  multiply_rows(block, query, left, products);
  terms.bound(products, bounds);
  return left & within(block, bounds, limit);
}

void bound_products(const CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds) {
  check_match(block, query);
  if (!query.bounded()) return know_nothing(bounds);
  const core::FloatingPointScope scope;
  alignas(64) Products products{};
  multiply(block, query, products);
  const core::BoundTerms terms = product_terms(block, query, center_sums(block, query), 0);
  core::code_kernels().bound_products(terms, rows_of(block, products), bounds.least.data(),
                                      bounds.most.data());
}

}  // namespace isovec::index
