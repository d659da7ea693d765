// Bounds against the distances that scoring every row gives: never wrong, and not so wide as to be useless.

#include <isovec/buffer.hpp>
#include <isovec/error.hpp>

#include "catch.hpp"
#include "coded_rows.hpp"
#include "index/block_bounds.hpp"
#include "index/code_products.hpp"

namespace {

using isovec::codec::CodeBlockView;
using isovec::codec::RowMask;
using isovec::index::bound_coarsely;
using isovec::index::bound_distances;
using isovec::index::bound_distances_within;
using isovec::index::DistanceBounds;
using isovec::index::Metric;
using isovec::index::QueryCode;
using isovec::test::all_kinds;
using isovec::test::block_of;
using isovec::test::exact_distance;
using isovec::test::KeptBlock;
using isovec::test::Kind;
using isovec::test::make_set;
using isovec::test::VectorSet;
using isovec::test::Whitening;

constexpr Metric kMetrics[] = {Metric::cosine, Metric::l2, Metric::dot};

/// A search for all rows within a limit finds in a kept block exactly those, with the same bounds.
void check_kept(const CodeBlockView& kept, const QueryCode& query, const DistanceBounds& bounds) {
  isovec::Buffer<double> limits = {-std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::infinity()};
  for (std::size_t r = 0; r < kept.rows(); r += 1 + r) limits.push_back(bounds.least[r]);
  if (query.bounded()) {
    isovec::core::BoundTerms terms;
    isovec::codec::PerRow<double> least;
    bound_coarsely(kept, query, terms, least);
    bool below = true;
    for (std::size_t r = 0; r < kept.rows(); ++r) below = below && least[r] <= bounds.least[r];
    REQUIRE(below);
  }
  for (const double limit : limits) {
    DistanceBounds found;
    const RowMask rows = bound_distances_within(kept, query, limit, found);
    bool same = true;
    for (std::size_t r = 0; r < isovec::codec::kBlockRows; ++r) {
      const bool within = r < kept.rows() && bounds.least[r] <= limit;
      same = same && rows.test(r) == within;
      if (within) same = same && found.least[r] == bounds.least[r] && found.most[r] == bounds.most[r];
    }
    CAPTURE(limit);
    REQUIRE(same);
  }
}

/// Checks every row of a block; gives how many rows have bounds.
template <class Distance>
std::size_t check_block(const isovec::Buffer<std::byte>& bytes, const QueryCode& query, Distance distance) {
  const CodeBlockView view = CodeBlockView::parse(bytes);
  DistanceBounds bounds;
  bound_distances(view, query, bounds);
  check_kept(KeptBlock(bytes).view(), query, bounds);
  std::size_t bounded = 0;
  for (std::size_t r = 0; r < view.rows(); ++r) {
    const double exact = distance(r);
    CAPTURE(r, exact, bounds.least[r], bounds.most[r]);
    REQUIRE(view.defined().test(r) == !std::isnan(exact));
    if (std::isnan(exact)) continue;
    REQUIRE(bounds.least[r] <= exact);
    REQUIRE(exact <= bounds.most[r]);
    bounded += std::isfinite(bounds.least[r]) && std::isfinite(bounds.most[r]) ? 1 : 0;
  }
  return bounded;
}

}  // namespace

TEST_CASE("the distance of every row lies within its bounds", "[index][bounds]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 2, 3, 17, 64, 100, 384, 1536}) {
      const VectorSet set = make_set(kind, 256, d, 40);
      for (const Metric metric : kMetrics) {
        const isovec::Buffer<std::byte> bytes = block_of(set, metric, 0, 256);
        for (const isovec::Buffer<float>& q : set.queries) {
          if (metric == Metric::cosine && isovec::test::is_zero(q)) continue;
          CAPTURE(set.name, static_cast<int>(metric));
          check_block(bytes, QueryCode::raw(metric, q),
                      [&](std::size_t r) { return exact_distance(metric, q, set.row(r)); });
        }
      }
    }
  }
}

