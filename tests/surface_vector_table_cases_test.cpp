// What SQLite does around a table: full disks, locks, foreign keys, names, hooks, many columns, statements
// given up half-way.

#include <algorithm>
#include <set>

#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::TemporaryFile;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kCreate =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[4], y integer indexed, +body text);";
constexpr const char* kFill =
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 60)"
    "INSERT INTO t(id, e, y, body) SELECT i, vec_random(4, i), i % 7, 'body ' || i FROM c;";

void fill(Connection& db) {
  db.run(std::string(kCreate) + kFill);
}

void check_sound(Connection& db, const std::string& table = "t") {
  CHECK(db.one("SELECT isovec_check(?)", table) == "ok");
  CHECK(db.one("PRAGMA integrity_check") == "ok");
}

int primary_code_of(Connection& db, const std::string& sql) {
  return code_of(db, sql) & 0xFF;
}

}  // namespace

TEST_CASE("a full disk takes back the statement and leaves earlier commits", "[surface][cases]") {
  const TemporaryFile file("full");
  Connection db(file.path());
  fill(db);
  const Rows before = db.rows("SELECT * FROM t");
  const std::string pages = db.one("PRAGMA page_count");
  const std::string many =
      "WITH RECURSIVE c(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
      "INSERT INTO t(id, e) SELECT i, vec_random(4, 1) FROM c";
  for (const int room : {0, 1, 2, 3, 5, 8, 13, 21}) {
    CAPTURE(room);
    db.rows("PRAGMA max_page_count = " + std::to_string(std::stoi(pages) + room));
    CHECK(primary_code_of(db, many) == SQLITE_FULL);
    CHECK(db.rows("SELECT * FROM t") == before);
    check_sound(db);
  }
  db.rows("PRAGMA max_page_count = 100000");
  db.run("DELETE FROM t WHERE id > 5; " + many);
  check_sound(db);
}

TEST_CASE("a lock that is held is SQLITE_BUSY, changes nothing, and the retry works", "[surface][cases]") {
  const TemporaryFile file("busy");
  Connection a(file.path());
  fill(a);
  Connection b(file.path());
  a.run("BEGIN; SELECT count(*) FROM t");
  sqlite3_stmt* read = nullptr;  // holds a shared lock on the database
  REQUIRE(sqlite3_prepare_v2(a.handle(), "SELECT id FROM t WHERE e MATCH '[1,0,0,0]'", -1, &read, nullptr) ==
          SQLITE_OK);
  REQUIRE(sqlite3_step(read) == SQLITE_ROW);
  b.run("BEGIN; DELETE FROM t WHERE id < 10; INSERT INTO t(t) VALUES ('fit center')");
  CHECK(primary_code_of(b, "COMMIT") == SQLITE_BUSY);
  CHECK(primary_code_of(a, "DELETE FROM t WHERE id = 20") == SQLITE_BUSY);
  CHECK(a.one("SELECT count(*) FROM t") == "60");
  CHECK(b.one("SELECT count(*) FROM t") == "51");
  REQUIRE(sqlite3_finalize(read) == SQLITE_OK);
  a.run("COMMIT");
  b.run("COMMIT");
  CHECK(a.one("SELECT count(*) FROM t") == "51");
  CHECK(a.one("SELECT transform FROM isovec_info('t')") == "center");
  check_sound(a);
}

TEST_CASE("connections that share a cache lock tables, and never wait for each other for ever",
          "[surface][cases]") {
  const TemporaryFile file("shared");
  if (sqlite3_compileoption_used("OMIT_SHARED_CACHE") != 0) return;
  REQUIRE(sqlite3_enable_shared_cache(1) == SQLITE_OK);
  {
    Connection a(file.path());
    Connection b(file.path());
    fill(a);
    a.run("BEGIN; UPDATE t SET y = 0 WHERE id = 1");
    CHECK(primary_code_of(b, "SELECT * FROM t") == SQLITE_LOCKED);
    CHECK(primary_code_of(b, "DELETE FROM t") == SQLITE_LOCKED);
    a.run("COMMIT");
    CHECK(b.one("SELECT count(*) FROM t") == "60");
    b.run("DELETE FROM t WHERE id = 1");
    CHECK(a.one("SELECT count(*) FROM t WHERE e MATCH '[1,0,0,0]'") == "59");
    check_sound(a);
  }
  REQUIRE(sqlite3_enable_shared_cache(0) == SQLITE_OK);
}

