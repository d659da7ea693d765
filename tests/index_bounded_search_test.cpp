// Searches over codes against scoring every row: the same rows in the same order, whatever the rows, the
// limit, the filters and the way of reading.

#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <numeric>

#include "catch.hpp"
#include "coded_rows.hpp"
#include "index/bounded_search.hpp"

namespace {

using isovec::codec::CodeBlockView;
using isovec::codec::RowMask;
using isovec::index::BoundedSearch;
using isovec::index::Hit;
using isovec::index::Metric;
using isovec::index::QueryCode;
using isovec::index::RowFetcher;
using isovec::index::SearchLimits;
using isovec::test::all_kinds;
using isovec::test::block_of;
using isovec::test::exact_distance;
using isovec::test::KeptBlock;
using isovec::test::Kind;
using isovec::test::make_set;
using isovec::test::VectorSet;
using isovec::test::Whitening;

constexpr Metric kMetrics[] = {Metric::cosine, Metric::l2, Metric::dot};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Rowids that do not ascend with the rows, so that ties have to be told apart.
std::int64_t rowid_of(std::size_t row) {
  return static_cast<std::int64_t>(row * 7'919 % 10'007) - 5'000;
}

/// A table: rows in blocks, the last ones without codes; what is dead, and what a filter passes.
struct Table {
  const VectorSet& set;
  Metric metric;
  isovec::Buffer<double> distances;  // NaN where a row has none
  isovec::Buffer<bool> alive;
  isovec::Buffer<bool> passing;
  isovec::Buffer<isovec::Buffer<std::byte>> blocks;
  isovec::Buffer<KeptBlock> kept;  // the same

  [[nodiscard]] double score(std::size_t row) const {
    return metric == Metric::cosine ? 1 - distances[row] : distances[row];
  }
  /// As a score gives it back.
  [[nodiscard]] double distance(std::size_t row) const {
    return isovec::index::distance_of(metric, score(row));
  }
  [[nodiscard]] bool takes_part(std::size_t row) const {
    return alive[row] && passing[row] && !std::isnan(distances[row]);
  }
  [[nodiscard]] std::size_t coded() const { return blocks.size() * 256; }
};

template <class Distance, class Block>
Table make_table(const VectorSet& set, Metric metric, Distance distance, Block block) {
  Table table{set, metric, {}, isovec::Buffer<bool>(set.size(), true), isovec::Buffer<bool>(set.size(), true),
              {},  {}};
  for (std::size_t r = 0; r < set.size(); ++r) table.distances.push_back(distance(r));
  for (std::size_t begin = 0; begin + 256 <= set.size(); begin += 256) table.blocks.push_back(block(begin));
  for (const auto& bytes : table.blocks) table.kept.emplace_back(bytes);
  return table;
}

Table make_table(const VectorSet& set, Metric metric, const isovec::Buffer<float>& q) {
  return make_table(
      set, metric,
      [&](std::size_t r) {
        const double distance = exact_distance(metric, q, set.row(r));
        return distance;
      },
      [&](std::size_t begin) { return block_of(set, metric, begin, 256); });
}

/// Some rows dead, some filtered out.
void thin_out(Table& table, std::uint32_t seed, unsigned keep_of_ten) {
  std::mt19937 random(seed);
  for (std::size_t r = 0; r < table.set.size(); ++r) {
    table.alive[r] = random() % 10 != 0;
    table.passing[r] = random() % 10 < keep_of_ten;
  }
}

bool is_behind(const Hit& hit, const Table& table, std::size_t row) {
  const double distance = isovec::index::distance_of(table.metric, hit.score);
  return table.distance(row) > distance || (table.distance(row) == distance && rowid_of(row) > hit.rowid);
}

isovec::Buffer<std::int64_t> expected(const Table& table, const SearchLimits& limits) {
  isovec::Buffer<std::size_t> rows;
  for (std::size_t r = 0; r < table.set.size(); ++r) {
    if (!table.takes_part(r)) continue;
    if (table.distance(r) < limits.range.least || table.distance(r) > limits.range.most) continue;
    if (limits.after && !is_behind(*limits.after, table, r)) continue;
    rows.push_back(r);
  }
  std::sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    return table.distance(a) != table.distance(b) ? table.distance(a) < table.distance(b)
                                                  : rowid_of(a) < rowid_of(b);
  });
  if (limits.k && rows.size() > *limits.k) rows.resize(*limits.k);
  isovec::Buffer<std::int64_t> ids;
  for (const std::size_t r : rows) ids.push_back(rowid_of(r));
  return ids;
}