TEST_CASE("the distance of every transformed row lies within its bounds", "[index][bounds]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 5, 48, 130}) {
      const VectorSet set = make_set(kind, 90, d, 41);
      for (const double condition : {1.0, 1e4, 1e8, 1e14}) {
        const Whitening whitening(d, condition, 7);
        for (const Metric metric : kMetrics) {
          const isovec::Buffer<std::byte> bytes = whitening.block_of(set, metric, 0, set.size());
          for (const isovec::Buffer<float>& q : set.queries) {
            CAPTURE(set.name, condition, static_cast<int>(metric));
            const auto distance = whitening.distance_to(metric, q);
            check_block(bytes, whitening.query(metric, q),
                        [&](std::size_t r) { return distance(set.row(r)); });
          }
        }
      }
    }
  }
}

TEST_CASE("bounds cover rounding where it is all that tells rows apart", "[index][bounds]") {
  // Equal rows far from the origin and near the mean: coded almost without error, while a.x - a.mean loses
  // ten digits to cancellation.
  for (const std::size_t d : {3, 30, 100}) {
    VectorSet set = make_set(Kind::all_equal, 40, d, 46);
    for (float& x : set.rows) x *= 1000;
    const isovec::Buffer<float> q(set.row(0).begin(), set.row(0).end());
    for (const double condition : {1.0, 1e4, 1e8}) {
      Whitening whitening(d, condition, 9);
      for (std::size_t i = 0; i < d; ++i)
        whitening.mean[i] = double{q[i]} + 1e-3 * (1 + 0.1 * static_cast<double>(i % 7));
      for (const Metric metric : kMetrics) {
        const isovec::Buffer<std::byte> bytes = whitening.block_of(set, metric, 0, set.size());
        CAPTURE(d, condition, static_cast<int>(metric));
        const auto distance = whitening.distance_to(metric, q);
        const std::size_t bounded = check_block(bytes, whitening.query(metric, q),
                                                [&](std::size_t r) { return distance(set.row(r)); });
        REQUIRE(bounded == set.size());
      }
    }
  }
}

TEST_CASE("bounds of unit vectors are about as wide as the coding error", "[index][bounds]") {
  // Gaussian rows have their largest element near 3.2 standard deviations at d = 384, so scale is about
  // 3.2 / sqrt(384) / 127 and e about scale sqrt(384 / 12) = 0.0073; nothing else may add a tenth to it.
  const VectorSet set = make_set(Kind::ordinary, 256, 384, 42);
  for (const Metric metric : kMetrics) {
    const isovec::Buffer<std::byte> bytes = block_of(set, metric, 0, 256);
    const CodeBlockView view = CodeBlockView::parse(bytes);
    for (const isovec::Buffer<float>& q : set.queries) {
      const QueryCode query = QueryCode::raw(metric, q);
      DistanceBounds bounds;
      bound_distances(view, query, bounds);
      for (std::size_t r = 0; r < 256; ++r) {
        const double unit = metric == Metric::cosine ? 1 : metric == Metric::l2 ? std::sqrt(384) : 384;
        CAPTURE(static_cast<int>(metric), r);
        REQUIRE((bounds.most[r] - bounds.least[r]) / 2 < 0.0125 * unit);
        REQUIRE((bounds.most[r] - bounds.least[r]) / 2 < 1.3 * view.errors()[r] * query.norm() + 1e-3 * unit);
      }
    }
  }
}

TEST_CASE("ordinary whitening leaves bounds finite at any condition that float64 can carry",
          "[index][bounds]") {
  const VectorSet set = make_set(Kind::clustered, 100, 64, 43);
  for (const double condition : {1.0, 1e4, 1e6}) {
    const Whitening whitening(64, condition, 8);
    const isovec::Buffer<std::byte> bytes = whitening.block_of(set, Metric::cosine, 0, 100);
    DistanceBounds bounds;
    bound_distances(CodeBlockView::parse(bytes), whitening.query(Metric::cosine, set.queries[2]), bounds);
    for (std::size_t r = 0; r < 100; ++r) REQUIRE(bounds.most[r] - bounds.least[r] < 0.03);
  }
}

