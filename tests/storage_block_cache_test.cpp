#include <algorithm>
#include <cstring>
#include <optional>

#include "catch.hpp"
#include "connection.hpp"
#include "db/api.hpp"
#include "storage/block_cache.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::storage::BlockCache;
using isovec::storage::CacheBudget;
using isovec::test::Connection;

std::vector<std::byte> bytes_of(std::size_t count, int value) {
  return std::vector<std::byte>(count, static_cast<std::byte>(value));
}

bool holds(std::span<const std::byte> found, const std::vector<std::byte>& expected) {
  return found.size() == expected.size() && std::memcmp(found.data(), expected.data(), found.size()) == 0;
}

void keep(BlockCache& cache, std::size_t column, std::int64_t group, const std::vector<std::byte>& bytes,
          std::uint64_t history) {
  const std::span<std::byte> room = cache.keep(column, group, bytes.size(), history);
  std::copy_n(bytes.begin(), room.size(), room.begin());
}

// A table whose rows can be told apart, of two complete groups and a few rows more.
constexpr const char* kSetup =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, v float[8] distance_metric=l2);"
    "CREATE TABLE numbers AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 530) "
    "SELECT i FROM n;"
    "INSERT INTO t SELECT i, '[' || i || ',1,2,3,4,5,6,7]' FROM numbers";

std::string nearest(Connection& db, int to) {
  std::string ids;
  const auto rows = db.rows("SELECT id FROM t WHERE v MATCH '[" + std::to_string(to) +
                            ",1,2,3,4,5,6,7]' AND k = 3 ORDER BY distance, id");
  for (const auto& row : rows) ids += row[0] + " ";
  return ids;
}

}  // namespace

