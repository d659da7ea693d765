// The life of a table: made, renamed, copied, shared between connections, dropped.

#include <sys/stat.h>

#include "connection.hpp"
#include "interrupting_thread.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::TemporaryFile;

constexpr const char* kFill =
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50)"
    "INSERT INTO t(id, a, y, x) SELECT i, '[' || i || ',1]', i % 7, 'x' || i FROM c;";
constexpr const char* kCreate =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[2] transform='center', y integer "
    "indexed, +x text);";

std::string digest(Connection& db, const std::string& table = "t") {
  return db.one("SELECT group_concat(id || hex(a) || y || x) FROM (SELECT * FROM " + table +
                " ORDER BY id)") +
         db.one("SELECT group_concat(id) FROM (SELECT id FROM " + table + " WHERE a MATCH '[3,1]')");
}

void fill(Connection& db) {
  db.run(kCreate);
  db.run(kFill);
  db.run("INSERT INTO t(t) VALUES ('fit')");
}

}  // namespace

TEST_CASE("a table is renamed with all that belongs to it", "[surface][life]") {
  Connection db;
  fill(db);
  const std::string before = digest(db);
  db.run("BEGIN; ALTER TABLE t RENAME TO \"we\"\"ird t\"");
  CHECK(digest(db, "\"we\"\"ird t\"") == before);
  db.run(
      "INSERT INTO \"we\"\"ird t\"(\"we\"\"ird t\") VALUES ('integrity-check'); SAVEPOINT s;"
      "ALTER TABLE \"we\"\"ird t\" RENAME TO z; ROLLBACK TO s; INSERT INTO \"we\"\"ird t\"(a) VALUES "
      "('[1,1]'); ROLLBACK");
  CHECK(digest(db) == before);
  db.run("ALTER TABLE t RENAME TO other");
  fill(db);  // its indexes must not meet those of the table that had the name
  CHECK(digest(db) == before);
  CHECK(digest(db, "other") == before);
  db.run("DROP TABLE t; DROP TABLE other");
  CHECK(db.one("SELECT count(*) FROM sqlite_schema") == "0");
}

TEST_CASE("creating and dropping are taken back with their transaction", "[surface][life]") {
  Connection db;
  db.run("BEGIN");
  fill(db);
  db.run("ROLLBACK");
  CHECK(db.one("SELECT count(*) FROM sqlite_schema") == "0");
  fill(db);
  const std::string before = digest(db);
  db.run("BEGIN; DROP TABLE t; ROLLBACK");
  CHECK(digest(db) == before);
  db.run("SAVEPOINT s; DELETE FROM t; INSERT INTO t(t) VALUES ('unfit'); ROLLBACK TO s");
  CHECK(digest(db) == before);
  db.run("RELEASE s; CREATE TABLE t2_rows(x)");
  CHECK(code_of(db, "CREATE VIRTUAL TABLE t2 USING isovec(a float[2])") == SQLITE_ERROR);
  CHECK(db.one("SELECT count(*) FROM sqlite_schema WHERE name LIKE 't2%'") == "1");
}

TEST_CASE("a table cannot be dropped while it is read", "[surface][life]") {
  Connection db;
  fill(db);
  for (const char* sql : {"SELECT * FROM t", "SELECT * FROM t WHERE a MATCH '[1,2]'"}) {
    sqlite3_stmt* read = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), sql, -1, &read, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(read) == SQLITE_ROW);
    CHECK((code_of(db, "DROP TABLE t") & 0xFF) == SQLITE_LOCKED);
    sqlite3_reset(read);
    CHECK(sqlite3_step(read) == SQLITE_ROW);
    sqlite3_finalize(read);
  }
  db.run("DROP TABLE t");
}