TEST_CASE("only numbers beyond float32's squares leave a row without bounds", "[index][bounds]") {
  for (const Kind kind : all_kinds()) {
    const VectorSet set = make_set(kind, 256, 33, 44);
    for (const Metric metric : kMetrics) {
      const isovec::Buffer<std::byte> bytes = block_of(set, metric, 0, 256);
      const CodeBlockView view = CodeBlockView::parse(bytes);
      const isovec::Buffer<float>& q = set.queries[0];
      const std::size_t bounded = check_block(bytes, QueryCode::raw(metric, q), [&](std::size_t r) {
        return exact_distance(metric, q, set.row(r));
      });
      CAPTURE(set.name, static_cast<int>(metric), bounded);
      const bool all = metric == Metric::cosine || (kind != Kind::huge && kind != Kind::mixed_norms);
      if (all) REQUIRE(bounded == view.defined().count());
    }
  }
}

TEST_CASE("a block of another column is refused", "[index][bounds]") {
  const VectorSet set = make_set(Kind::ordinary, 10, 8, 45);
  const isovec::Buffer<std::byte> bytes = block_of(set, Metric::cosine, 0, 10);
  const CodeBlockView view = CodeBlockView::parse(bytes);
  DistanceBounds bounds;
  const isovec::Buffer<float> other(9, 1.0F);
  const Whitening whitening(8, 10, 1);
  REQUIRE_THROWS_AS(bound_distances(view, QueryCode::raw(Metric::cosine, other), bounds), isovec::Error);
  REQUIRE_THROWS_AS(bound_distances(view, QueryCode::raw(Metric::dot, set.queries[0]), bounds),
                    isovec::Error);
  REQUIRE_THROWS_AS(bound_distances(view, whitening.query(Metric::cosine, set.queries[0]), bounds),
                    isovec::Error);
}

TEST_CASE("a query without a distance is refused", "[index][bounds]") {
  const isovec::Buffer<float> zero(5);
  const isovec::Buffer<float> broken = {1, std::numeric_limits<float>::infinity()};
  REQUIRE_THROWS_AS(QueryCode::raw(Metric::cosine, zero), isovec::Error);
  REQUIRE_THROWS_AS(QueryCode::raw(Metric::l2, broken), isovec::Error);
  REQUIRE(QueryCode::raw(Metric::l2, zero).bounded());
}

TEST_CASE("coarse codes leave no product out, and not much room", "[index][bounds]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 2, 31, 100, 384}) {
      const VectorSet set = make_set(kind, 256, d, 47);
      const isovec::Buffer<std::byte> bytes = block_of(set, Metric::dot, 0, 256);
      const KeptBlock kept(bytes);
      const CodeBlockView view = kept.view();
      for (const isovec::Buffer<float>& q : set.queries) {
        const QueryCode query = QueryCode::raw(Metric::dot, q);
        if (!query.bounded() || query.step() == 0) continue;
        isovec::index::Products exact{};
        isovec::index::Products largest{};
        isovec::index::multiply(view, query, exact);
        isovec::index::multiply_largest(view, query, largest);
        const isovec::codec::CoarseCodes& coarse = *view.coarse();
        for (std::size_t r = 0; r < 256; ++r) {
          CAPTURE(set.name, r);
          // At most as far off on one side as on the other.
          const double room = 256 / coarse.divisor * query.planes().low_norm * (*coarse.norms)[r] +
                              query.planes().norm * (*coarse.errors)[r];
          REQUIRE(exact[r] <= largest[r]);
          REQUIRE(largest[r] - exact[r] <= 2 * room);
        }
      }
    }
  }
}

TEST_CASE("a query of zeros is bounded by coarse codes too", "[index][bounds]") {
  for (const Kind kind : all_kinds()) {
    const VectorSet set = make_set(kind, 256, 40, 48);
    const isovec::Buffer<float> zeros(40);
    for (const Metric metric : {Metric::l2, Metric::dot}) {
      CAPTURE(set.name, static_cast<int>(metric));
      check_block(block_of(set, metric, 0, 256), QueryCode::raw(metric, zeros),
                  [&](std::size_t r) { return exact_distance(metric, zeros, set.row(r)); });
    }
  }
}
