// Something else under the name of a shadow table: a view, another table, one with more columns or with
// triggers, one that reads the table itself. It is refused by a sentence that names it, and nothing of it
// runs.

#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;
using isovec::test::TemporaryFile;

constexpr const char* kSetup =
    "CREATE VIRTUAL TABLE t USING isovec(key TEXT PRIMARY KEY, a float[3] transform='center', b int8[4] "
    "distance_metric=l2, year integer, lang text indexed, +body text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 12)"
    "INSERT INTO t(key, a, b, year, lang, body) SELECT 'k' || i, '[' || i || ',' || (i * i % 7) || ',1]',"
    "  '[1,2,3,' || i || ']', 2000 + i, 'l' || (i % 3), 'body ' || i FROM c;"
    "DELETE FROM t WHERE key IN ('k4', 'k9'); INSERT INTO t(t) VALUES ('fit');"
    "CREATE TABLE spied(x);";

constexpr const char* kUses[] = {
    "SELECT key, a, body FROM t",
    "SELECT key, distance FROM t WHERE a MATCH '[1,0,0]' AND k = 3",
    "SELECT key FROM t WHERE b MATCH '[1,0,0,0]' AND year > 2010 LIMIT 3",
    "SELECT body FROM t WHERE key = 'k3'",
    "INSERT INTO t(key, a, b) VALUES ('new', '[1,2,3]', '[1,2,3,4]')",
    "UPDATE t SET a = '[0,1,0]', year = 1, body = 'x' WHERE key = 'k3'",
    "DELETE FROM t WHERE key = 'k5'",
    "INSERT INTO t(t) VALUES ('fit')",
    "INSERT INTO t(t) VALUES ('unfit')",
    "INSERT INTO t(t) VALUES ('optimize')",
    "INSERT INTO t(t) VALUES ('rebuild')",
    "INSERT INTO t(t) VALUES ('integrity-check')",
};

constexpr const char* kSuffixes[] = {"config", "rows",  "aux",   "slots", "room",
                                     "chunks", "norms", "marks", "codes", "transforms"};

struct Damage {
  const char* what;
  const char* sql;    ///< @ stands for the name of the shadow table.
  bool lasts = true;  ///< Longer than the connection.
};
constexpr Damage kDamages[] = {
    {"missing", "DROP TABLE @"},
    {"a view of what was there", "ALTER TABLE @ RENAME TO old; CREATE VIEW @ AS SELECT * FROM old"},
    {"a view of the table itself",
     "DROP TABLE @; CREATE VIEW @ AS SELECT 0 AS page, 'state' AS key, count(*) AS value, 1 AS id, 1 AS "
     "slot, "
     "x'00' AS map, x'00' AS data FROM t"},
    {"a table without its keys", "ALTER TABLE @ RENAME TO old; CREATE TABLE @ AS SELECT * FROM old"},
    {"one column more", "ALTER TABLE @ ADD COLUMN extra"},
    {"another isovec table", "ALTER TABLE @ RENAME TO old; CREATE VIRTUAL TABLE @ USING isovec(e float[2])"},
    {"with a trigger", "CREATE TRIGGER spy BEFORE UPDATE ON @ BEGIN INSERT INTO spied VALUES (1); END"},
    {"with a trigger that changes the table",
     "CREATE TRIGGER spy AFTER INSERT ON @ BEGIN DELETE FROM t; INSERT INTO spied VALUES (1); END"},
    {"with a temporary trigger",
     "CREATE TEMP TRIGGER spy AFTER DELETE ON main.@ BEGIN INSERT INTO spied VALUES (1); END", false},
};

std::string with(const std::string& text, const std::string& name) {
  std::string result;
  for (const char c : text) result += c == '@' ? name : std::string(1, c);
  return result;
}