class TableFetcher final : public RowFetcher {
 public:
  TableFetcher(const Table& table, bool rejects) : table_(table), rejects_(rejects) {}
  void fetch(std::span<const std::uint32_t> slots, std::span<Hit> hits) override {
    REQUIRE(slots.size() == hits.size());
    REQUIRE(std::is_sorted(slots.begin(), slots.end()));
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const std::size_t row = slots[i];
      REQUIRE(table_.alive[row]);
      REQUIRE((rejects_ || table_.passing[row]));
      const bool rejected = rejects_ && !table_.passing[row];
      hits[i] = {rejected ? kNaN : table_.score(row), rowid_of(row)};
    }
  }

 private:
  const Table& table_;
  bool rejects_;
};

void show_tail(const Table& table, BoundedSearch& search, std::size_t from) {
  for (std::size_t r = from; r < table.set.size(); ++r) {
    if (table.alive[r] && table.passing[r]) search.add_hit({table.score(r), rowid_of(r)});
  }
}

enum class Blocks { read, kept, deferred };

void show(const Table& table, const SearchLimits& limits, BoundedSearch& search,
          Blocks blocks = Blocks::read) {
  for (std::size_t b = 0; b < table.blocks.size(); ++b) {
    RowMask dead;
    RowMask passing;
    for (std::size_t r = 0; r < 256; ++r) {
      if (!table.alive[b * 256 + r]) dead.set(r);
      if (limits.rejects || table.passing[b * 256 + r]) passing.set(r);
    }
    if (blocks != Blocks::read) {
      search.add_block(table.kept[b].view(), dead, passing);
    } else {
      search.add_block(CodeBlockView::parse(table.blocks[b]), dead, passing);
    }
  }
  if (blocks == Blocks::deferred) search.finish_blocks();
  show_tail(table, search, table.coded());
}

enum class Raw { when_preferred, never };

isovec::Buffer<std::int64_t> run(const Table& table, const QueryCode& query, const SearchLimits& limits,
                                 Raw raw, Blocks blocks = Blocks::deferred) {
  BoundedSearch search(query, limits);
  isovec::index::DeferredBlocks deferred;
  if (blocks == Blocks::deferred) search.defer(deferred);
  show(table, limits, search, blocks);
  TableFetcher fetcher(table, limits.rejects);
  isovec::Buffer<std::int64_t> ids;
  double last = -std::numeric_limits<double>::infinity();
  for (;;) {
    if (raw == Raw::when_preferred && search.prefers_raw_scan()) {
      search.begin_raw_scan();
      show_tail(table, search, 0);
      REQUIRE_FALSE(search.prefers_raw_scan());
    }
    const std::optional<Hit> hit = search.next(fetcher);
    if (!hit) return ids;
    REQUIRE(isovec::index::distance_of(table.metric, hit->score) >= last);
    last = isovec::index::distance_of(table.metric, hit->score);
    ids.push_back(hit->rowid);
  }
}