TEST_CASE("a table that another connection of a shared cache reads is not half changed", "[surface][cases]") {
  if (sqlite3_compileoption_used("OMIT_SHARED_CACHE") != 0) return;
  // What is read stays locked until the reader's transaction ends; that is not every shadow table.
  const std::string read =
      GENERATE("SELECT count(*) FROM t WHERE e MATCH vec_random(1024, 1) AND transform = 'none'",
               "SELECT count(*) FROM t", "SELECT row_count FROM isovec_info('t')");
  CAPTURE(read);
  REQUIRE(sqlite3_enable_shared_cache(1) == SQLITE_OK);
  {
    const TemporaryFile file("shared_change");
    Connection reader(file.path());
    Connection writer(file.path());
    writer.run(
        "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[1024] transform='center', y "
        "integer indexed, +body text);"
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 9)"
        "INSERT INTO t(id, e, y) SELECT i, vec_random(1024, i), i % 4 FROM c; DELETE FROM t WHERE id = 2;");
    reader.run("BEGIN");
    REQUIRE(reader.one(read) == "8");
    const std::string all = "SELECT id, hex(e), y, body FROM t";
    const Rows before = writer.rows(all);
    for (const char* sql :
         {"INSERT INTO t(id, e) VALUES (90, vec_random(1024, 90))", "UPDATE t SET y = 7 WHERE id = 5",
          "UPDATE t SET body = 'x' WHERE id = 5", "UPDATE t SET e = vec_random(1024, 7) WHERE id = 5",
          "DELETE FROM t WHERE id = 5", "INSERT INTO t(t) VALUES ('fit')",
          "INSERT INTO t(t) VALUES ('optimize')", "INSERT INTO t(t) VALUES ('rebuild')",
          "INSERT INTO t(t) VALUES ('unfit')", "DROP TABLE t", "ALTER TABLE t RENAME TO s"}) {
      CAPTURE(sql);
      writer.run("BEGIN");
      CHECK(primary_code_of(writer, sql) == SQLITE_LOCKED);
      CHECK(writer.rows(all) == before);
      CHECK(writer.one("SELECT isovec_check('t')") == "ok");
      writer.run("COMMIT");
    }
    reader.run("COMMIT");
    writer.run("DELETE FROM t WHERE id = 5; INSERT INTO t(t) VALUES ('fit')");
    check_sound(reader);
  }
  REQUIRE(sqlite3_enable_shared_cache(0) == SQLITE_OK);
}

TEST_CASE("a statement given up half-way runs again from its start", "[surface][cases]") {
  Connection db;
  fill(db);
  for (const char* sql :
       {"SELECT id FROM t", "SELECT id, body FROM t WHERE y = 3", "SELECT id FROM t WHERE id IN (5, 9, 60)",
        "SELECT id, distance FROM t WHERE e MATCH '[1,0,0,0]'",
        "SELECT id FROM t WHERE e MATCH '[1,0,0,0]' AND y IN (1, 2) AND k = 8",
        "SELECT t.id, o.id FROM t JOIN t AS o ON o.e MATCH t.e AND o.k = 3",
        "SELECT id FROM t WHERE e MATCH '[1,0,0,0]' ORDER BY y",
        "SELECT rowid, value FROM vec_each('[1,2,3]')", "SELECT name FROM isovec_info('t')"}) {
    CAPTURE(sql);
    const Rows expected = db.rows(sql);
    REQUIRE(expected.size() > 0);
    const sqlite3_int64 memory = sqlite3_memory_used();
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), sql, -1, &statement, nullptr) == SQLITE_OK);
    for (std::size_t stop = 0; stop <= expected.size(); ++stop) {
      for (std::size_t row = 0; row < stop; ++row) {
        REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
        CHECK(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)) == expected[row][0]);
      }
      CHECK(sqlite3_reset(statement) == SQLITE_OK);
    }
    CHECK(sqlite3_finalize(statement) == SQLITE_OK);
    CHECK(sqlite3_memory_used() <= memory + 100'000);
  }
}

