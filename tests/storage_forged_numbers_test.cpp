// Numbers in the shadow tables that cannot be, under right checksums: each is SQLITE_CORRUPT_VTAB, and
// nothing is allocated, looped over or written by it before.

#include <sys/resource.h>

#include <iterator>

#include "forger.hpp"

namespace {

using isovec::storage::State;
using isovec::test::Bytes;
using isovec::test::Connection;
using isovec::test::Forger;

constexpr sqlite3_int64 kOne = 1;
constexpr sqlite3_int64 kLargest = std::numeric_limits<sqlite3_int64>::max();
constexpr sqlite3_int64 kClaims[] = {20'000'000, kOne << 31,   kOne << 32, kOne << 40,
                                     kOne << 62, kLargest - 1, kLargest};

// A complete group under a transform, and rows behind it.
constexpr const char* kSetup =
    "CREATE VIRTUAL TABLE t USING isovec(v float[4] transform='center', w int8[2] distance_metric=l1,"
    "  m integer indexed);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    "INSERT INTO t(rowid, v, w, m) SELECT i, vec_random(4, i), vec_int8('[1,' || (i % 100) || ']'), i % 7 "
    "FROM n;"
    "INSERT INTO t(t) VALUES ('fit column=v')";

constexpr const char* kReads[] = {
    "SELECT rowid, v, w, m FROM t",
    "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3",
    "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]'",
    "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3 AND m > 2",
    "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3 AND transform = 'none'",
    "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3 AND transform = "
    "(SELECT vec_fit(vec_random(4, value), 'center') FROM json_each('[1,2,3]'))",
    "SELECT rowid FROM t WHERE w MATCH '[1,2]' AND k = 3",
    "SELECT * FROM isovec_info('t')",
};
constexpr const char* kWrites[] = {
    "INSERT INTO t(v, w, m) VALUES ('[1,2,3,4]', '[1,2]', 5)",
    "UPDATE t SET v = '[4,3,2,1]' WHERE rowid = 5",
    "DELETE FROM t WHERE rowid = 7",
    "INSERT INTO t(t) VALUES ('fit column=v center')",
    "INSERT INTO t(t) VALUES ('unfit')",
    "INSERT INTO t(t) VALUES ('optimize')",
    "INSERT INTO t(t) VALUES ('integrity-check')",
};

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

std::int64_t pages(Connection& db) {
  return std::stoll(db.one("PRAGMA page_count"));
}

}  // namespace