// No use of the table passes, each names the shadow table, and nothing that stands on it has run.
void check_refused(Connection& db, const std::string& name) {
  for (const char* sql : kUses) {
    CAPTURE(sql);
    try {
      db.rows(sql);
      CHECK(false);  // it passed
    } catch (const SqlError& error) {
      CHECK(error.result_code == SQLITE_CORRUPT_VTAB);
      CAPTURE(error.what());
      CHECK(std::string(error.what()).find(name) != std::string::npos);
    }
  }
  CHECK(db.one("SELECT isovec_check('t')").find(name) != std::string::npos);
  CHECK(db.one("SELECT count(*) FROM spied") == "0");
}

}  // namespace

TEST_CASE("whatever stands in the place of a shadow table is refused by every use of its table",
          "[storage][corruption]") {
  const TemporaryFile file("replaced");
  for (const char* suffix : kSuffixes) {
    const std::string name = std::string("t_") + suffix;
    for (const Damage& damage : kDamages) {
      CAPTURE(name, damage.what);
      file.remove();
      {
        Connection db(file.path());
        db.run(std::string("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;") + kSetup);
        db.rows("SELECT key FROM t WHERE a MATCH '[1,0,0]' AND k = 3");  // it has been looked at
        db.run(with(damage.sql, name));
        check_refused(db, name);
      }
      Connection db(file.path());
      if (damage.lasts) check_refused(db, name);
      db.run("DROP TABLE t");
    }
  }
}

TEST_CASE("tables and views of the connection's own do not stand before shadow tables",
          "[storage][corruption]") {
  Connection db;
  db.run(kSetup);
  for (const char* suffix : kSuffixes)
    db.run(with("CREATE TEMP VIEW @ AS SELECT * FROM t", std::string("t_") + suffix));
  for (const char* sql : kUses) {
    CAPTURE(sql);
    db.rows(sql);
  }
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
  db.run("DROP TABLE t");
}

TEST_CASE("what is said of a shadow table tells what is wrong with it and what to do",
          "[storage][corruption]") {
  const auto refusal = [](const std::string& damage) {
    const TemporaryFile file("refusal");
    {
      Connection db(file.path());
      db.run(kSetup);
      if (damage.find("TEMP") == std::string::npos) db.run(damage);
    }
    Connection db(file.path());
    if (damage.find("TEMP") != std::string::npos) db.run(damage);
    return db.error("SELECT count(*) FROM t");
  };
  CHECK(refusal("DROP TABLE t_slots") ==
        "t: the shadow table t_slots is missing: restore the database from a backup, "
        "or DROP this table and fill it again");
  CHECK(refusal("DROP TABLE t_room; CREATE VIEW t_room AS SELECT 1 AS page").find("t_room is a view") !=
        std::string::npos);
  CHECK(refusal("ALTER TABLE t_rows ADD COLUMN extra").find("is not what isovec made") != std::string::npos);
  CHECK(refusal("ALTER TABLE t_chunks RENAME TO x; CREATE VIRTUAL TABLE t_chunks USING isovec(a float[2])")
            .find("t_chunks is not what isovec made") != std::string::npos);
  CHECK(refusal("CREATE TRIGGER spy AFTER INSERT ON t_rows BEGIN SELECT 1; END")
            .find("the trigger spy stands on the shadow table t_rows") != std::string::npos);
  CHECK(refusal("CREATE TEMP TRIGGER spy AFTER INSERT ON main.t_rows BEGIN SELECT 1; END")
            .find("the trigger spy stands on the shadow table t_rows") != std::string::npos);
  CHECK(refusal("UPDATE t_config SET value = 1 WHERE key = 'format'") ==
        "t: the table is stored in format 1 and this isovec reads formats 2 and 3: copy its rows into a new "
        "table "
        "with "
        "the isovec that made it");
  CHECK(refusal("UPDATE t_config SET value = 99 WHERE key = 'format'") ==
        "t: the table is stored in format 99 and this isovec reads formats 2 and 3: use a newer isovec");
}
