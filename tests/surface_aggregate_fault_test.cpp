// Every aggregate under every failed allocation, of SQLite and of C++: the n-th fails, for n = 0, 1, 2, ...
// until none did. The error is SQLITE_NOMEM, the next call gives the right value, and no memory is lost: two
// columns that grow together are never left with different lengths.

#define CATCH_CONFIG_RUNNER
#include <cstdio>

#include "catch.hpp"
#include "connection.hpp"
#include "fault_injection.hpp"

namespace {

using namespace isovec::test;

constexpr const char* kVectors =
    " FROM (SELECT 1 AS n, '[1, 2]' AS v UNION ALL SELECT 2, '[2, 1]' UNION ALL SELECT "
    "3, '[-1, 3]' UNION ALL SELECT 4, '[4, 4]' UNION ALL SELECT 5, '[7, 1]')";
constexpr const char* kCalls[] = {
    "vec_sum(v)",
    "vec_mean(v, n)",
    "vec_sum(v) OVER (ORDER BY n ROWS 1 PRECEDING)",
    "vec_logsumexp(20 * n)",
    "vec_logsumexp(20 * n) OVER (ORDER BY n ROWS 1 PRECEDING)",
    "vec_alignment(v, '[1, 1]') OVER (ORDER BY n ROWS 1 PRECEDING)",
    "vec_uniformity(v)",
    "vec_info_nce(v, v, 0.5, 'symmetric=1')",
    "vec_cosine_histogram(v, 4)",
    "vec_stats(v)",
    "vec_stats(v, n, 'moments=first') OVER (ORDER BY n ROWS 1 PRECEDING)",
    "vec_stats_merge(s) FROM (SELECT vec_stats(x) AS s FROM (SELECT '[1, 2]' AS x UNION ALL SELECT '[2, 1]' "
    "UNION "
    "ALL SELECT '[4, 4]') GROUP BY x)",
    "vec_fit(v, 'whiten eps=1')",
    "vec_fit(v || '', 'center', n)",
    "vec_isotropy(v)",
    "vec_to_npy(v)",
    "vec_pearson(n, n % 2)",
    "vec_spearman(n, n % 3)",
    "vec_ndcg(n, n % 2, 2)",
    "vec_recall(n, n % 2, 2)",
    "vec_svg_histogram(1.0 / n, (n % 2) || 'label that is no short string', 30)",
    "vec_svg_spectrum(n, (n % 2) || 'label that is no short string')",
};

long total_runs = 0;

// The rows as text where `fault` is never armed; else the result code.
int run_armed(sqlite3* db, const std::string& sql, Fault fault, long n, Repeat repeat, long& fired) {
  sqlite3_stmt* statement = nullptr;
  int rc = sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  REQUIRE(rc == SQLITE_OK);
  arm(fault, n, repeat);
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
  }
  fired = disarm();
  sqlite3_finalize(statement);
  ++total_runs;
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

}  // namespace

TEST_CASE("no failed allocation leaves an aggregate half made", "[surface][aggregate][fault]") {
  for (const char* call : kCalls) {
    const bool has_rows = std::string(call).find(" FROM ") != std::string::npos;
    const std::string sql = std::string("SELECT ") + call + (has_rows ? "" : kVectors);
    Connection db;
    const auto right = db.rows(sql);
    for (const Fault fault : {Fault::sqlite_memory, Fault::cpp_memory}) {
      for (const Repeat repeat : {Repeat::once, Repeat::from_then_on}) {
        long fired = 1;
        for (long n = 0; fired != 0; ++n) {
          CAPTURE(sql, static_cast<int>(fault), static_cast<int>(repeat), n);
          const Outstanding base = outstanding();
          const int rc = run_armed(db.handle(), sql, fault, n, repeat, fired);
          const Outstanding left = outstanding();
          if (rc != SQLITE_OK) CHECK(rc == SQLITE_NOMEM);
          CHECK(left.cpp == base.cpp);
          if (n % 7 == 0) CHECK(db.rows(sql) == right);
        }
        CHECK(db.rows(sql) == right);
      }
    }
  }
}

int main(int argc, char* argv[]) {
  install_faults();
  const int failed = Catch::Session().run(argc, argv);
  std::printf("%ld runs\n", total_runs);
  return failed;
}