TEST_CASE("a state that claims more slots than the file can hold is damage", "[storage][forged]") {
  Connection db;
  db.run(kSetup);
  Forger forger(db);
  const State sound = forger.state();
  const long before = peak_kilobytes();
  for (const sqlite3_int64 claim : kClaims) {
    for (const bool rows_too : {false, true}) {
      State forged = sound;
      forged.slots = claim;
      if (rows_too) forged.rows = claim;
      CAPTURE(claim, rows_too);
      db.run("SAVEPOINT s");
      forger.set_state(forged);
      for (const char* sql : kReads) {
        CAPTURE(sql);
        CHECK(code_of(db, sql) == SQLITE_CORRUPT_VTAB);
      }
      for (const char* sql : kWrites) {
        CAPTURE(sql);
        CHECK(code_of(db, sql) == SQLITE_CORRUPT_VTAB);
      }
      CHECK(db.one("SELECT isovec_check('t')").find("state record") != std::string::npos);
      db.rows("PRAGMA quick_check");
      db.rows("PRAGMA integrity_check");
      db.run("INSERT INTO t(t) VALUES ('rebuild')");
      CHECK(db.one("SELECT isovec_check('t')") == "ok");
      db.run("ROLLBACK TO s; RELEASE s");
    }
  }
  CHECK(peak_kilobytes() - before < 100'000);
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("a state whose numbers contradict each other is damage", "[storage][forged]") {
  Connection db;
  db.run(kSetup);
  Forger forger(db);
  const State sound = forger.state();
  const auto refused = [&](auto&& change) {
    State forged = sound;
    change(forged);
    db.run("SAVEPOINT s");
    forger.set_state(forged);
    const int code = code_of(db, "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3");
    db.run("ROLLBACK TO s; RELEASE s");
    return code == SQLITE_CORRUPT_VTAB;
  };
  CHECK(refused([](State& state) { state.rows = -1; }));
  CHECK(refused([](State& state) { state.rows = state.slots + 1; }));
  CHECK(refused([](State& state) { state.slots = -1; }));
  CHECK(refused([](State& state) { state.nulls = 2 * state.rows + 1; }));
  CHECK(refused([](State& state) { state.nulls = -1; }));
  CHECK(refused([](State& state) { state.fitted = 4; }));  // there are two vector columns
  CHECK(refused([](State& state) { state.fitted |= std::uint64_t{1} << 63; }));
  CHECK_FALSE(refused([](State&) {}));
}

TEST_CASE("a row in a slot that the file cannot hold is damage to every command", "[storage][forged]") {
  Connection db;
  db.run(kSetup);
  Forger forger(db);
  const std::int64_t before = pages(db);
  const long memory = peak_kilobytes();
  for (const sqlite3_int64 claim : kClaims) {
    CAPTURE(claim);
    db.run("SAVEPOINT s");
    db.rows("UPDATE t_rows SET slot = ?1 WHERE id = 9", claim);
    forger.seal_rows();
    CHECK(code_of(db, "INSERT INTO t(t) VALUES ('rebuild')") == SQLITE_CORRUPT_VTAB);
    CHECK(pages(db) == before);
    CHECK(code_of(db, "SELECT v, w FROM t WHERE rowid = 9") == SQLITE_CORRUPT_VTAB);
    CHECK(code_of(db, "SELECT rowid FROM t WHERE w MATCH '[1,2]' AND m = 2 AND k = 300") ==
          SQLITE_CORRUPT_VTAB);
    CHECK(code_of(db, "UPDATE t SET m = 1 WHERE rowid = 9") == SQLITE_CORRUPT_VTAB);
    CHECK(code_of(db, "DELETE FROM t WHERE rowid = 9") == SQLITE_CORRUPT_VTAB);
    CHECK(db.one("SELECT isovec_check('t')") != "ok");
    CHECK(code_of(db, "INSERT INTO t(t) VALUES ('optimize')") != SQLITE_NOMEM);
    db.run("ROLLBACK TO s; RELEASE s");
  }
  CHECK(peak_kilobytes() - memory < 100'000);
}

TEST_CASE("'rebuild' writes no chunks for slots that no chunk has", "[storage][forged]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(v float[1000] codes=none);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
      "INSERT INTO t(v) SELECT vec_random(1000, i) FROM n;"
      "CREATE TABLE plain(x);"
      "CREATE TRIGGER r AFTER INSERT ON plain BEGIN INSERT INTO t(t) VALUES ('rebuild'); END");
  Forger forger(db);
  const std::int64_t before = pages(db);
  for (const sqlite3_int64 claim : {48, 50, 100, 1'000, 100'000}) {
    CAPTURE(claim);
    db.run("SAVEPOINT s");
    db.rows("UPDATE t_rows SET slot = ?1 WHERE id = 40", claim);
    forger.seal_all();
    CHECK(code_of(db, "INSERT INTO plain VALUES (1)") == SQLITE_CORRUPT_VTAB);
    CHECK(pages(db) <= before + 1);
    db.run("ROLLBACK TO s; RELEASE s");
  }
}

TEST_CASE("a table keeps its norms for a query's transform only while it has as many slots",
          "[storage][forged]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(v float[4]);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
      "INSERT INTO t(v) SELECT vec_random(4, i) FROM n;"
      "CREATE TABLE f AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
      "SELECT vec_fit(vec_random(4, i), 'center') AS f FROM n");
  Forger forger(db);
  const std::string query =
      "SELECT count(*) FROM t WHERE v MATCH '[1,0,0,0]' AND transform = (SELECT f FROM f)";
  CHECK(db.one(query) == "600");
  const State before = forger.state();
  db.run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
      "INSERT INTO t(v) SELECT vec_random(4, i + 600) FROM n");
  State forged = forger.state();
  forged.history = before.history;
  forger.set_state(forged);
  CHECK(db.one(query) == "1200");
}