TEST_CASE("what SQLite has not for virtual tables is refused by SQLite", "[surface][cases]") {
  Connection db;
  fill(db);
  CHECK(db.error("INSERT INTO t(id, e) VALUES (1, '[1,2,3,4]') ON CONFLICT(id) DO UPDATE SET y = 1")
            .find("UPSERT not implemented for virtual table") != std::string::npos);
  CHECK(db.error("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END") ==
        "cannot create triggers on virtual tables");
  CHECK(db.error("CREATE INDEX i ON t(y)") == "virtual tables may not be indexed");
  CHECK(db.error("ALTER TABLE t ADD COLUMN z") == "virtual tables may not be altered");
  CHECK(db.error("CREATE VIRTUAL TABLE s USING isovec(e float[2]) STRICT") ==
        "near \"STRICT\": syntax error");
  CHECK(db.error("CREATE VIRTUAL TABLE s USING isovec(e float[2], z integer AS (1))")
            .find("in 'z integer AS (1)'") != std::string::npos);
  CHECK(db.error("ALTER TABLE t RENAME COLUMN y TO z").find("virtual table") != std::string::npos);
  CHECK(db.error("UPDATE t SET y = 1 WHERE id = 1 RETURNING id").find("RETURNING") != std::string::npos);
  CHECK(db.one("INSERT INTO t(id, e) VALUES (900, '[1,2,3,4]') RETURNING id") == "900");
  CHECK(db.one("SELECT last_insert_rowid()") == "900");
  check_sound(db);
}

TEST_CASE("foreign keys refer to no table of isovec's, and do not stop its changes", "[surface][cases]") {
  Connection db;
  db.run("PRAGMA foreign_keys = ON");
  fill(db);
  db.run("CREATE TABLE child(t INTEGER REFERENCES t(id))");
  // The primary key is not declared to SQLite, so there is nothing to refer to.
  CHECK(db.error("INSERT INTO child VALUES (1)").find("foreign key mismatch") != std::string::npos);
  for (const char* sql : {"INSERT INTO t(id, e) VALUES (800, '[1,2,3,4]')",
                          "UPDATE t SET y = 9 WHERE id = 800", "DELETE FROM t WHERE id = 800"}) {
    const int code = primary_code_of(db, sql);
    CAPTURE(sql);
    CHECK((code == SQLITE_OK || code == SQLITE_ERROR));
  }
  check_sound(db);
  db.run("DROP TABLE child; CREATE TABLE parent(id INTEGER PRIMARY KEY)");
  db.run("INSERT INTO t(id, e) VALUES (801, '[1,2,3,4]'); DELETE FROM t WHERE id = 801");
}

