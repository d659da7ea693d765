// A host that says no: an authorizer that refuses at any of its callbacks, limits set low, and a connection
// in defensive mode. Whatever is refused, the error says so and the table is what it was or what it should
// be.

#include <algorithm>
#include <cstdlib>

#include "connection.hpp"

namespace {

using isovec::test::code_of;
using isovec::test::Connection;
using isovec::test::SqlError;

constexpr const char* kSetup =
    "CREATE TABLE other(x);"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[3] transform='center', b float16[8] "
    "distance_metric=l2, part text partition key, year integer indexed, +body text, +more text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 40)"
    "INSERT INTO t(id, a, b, part, year, body) SELECT i, vec_f32('[' || i || ',' || (i * i % 7) || ',1]'), "
    "vec_f16(vec_random(8, i)), 'p' || (i % 3), 2000 + i, 'body ' || i FROM c;"
    "DELETE FROM t WHERE id IN (4, 9, 20);"
    "INSERT INTO t(t) VALUES ('fit');";

struct Operation {
  const char* sql;
  bool changes = true;
};
constexpr Operation kOperations[] = {
    {"CREATE VIRTUAL TABLE u USING isovec(name TEXT PRIMARY KEY, e float[8], m real indexed, +x blob)"},
    {"INSERT INTO t(a, b, body) VALUES ('[1,2,3]', zeroblob(16), 'new')"},
    {"INSERT OR REPLACE INTO t(id, a, b) VALUES (7, '[3,2,1]', zeroblob(16))"},
    {"UPDATE t SET a = '[9,9,1]', year = 5, body = 'changed' WHERE id = 3"},
    {"UPDATE t SET id = 100 WHERE id = 11"},
    {"DELETE FROM t WHERE year > 2030"},
    {"INSERT INTO t(t) VALUES ('fit column=a whiten eps=1')"},
    {"INSERT INTO t(t) VALUES ('unfit')"},
    {"INSERT INTO t(t) VALUES ('optimize')"},
    {"INSERT INTO t(t) VALUES ('integrity-check')", false},
    {"SELECT id, distance, body FROM t WHERE a MATCH '[1,0,0]' AND year > 2003 AND k = 5", false},
    {"SELECT * FROM t", false},
    {"ALTER TABLE t RENAME TO s"},
    {"DROP TABLE t"},
};

// What users see of the tables there are.
std::string content(Connection& db) {
  std::string text;
  const auto add = [&](const std::string& sql) {
    for (const auto& row : db.rows(sql)) {
      for (const std::string& value : row) text += value + "|";
    }
  };
  for (const auto& name :
       db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%' ORDER BY name")) {
    text += name[0] + ":";
    add("SELECT * FROM " + name[0]);
    if (name[0] == "u") continue;
    add("SELECT id, printf('%.12g', distance) FROM " + name[0] + " WHERE b MATCH zeroblob(16) AND k = 5");
    add("SELECT transform, rows_at_fit FROM isovec_info('" + name[0] + "')");
  }
  return text;
}

void check_sound(Connection& db) {
  CHECK(db.one("PRAGMA integrity_check") == "ok");
  for (const auto& name : db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'")) {
    CHECK(db.one("SELECT isovec_check(?)", name[0]) == "ok");
  }
}

// A connection of its own for each try, so that nothing is prepared yet, to a copy of one database.
class Copy : public Connection {
 public:
  Copy() {
    static const std::string image = make_image();
    auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
    REQUIRE(bytes != nullptr);
    std::memcpy(bytes, image.data(), image.size());
    const auto size = static_cast<sqlite3_int64>(image.size());
    REQUIRE(sqlite3_deserialize(handle(), "main", bytes, size, size,
                                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
  }

 private:
  static std::string make_image() {
    Connection db;
    db.run(kSetup);
    sqlite3_int64 size = 0;
    unsigned char* bytes = sqlite3_serialize(db.handle(), "main", &size, 0);
    REQUIRE(bytes != nullptr);
    std::string image(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    sqlite3_free(bytes);
    return image;
  }
};

std::string content_after(const char* sql) {
  Copy db;
  db.rows(sql);
  return content(db);
}

// Every so many callbacks are tried.
long stride() {
  const char* wanted = std::getenv("ISOVEC_HOSTILE_STRIDE");
  return wanted != nullptr ? std::max(1L, std::atol(wanted)) : 7;
}

struct Refusal {
  int answer;
  long left;  ///< callbacks until the one that is refused
  bool fired = false;
  bool of_pragma = false;  ///< What was refused only told of sizes: it is done without.
};

int authorize(void* state, int action, const char*, const char*, const char*, const char*) {
  auto& refusal = *static_cast<Refusal*>(state);
  if (refusal.left-- != 0) return SQLITE_OK;
  refusal.fired = true;
  refusal.of_pragma = action == SQLITE_PRAGMA;
  return refusal.answer;
}

// Runs an operation with the n-th callback refused. False where it made fewer than that.
bool refuse_at(const Operation& operation, int answer, long n, const std::string& before,
               const std::string& after) {
  CAPTURE(operation.sql, answer, n);
  Copy db;
  db.run("BEGIN; INSERT INTO other VALUES (1)");
  Refusal refusal{answer, n};
  sqlite3_set_authorizer(db.handle(), authorize, &refusal);
  int rc = SQLITE_OK;
  try {
    db.rows(operation.sql);
  } catch (const SqlError& error) {
    rc = error.result_code & 0xFF;
  }
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  CHECK(sqlite3_get_autocommit(db.handle()) == 0);  // the transaction goes on
  if (refusal.fired && refusal.of_pragma) CHECK(rc == SQLITE_OK);
  if (refusal.fired && !refusal.of_pragma && answer == SQLITE_DENY)
    CHECK((rc == SQLITE_AUTH || rc == SQLITE_ERROR));
  const std::string now = content(db);
  if (rc == SQLITE_OK) {
    CHECK((now == after || now == before));
  } else {
    CHECK(now == before);
  }
  check_sound(db);
  db.run("COMMIT");
  CHECK(db.one("SELECT count(*) FROM other") == "1");
  return refusal.fired;
}

}  // namespace

TEST_CASE("an authorizer that denies at any of its callbacks stops the operation and changes nothing",
          "[surface][hostile]") {
  long refused = 0;
  for (const Operation& operation : kOperations) {
    const std::string after = content_after(operation.sql);
    const std::string before = content_after("SELECT 1");
    long n = 0;
    while (refuse_at(operation, SQLITE_DENY, n, before, after)) n += stride(), ++refused;
  }
  CHECK(refused > 100);
}

TEST_CASE("an authorizer that ignores every INSERT into shadow tables changes nothing",
          "[surface][hostile]") {
  for (const Operation& operation : kOperations) {
    if (std::string_view(operation.sql).starts_with("CREATE")) continue;  // see below
    CAPTURE(operation.sql);
    Copy db;
    const std::string before = content(db), after = content_after(operation.sql);
    const auto ignore = [](void*, int action, const char* table, const char*, const char*, const char*) {
      const bool shadow = table != nullptr && std::string_view(table).find('_') != std::string_view::npos;
      return action == SQLITE_INSERT && shadow ? SQLITE_IGNORE : SQLITE_OK;
    };
    sqlite3_set_authorizer(db.handle(), ignore, nullptr);
    const int rc = code_of(db, operation.sql);
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    CHECK(content(db) == (rc == SQLITE_OK ? after : before));
    check_sound(db);
  }
}

TEST_CASE("an authorizer that ignores a read or a write cannot damage a table unseen", "[surface][hostile]") {
  for (const Operation& operation : kOperations) {
    // SQLite 3.40 itself crashes where it shall ignore part of a CREATE TABLE with UNIQUE.
    if (std::string_view(operation.sql).starts_with("CREATE")) continue;
    if (std::string_view(operation.sql).find("optimize") != std::string_view::npos) continue;
    CAPTURE(operation.sql);
    bool fired = true;
    for (long n = 0; fired; n += stride()) {
      CAPTURE(n);
      Copy db;
      Refusal refusal{SQLITE_IGNORE, n};
      sqlite3_set_authorizer(db.handle(), authorize, &refusal);
      try {
        db.rows(operation.sql);
      } catch (const SqlError& error) {
        CHECK(std::string(error.what()) != "");
      }
      fired = refusal.fired;
      // An authorizer makes SQLite prepare statements anew, its removal does not.
      refusal = {SQLITE_OK, 0};
      sqlite3_set_authorizer(db.handle(), authorize, &refusal);
      // What was passed over may be missing; then the check says so, and nothing crashes.
      for (const auto& name : db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'")) {
        try {
          if (db.one("SELECT isovec_check(?)", name[0]) != "ok") continue;
          db.run("INSERT INTO " + name[0] + "(" + name[0] + ") VALUES ('rebuild')");
          CHECK(db.one("SELECT isovec_check(?)", name[0]) == "ok");
        } catch (const SqlError& error) {
          CHECK((error.result_code == SQLITE_CORRUPT_VTAB || error.result_code == SQLITE_ERROR));
        }
      }
    }
  }
}

TEST_CASE("limits set low give errors, never a wrong answer or damage", "[surface][hostile]") {
  constexpr std::pair<int, int> kLimits[] = {
      {SQLITE_LIMIT_LENGTH, 30},          {SQLITE_LIMIT_LENGTH, 100},
      {SQLITE_LIMIT_LENGTH, 4000},        {SQLITE_LIMIT_SQL_LENGTH, 40},
      {SQLITE_LIMIT_SQL_LENGTH, 130},     {SQLITE_LIMIT_COLUMN, 1},
      {SQLITE_LIMIT_COLUMN, 4},           {SQLITE_LIMIT_EXPR_DEPTH, 1},
      {SQLITE_LIMIT_EXPR_DEPTH, 3},       {SQLITE_LIMIT_COMPOUND_SELECT, 1},
      {SQLITE_LIMIT_VDBE_OP, 10},         {SQLITE_LIMIT_VDBE_OP, 40},
      {SQLITE_LIMIT_FUNCTION_ARG, 1},     {SQLITE_LIMIT_FUNCTION_ARG, 2},
      {SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 1},  {SQLITE_LIMIT_VARIABLE_NUMBER, 3},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 10}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
      {SQLITE_LIMIT_WORKER_THREADS, 0}};
  const std::string before = content_after("SELECT 1");
  for (const Operation& operation : kOperations) {
    const std::string after = content_after(operation.sql);
    for (const auto& [limit, value] : kLimits) {
      for (const bool warm : {false, true}) {
        CAPTURE(operation.sql, limit, value, warm);
        Copy db;
        // What is prepared already meets the limit later: in the middle of its writes, if it may.
        if (warm) db.run(std::string("SAVEPOINT s; ") + operation.sql + "; ROLLBACK TO s; RELEASE s");
        db.run("BEGIN");
        const int usual = sqlite3_limit(db.handle(), limit, value);
        bool failed = false;
        try {
          db.rows(operation.sql);
        } catch (const SqlError& error) {
          failed = true;
          CHECK(error.result_code != SQLITE_MISUSE);
          CHECK(error.result_code != SQLITE_INTERNAL);
        }
        sqlite3_limit(db.handle(), limit, usual);
        CHECK(content(db) == (failed ? before : after));
        check_sound(db);
        if (sqlite3_get_autocommit(db.handle()) == 0) db.run("COMMIT");
      }
    }
  }
}

TEST_CASE("a change that is refused late is taken back whole", "[surface][hostile]") {
  // Constraints that somebody else laid on a shadow table, and rows longer than a value may be: in a
  // transaction, where SQLite itself takes back no statement of a single row.
  constexpr int kLimit = 70'000;
  const bool wide = GENERATE(false, true);  // whether the file stores text in twice the bytes
  Connection db;
  if (wide) db.run("PRAGMA encoding = 'UTF-16le'");
  db.run(kSetup);
  db.run(
      "PRAGMA foreign_keys = ON; CREATE TABLE child(t INTEGER REFERENCES t_rows(id));"
      "INSERT INTO child VALUES (5); CREATE UNIQUE INDEX years ON t_rows(m0)");
  const std::string before = content(db);
  const auto goes_on_after = [&](const std::string& sql) {
    CAPTURE(sql, wide);
    db.run("DELETE FROM other; BEGIN; INSERT INTO other VALUES (1)");
    const int usual = sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, kLimit);
    CHECK_THROWS_AS(db.run(sql), SqlError);
    sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, usual);
    CHECK(content(db) == before);
    check_sound(db);
    const bool goes_on = sqlite3_get_autocommit(db.handle()) == 0;
    if (goes_on) db.run("COMMIT");
    CHECK(db.one("SELECT count(*) FROM other") == (goes_on ? "1" : "0"));
    check_sound(db);
    return goes_on;
  };
  CHECK(goes_on_after("UPDATE t SET year = 2006 WHERE id = 5"));
  CHECK(goes_on_after("UPDATE OR REPLACE t SET id = 7 WHERE id = 5"));
  CHECK(goes_on_after("UPDATE OR REPLACE t SET id = 7, year = 2010 WHERE id = 6"));
  CHECK(goes_on_after("DELETE FROM t WHERE id = 5"));
  CHECK(goes_on_after("DELETE FROM t"));
  CHECK(goes_on_after("INSERT INTO t(a, b, year) VALUES ('[1,2,3]', zeroblob(16), 2006)"));
  const std::string insert = "INSERT INTO t(a, b, body, more) VALUES ('[1,2,3]', zeroblob(16), ";
  CHECK(goes_on_after(insert + "zeroblob(40000), zeroblob(40000))"));
  CHECK(
      goes_on_after("UPDATE t SET body = zeroblob(40000), more = zeroblob(40000), part = 'x' WHERE id = 5"));
  // Here it is SQLite that finds the row too long, when half of it is written: then the transaction goes.
  if (wide) CHECK_FALSE(goes_on_after(insert + "printf('%020000d', 1), printf('%020000d', 1))"));
}

