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

/// The numbers of `count` rows from `first` on.
core::BoundRows rows_of(const CodeBlockView& block, const Products& products, std::size_t first = 0,
                        std::size_t count = kBlockRows) noexcept {
  const auto& norms = block.shape().has_norms() ? block.norms() : kUnitNorms;
  return {products.data() + first,
          block.scales().data() + first,
          block.errors().data() + first,
          block.terms().data() + first,
          norms.data() + first,
          block.reaches().data() + first,
          count};
}

core::BoundTerms distance_terms(const CodeBlockView& block, const QueryCode& query) noexcept {
  const core::CenterSums center = center_sums(block, query);
  if (query.metric() == Metric::l2) return l2_terms(query, center, block.dimension());
  return product_terms(block, query, center, query.metric() == Metric::cosine ? 1 : 0);
}

void bound(const QueryCode& query, const core::BoundTerms& terms, const core::BoundRows& rows, double* least,
           double* most) noexcept {
  const core::CodeKernels& kernels = core::code_kernels();
  const auto bound = query.metric() == Metric::l2 ? kernels.bound_l2 : kernels.bound_products;
  bound(terms, rows, least, most);
}

}  // namespace

void bound_distances(const CodeBlockView& block, const QueryCode& query, DistanceBounds& bounds) {
  check_match(block, query);
  if (!query.bounded()) return know_nothing(bounds);
  const core::FloatingPointScope scope;
  alignas(64) Products products{};
  multiply(block, query, products);
  bound(query, distance_terms(block, query), rows_of(block, products), bounds.least.data(),
        bounds.most.data());
}

void bound_coarsely(const CodeBlockView& block, const QueryCode& query, core::BoundTerms& terms,
                    codec::PerRow<double>& least) {
  check_match(block, query);
  const core::FloatingPointScope scope;
  terms = distance_terms(block, query);
  alignas(64) Products products{};
  multiply_largest(block, query, products);
  alignas(64) codec::PerRow<double> most;
  bound(query, terms, rows_of(block, products), least.data(), most.data());
}

void bound_rows(const CodeBlockView& block, const QueryCode& query, const core::BoundTerms& terms,
                const RowMask& rows, DistanceBounds& bounds) {
  const core::FloatingPointScope scope;
  alignas(64) Products products{};
  if (rows.count() > kBlockRows / 8) {
    multiply(block, query, products);
    bound(query, terms, rows_of(block, products), bounds.least.data(), bounds.most.data());
    return;
  }
  multiply_rows(block, query, rows, products);
  codec::for_each_row(rows, [&](std::size_t row) {
    const std::size_t first = row - row % core::kBoundGroup;
    bound(query, terms, rows_of(block, products, first, core::kBoundGroup), bounds.least.data() + first,
          bounds.most.data() + first);
  });
}

RowMask rows_within(const codec::PerRow<double>& least, double limit) noexcept {
  RowMask rows;
  core::code_kernels().at_most(least.data(), limit, rows.words().data());
  return rows;
}

RowMask bound_distances_within(const CodeBlockView& block, const QueryCode& query, double limit,
                               DistanceBounds& bounds) {
  const RowMask all = RowMask::first(block.rows());
  if (!block.coarse() || !query.bounded() || limit == kInfinity) {
    bound_distances(block, query, bounds);
    return all & rows_within(bounds.least, limit);
  }
  core::BoundTerms terms;
  bound_coarsely(block, query, terms, bounds.least);
  const RowMask left = all & rows_within(bounds.least, limit);
  if (left == RowMask()) return left;
  bound_rows(block, query, terms, left, bounds);
  return left & rows_within(bounds.least, limit);
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