TEST_CASE("tables and columns may have any name", "[surface][cases]") {
  const std::string long_name(1000, 'n');
  for (const std::string& name :
       {std::string("we\"ird t"), std::string("select"), std::string("bảng từ"), long_name,
        std::string("a'b"), std::string("a_rows"), std::string("x.y"), std::string("%s[1]")}) {
    for (const std::string schema : {"main", "temp"}) {
      CAPTURE(name, schema);
      Connection db;
      std::string quoted = "\"";
      for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
      quoted += '"';
      const std::string column = quoted.substr(0, quoted.size() - 1) + " c\"";
      const std::string table = schema + "." + quoted;
      db.run("CREATE VIRTUAL TABLE " + table + " USING isovec(" + column +
             " float[2] transform='center', \"k 2\" text indexed)");
      db.run("INSERT INTO " + table + "(" + column +
             ", \"k 2\") VALUES ('[1,0]', 'a'), ('[0,1]', 'b'), ('[1,1]', 'a')");
      db.run("INSERT INTO " + table + "(" + quoted + ") VALUES ('fit')");
      CHECK(db.one("SELECT count(*) FROM " + table + " WHERE " + column +
                   " MATCH '[2,0]' AND \"k 2\" = 'a'") == "2");
      db.run("UPDATE " + table + " SET " + column + " = '[3,3]' WHERE \"k 2\" = 'b'; DELETE FROM " + table +
             " WHERE rowid = 1");
      CHECK(db.one("SELECT isovec_check(?, ?)", name, schema) == "ok");
      CHECK(db.one("SELECT name FROM isovec_info(?, ?)", name, schema) == name + " c");
      db.run("ALTER TABLE " + table + " RENAME TO " + "\"other\"");
      CHECK(db.one("SELECT isovec_check('other', ?)", schema) == "ok");
      db.run("DROP TABLE " + schema + ".other");
      CHECK(db.one("SELECT count(*) FROM " + schema + ".sqlite_schema") == "0");
    }
  }
}

TEST_CASE("text in double quotes that is no name makes no difference", "[surface][cases]") {
  Connection db;
  REQUIRE(sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr) == SQLITE_OK);
  fill(db);
  db.run(
      "UPDATE t SET y = y + 1; DELETE FROM t WHERE id > 50; INSERT INTO t(t) VALUES ('optimize'), "
      "('rebuild')");
  db.run("INSERT INTO t(t) VALUES ('fit whiten eps=1'); ALTER TABLE t RENAME TO s");
  CHECK(db.rows("SELECT id FROM s WHERE e MATCH '[1,0,0,0]' AND y LIKE '3' AND k = 3").size() == 3);
  check_sound(db, "s");
}

TEST_CASE("hooks see the changes of a table's rows as SQLite tells them, and disturb nothing",
          "[surface][cases]") {
  Connection db;
  long calls = 0;
  const auto count = [](void* to, int, const char*, const char*, sqlite3_int64) {
    ++*static_cast<long*>(to);
  };
  sqlite3_update_hook(db.handle(), count, &calls);
  sqlite3_commit_hook(
      db.handle(), [](void* to) { return ++*static_cast<long*>(to), 0; }, &calls);
  sqlite3_rollback_hook(
      db.handle(), [](void* to) { ++*static_cast<long*>(to); }, &calls);
  sqlite3_trace_v2(
      db.handle(), SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE | SQLITE_TRACE_ROW | SQLITE_TRACE_CLOSE,
      [](unsigned, void* to, void*, void*) { return ++*static_cast<long*>(to), 0; }, &calls);
  fill(db);
  db.run(
      "UPDATE t SET y = 3 WHERE id < 9; DELETE FROM t WHERE id = 1; INSERT INTO t(t) VALUES ('fit center'), "
      "('optimize')");
  db.run("BEGIN; DELETE FROM t; ROLLBACK");
  CHECK(db.rows("SELECT id FROM t WHERE e MATCH '[1,0,0,0]'").size() == 59);
  CHECK(calls > 200);
  check_sound(db);
  sqlite3_commit_hook(
      db.handle(), [](void*) { return 1; }, nullptr);  // turns every COMMIT into a ROLLBACK
  CHECK(primary_code_of(db, "DELETE FROM t") == SQLITE_CONSTRAINT);
  sqlite3_commit_hook(db.handle(), nullptr, nullptr);
  CHECK(db.one("SELECT count(*) FROM t") == "59");
  check_sound(db);
}

