// Codes of a column against the scores of Scorer, for fitted transforms of every shape.

#include <cmath>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>
#include <numeric>
#include <optional>

#include "catch.hpp"
#include "coded_rows.hpp"
#include "index/block_bounds.hpp"
#include "index/mapped_query.hpp"
#include "index/row_coder.hpp"

namespace {

using isovec::QueryForm;
using isovec::RowFitter;
using isovec::Transform;
using isovec::codec::CodeBlockView;
using isovec::index::bound_distances;
using isovec::index::DistanceBounds;
using isovec::index::MappedQuery;
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
isovec::Buffer<double> score_all(const VectorSet& set, const Query& query) {
  const isovec::core::FloatingPointScope scope;
  isovec::Buffer<std::int64_t> rowids(set.size());
  isovec::Buffer<double> norms(query.transform == nullptr ? 0 : set.size());
  if (query.transform != nullptr) query.transform->row_norms(set.rows.data(), set.d, norms);
  RowBatch batch;
  batch.vectors = reinterpret_cast<const std::byte*>(set.rows.data());
  batch.stride = set.d * sizeof(float);
  batch.rowids = rowids;
  batch.norms = norms;
  const auto scorer = Scorer::make(query);
  const std::span<const double> scores = scorer->score(batch);
  isovec::Buffer<double> distances(scores.begin(), scores.end());
  for (double& score : distances) score = isovec::index::distance_of(query.metric, score);
  return distances;
}

isovec::Buffer<std::int64_t> first_slots(std::size_t count) {
  isovec::Buffer<std::int64_t> slots(count);
  for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<std::int64_t>(i);
  return slots;
}

double length_of(const isovec::Buffer<double>& v) {
  return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
}

/// Checks all rows of a block; gives the widest bounds of a row that has some.
double check_block(const CodeBlockView& view, const VectorSet& set, const RowCoder& coder,
                   const Query& query) {
  DistanceBounds bounds;
  bound_distances(view, coder.code(query), bounds);
  const isovec::Buffer<double> distances = score_all(set, query);
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

double check(const VectorSet& set, const RowCoder& coder, const Query& query) {
  const isovec::Buffer<std::byte> bytes = coder.encode(set.rows, first_slots(set.size()), 1);
  return check_block(CodeBlockView::parse(bytes), set, coder, query);
}

/// The same by codes of the untransformed rows, which `raw` makes. Gives the widest bounds of a cosine as a
/// share of what the codes' errors and the 16 bits of the query leave open: 2 |a| (e + 2^-12 |y|) |x| /
/// (|z_q| |z_x|).
double check_mapped(const VectorSet& set, const RowCoder& raw, const Query& query) {
  const isovec::Buffer<std::byte> bytes = raw.encode(set.rows, first_slots(set.size()), 1);
  const CodeBlockView view = CodeBlockView::parse(bytes);
  isovec::Buffer<double> images(set.size());
  isovec::Buffer<float> lengths(set.size());
  query.transform->row_norms(set.rows.data(), set.d, images);
  isovec::index::lengths_of(set.rows, set.d, lengths);
  const QueryForm form = *Scorer::make(query)->form();
  const MappedQuery mapped(query, form, {images, lengths});
  DistanceBounds bounds;
  mapped.bound(view, bounds);
  const isovec::codec::RowMask defined = mapped.defined(view);
  const isovec::Buffer<double> distances = score_all(set, query);
  double widest = 0;
  for (std::size_t r = 0; r < set.size(); ++r) {
    CAPTURE(r, distances[r], bounds.least[r], bounds.most[r]);
    const bool unknown = bounds.least[r] == -std::numeric_limits<double>::infinity();
    if (std::isnan(distances[r])) {
      REQUIRE((unknown || !defined.test(r)));
      continue;
    }
    REQUIRE(defined.test(r));
    REQUIRE(bounds.least[r] <= distances[r]);
    REQUIRE(distances[r] <= bounds.most[r]);
    const double open = 2 * length_of(form.a) * (double{view.errors()[r]} + 0x1p-12) *
                        query.transform->input_norm(set.row(r).data()) / (form.norm * images[r]);
    widest = std::max(widest, (bounds.most[r] - bounds.least[r]) / open);
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
      isovec::Buffer<float> mean = set.queries[3];
      for (float& x : mean) x /= 2;
      for (const Metric metric : kMetrics) {
        const RowCoder coder(metric, set.d, &transform);
        for (const isovec::Buffer<float>& q : set.queries) {
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

TEST_CASE("rows that are coded anew in their block are bounded like others", "[index][coder]") {
  constexpr std::size_t kRows = 60;
  constexpr std::size_t kDimension = 18;
  const VectorSet first = make_set(Kind::ordinary, kRows, kDimension, 67);
  for (const Kind kind : isovec::test::all_kinds()) {
    const VectorSet other = make_set(kind, kRows, kDimension, 68);
    for (const char* spec : {"", "center", "whiten eps=1", "whiten normalize=both"}) {
      const std::optional<Transform> transform =
          *spec == '\0' ? std::nullopt : std::optional(fitted(first, spec));
      const Transform* const map = transform ? &*transform : nullptr;
      for (const Metric metric : kMetrics) {
        CAPTURE(other.name, spec, static_cast<int>(metric));
        const RowCoder coder(metric, kDimension, map);
        const isovec::Buffer<std::byte> before = coder.encode(first.rows, first_slots(kRows), 1);
        isovec::Buffer<std::byte> block = before;
        VectorSet mixed = first;
        isovec::Buffer<std::size_t> which;
        isovec::Buffer<float> rows;
        for (std::size_t r = 1; r < kRows; r += 3) {
          which.push_back(r);
          rows.insert(rows.end(), other.row(r).begin(), other.row(r).end());
          std::copy_n(other.row(r).begin(), kDimension,
                      mixed.rows.begin() + static_cast<std::ptrdiff_t>(r * kDimension));
        }
        coder.recode(block, which, rows);
        isovec::codec::seal_block(block, 1);
        const CodeBlockView view = CodeBlockView::parse(block);
        view.verify(1);
        for (const VectorSet* set : {&first, &other}) {
          for (const isovec::Buffer<float>& q : set->queries) {
            const Query query{metric, isovec::codec::ElementType::float32, q, map, {}};
            if (isovec::test::is_zero(q) && (metric == Metric::cosine || map != nullptr)) continue;
            if (map != nullptr && map->query_form(q).norm == 0) continue;
            check_block(view, mixed, coder, query);
          }
        }
        // Nothing else of the block has changed; and the former rows give the former bytes.
        isovec::Buffer<std::byte> elsewhere = before;
        for (const std::size_t row : which) {
          isovec::codec::for_each_part(view.shape(), row, [&](std::size_t offset, std::size_t bytes) {
            std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(offset), bytes,
                        elsewhere.begin() + static_cast<std::ptrdiff_t>(offset));
          });
        }
        CHECK(elsewhere == block);
        isovec::Buffer<float> former;
        for (const std::size_t row : which)
          former.insert(former.end(), first.row(row).begin(), first.row(row).end());
        coder.recode(block, which, former);
        isovec::codec::seal_block(block, 1);
        CHECK(block == before);
      }
    }
  }
}

TEST_CASE("codes of untransformed rows bound the scores under every transform", "[index][coder]") {
  for (const Kind kind : isovec::test::all_kinds()) {
    const VectorSet set = make_set(kind, 80, 18, 64);
    const VectorSet other = make_set(Kind::ordinary, 200, 18, 65);
    for (const char* spec : kSpecs) {
      CAPTURE(set.name, spec);
      for (const VectorSet* fitted_from : {&set, &other}) {
        const bool has_fits = kind == Kind::ordinary || kind == Kind::clustered || kind == Kind::offset ||
                              kind == Kind::rogue_coordinates || kind == Kind::tiny;
        if (fitted_from == &set && !has_fits) continue;  // by every spec
        const Transform transform = fitted(*fitted_from, spec);
        if (!MappedQuery::is_possible(transform)) {
          CHECK(std::string(spec) == "whiten slice=9 normalize=before");
          continue;
        }
        for (const Metric metric : kMetrics) {
          const RowCoder raw(metric, set.d, nullptr);
          for (const isovec::Buffer<float>& q : set.queries) {
            const Query query{metric, isovec::codec::ElementType::float32, q, &transform, {}};
            const QueryForm form = transform.query_form(q);
            if (form.norm == 0 && (metric == Metric::cosine || after(transform.parts().normalize))) continue;
            CAPTURE(static_cast<int>(metric));
            const double widest = check_mapped(set, raw, query);
            const bool whole = transform.parts().columns == set.d;  // for input_norm()
            if (metric == Metric::cosine && kind == Kind::ordinary && whole) CHECK(widest <= 1);
          }
        }
      }
    }
  }
}

TEST_CASE("a block with a row that the table does not have is reported", "[index][coder]") {
  const VectorSet set = make_set(Kind::ordinary, 100, 6, 66);
  const Transform transform = fitted(set, "center");
  const Query query{Metric::cosine, isovec::codec::ElementType::float32, set.queries[0], &transform, {}};
  const isovec::Buffer<std::byte> bytes =
      RowCoder(Metric::cosine, 6, nullptr).encode(set.rows, first_slots(100), 1);
  const isovec::Buffer<double> images(99, 1.0);
  const isovec::Buffer<float> lengths(99, 1.0F);
  const MappedQuery mapped(query, *Scorer::make(query)->form(), {images, lengths});
  REQUIRE_THROWS_AS(mapped.defined(CodeBlockView::parse(bytes)), isovec::Error);
}

TEST_CASE("codes bound the scores of a search without a transform", "[index][coder]") {
  const VectorSet set = make_set(Kind::mixed_norms, 200, 18, 61);
  for (const Metric metric : kMetrics) {
    const RowCoder coder(metric, set.d, nullptr);
    for (const isovec::Buffer<float>& q : set.queries)
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
      coder.code(
          {Metric::dot, isovec::codec::ElementType::float32, isovec::Buffer<float>(7), &transform, {}}),
      isovec::Error);
  REQUIRE_THROWS_AS(coder.encode(set.rows, first_slots(49), 0), isovec::Error);
}

TEST_CASE("coding under a transform asks its checkpoint every sixteen rows, and is the same",
          "[index][coder]") {
  const VectorSet set = make_set(Kind::ordinary, 250, 6, 64);
  const Transform transform = fitted(set, "whiten");
  const RowCoder coder(Metric::cosine, 6, &transform);
  int asked = 0;
  const auto slots = first_slots(set.size());
  const auto asking = coder.encode(set.rows, slots, 7, nullptr, [&] { ++asked; });
  CHECK(asked == 16);
  CHECK(asking == coder.encode(set.rows, slots, 7));
  struct Stopped {};
  CHECK_THROWS_AS(coder.encode(set.rows, slots, 7, nullptr, [] { throw Stopped(); }), Stopped);
}
