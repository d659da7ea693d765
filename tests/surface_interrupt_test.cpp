// Long functions look whether they shall stop: a look runs a statement of our own, of which SQLite's trace
// tells. Interrupted there, the statement ends with SQLITE_INTERRUPT and SQLite's own text. How often they
// look is counted in core_work_test.cpp.

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;

// Runs `sql` and counts the looks; the `stop`-th interrupts.
class Looks {
 public:
  Looks(Connection& db, long stop) : db_(db.handle()), stop_(stop) {
    sqlite3_trace_v2(
        db_, SQLITE_TRACE_STMT,
        [](unsigned, void* state, void*, void* text) {
          auto* looks = static_cast<Looks*>(state);
          // SQLite puts "-- " before a statement that runs within another.
          if (std::string(static_cast<const char*>(text)).rfind("-- SELECT 1", 0) != 0) return 0;
          if (looks->count_++ == looks->stop_) sqlite3_interrupt(looks->db_);
          return 0;
        },
        this);
  }
  ~Looks() { sqlite3_trace_v2(db_, 0, nullptr, nullptr); }
  Looks(const Looks&) = delete;
  Looks& operator=(const Looks&) = delete;
  [[nodiscard]] long count() const noexcept { return count_; }

 private:
  sqlite3* db_;
  long stop_;
  long count_ = 0;
};

struct Outcome {
  int code;
  std::string message;
  long looks;
};

Outcome run(Connection& db, const std::string& sql, long stop) {
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  const Looks looks(db, stop);
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
  }
  Outcome outcome{rc == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(db.handle()),
                  sqlite3_errmsg(db.handle()), looks.count()};
  sqlite3_finalize(statement);
  return outcome;
}

constexpr const char* kSetup =
    "CREATE TABLE t(i INTEGER PRIMARY KEY, v); CREATE TABLE n(i INTEGER PRIMARY KEY, x, y);"
    "CREATE TABLE wide(v); CREATE TABLE f(name PRIMARY KEY, T); CREATE TABLE s(s, moved);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 700)"
    "  INSERT INTO t SELECT i, vec_random(300, i) FROM c;"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000)"
    "  INSERT INTO n SELECT i, i * 7919 % 100003, i * 104729 % 99991 FROM c;"
    "INSERT INTO wide SELECT vec_random(20000, i) FROM t WHERE i <= 300;"
    "INSERT INTO s SELECT vec_stats(v), vec_stats(vec_scale(v, 2)) FROM t;"
    "INSERT INTO f SELECT 'zca', vec_fit(v, 'whiten eps=1') FROM t;"
    "INSERT INTO f SELECT 'pca', vec_fit(v, 'whiten basis=pca-cor') FROM t;"
    "INSERT INTO f SELECT 'projection', vec_fit(v, 'remove_top drop=30') FROM t;"
    "INSERT INTO f SELECT 'center', vec_fit(v, 'center') FROM (SELECT vec_random(2000, i) AS v FROM t LIMIT "
    "3);";