TEST_CASE("columns beyond the sixty-fourth are read and written like the others", "[surface][cases]") {
  Connection db;
  std::string columns, names, values;
  for (int i = 0; i < 90; ++i) {
    const std::string n = std::to_string(i);
    columns += std::string(", ") + (i % 3 == 0 ? "+" : "") + "c" + n + " integer";
    names += ", c" + n;
    values += ", " + n;
  }
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY" + columns +
         ", e float[2], f float[2])");
  db.run("INSERT INTO t(id, e, f" + names + ") VALUES (1, '[1,0]', '[2,0]'" + values +
         "), (2, '[0,1]', '[0,2]'" + values + ")");
  db.run("UPDATE t SET c88 = 1000 WHERE id = 2; UPDATE t SET f = '[5,5]' WHERE id = 2");
  for (int i = 0; i < 90; ++i) {
    const std::string n = std::to_string(i);
    CAPTURE(i);
    CHECK(db.one("SELECT c" + n + " FROM t WHERE id = 1") == n);
    CHECK(db.one("SELECT c" + n + " FROM t WHERE e MATCH '[0,1]' AND k = 1") == (i == 88 ? "1000" : n));
    CHECK(db.one("SELECT count(*) FROM t WHERE c" + n + " = " + n) == (i == 88 ? "1" : "2"));
  }
  CHECK(db.one("SELECT vec_to_json(e) || vec_to_json(f) FROM t WHERE id = 2") == "[0,1][5,5]");
  CHECK(db.one("SELECT id FROM t WHERE f MATCH '[1,0]' AND distance < 0.1") == "1");
  check_sound(db);
}

TEST_CASE("of equal vectors each is a row of its own", "[surface][cases]") {
  Connection db;
  db.run(kCreate);
  db.run("INSERT INTO t(id, e) VALUES (1, '[1,2,3,4]'), (2, '[1,2,3,4]'), (3, '[4,3,2,1]')");
  db.run("DELETE FROM t WHERE id = 1");
  CHECK(db.rows("SELECT id FROM t WHERE e MATCH '[1,2,3,4]'") == Rows{{"2"}, {"3"}});
  db.run("INSERT INTO t(id, e) VALUES (1, '[1,2,3,4]')");
  CHECK(db.rows("SELECT id FROM t WHERE e MATCH '[1,2,3,4]' AND distance < 1e-6") == Rows{{"1"}, {"2"}});
}

TEST_CASE("a table survives being serialized and read back", "[surface][cases]") {
  Connection db;
  fill(db);
  const Rows before = db.rows("SELECT * FROM t");
  sqlite3_int64 size = 0;
  unsigned char* image = sqlite3_serialize(db.handle(), "main", &size, 0);
  REQUIRE(image != nullptr);
  Connection copy;
  REQUIRE(sqlite3_deserialize(copy.handle(), "main", image, size, size,
                              SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
  CHECK(copy.rows("SELECT * FROM t") == before);
  copy.run("DELETE FROM t WHERE id = 3; INSERT INTO t(e) VALUES ('[1,2,3,4]')");
  check_sound(copy);
  CHECK(db.rows("SELECT * FROM t") == before);
}

TEST_CASE("a limit on memory gives answers or SQLITE_NOMEM", "[surface][cases]") {
  const TemporaryFile file("heap");
  {
    Connection db(file.path());
    db.run(
        "PRAGMA synchronous = OFF; CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[64], "
        "y integer);"
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
        "INSERT INTO t(id, e, y) SELECT i, vec_random(64, i % 50), i % 9 FROM c");
  }
  Connection db(file.path());
  long answered = 0;
  for (const sqlite3_int64 limit : {200'000LL, 400'000LL, 800'000LL, 1'600'000LL, 4'000'000LL}) {
    CAPTURE(limit);
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + limit);
    const int search =
        primary_code_of(db, "SELECT id FROM t WHERE e MATCH vec_random(64, 3) AND k = 10 AND y > 2");
    const int change = primary_code_of(db, "UPDATE t SET y = y + 1 WHERE id < 3000");
    sqlite3_hard_heap_limit64(0);
    CHECK((search == SQLITE_OK || search == SQLITE_NOMEM));
    CHECK((change == SQLITE_OK || change == SQLITE_NOMEM));
    answered += search == SQLITE_OK ? 1 : 0;
  }
  CHECK(answered > 0);
  check_sound(db);
}
