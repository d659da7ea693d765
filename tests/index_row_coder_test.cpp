// Codes of a column against the scores of Scorer, for fitted transforms of every shape.

#include <cmath>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>

#include "catch.hpp"
#include "coded_rows.hpp"
#include "index/block_bounds.hpp"
#include "index/row_coder.hpp"

namespace {

using isovec::RowFitter;
using isovec::Transform;
using isovec::codec::CodeBlockView;
using isovec::index::bound_distances;
using isovec::index::DistanceBounds;
using isovec::index::Metric;
using isovec::index::Query;
using isovec::index::RowBatch;
using isovec::index::RowCoder;
using isovec::index::Scorer;
using isovec::test::Kind;
using isovec::test::make_set;
using isovec::test::VectorSet;

constexpr Metric kMetrics[] = {Metric::cosine, Metric::l2, Metric::dot};

/// The distances that a search over untransformed rows gives.
std::vector<double> score_all(const VectorSet& set, const Query& query) {
  const isovec::core::FloatingPointScope scope;
  std::vector<std::int64_t> rowids(set.size());
  std::vector<double> norms(query.transform == nullptr ? 0 : set.size());
  if (query.transform != nullptr) query.transform->row_norms(set.rows.data(), set.d, norms);
  RowBatch batch;
  batch.vectors = reinterpret_cast<const std::byte*>(set.rows.data());
  batch.stride = set.d * sizeof(float);
  batch.rowids = rowids;
  batch.norms = norms;
  const auto scorer = Scorer::make(query);
  const std::span<const double> scores = scorer->score(batch);
  std::vector<double> distances(scores.begin(), scores.end());
  for (double& score : distances) score = isovec::index::distance_of(query.metric, score);
  return distances;
}

std::vector<std::int64_t> first_slots(std::size_t count) {
  std::vector<std::int64_t> slots(count);
  for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<std::int64_t>(i);
  return slots;
}

/// Checks all rows; gives the widest bounds of a row that has some.
double check(const VectorSet& set, const RowCoder& coder, const Query& query) {
  const std::vector<std::byte> bytes = coder.encode(set.rows, first_slots(set.size()), 1);
  const CodeBlockView view = CodeBlockView::parse(bytes);
  DistanceBounds bounds;
  bound_distances(view, coder.code(query), bounds);
  const std::vector<double> distances = score_all(set, query);
  double widest = 0;
  for (std::size_t r = 0; r < set.size(); ++r) {
    CAPTURE(r, distances[r], bounds.least[r], bounds.most[r]);
    REQUIRE(view.defined().test(r) == !std::isnan(distances[r]));
    if (std::isnan(distances[r])) continue;
    REQUIRE(bounds.least[r] <= distances[r]);
    REQUIRE(distances[r] <= bounds.most[r]);
    widest = std::max(widest, bounds.most[r] - bounds.least[r]);
  }
  return widest;
}

const char* const kSpecs[] = {"none",
                              "center",
                              "standardize",
                              "project_mean",
                              "remove_top drop=2",
                              "pca k=7",
                              "whiten",
                              "whiten eps=1",
                              "whiten basis=cholesky",
                              "whiten k=5",
                              "whiten basis=zca k=5",
                              "whiten slice=9",
                              "whiten normalize=before",
                              "whiten slice=9 normalize=before",
                              "whiten normalize=after",
                              "center normalize=both",
                              "whiten k=6 normalize=both"};

Transform fitted(const VectorSet& set, const char* spec) {
  RowFitter fitter(isovec::parse_spec(spec));
  for (std::size_t r = 0; r < set.size(); ++r) fitter.add(set.row(r));
  return fitter.finish();
}

}  // namespace

TEST_CASE("codes bound the scores of a search under every fitted transform", "[index][coder]") {
  for (const Kind kind :
       {Kind::ordinary, Kind::clustered, Kind::offset, Kind::rogue_coordinates, Kind::tiny}) {
    const VectorSet set = make_set(kind, 200, 18, 60);
    for (const char* spec : kSpecs) {
      CAPTURE(set.name, spec);
      const Transform transform = fitted(set, spec);
      std::vector<float> mean = set.queries[3];
      for (float& x : mean) x /= 2;
      for (const Metric metric : kMetrics) {
        const RowCoder coder(metric, set.d, &transform);
        for (const std::vector<float>& q : set.queries) {
          CAPTURE(static_cast<int>(metric));
          const double widest =
              check(set, coder, {metric, isovec::codec::ElementType::float32, q, &transform, {}});
          if (metric == Metric::cosine && kind == Kind::ordinary) CHECK(widest < 0.04);
          if (transform.subtracts_mean())
            check(set, coder, {metric, isovec::codec::ElementType::float32, q, &transform, mean});
        }
      }
    }
  }
}

TEST_CASE("codes bound the scores of a search without a transform", "[index][coder]") {
  const VectorSet set = make_set(Kind::mixed_norms, 200, 18, 61);
  for (const Metric metric : kMetrics) {
    const RowCoder coder(metric, set.d, nullptr);
    for (const std::vector<float>& q : set.queries)
      check(set, coder, {metric, isovec::codec::ElementType::float32, q, nullptr, {}});
  }
}

TEST_CASE("a zero row under a transform is coded by what the search says of it", "[index][coder]") {
  VectorSet set = make_set(Kind::ordinary, 120, 6, 62);
  for (const char* spec : {"none", "whiten", "none normalize=before", "whiten normalize=before"}) {
    const Transform transform = fitted(set, spec);
    VectorSet with_zero = set;
    std::fill_n(with_zero.rows.begin() + 6, 6, 0.0F);
    for (const Metric metric : kMetrics) {
      CAPTURE(spec, static_cast<int>(metric));
      check(with_zero, RowCoder(metric, 6, &transform),
            {metric, isovec::codec::ElementType::float32, set.queries[2], &transform, {}});
    }
  }
}

TEST_CASE("a column and its transform must have one dimension", "[index][coder]") {
  const VectorSet set = make_set(Kind::ordinary, 50, 6, 63);
  const Transform transform = fitted(set, "center");
  REQUIRE_THROWS_AS(RowCoder(Metric::dot, 7, &transform), isovec::Error);
  const RowCoder coder(Metric::dot, 6, &transform);
  REQUIRE_THROWS_AS(
      coder.code({Metric::dot, isovec::codec::ElementType::float32, std::vector<float>(7), &transform, {}}),
      isovec::Error);
  REQUIRE_THROWS_AS(coder.encode(set.rows, first_slots(49), 0), isovec::Error);
}