TEST_CASE("a table survives VACUUM, VACUUM INTO, a backup and serialization", "[surface][life]") {
  const TemporaryFile file("vacuum"), copy("vacuum_copy");
  Connection db(file.path());
  fill(db);
  const std::string before = digest(db);
  db.run("DELETE FROM t WHERE id > 40; INSERT INTO t(t) VALUES ('optimize')");
  db.run("VACUUM");
  db.run(
      "WITH RECURSIVE c(i) AS (SELECT 41 UNION ALL SELECT i + 1 FROM c WHERE i < 50)"
      "INSERT INTO t(id, a, y, x) SELECT i, '[' || i || ',1]', i % 7, 'x' || i FROM c");
  CHECK(digest(db) == before);
  db.rows("VACUUM INTO ?", copy.path());
  Connection copied(copy.path());
  CHECK(digest(copied) == before);
  copied.run("INSERT INTO t(a) VALUES ('[1,1]'); INSERT INTO t(t) VALUES ('integrity-check')");

  Connection target;
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", db.handle(), "main");
  REQUIRE(backup != nullptr);
  REQUIRE(sqlite3_backup_step(backup, 1) == SQLITE_OK);
  db.run("UPDATE t SET y = y WHERE id = 3");
  REQUIRE(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  sqlite3_backup_finish(backup);
  CHECK(digest(target) == before);
  target.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("tables of one name in main, temp and an attached database do not meet", "[surface][life]") {
  const TemporaryFile file("attached");
  Connection db;
  db.rows("ATTACH ? AS aux1", file.path());
  for (const std::string schema : {"main", "temp", "aux1"}) {
    db.run("CREATE VIRTUAL TABLE " + schema +
           ".t USING isovec(id INTEGER PRIMARY KEY, a float[1], y integer indexed);"
           "INSERT INTO " +
           schema + ".t(id, a) VALUES (" + std::to_string(schema.size()) + ", '[1]')");
  }
  db.run(
      "UPDATE aux1.t SET a = '[2]'; INSERT INTO temp.t(a) VALUES ('[3]'); DELETE FROM main.t WHERE id = 4;"
      "INSERT INTO main.t(id, a) VALUES (9, '[5]'); INSERT INTO aux1.t(t) VALUES ('integrity-check')");
  const auto content = [&](const std::string& schema) {
    CHECK(db.one("SELECT isovec_check('t', ?)", schema) == "ok");
    return db.one("SELECT group_concat(id || vec_to_json(a)) FROM " + schema + ".t");
  };
  CHECK(content("main") == "9[5]");
  CHECK(content("temp") == "4[1],5[3]");
  CHECK(content("aux1") == "4[2]");
  CHECK(db.one("SELECT row_count FROM isovec_info('t', 'temp')") == "2");
  db.run("DROP TABLE temp.t; DETACH aux1");
  CHECK(content("main") == "9[5]");
}

TEST_CASE("another connection sees a commit at once and keeps its own snapshot until it ends",
          "[surface][life]") {
  const TemporaryFile file("wal");
  Connection writer(file.path());
  writer.run("PRAGMA journal_mode = WAL");
  fill(writer);
  Connection reader(file.path());
  const std::string before = digest(reader);
  reader.run("BEGIN; SELECT count(*) FROM t");
  writer.run("DELETE FROM t WHERE id > 10; INSERT INTO t(t) VALUES ('fit whiten eps=1')");
  CHECK(digest(reader) == before);
  reader.run("COMMIT");
  const std::string after = digest(reader);
  CHECK(after != before);
  CHECK(after == digest(writer));
  writer.run("BEGIN IMMEDIATE");
  CHECK((code_of(reader, "DELETE FROM t WHERE id = 1") & 0xFF) == SQLITE_BUSY);
  writer.run("ALTER TABLE t RENAME TO s; ALTER TABLE s RENAME TO t; COMMIT");
  CHECK(digest(reader) == after);
  reader.run("DELETE FROM t WHERE id = 1; INSERT INTO t(t) VALUES ('integrity-check')");
  CHECK(digest(reader) == digest(writer));
}

TEST_CASE("a database that cannot be written is read all the same", "[surface][life]") {
  const TemporaryFile file("readonly");
  std::string before;
  {
    Connection db(file.path());
    fill(db);
    before = digest(db);
    db.run("PRAGMA query_only = ON");
    CHECK(digest(db) == before);
    CHECK((code_of(db, "INSERT INTO t(a) VALUES ('[1,1]')") & 0xFF) == SQLITE_READONLY);
  }
  Connection plain;
  plain.rows("ATTACH 'file:" + file.path() + "?mode=ro' AS ro");
  CHECK(digest(plain, "ro.t") == before);
  CHECK(plain.one("SELECT isovec_check('t', 'ro')") == "ok");
  CHECK((code_of(plain, "DELETE FROM ro.t") & 0xFF) == SQLITE_READONLY);
  plain.rows("ATTACH 'file:" + file.path() + "?immutable=1' AS im");
  CHECK(digest(plain, "im.t") == before);
}

TEST_CASE("encodings, page sizes and vacuum modes make no difference", "[surface][life]") {
  std::string expected;
  for (const char* setting :
       {"encoding = 'UTF-8'", "encoding = 'UTF-16le'", "encoding = 'UTF-16be'", "page_size = 512",
        "page_size = 65536", "auto_vacuum = FULL", "auto_vacuum = INCREMENTAL", "secure_delete = ON"}) {
    const TemporaryFile file("pragma");
    Connection db(file.path());
    db.run(std::string("PRAGMA ") + setting);
    fill(db);
    db.run(
        "DELETE FROM t WHERE id % 3 = 0; UPDATE t SET x = 'é' || x WHERE id < 9; INSERT INTO t(t) VALUES "
        "('optimize')");
    const std::string found = digest(db);
    CAPTURE(setting);
    if (expected.empty()) expected = found;
    CHECK(found == expected);
    db.run("INSERT INTO t(t) VALUES ('integrity-check')");
    CHECK(db.one("PRAGMA integrity_check") == "ok");
  }
}

TEST_CASE("work that is interrupted ends, and changes nothing", "[surface][life]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[64] transform='whiten');"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000)"
      "INSERT INTO t(id, a) SELECT i, vec_random(64, i) FROM c; INSERT INTO t(t) VALUES ('fit')");
  const auto digest_of = [&] {
    return db.one(
        "SELECT group_concat(id) FROM (SELECT id FROM t WHERE a MATCH vec_random(64, 1) AND k = 20)");
  };
  const std::string before = digest_of();
  long calls = 0;
  for (const char* sql : {"SELECT count(*) FROM (SELECT id FROM t WHERE a MATCH vec_random(64, 5))",
                          "INSERT INTO t(t) VALUES ('fit')", "INSERT INTO t(t) VALUES ('integrity-check')",
                          "INSERT INTO t(t) VALUES ('rebuild')", "DELETE FROM t WHERE id < 100"}) {
    for (long stop : {0L, 1L, 3L, 10L, 30L}) {
      struct Countdown {
        long left;
      } countdown{stop};
      sqlite3_progress_handler(
          db.handle(), 5, [](void* state) { return static_cast<Countdown*>(state)->left-- <= 0 ? 1 : 0; },
          &countdown);
      const int rc = code_of(db, sql);
      sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
      CAPTURE(sql, stop);
      CHECK(rc == SQLITE_INTERRUPT);
      CHECK(digest_of() == before);
      ++calls;
    }
  }
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
  CHECK(db.one("SELECT count(*) FROM t") == "3000");
}

TEST_CASE("a fit is interrupted from another thread", "[surface][life]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[384] transform='whiten');"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000)"
      "INSERT INTO t(a) SELECT vec_random(384, i) FROM c");
  int rc = SQLITE_OK;
  {
    const isovec::test::InterruptingThread other(db, 100);
    rc = code_of(db, "BEGIN; INSERT INTO t(t) VALUES ('fit')");
  }
  CHECK(rc == SQLITE_INTERRUPT);
  if (sqlite3_get_autocommit(db.handle()) == 0) db.run("ROLLBACK");
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("a module that is loaded and closed many times leaves nothing", "[surface][life]") {
  const TemporaryFile file("many");
  {
    Connection db(file.path());
    fill(db);
  }
  const sqlite3_int64 before = sqlite3_memory_used();
  for (int i = 0; i < 200; ++i) {
    Connection db(file.path());
    CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[1,2]'") == "50");
  }
  CHECK(sqlite3_memory_used() == before);
}