TEST_CASE("what is kept comes back until it is dropped", "[storage][cache]") {
  isovec::test::Connection initialised;  // sets up SQLite's allocator
  const auto budget = std::make_shared<CacheBudget>(4'096);
  BlockCache cache(budget);
  const BlockCache::Use use(cache);
  CHECK(cache.find(0, 3) == nullptr);
  keep(cache, 0, 3, bytes_of(400, 1), 7);
  CHECK(cache.find(0, 3) == nullptr);  // nothing was reserved
  cache.reserve(0, 4, 400);            // places of 448
  cache.reserve(1, 4, 500);            // of 512
  CHECK(budget->left() == 4'096 - 4 * 448 - 4 * 512);
  keep(cache, 0, 3, bytes_of(400, 1), 7);
  keep(cache, 1, 3, bytes_of(500, 2), 8);
  REQUIRE(cache.find(0, 3) != nullptr);
  CHECK(holds(cache.find(0, 3)->bytes, bytes_of(400, 1)));
  CHECK(cache.find(0, 3)->history == 7);
  CHECK(cache.find(1, 3)->history == 8);
  CHECK(cache.find(0, 2) == nullptr);
  CHECK(cache.find(2, 0) == nullptr);
  CHECK(holds(cache.find(1, 3)->bytes, bytes_of(500, 2)));
  keep(cache, 0, 3, bytes_of(90, 4), 9);
  CHECK(holds(cache.find(0, 3)->bytes, bytes_of(90, 4)));
  keep(cache, 0, 3, bytes_of(449, 4), 9);  // more than its place
  CHECK(cache.find(0, 3) == nullptr);
  cache.clear();
  CHECK(budget->left() == 4'096);
  CHECK(cache.find(1, 3) == nullptr);
}

TEST_CASE("groups that come later have places of their own", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(100'000);
  BlockCache cache(budget);
  const BlockCache::Use use(cache);
  for (std::size_t groups = 1; groups <= 40; groups += 1 + groups % 3) {
    cache.reserve(0, groups, 200);
    for (std::size_t g = 0; g < groups; ++g) {
      if (cache.find(0, static_cast<std::int64_t>(g)) != nullptr) continue;
      keep(cache, 0, static_cast<std::int64_t>(g), bytes_of(200, static_cast<int>(g)), 1);
    }
    CHECK(cache.holds(0, groups));
    CHECK_FALSE(cache.holds(0, groups + 1));
    for (std::size_t g = 0; g < groups; ++g) {
      CAPTURE(groups, g);
      const BlockCache::Block* block = cache.find(0, static_cast<std::int64_t>(g));
      REQUIRE(block != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(block->bytes.data()) % BlockCache::kAlignment == 0);
      REQUIRE(holds(block->bytes, bytes_of(200, static_cast<int>(g))));
    }
  }
}

TEST_CASE("a block beyond the budget is not kept", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(1'000);
  BlockCache cache(budget);
  const BlockCache::Use use(cache);
  cache.reserve(0, 2, 800);
  keep(cache, 0, 0, bytes_of(800, 1), 1);
  keep(cache, 0, 1, bytes_of(300, 2), 1);
  CHECK(cache.find(0, 1) == nullptr);
  CHECK_FALSE(cache.holds(0, 2));
  CHECK(holds(cache.find(0, 0)->bytes, bytes_of(800, 1)));
  BlockCache none(nullptr);
  const BlockCache::Use no_use(none);
  none.reserve(0, 2, 300);
  keep(none, 0, 1, bytes_of(300, 2), 1);
  CHECK(none.find(0, 1) == nullptr);
}

TEST_CASE("a column that does not fit takes no more than a part of the budget", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(64 * 100, 64 * 30);
  BlockCache cache(budget);
  const BlockCache::Use use(cache);
  cache.reserve(0, 101, 64);
  CHECK(budget->left() == 64 * 70);
  CHECK(cache.holds(0, 30));
  CHECK_FALSE(cache.holds(0, 31));
  cache.reserve(0, 102, 64);  // the next search
  CHECK(budget->left() == 64 * 70);
  cache.reserve(1, 70, 64);  // fits
  CHECK(budget->left() == 0);
  cache.reserve(2, 1, 64);
  CHECK_FALSE(cache.holds(2, 1));
}

TEST_CASE("a table that others search past gives its memory up, one that is in use never",
          "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(1'000);
  BlockCache idle(budget);
  BlockCache busy(budget);
  { const BlockCache::Use use(idle); }
  idle.reserve(0, 1, 900);
  keep(idle, 0, 0, bytes_of(900, 1), 1);
  const bool in_use = GENERATE(false, true);
  std::optional<BlockCache::Use> held;
  if (in_use) held.emplace(idle);
  for (std::uint64_t search = 0; search <= CacheBudget::kIdleSearches; ++search) {
    const BlockCache::Use use(busy);
    busy.reserve(0, 1, 300);
    keep(busy, 0, 0, bytes_of(300, 2), 1);
    const bool given = !in_use && search + 1 > CacheBudget::kIdleSearches;
    CAPTURE(in_use, search);
    CHECK((busy.find(0, 0) != nullptr) == given);
    CHECK((idle.find(0, 0) == nullptr) == given);
  }
}

TEST_CASE("where memory is short nothing is kept for a while", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(1'000);
  BlockCache cache(budget);
  cache.reserve(0, 1, 400);
  keep(cache, 0, 0, bytes_of(400, 1), 1);
  CHECK(cache.give_up());
  CHECK(budget->left() == 1'000);
  CHECK_FALSE(cache.give_up());
  for (std::uint64_t search = 0; search < CacheBudget::kIdleSearches; ++search) {
    CAPTURE(search);
    CHECK(cache.find(0, 0) == nullptr);
    const BlockCache::Use use(cache);
    cache.reserve(0, 1, 400);
    keep(cache, 0, 0, bytes_of(400, 1), 1);
  }
  CHECK(cache.find(0, 0) != nullptr);
}

TEST_CASE("an allocation that fails gives all back", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>();
  BlockCache cache(budget);
  const BlockCache::Use use(cache);
  cache.reserve(0, 1, 4'000);
  keep(cache, 0, 0, bytes_of(4'000, 1), 1);
  const sqlite3_int64 limit = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 100'000);
  cache.reserve(0, 1'000, 4'000);
  sqlite3_hard_heap_limit64(limit);
  CHECK(cache.find(0, 0) == nullptr);
  CHECK_FALSE(cache.holds(0, 1));
  CHECK(budget->left() == CacheBudget::kBytes);
}

TEST_CASE("the memory of a cache returns to its budget with the cache", "[storage][cache]") {
  isovec::test::Connection initialised;
  const auto budget = std::make_shared<CacheBudget>(1'000);
  {
    BlockCache cache(budget);
    cache.reserve(0, 1, 900);
    CHECK(budget->left() == 1'000 - 960);
  }
  CHECK(budget->left() == 1'000);
}

TEST_CASE("blocks that are kept are those of the snapshot that is searched", "[storage][cache]") {
  const isovec::test::TemporaryFile file("block_cache");
  Connection db(file.path());
  db.run(kSetup);
  REQUIRE(nearest(db, 100) == "100 99 101 ");
  SECTION("after changes of the same connection, and their rollback") {
    // 80 rows leave the first group: it is coded anew, and again when they are back.
    db.run("SAVEPOINT s; UPDATE t SET v = '[9000,0,0,0,0,0,0,0]' WHERE id BETWEEN 60 AND 139");
    CHECK(nearest(db, 100) == "140 59 141 ");
    db.run("ROLLBACK TO s");
    CHECK(nearest(db, 100) == "100 99 101 ");
    db.run("DELETE FROM t WHERE id BETWEEN 60 AND 139");
    CHECK(nearest(db, 100) == "140 59 141 ");
    db.run(
        "INSERT INTO t SELECT i, '[' || i || ',1,2,3,4,5,6,7]' FROM numbers WHERE i BETWEEN 60 AND 139; "
        "INSERT INTO t(t) VALUES ('optimize'); RELEASE s");
    CHECK(nearest(db, 100) == "100 99 101 ");
    CHECK(nearest(db, 60) == "60 59 61 ");
  }
  SECTION("after changes of another connection") {
    Connection other(file.path());
    REQUIRE(nearest(other, 100) == "100 99 101 ");
    other.run("UPDATE t SET v = '[9000,0,0,0,0,0,0,0]' WHERE id BETWEEN 60 AND 139");
    CHECK(nearest(db, 100) == "140 59 141 ");
    other.run("DELETE FROM t; INSERT INTO t SELECT i, '[' || (531 - i) || ',1,2,3,4,5,6,7]' FROM numbers");
    CHECK(nearest(db, 100) == "431 430 432 ");
    CHECK(nearest(other, 100) == "431 430 432 ");
  }
  SECTION("after another table took the name") {
    db.run("DROP TABLE t; DROP TABLE numbers");
    db.run(kSetup);
    db.run("UPDATE t SET v = '[9000,0,0,0,0,0,0,0]' WHERE id BETWEEN 60 AND 139");
    CHECK(nearest(db, 100) == "140 59 141 ");
  }
}
