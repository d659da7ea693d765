// What isovec holds beyond a few KB is SQLite's memory: counted by sqlite3_memory_used(), refused under a
// heap limit with SQLITE_NOMEM, and given back.

#include <cstdint>
#include <isovec/buffer.hpp>

#include "connection.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;

struct Case {
  const char* sql;
  double megabytes;  // what must be held at once, by arithmetic on the sizes
};

// Rows are made as they are read, so that little beside isovec's own memory is in use.
#define ISOVEC_ROWS(n) "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < " #n ") "

constexpr Case kCases[] = {
    {"SELECT length(vec_stats(vec_zeros(1500)))", 1500 * 1501 / 2 * 8 / 1e6},
    {"SELECT length(vec_fit(vec_random(400, i), 'whiten eps=1')) FROM (" ISOVEC_ROWS(10) "SELECT i FROM c)",
     400 * 400 * 8 / 1e6},
    {"SELECT length(vec_isotropy(vec_random(900, i))) FROM (" ISOVEC_ROWS(3) "SELECT i FROM c)",
     900 * 901 / 2 * 8 / 1e6},
    {"SELECT length(vec_to_npy(vec_zeros(1000))) FROM (" ISOVEC_ROWS(1000) "SELECT i FROM c)",
     1000 * 1000 * 4 / 1e6},
    {"SELECT vec_spearman(i, -i) FROM (" ISOVEC_ROWS(200000) "SELECT i FROM c)", 200000 * 16 / 1e6},
    {"SELECT vec_ndcg(i, i % 5, 10) FROM (" ISOVEC_ROWS(200000) "SELECT i FROM c)", 200000 * 16 / 1e6},
    {"SELECT vec_uniformity(vec_random(1000, i)) FROM (" ISOVEC_ROWS(1000) "SELECT i FROM c)",
     1000 * 1000 * 4 / 1e6},
    {"SELECT length(vec_mean(vec_zeros(65535)))", 65535 * 8 / 1e6},
    {"SELECT length(vec_transform_matrix(vec_transform_make(NULL, vec_transform_matrix("
     "vec_fit(vec_random(500, i), 'whiten eps=1'))))) FROM (" ISOVEC_ROWS(3) "SELECT i FROM c)",
     500 * 500 * 8 / 1e6},
    {"SELECT length(vec_svg_histogram(0.5 / i, 'a', 50)) FROM (" ISOVEC_ROWS(300000) "SELECT i FROM c)", 0},
};

#undef ISOVEC_ROWS

// The result code of a statement, and in `peak` the most memory that was in use beside what there was before.
int run(Connection& db, const char* sql, std::int64_t& peak) {
  int code = SQLITE_OK;
  const std::int64_t before = sqlite3_memory_used();
  sqlite3_memory_highwater(1);
  try {
    db.rows(sql);
  } catch (const SqlError& failure) {
    code = failure.result_code;
  }
  peak = sqlite3_memory_highwater(0) - before;
  return code;
}

}  // namespace

TEST_CASE("SQLite counts what functions and aggregates hold", "[surface][memory]") {
  for (const Case& item : kCases) {
    INFO(item.sql);
    Connection db;
    std::int64_t peak = 0;
    CHECK(run(db, item.sql, peak) == SQLITE_OK);
    CHECK(static_cast<double>(peak) >= item.megabytes * 1e6);
  }
}

TEST_CASE("a heap limit refuses what functions and aggregates would hold", "[surface][memory]") {
  for (const Case& item : kCases) {
    if (item.megabytes == 0) continue;
    INFO(item.sql);
    Connection db;
    db.run("SELECT vec_version(), count(*) FROM vec_help");
    const std::int64_t before = sqlite3_memory_used();
    // Half of what it takes, with room for SQLite's own work.
    sqlite3_hard_heap_limit64(before + static_cast<std::int64_t>(item.megabytes * 0.5e6));
    std::int64_t peak = 0;
    const int code = run(db, item.sql, peak);
    sqlite3_hard_heap_limit64(0);
    CHECK(code == SQLITE_NOMEM);
    CHECK(static_cast<double>(peak) <= item.megabytes * 1e6);
    CHECK(db.one("SELECT vec_dot('[1,2]', '[3,4]')") == "11.0");
  }
}

TEST_CASE("all memory is given back when a connection closes", "[surface][memory]") {
  const std::int64_t before = sqlite3_memory_used();
  for (const Case& item : kCases) {
    Connection db;
    std::int64_t peak = 0;
    run(db, item.sql, peak);
    db.close();
    INFO(item.sql);
    CHECK(sqlite3_memory_used() == before);
  }
}

TEST_CASE("a buffer returns to the source that it came from, and is aligned for any kernel",
          "[core][memory]") {
  static int allocated = 0;
  static int released = 0;
  static constexpr isovec::MemorySource counting{
      [](std::size_t bytes) noexcept {
        ++allocated;
        return ::operator new(bytes, std::nothrow);
      },
      [](void* block) noexcept {
        ++released;
        ::operator delete(block);
      },
  };
  static constexpr isovec::MemorySource refusing{
      [](std::size_t) noexcept -> void* { return nullptr; },
      [](void*) noexcept {},
  };
  isovec::set_memory_source(counting);
  {
    const isovec::Buffer<char> small(isovec::kLargeBlock - 1);
    CHECK(allocated == 0);
    const isovec::Buffer<char> large(isovec::kLargeBlock);
    CHECK(allocated == 1);
    CHECK(reinterpret_cast<std::uintptr_t>(large.data()) % 64 == 0);
    isovec::set_memory_source(refusing);
    CHECK_THROWS_AS(isovec::Buffer<double>(isovec::kLargeBlock), std::bad_alloc);
  }
  CHECK(released == 1);
  const Connection db;  // SQLite's again
}