TEST_CASE("a connection in defensive mode can do everything with a table and nothing with its shadow tables",
          "[surface][hostile]") {
  Copy db;
  REQUIRE(sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr) == SQLITE_OK);
  const auto shadows = db.rows(
      "SELECT name, (SELECT name FROM pragma_table_info(s.name) LIMIT 1), (SELECT count(*) FROM "
      "pragma_table_info(s.name)) FROM sqlite_schema s WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE "
      "'\\'");
  CHECK(shadows.size() == 10);
  for (const auto& shadow : shadows) {
    const std::string& name = shadow[0];
    const std::string& column = shadow[1];
    std::string values = "NULL";
    for (int i = 1; i < std::stoi(shadow[2]); ++i) values += ", NULL";
    for (const std::string& sql :
         {"INSERT INTO " + name + " VALUES (" + values + ")", "UPDATE " + name + " SET " + column + " = 1",
          "DELETE FROM " + name, "REPLACE INTO " + name + " VALUES (" + values + ")"}) {
      CHECK(db.error(sql) == "table " + name + " may not be modified");
    }
    CHECK(db.error("DROP TABLE " + name) == "table " + name + " may not be dropped");
    for (const std::string& sql :
         {"ALTER TABLE " + name + " RENAME TO x", "ALTER TABLE " + name + " ADD COLUMN x",
          "ALTER TABLE " + name + " DROP COLUMN " + column,
          "ALTER TABLE " + name + " RENAME COLUMN " + column + " TO x"}) {
      CHECK(db.error(sql) == "table " + name + " may not be altered");
    }
  }
  for (const Operation& operation : kOperations) {
    db.run("SAVEPOINT s");
    db.rows(operation.sql);
    check_sound(db);
    db.run("ROLLBACK TO s; RELEASE s");
  }
  db.run("INSERT INTO t(t) VALUES ('rebuild'); VACUUM");
  check_sound(db);
}
