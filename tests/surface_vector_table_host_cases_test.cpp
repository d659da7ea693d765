// What the program around a table does: it interrupts at any moment, rolls back under a cursor, listens to
// changes with SQLite's own hooks, records them in a session, and loads isovec once more.

#define SQLITE_ENABLE_PREUPDATE_HOOK  // for the declarations; whether SQLite has them is asked at run time
#define SQLITE_ENABLE_SESSION

#include <dlfcn.h>

#include <algorithm>
#include <limits>
#include <set>

#include "connection.hpp"
#include "interrupting_thread.hpp"

namespace {

using isovec::test::Connection;
using Rows = std::vector<std::vector<std::string>>;

// A complete group, hence codes, and rows behind it.
constexpr const char* kSetup =
    "CREATE TABLE other(x);"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[6] transform='whiten eps=1', b "
    "int8[8] distance_metric=l2, y integer indexed, +body text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 270)"
    "INSERT INTO t(id, a, b, y, body) SELECT i, vec_random(6, i), vec_quantize_int8(vec_random(8, i), "
    "'unit'), i % 9, 'body ' || i FROM c;"
    "INSERT INTO t(t) VALUES ('fit');";

// What users see of the tables there are, in short.
std::string content(Connection& db) {
  std::string text;
  const auto tables = db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%' ORDER BY 1");
  for (const auto& name : tables) {
    text += name[0] + ":";
    if (name[0] != "t") continue;
    for (const char* sql :
         {"SELECT id, hex(a), hex(b), y, body FROM t", "SELECT name, transform FROM isovec_info('t')",
          "SELECT id, distance FROM t WHERE a MATCH vec_random(6, 5) AND transform = 'none' AND k = 9",
          "SELECT id, distance FROM t WHERE b MATCH vec_int8('[1,2,3,4,5,6,7,8]') AND y > 2 AND k = 9"}) {
      for (const auto& row : db.rows(sql)) {
        for (const std::string& value : row) text += value + "|";
      }
    }
  }
  return std::to_string(std::hash<std::string>()(text));
}

void check_sound(Connection& db) {
  CHECK(db.one("PRAGMA integrity_check") == "ok");
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

// A function of SQLite that it may have been built without.
template <typename Function>
Function* find_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

// A connection to a database of its own with what another one holds.
class Copy : public Connection {
 public:
  explicit Copy(Connection& from) {
    sqlite3_int64 size = 0;
    unsigned char* bytes = sqlite3_serialize(from.handle(), "main", &size, 0);
    REQUIRE(bytes != nullptr);
    REQUIRE(sqlite3_deserialize(handle(), "main", bytes, size, size,
                                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
  }
};

struct Operation {
  const char* sql;
  bool changes = true;
};
constexpr Operation kOperations[] = {
    {"SELECT id, a, body FROM t WHERE y <> 4", false},
    {"SELECT id, distance FROM t WHERE a MATCH vec_random(6, 5)", false},
    {"SELECT id FROM t WHERE b MATCH vec_int8('[1,2,3,4,5,6,7,8]') AND y IN (1, 2) AND k = 5", false},
    {"INSERT INTO t(a, b, body) VALUES (vec_random(6, 999), vec_int8('[1,2,3,4,5,6,7,8]'), 'new')"},
    {"INSERT INTO t(a, b) SELECT a, b FROM t WHERE id < 40"},
    {"INSERT OR REPLACE INTO t(id, a, b) VALUES (7, vec_random(6, 9), vec_int8('[1,2,3,4,5,6,7,8]'))"},
    {"UPDATE t SET a = vec_random(6, 1), y = 70, body = 'changed' WHERE id = 30"},
    {"UPDATE t SET b = vec_int8('[0,0,0,0,0,0,0,1]') WHERE y = 3"},
    {"UPDATE t SET id = -3 WHERE id = 3"},
    {"DELETE FROM t WHERE id = 44"},
    {"DELETE FROM t WHERE y > 5"},
    {"INSERT INTO t(t) VALUES ('fit column=b center')"},
    {"INSERT INTO t(t) VALUES ('fit')", false},
    {"INSERT INTO t(t) VALUES ('unfit')"},
    {"INSERT INTO t(t) VALUES ('optimize')", false},
    {"INSERT INTO t(t) VALUES ('rebuild')", false},
    {"INSERT INTO t(t) VALUES ('integrity-check')", false},
    {"CREATE VIRTUAL TABLE u USING isovec(name TEXT PRIMARY KEY, e float[8], m real indexed)"},
};

struct Countdown {
  long left;
  bool fired = false;
};
int count_down(void* state) {
  auto& countdown = *static_cast<Countdown*>(state);
  if (countdown.left-- > 0) return 0;
  countdown.fired = true;
  return 1;
}

// The steps at which an operation of so many is stopped: the first, some over all its course, and ever more
// of the last, where it writes.
std::set<long> moments_of(long steps) {
  std::set<long> moments = {0, 1, 2};
  for (long part = 1; part < 8; ++part) moments.insert(steps * part / 8);
  for (long back = 1; back < steps; back += 1 + back) moments.insert(steps - back);
  return moments;
}

// How many steps an operation takes, and the content after it.
std::pair<long, std::string> course_of(Connection& original, const Operation& operation) {
  Copy db(original);
  db.rows("SELECT count(*) FROM t");
  Countdown countdown{std::numeric_limits<long>::max()};
  sqlite3_progress_handler(db.handle(), 1, count_down, &countdown);
  db.run(operation.sql);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  return {std::numeric_limits<long>::max() - countdown.left, content(db)};
}

// Runs an operation that is stopped at its n-th step; whether it was.
bool stop_at(Connection& original, const Operation& operation, long n, bool in_transaction,
             const std::string& before, const std::string& after) {
  CAPTURE(operation.sql, n, in_transaction);
  Copy db(original);
  db.rows("SELECT count(*) FROM t");
  if (in_transaction) db.run("BEGIN; INSERT INTO other VALUES (1)");
  Countdown countdown{n};
  sqlite3_progress_handler(db.handle(), 1, count_down, &countdown);
  const int rc = code_of(db, operation.sql);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  CHECK(rc == (countdown.fired ? SQLITE_INTERRUPT : SQLITE_OK));
  // SQLite looks once more when all is done, and then reports an interrupt of what stands.
  const bool done = content(db) == after;
  if (!done) CHECK(content(db) == before);
  if (rc == SQLITE_OK) CHECK(done);
  // SQLite takes back what was written: the statement, or else the transaction with all that it held.
  const bool goes_on = in_transaction && sqlite3_get_autocommit(db.handle()) == 0;
  CHECK(db.one("SELECT count(*) FROM other") == (goes_on ? "1" : "0"));
  check_sound(db);
  if (goes_on) db.run("COMMIT");
  if (done) return false;
  CHECK(code_of(db, operation.sql) == SQLITE_OK);  // the next one is right
  CHECK(content(db) == after);
  return true;
}

}  // namespace

TEST_CASE("an operation that is stopped at any step changes nothing, and the next one is right",
          "[surface][host]") {
  Connection original;
  original.run(kSetup);
  const std::string before = content(original);
  long stopped = 0;
  for (const Operation& operation : kOperations) {
    const auto [steps, after] = course_of(original, operation);
    if (!operation.changes) CHECK(after == before);
    bool in_transaction = false;
    for (const long n : moments_of(steps)) {
      in_transaction = !in_transaction;
      stopped += stop_at(original, operation, n, in_transaction, before, after) ? 1 : 0;
    }
  }
  CHECK(stopped > 150);
}

TEST_CASE("a search, a fit and a rebuild end soon after they are interrupted", "[surface][host]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[256] transform='whiten', b bit[256]);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4000)"
      "INSERT INTO t(a, b) SELECT v, vec_quantize_binary(v) FROM (SELECT vec_random(256, i) AS v FROM c)");
  for (const std::string sql :
       {"INSERT INTO t(t) VALUES ('fit')", "INSERT INTO t(t) VALUES ('rebuild')",
        "SELECT count(*) FROM t AS o JOIN t ON t.b MATCH o.b AND t.k = 5 WHERE o.rowid < 500"}) {
    long all = 0;
    {
      const isovec::test::InterruptingThread none(db, 0);
      REQUIRE(code_of(db, sql) == SQLITE_OK);
      all = none.calls();
    }
    CAPTURE(sql, all);
    CHECK(all > 500);  // the work is asked about in many small parts
    for (const long tenths : {1, 3, 5, 7, 9}) {
      const long moment = all * tenths / 10;
      const isovec::test::InterruptingThread other(db, moment);
      CAPTURE(moment, other.calls());
      CHECK(code_of(db, sql) == SQLITE_INTERRUPT);
      CHECK(other.calls() < moment + 100);  // some microseconds each, in the statements that tell of the end
    }
  }
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("a search that is being read survives what is rolled back", "[surface][host]") {
  for (const std::string sql : {"SELECT id FROM t WHERE a MATCH vec_random(6, 5)", "SELECT id FROM t",
                                "SELECT id FROM t WHERE b MATCH vec_int8('[1,2,3,4,5,6,7,8]') AND y <> 3"}) {
    for (const char* end : {"ROLLBACK TO s", "ROLLBACK"}) {
      CAPTURE(sql, end);
      Connection db;
      db.run(kSetup);
      const std::string before = content(db);
      const Rows expected = db.rows(sql);
      db.run("BEGIN; SAVEPOINT s");
      sqlite3_stmt* read = nullptr;
      REQUIRE(sqlite3_prepare_v2(db.handle(), sql.c_str(), -1, &read, nullptr) == SQLITE_OK);
      std::vector<std::string> found;
      int rc = SQLITE_OK;
      while ((rc = sqlite3_step(read)) == SQLITE_ROW) {
        found.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(read, 0)));
        if (found.size() == 5) {
          db.run(
              "INSERT INTO t(id, a, b) SELECT 1000 + id, a, b FROM t; DELETE FROM t WHERE id < 200;"
              "UPDATE t SET a = vec_random(6, 5) WHERE id = 210; INSERT INTO t(t) VALUES ('fit column=b "
              "standardize'), ('optimize')");
        }
        if (found.size() == 20) db.run(end);
      }
      // Every row that was found is one of the answer, and in its order.
      auto place = expected.begin();
      for (const std::string& id : found) {
        place = std::find_if(place, expected.end(), [&](const auto& row) { return row[0] == id; });
        CAPTURE(id);
        REQUIRE(place != expected.end());
        ++place;
      }
      CAPTURE(rc, sqlite3_extended_errcode(db.handle()), sqlite3_errmsg(db.handle()));
      CHECK((rc == SQLITE_DONE || (rc & 0xFF) == SQLITE_ABORT));
      CHECK(found.size() >= 20);
      sqlite3_finalize(read);
      if (sqlite3_get_autocommit(db.handle()) == 0) db.run("ROLLBACK");
      CHECK(content(db) == before);
      check_sound(db);
    }
  }
}

TEST_CASE("a preupdate hook hears of every change of stored rows and disturbs none", "[surface][host]") {
  auto* set_hook = find_function<decltype(sqlite3_preupdate_hook)>("sqlite3_preupdate_hook");
  auto* old_value = find_function<decltype(sqlite3_preupdate_old)>("sqlite3_preupdate_old");
  if (set_hook == nullptr || old_value == nullptr) return;
  Connection original;
  original.run(kSetup);
  for (const Operation& operation : kOperations) {
    CAPTURE(operation.sql);
    Copy plain(original), heard(original);
    plain.run(operation.sql);
    struct Listener {
      decltype(old_value) old;
      long calls = 0;
    };
    Listener listener{old_value};
    set_hook(
        heard.handle(),
        [](void* state, sqlite3* db, int kind, const char*, const char*, sqlite3_int64, sqlite3_int64) {
          auto& told = *static_cast<Listener*>(state);
          sqlite3_value* value = nullptr;
          if (kind != SQLITE_INSERT) told.calls += told.old(db, 0, &value) == SQLITE_OK ? 1 : 0;
          if (kind == SQLITE_INSERT) ++told.calls;
        },
        &listener);
    heard.run(operation.sql);
    set_hook(heard.handle(), nullptr, nullptr);
    CHECK(content(heard) == content(plain));
    if (operation.changes) CHECK(listener.calls > 0);
    check_sound(heard);
  }
}

TEST_CASE("a session's changes of the shadow tables make a copy the same table", "[surface][host]") {
  auto* create = find_function<decltype(sqlite3session_create)>("sqlite3session_create");
  if (create == nullptr) return;
  auto* attach = find_function<decltype(sqlite3session_attach)>("sqlite3session_attach");
  auto* changes = find_function<decltype(sqlite3session_changeset)>("sqlite3session_changeset");
  auto* remove = find_function<decltype(sqlite3session_delete)>("sqlite3session_delete");
  auto* apply = find_function<decltype(sqlite3changeset_apply)>("sqlite3changeset_apply");
  Connection original;
  original.run(kSetup);
  for (const Operation& operation : kOperations) {
    if (std::string(operation.sql).find("CREATE") == 0) continue;  // a session records no schema
    CAPTURE(operation.sql);
    Copy changed(original), copy(original);
    sqlite3_session* session = nullptr;
    REQUIRE(create(changed.handle(), "main", &session) == SQLITE_OK);
    REQUIRE(attach(session, nullptr) == SQLITE_OK);
    changed.run(operation.sql);
    int size = 0;
    void* bytes = nullptr;
    REQUIRE(changes(session, &size, &bytes) == SQLITE_OK);
    remove(session);
    CHECK(apply(
              copy.handle(), size, bytes, nullptr,
              [](void*, int, sqlite3_changeset_iter*) { return SQLITE_CHANGESET_ABORT; },
              nullptr) == SQLITE_OK);
    sqlite3_free(bytes);
    CHECK(content(copy) == content(changed));
    check_sound(copy);
  }
}

TEST_CASE("the module may be loaded where a program has isovec inside", "[surface][host]") {
  Connection db;
  db.run(kSetup);
  const std::string before = content(db);
  sqlite3_stmt* read = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), "SELECT id FROM t WHERE a MATCH vec_random(6, 5)", -1, &read,
                             nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr) == SQLITE_OK);
  char* message = nullptr;
  const int rc = sqlite3_load_extension(db.handle(), ISOVEC_MODULE_FILE, nullptr, &message);
  CAPTURE((message != nullptr ? message : ""));
  REQUIRE(rc == SQLITE_OK);
  CHECK(content(db) == before);
  CHECK(sqlite3_step(read) == SQLITE_ROW);
  CHECK(sqlite3_finalize(read) == SQLITE_OK);
  db.run(
      "DELETE FROM t WHERE id < 20; INSERT INTO t(t) VALUES ('fit'); CREATE VIRTUAL TABLE u USING "
      "isovec(e float[2]); INSERT INTO u(e) VALUES ('[1,2]'); DROP TABLE u");
  check_sound(db);
  // And the other way round: what the program brings takes the place of the module.
  REQUIRE(sqlite3_isovec_init(db.handle(), nullptr, nullptr) == SQLITE_OK);
  db.run("DELETE FROM t WHERE id < 30");
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH vec_random(6, 5)") == "241");
  check_sound(db);
}