constexpr const char* kLong[] = {
    "SELECT vec_fit(v, 'pca') FROM t",
    "SELECT vec_fit(v, 'remove_top') FROM t",
    "SELECT vec_fit(v, 'whiten') FROM t",
    "SELECT vec_fit(v, 'whiten basis=cholesky') FROM t",
    "SELECT vec_fit(v, 'whiten basis=zca-cor') FROM t",
    "SELECT vec_fit(v, 'pca k=10') FROM t WHERE i <= 140",
    "SELECT vec_isotropy(v) FROM t",
    "SELECT vec_stats_merge(m) FROM (SELECT vec_stats(vec_random(1500, i)) AS m FROM t WHERE i <= 3 GROUP "
    "BY i)",
    "SELECT count(*) FROM s, vec_spectrum(s)",
    "SELECT count(*) FROM f, vec_components(f.T) WHERE name = 'zca'",
    "SELECT vec_drift(T, s) FROM f, s WHERE name = 'zca'",
    // Another matrix each time, since the inverse of one is kept.
    "SELECT vec_inverse_transform(vec_random(300, 1), (SELECT vec_transform_make(NULL, "
    "vec_to_npy(vec_random(300, i "
    "+ random() % 1000000000))) FROM t WHERE i <= 300))",
    "SELECT vec_transform_matrix(T) FROM f WHERE name = 'projection'",
    "SELECT vec_transform_matrix(T) FROM f WHERE name = 'center'",
    "SELECT vec_transform_compose(a.T, b.T) FROM f a, f b WHERE a.name = 'zca' AND b.name = 'pca'",
    "SELECT vec_transform_make(NULL, vec_to_npy(vec_random(1000, i))) FROM t",
    "SELECT vec_uniformity(v) FROM wide",
    "SELECT vec_uniformity(v, 1e5) FROM t",
    "SELECT vec_info_nce(v, v, 0.1, 'symmetric=1') FROM wide",
    "SELECT vec_cosine_histogram(v, 10) FROM wide",
    "SELECT vec_spearman(x, y) FROM n",
    "SELECT vec_pearson(x, y) FROM n",
    "SELECT vec_ndcg(x, y, 1000) FROM n",
    "SELECT vec_recall(x, y > 50, 1000) FROM n",
    "SELECT vec_svg_spectrum(x, 'x') FROM n",
};

}  // namespace

TEST_CASE("every long function looks whether it shall stop, and stops", "[surface][interrupt]") {
  Connection db;
  db.run(kSetup);
  for (const char* sql : kLong) {
    CAPTURE(sql);
    const Outcome whole = run(db, sql, -1);
    CAPTURE(whole.message);
    CHECK(whole.code == SQLITE_OK);
    CHECK(whole.looks > 0);
    const Outcome stopped = run(db, sql, 0);
    CHECK(stopped.code == SQLITE_INTERRUPT);
    CHECK(stopped.message == "interrupted");
    CHECK(stopped.looks == 1);
    CHECK(run(db, sql, -1).code == SQLITE_OK);
  }
}

TEST_CASE("a progress handler that says so stops every long function", "[surface][interrupt]") {
  Connection db;
  db.run(kSetup);
  for (const char* sql : kLong) {
    CAPTURE(sql);
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), sql, -1, &statement, nullptr) == SQLITE_OK);
    // It says so within the first look.
    const Looks looks(db, -1);
    sqlite3_progress_handler(
        db.handle(), 1, [](void* seen) { return static_cast<const Looks*>(seen)->count() > 0 ? 1 : 0; },
        const_cast<Looks*>(&looks));
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    }
    CHECK(rc == SQLITE_INTERRUPT);
    CHECK(std::string(sqlite3_errmsg(db.handle())) == "interrupted");
    CHECK(looks.count() == 1);
    sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
    sqlite3_finalize(statement);
  }
}

TEST_CASE("an interrupted table has SQLite's own text", "[surface][interrupt]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[64], a integer);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 2000)"
      "INSERT INTO t(id, e, a) SELECT i, vec_random(64, i), i % 7 FROM c");
  for (const std::string sql :
       {"SELECT id FROM t WHERE e MATCH vec_random(64, 1) AND k = 5 AND a < 3", "SELECT count(e) FROM t",
        "INSERT INTO t(t) VALUES ('fit column=e whiten')", "UPDATE t SET a = 1"}) {
    CAPTURE(sql);
    struct State {
      long calls;
    } state{0};
    sqlite3_progress_handler(
        db.handle(), 1, [](void* pointer) { return static_cast<State*>(pointer)->calls++ == 40 ? 1 : 0; },
        &state);
    const Outcome stopped = run(db, sql, -1);
    sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
    CHECK((stopped.code & 0xFF) == SQLITE_INTERRUPT);
    CHECK(stopped.message == "interrupted");
  }
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}