TEST_CASE("a search keeps its transform whatever happens to the table's meanwhile", "[storage][forged]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(v float[64] transform='whiten eps=1');"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
      "INSERT INTO t(v) SELECT vec_random(64, i) FROM n;"
      "INSERT INTO t(t) VALUES ('fit')");
  Forger forger(db);
  const State sound = forger.state();
  State forged = sound;
  forged.transforms ^= 1;  // the same history: nothing else tells that the cached transform is another one
  for (const char* query : {"SELECT rowid FROM t WHERE v MATCH vec_random(64, 3)",
                            "SELECT rowid FROM t WHERE v MATCH vec_random(64, 3) AND rowid > 9"}) {
    CAPTURE(query);
    const auto expected = db.rows(query);
    sqlite3_stmt* search = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), query, -1, &search, nullptr) == SQLITE_OK);
    std::vector<std::vector<std::string>> found;
    int code = sqlite3_step(search);
    for (; code == SQLITE_ROW; code = sqlite3_step(search)) {
      found.push_back({std::to_string(sqlite3_column_int64(search, 0))});
      if (found.size() > 2) continue;  // the norms of rows without a code are forgotten with it
      forger.set_state(forged);
      db.run("SELECT count(*) FROM t WHERE v MATCH vec_random(64, 7) AND rowid = 5");
      forger.set_state(sound);
      db.run("SELECT count(*) FROM t WHERE v MATCH vec_random(64, 7) AND rowid = 5");
    }
    CHECK(code == SQLITE_DONE);
    CHECK(found == expected);
    sqlite3_finalize(search);
  }
}

TEST_CASE("marks that claim more rows without a code than a group has are damage", "[storage][forged]") {
  Connection db;
  db.run(kSetup);
  for (const std::uint32_t claim : {257U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
    std::string marks = db.one("SELECT data FROM t_marks WHERE id = 0");
    std::memcpy(marks.data() + 8 + 32, &claim, sizeof claim);
    db.run("SAVEPOINT s");
    db.rows("UPDATE t_marks SET data = ?1 WHERE id = 0", Bytes{Forger::sealed("marks", 0, marks)});
    CAPTURE(claim);
    CHECK(code_of(db, "SELECT rowid FROM t WHERE v MATCH '[1,0,0,0]' AND k = 3") == SQLITE_CORRUPT_VTAB);
    CHECK(code_of(db, "UPDATE t SET v = '[4,3,2,1]' WHERE rowid = 5") == SQLITE_CORRUPT_VTAB);
    CHECK(code_of(db, "DELETE FROM t WHERE rowid = 5") == SQLITE_CORRUPT_VTAB);
    db.run("ROLLBACK TO s; RELEASE s");
  }
}

TEST_CASE("a table is bounded by its pages where PRAGMA is denied, too", "[storage][forged]") {
  Connection db;
  db.run(kSetup);
  Forger forger(db);
  const State sound = forger.state();
  for (const int answer : {SQLITE_DENY, SQLITE_IGNORE}) {
    CAPTURE(answer);
    int denial = answer;
    sqlite3_set_authorizer(
        db.handle(),
        [](void* verdict, int action, const char*, const char*, const char*, const char*) {
          return action == SQLITE_PRAGMA ? *static_cast<int*>(verdict) : SQLITE_OK;
        },
        &denial);
    CHECK(code_of(db, kWrites[0]) == SQLITE_OK);
    CHECK(code_of(db, "INSERT INTO t(t) VALUES ('rebuild')") == SQLITE_OK);
    for (const sqlite3_int64 claim : kClaims) {
      CAPTURE(claim);
      db.run("SAVEPOINT s");
      State forged = sound;
      forged.slots = claim;
      forger.set_state(forged);
      CHECK(code_of(db, kReads[0]) == SQLITE_CORRUPT_VTAB);
      CHECK(code_of(db, kWrites[0]) == SQLITE_CORRUPT_VTAB);
      db.run("ROLLBACK TO s; RELEASE s");
    }
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    CHECK(db.one("SELECT isovec_check('t')") == "ok");
  }
}