void check_all_ways(const Table& table, const QueryCode& query) {
  isovec::Buffer<SearchLimits> ways;
  for (const std::size_t k : {0, 1, 2, 10, 100, 255, 256, 700, 100'000}) {
    ways.push_back({k, 10, 0, {}, {}, false});
    ways.push_back({k, 10, 0, {}, {}, true});
  }
  for (const std::size_t expected_hits : {0, 1, 10, 1'000}) {
    ways.push_back({std::nullopt, expected_hits, 0, {}, {}, false});
    ways.push_back({std::nullopt, expected_hits, 0, {}, {}, true});
  }
  // Ranges that begin and end at distances of rows.
  const isovec::Buffer<double> sorted = [&] {
    isovec::Buffer<double> all;
    for (std::size_t r = 0; r < table.set.size(); ++r) {
      if (!std::isnan(table.distances[r])) all.push_back(table.distance(r));
    }
    std::sort(all.begin(), all.end());
    return all;
  }();
  if (!sorted.empty()) {
    const double least = sorted[sorted.size() / 10];
    const double most = sorted[sorted.size() / 3];
    ways.push_back({std::nullopt, 10, 0, {least, most}, {}, false});
    ways.push_back({5, 10, 0, {least, most}, {}, false});
    ways.push_back({5, 10, 0, {std::nextafter(least, 1e300), most}, {}, true});
    ways.push_back({40, 10, 0, {least, std::numeric_limits<double>::infinity()}, {}, false});
  }
  // Behind the row in the middle, whose distance others may have too.
  for (std::size_t r = 0; r < table.set.size(); ++r) {
    if (sorted.empty() || table.distance(r) != sorted[sorted.size() / 2]) continue;
    const Hit middle{table.score(r), rowid_of(r)};
    ways.push_back({std::nullopt, 10, 0, {}, middle, false});
    ways.push_back({20, 10, 0, {}, middle, false});
    break;
  }
  for (const SearchLimits& limits : ways) {
    CAPTURE(table.set.name, static_cast<int>(table.metric), limits.k.value_or(12345), limits.expected,
            limits.rejects, limits.range.least, limits.range.most);
    const isovec::Buffer<std::int64_t> wanted = expected(table, limits);
    for (const Blocks blocks : {Blocks::read, Blocks::kept, Blocks::deferred}) {
      REQUIRE(run(table, query, limits, Raw::when_preferred, blocks) == wanted);
      REQUIRE(run(table, query, limits, Raw::never, blocks) == wanted);
    }
  }
}

}  // namespace

TEST_CASE("a search finds what scoring every row finds, in the same order", "[index][search]") {
  for (const Kind kind : all_kinds()) {
    for (const std::size_t d : {1, 3, 24, 80}) {
      const VectorSet set = make_set(kind, 700, d, 50);
      for (const Metric metric : kMetrics) {
        for (const isovec::Buffer<float>& q : set.queries) {
          if (metric == Metric::cosine && isovec::test::is_zero(q)) continue;
          Table table = make_table(set, metric, q);
          if (&q != &set.queries[0]) thin_out(table, 51, &q == &set.queries[1] ? 5 : 9);
          check_all_ways(table, QueryCode::raw(metric, q));
        }
      }
    }
  }
}

TEST_CASE("a search after whitening finds what scoring every row finds", "[index][search]") {
  for (const Kind kind : {Kind::ordinary, Kind::clustered, Kind::offset, Kind::near_duplicates,
                          Kind::all_equal, Kind::rogue_coordinates, Kind::mixed_norms}) {
    const VectorSet set = make_set(kind, 600, 16, 52);
    for (const double condition : {1e4, 1e10}) {
      const Whitening whitening(16, condition, 3);
      for (const Metric metric : kMetrics) {
        const isovec::Buffer<float>& q = set.queries[kind == Kind::ordinary ? 2 : 0];
        const auto distance = whitening.distance_to(metric, q);
        Table table = make_table(
            set, metric, [&](std::size_t r) { return distance(set.row(r)); },
            [&](std::size_t begin) { return whitening.block_of(set, metric, begin, 256); });
        thin_out(table, 53, 8);
        CAPTURE(condition);
        check_all_ways(table, whitening.query(metric, q));
      }
    }
  }
}

TEST_CASE("every k from one to the number of rows gives the first k rows", "[index][search]") {
  for (const Kind kind : {Kind::clustered, Kind::near_duplicates, Kind::all_equal}) {
    const VectorSet set = make_set(kind, 530, 12, 54);
    for (const Metric metric : kMetrics) {
      const Table table = make_table(set, metric, set.queries[0]);
      const QueryCode query = QueryCode::raw(metric, set.queries[0]);
      const isovec::Buffer<std::int64_t> all = expected(table, {});
      for (std::size_t k = 1; k <= set.size() + 1; ++k) {
        CAPTURE(set.name, k);
        const std::size_t found = std::min(k, all.size());
        const isovec::Buffer<std::int64_t> wanted(all.begin(),
                                                  all.begin() + static_cast<std::ptrdiff_t>(found));
        REQUIRE(run(table, query, {k, 10, 0, {}, {}, false}, k % 2 == 0 ? Raw::never : Raw::when_preferred) ==
                wanted);
      }
    }
  }
}

TEST_CASE("a search that ended in the middle leaves nothing to the next", "[index][search]") {
  const VectorSet set = make_set(Kind::clustered, 1'024, 12, 58);
  const Table table = make_table(set, Metric::l2, set.queries[0]);
  const QueryCode query = QueryCode::raw(Metric::l2, set.queries[0]);
  const SearchLimits limits{30, 10, 0, {}, {}, false};
  isovec::index::DeferredBlocks deferred;
  BoundedSearch ended(query, limits);
  ended.defer(deferred);
  for (int i = 0; i < 2; ++i) {
    const KeptBlock gone(table.blocks[1]);
    ended.add_block(gone.view(), RowMask(), RowMask::first(256));
  }
  BoundedSearch search(query, limits);
  search.defer(deferred);
  show(table, limits, search, Blocks::deferred);
  TableFetcher fetcher(table, false);
  isovec::Buffer<std::int64_t> ids;
  while (const std::optional<Hit> hit = search.next(fetcher)) ids.push_back(hit->rowid);
  CHECK(ids == expected(table, limits));
}

TEST_CASE("few rows are fetched for few hits, and the first of a stream cost what a limit costs",
          "[index][search]") {
  const VectorSet set = make_set(Kind::ordinary, 4'096, 96, 55);
  const isovec::Buffer<float>& q = set.queries[2];
  const Table table = make_table(set, Metric::cosine, q);
  const QueryCode query = QueryCode::raw(Metric::cosine, q);
  TableFetcher fetcher(table, false);

  BoundedSearch limited(query, {10, 10, 0, {}, {}, false});
  show(table, {}, limited);
  while (limited.next(fetcher)) {
  }
  CHECK(limited.fetched() <= 34);  // 3.4 k
  CHECK(limited.fetched() >= 10);
  CHECK(limited.coded_rows() == 4'096);

  BoundedSearch stream(query, {});
  show(table, {}, stream);
  for (int i = 0; i < 10; ++i) REQUIRE(stream.next(fetcher));
  CHECK(stream.fetched() <= limited.fetched() + 8);
  std::size_t hits = 10;
  while (stream.next(fetcher)) ++hits;
  CHECK(hits == 4'096);
  CHECK(stream.fetched() == 4'096);  // no row twice
}

TEST_CASE("a raw scan is preferred when more than a quarter of the rows has to be scored",
          "[index][search]") {
  const VectorSet equal = make_set(Kind::all_equal, 1'024, 20, 56);
  const VectorSet ordinary = make_set(Kind::ordinary, 1'024, 20, 56);
  for (const Metric metric : kMetrics) {
    const QueryCode query = QueryCode::raw(metric, ordinary.queries[2]);
    const Table same = make_table(equal, metric, ordinary.queries[2]);
    const Table different = make_table(ordinary, metric, ordinary.queries[2]);
    const auto prefers = [&](const Table& table, std::optional<std::size_t> k) {
      BoundedSearch search(query, {k, 10, 0, {}, {}, false});
      show(table, {}, search);
      return search.prefers_raw_scan();
    };
    CHECK(prefers(same, 10));
    CHECK(prefers(same, std::nullopt));
    CHECK_FALSE(prefers(different, 10));
    CHECK_FALSE(prefers(different, std::nullopt));
    CHECK(prefers(different, 800));
  }
}

TEST_CASE("a code that is not that of its row is reported", "[index][search]") {
  const VectorSet set = make_set(Kind::ordinary, 256, 30, 57);
  const QueryCode query = QueryCode::raw(Metric::cosine, set.queries[0]);
  class Liar final : public RowFetcher {
   public:
    explicit Liar(double score) : score_(score) {}
    void fetch(std::span<const std::uint32_t> slots, std::span<Hit> hits) override {
      for (std::size_t i = 0; i < slots.size(); ++i) hits[i] = {score_, 1};
    }

   private:
    double score_;
  };
  for (const double score : {1.0, kNaN}) {
    BoundedSearch search(query, {10, 10, 0, {}, {}, false});
    search.add_block(CodeBlockView::parse(block_of(set, Metric::cosine, 0, 256)), RowMask(),
                     RowMask::first(256));
    Liar liar(score);
    bool reported = false;
    try {
      while (search.next(liar)) {
      }
    } catch (const isovec::Error& error) {
      reported = error.code() == isovec::Code::corrupt;
    }
    CHECK(reported);
  }
}

TEST_CASE("a search keeps no more than eight bytes for each row that it may still need", "[index][search]") {
  REQUIRE(sizeof(isovec::index::Candidate) == 8);
  REQUIRE(sizeof(Hit) == 16);
}

TEST_CASE("bounds are rounded to float32 outwards", "[index][search]") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const double v : {0.0, 1.0, 0.1, -0.1, 1e-50, -1e-50, 1e300, -1e300, 3.4e38, 1 - 1e-12, -1 - 1e-12,
                         std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    const float down = isovec::index::round_down(v);
    const float up = isovec::index::round_up(v);
    CAPTURE(v, down, up);
    CHECK(static_cast<double>(down) <= v);
    CHECK(v <= static_cast<double>(up));
    CHECK((down == up || std::nextafter(down, infinity) == up));
  }
}

TEST_CASE("candidates are taken in ascending bound, however many there are", "[index][search]") {
  using isovec::index::Candidate;
  std::mt19937_64 random(11);
  const auto rows = GENERATE(1, 2'000, 2'100, 30'000);
  const auto different = GENERATE(1, 7, 1'000'000);  // bounds
  const float limit = GENERATE(-1.0F, 0.25F, std::numeric_limits<float>::infinity());
  CAPTURE(rows, different, limit);
  isovec::index::Candidates candidates;
  isovec::Buffer<float> expected;
  for (int row = 0; row < rows; ++row) {
    const auto bound =
        static_cast<float>(random() % static_cast<unsigned>(different)) / static_cast<float>(different);
    candidates.add({bound, static_cast<std::uint32_t>(row)});
    expected.push_back(bound);
  }
  std::sort(expected.begin(), expected.end());
  candidates.begin(limit);
  isovec::Buffer<float> taken;
  isovec::Buffer<bool> seen(static_cast<std::size_t>(rows));
  while (!candidates.empty()) {
    const float nearest = candidates.nearest();
    REQUIRE(nearest <= expected[taken.size()]);
    for (const Candidate& row : candidates.take(100, std::numeric_limits<double>::infinity())) {
      taken.push_back(row.least);
      REQUIRE_FALSE(seen[row.slot]);
      seen[row.slot] = true;
    }
  }
  REQUIRE(taken == expected);
}
