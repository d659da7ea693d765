// INSERT, UPDATE and DELETE: what an ordinary table does, this one does.

#include "connection.hpp"

namespace {

using isovec::test::Bytes;
using isovec::test::Connection;

}  // namespace

TEST_CASE("a taken key fails with SQLite's own constraint, before anything changes", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[2] NOT NULL, +x text);"
      "CREATE VIRTUAL TABLE r USING isovec(a float[2]);"
      "CREATE VIRTUAL TABLE s USING isovec(name TEXT PRIMARY KEY, a float[2], y integer);"
      "CREATE TABLE log(n);"
      "INSERT INTO t(id, a, x) VALUES (1, '[1,0]', 'one'); INSERT INTO r(rowid, a) VALUES (1, '[1,0]');"
      "INSERT INTO s(name, a, y) VALUES ('n', '[1,0]', 7);");
  CHECK(code_of(db, "INSERT INTO t(id, a) VALUES (1, '[2,0]')") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(code_of(db, "INSERT INTO r(rowid, a) VALUES (1, '[2,0]')") == SQLITE_CONSTRAINT_ROWID);
  CHECK(code_of(db, "INSERT INTO s(name, a) VALUES ('n', '[2,0]')") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(db.error("INSERT INTO t(id, a) VALUES (1, '[2,0]')") == "UNIQUE constraint failed: t.id");
  CHECK(code_of(db, "INSERT INTO s(name, a) VALUES (NULL, '[2,0]')") == SQLITE_CONSTRAINT_NOTNULL);
  CHECK(code_of(db, "INSERT INTO t(id) VALUES (5)") == SQLITE_CONSTRAINT_NOTNULL);

  SECTION("ABORT keeps the transaction and takes the statement back") {
    CHECK(code_of(db,
                  "BEGIN; INSERT INTO log VALUES (1);"
                  "INSERT INTO t(id, a) VALUES (2, '[1,1]'), (1, '[2,0]')") == SQLITE_CONSTRAINT_PRIMARYKEY);
    db.run("COMMIT");
    CHECK(db.one("SELECT count(*) FROM t") == "1");
    CHECK(db.one("SELECT count(*) FROM log") == "1");
  }
  SECTION("FAIL keeps the rows before") {
    CHECK(code_of(db, "INSERT OR FAIL INTO t(id, a) VALUES (2, '[1,1]'), (1, '[2,0]'), (3, '[1,1]')") ==
          SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(db.one("SELECT group_concat(id) FROM t") == "1,2");
  }
  SECTION("ROLLBACK ends the transaction") {
    CHECK(
        code_of(db,
                "BEGIN; INSERT INTO log VALUES (1); INSERT OR ROLLBACK INTO t(id, a) VALUES (1, '[2,0]')") ==
        SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(sqlite3_get_autocommit(db.handle()) == 1);
    CHECK(db.one("SELECT count(*) FROM log") == "0");
  }
  SECTION("IGNORE passes the row over, also one without a vector") {
    db.run("INSERT OR IGNORE INTO t(id, a) VALUES (1, '[2,0]'), (2, NULL), (3, '[1,1]')");
    CHECK(db.one("SELECT group_concat(id) FROM t") == "1,3");
  }
  SECTION("REPLACE puts the new row in the place of the old") {
    db.run("INSERT OR REPLACE INTO t(id, a) VALUES (1, '[2,0]')");
    CHECK(db.rows("SELECT id, vec_to_json(a), x FROM t") ==
          std::vector<std::vector<std::string>>{{"1", "[2,0]", "NULL"}});
    db.run("REPLACE INTO s(name, a) VALUES ('n', '[3,0]')");
    CHECK(db.rows("SELECT rowid, name, vec_to_json(a), y FROM s") ==
          std::vector<std::vector<std::string>>{{"1", "n", "[3,0]", "NULL"}});
  }
  SECTION("UPDATE onto a taken key") {
    db.run("INSERT INTO t(id, a, x) VALUES (2, '[0,2]', 'two')");
    CHECK(code_of(db, "UPDATE t SET id = 1 WHERE id = 2") == SQLITE_CONSTRAINT_PRIMARYKEY);
    db.run("UPDATE OR IGNORE t SET id = 1 WHERE id = 2");
    CHECK(db.one("SELECT group_concat(id) FROM t") == "1,2");
    db.run("UPDATE OR REPLACE t SET id = 1 WHERE id = 2");
    CHECK(db.rows("SELECT id, vec_to_json(a), x FROM t") ==
          std::vector<std::vector<std::string>>{{"1", "[0,2]", "two"}});
  }
  db.run("INSERT INTO t(t) VALUES ('integrity-check'); INSERT INTO s(s) VALUES ('integrity-check')");
}

TEST_CASE("rowids of every size are stored and found, and an automatic one always is", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[2]);"
      "INSERT INTO t(a) VALUES ('[1,1]');"
      "INSERT INTO t(rowid, a) VALUES (-9223372036854775808, '[1,2]'), (-1, '[1,3]'), (0, '[1,4]'), (7.0, "
      "'[1,5]')");
  db.run("INSERT INTO t(a) VALUES ('[1,6]')");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 8);
  db.run("INSERT INTO t(rowid, a) VALUES (9223372036854775807, '[1,7]')");
  db.run("INSERT INTO t(a) VALUES ('[1,8]')");
  const std::string chosen = std::to_string(sqlite3_last_insert_rowid(db.handle()));
  CHECK(db.one("SELECT vec_to_json(a) FROM t WHERE rowid = ?", chosen) == "[1,8]");
  CHECK(db.one("SELECT group_concat(rowid) FROM t") ==
        "-9223372036854775808,-1,0,1,7,8," + chosen + ",9223372036854775807");
  CHECK(db.one("SELECT rowid FROM t WHERE a MATCH '[1,2]' AND k = 1") == "-9223372036854775808");
  CHECK(code_of(db, "INSERT INTO t(rowid, a) VALUES ('x', '[1,1]')") == SQLITE_MISMATCH);
  CHECK(code_of(db, "INSERT INTO t(rowid, a) VALUES (1.5, '[1,1]')") == SQLITE_MISMATCH);

  // The choice follows from the operations alone.
  Connection other;
  other.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[2]);"
      "INSERT INTO t(a) VALUES ('[1,1]');"
      "INSERT INTO t(rowid, a) VALUES (-9223372036854775808, '[1,2]'), (-1, '[1,3]'), (0, '[1,4]'), (7, "
      "'[1,5]');"
      "INSERT INTO t(a) VALUES ('[1,6]'); INSERT INTO t(rowid, a) VALUES (9223372036854775807, '[1,7]');"
      "INSERT INTO t(a) VALUES ('[1,8]')");
  CHECK(sqlite3_last_insert_rowid(other.handle()) == sqlite3_last_insert_rowid(db.handle()));
}

TEST_CASE("last_insert_rowid() and changes() are those of the table", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[2], +x text); CREATE TABLE "
      "plain(x);"
      "INSERT INTO t(id, a) VALUES (40, '[1,0]')");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 40);
  db.run("INSERT INTO plain(rowid, x) VALUES (123, 1); UPDATE t SET a = '[1,1]', x = 'y'");
  CHECK(sqlite3_changes(db.handle()) == 1);
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 123);
  db.run("INSERT INTO t(t, transform) VALUES ('transform', vec_transform_make('[1,1]', '[[1,0],[0,1]]'))");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 123);
  db.run("INSERT INTO t(a) SELECT a FROM t; DELETE FROM t");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 41);
  CHECK(sqlite3_changes(db.handle()) == 2);
}

TEST_CASE("a text key names its row everywhere", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(name TEXT PRIMARY KEY, a float[2], y integer);"
      "INSERT INTO t(name, a, y) VALUES ('b', '[1,0]', 1), ('a', '[0,1]', 2), (5, '[1,1]', 3)");
  CHECK(db.one("SELECT y FROM t WHERE name = 'a'") == "2");
  CHECK(db.one("SELECT typeof(name) || y FROM t WHERE name = '5'") == "text3");
  CHECK(db.one("SELECT group_concat(name) FROM (SELECT name FROM t WHERE a MATCH '[1,0]')") == "b,5,a");
  db.run("UPDATE t SET name = 'z' WHERE name = 'b'; DELETE FROM t WHERE name = 'a'");
  CHECK(db.one("SELECT group_concat(name) FROM (SELECT name FROM t ORDER BY name)") == "5,z");
  CHECK(db.error("INSERT INTO t(rowid, name, a) VALUES (9, 'q', '[1,1]')").find("chooses the rowid itself") !=
        std::string::npos);
  CHECK(code_of(db, "INSERT INTO t(name, a) VALUES (x'00', '[1,1]')") == SQLITE_MISMATCH);
  CHECK(code_of(db, "UPDATE t SET name = NULL") == SQLITE_CONSTRAINT_NOTNULL);
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("values take the affinity of their column, as in an ordinary table", "[surface][change]") {
  Connection db;
  const std::string columns = "i integer, r real, n numeric, s text, f float, b bool";
  db.run("CREATE VIRTUAL TABLE t USING isovec(a float[1], " + columns +
         ", +ai integer, +at text, +ab blob, +an);"
         "CREATE TABLE u(" +
         columns + ", ai integer, at text, ab blob, an)");
  for (const char* value :
       {"1", "'1'", "1.0", "'1.0'", "1.5", "'1.5'", "'x'", "x'3132'", "NULL", "9223372036854775807",
        "9223372036854775808.0", "-0.0", "'  12 '", "1e300", "'1e3'", "''"}) {
    std::string list;
    for (int i = 0; i < 10; ++i) list += std::string(", ") + value;
    db.run("INSERT INTO t(a, i, r, n, s, f, b, ai, at, ab, an) VALUES ('[1]'" + list +
           ");"
           "INSERT INTO u VALUES (" +
           list.substr(1) + ")");
  }
  std::string quoted;
  for (const char* name : {"i", "r", "n", "s", "f", "b", "ai", "at", "ab", "an"}) {
    quoted += std::string(quoted.empty() ? "" : " || ") + "quote(" + name + ") || typeof(" + name + ")";
  }
  CHECK(db.rows("SELECT " + quoted + " FROM t") == db.rows("SELECT " + quoted + " FROM u"));
  db.run("UPDATE t SET i = '7', s = 8, an = r WHERE rowid < 9; INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("an UPDATE leaves the columns that it does not name as they are", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[2], b float[3], y integer, +x "
      "text, +z blob);"
      "INSERT INTO t(id, a, b, y, x, z) VALUES (1, '[1,2]', '[1,2,3]', 5, 'x', x'AB'), (2, '[3,4]', "
      "'[4,5,6]', 6, 'u', "
      "x'CD')");
  const std::string all = "SELECT id, vec_to_json(a), vec_to_json(b), y, x, hex(z) FROM t";
  const std::vector<std::string> second = {"2", "[3,4]", "[4,5,6]", "6", "u", "CD"};
  const auto first = [&](const std::string& sql) {
    db.run("SAVEPOINT s; " + sql);
    const auto rows = db.rows(all);
    db.run("INSERT INTO t(t) VALUES ('integrity-check'); ROLLBACK TO s; RELEASE s");
    REQUIRE(rows.size() == 2);
    CHECK(rows[1] == second);
    return rows[0];
  };
  using Row = std::vector<std::string>;
  CHECK(first("UPDATE t SET a = '[9,9]' WHERE id = 1") == Row{"1", "[9,9]", "[1,2,3]", "5", "x", "AB"});
  CHECK(first("UPDATE t SET y = NULL WHERE id = 1") == Row{"1", "[1,2]", "[1,2,3]", "NULL", "x", "AB"});
  CHECK(first("UPDATE t SET z = x'00' WHERE id = 1") == Row{"1", "[1,2]", "[1,2,3]", "5", "x", "00"});
  CHECK(first("UPDATE t SET id = -3 WHERE id = 1") == Row{"-3", "[1,2]", "[1,2,3]", "5", "x", "AB"});
  CHECK(first("UPDATE t SET rowid = -3 WHERE id = 1") == Row{"-3", "[1,2]", "[1,2,3]", "5", "x", "AB"});
  CHECK(
      first(
          "UPDATE t SET y = q.v, x = q.w FROM (SELECT 1 AS i, 77 AS v, 'from' AS w) AS q WHERE q.i = t.id") ==
      Row{"1", "[1,2]", "[1,2,3]", "77", "from", "AB"});
  CHECK(first("UPDATE t SET y = y + 1 WHERE a MATCH '[1,2]' AND k = 1") ==
        Row{"1", "[1,2]", "[1,2,3]", "6", "x", "AB"});
}

TEST_CASE("rows can come from the table itself, from a trigger, and go by a search", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[2]); CREATE TABLE plain(id INTEGER PRIMARY KEY, v);"
      "CREATE TRIGGER fill AFTER INSERT ON plain BEGIN INSERT INTO t(rowid, a) VALUES (new.id, new.v); END;"
      "CREATE TRIGGER empty AFTER DELETE ON plain BEGIN DELETE FROM t WHERE rowid = old.id; END;"
      "PRAGMA trusted_schema = OFF;"
      "INSERT INTO plain(v) VALUES ('[1,0]'), ('[0,1]'), ('[1,1]'), ('[2,1]')");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 4);
  db.run("INSERT INTO t(a) SELECT a FROM t");
  CHECK(db.one("SELECT count(*) FROM t") == "8");
  db.run("DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a MATCH '[0,1]' AND k = 2)");
  CHECK(db.one("SELECT group_concat(rowid) FROM t") == "1,3,4,5,7,8");
  db.run("DELETE FROM t WHERE a MATCH '[1,0]' AND k = 2; DELETE FROM plain WHERE id = 3");
  CHECK(db.one("SELECT group_concat(rowid) FROM t") == "4,7,8");
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("a refused value loses nothing and says what was expected", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE docs USING isovec(id INTEGER PRIMARY KEY, e float[3] NOT NULL, h float16[2]);"
      "INSERT INTO docs(id, e, h) VALUES (1, '[1,2,3]', '[1,2]'); BEGIN");
  const auto insert = [&](const auto& value) {
    return db.error("INSERT INTO docs(e, h) VALUES (?, '[1,2]')", value);
  };
  CHECK(insert("[1,2]") == "docs: column e: dimensions differ: the column has 3 and the vector has 2");
  CHECK(insert(Bytes{std::string(16, '\0')}) ==
        "docs: column e: dimensions differ: the column has 3 and the vector has 4");
  CHECK(insert(Bytes{std::string(13, '\0')}) ==
        "docs: column e: a vector of 3 float32 numbers has 12 bytes, got 13");
  CHECK(insert(Bytes{""}) == "docs: column e: a vector of 3 float32 numbers has 12 bytes, got 0");
  CHECK(insert(7) ==
        "docs: column e: expected a vector of 3 float32 numbers as a BLOB or a JSON array, got INTEGER");
  CHECK(insert("[1,2,\"x\"]").find("docs: column e: ") == 0);
  CHECK(insert("[1,2,NaN]").find("docs: column e: ") == 0);
  CHECK(insert(isovec::test::blob_of(std::vector<float>{1, 2, std::numeric_limits<float>::quiet_NaN()}))
            .find("docs: column e: ") == 0);
  CHECK(insert(nullptr) == "NOT NULL constraint failed: docs.e");
  CHECK(db.error("INSERT INTO docs(e, h) VALUES ('[1,2,3]', vec_bf16('[1,2]'))")
            .find("docs: column h: types differ: the "
                  "column has float16") == 0);
  CHECK(db.error("INSERT INTO docs(e, h) VALUES ('[1,2,3]', '[1,70000]')").find("docs: column h: ") == 0);
  CHECK(db.error("INSERT INTO docs(e, h, distance) VALUES ('[1,2,3]', '[1,2]', 1)") ==
        "docs: the hidden column distance of a row cannot be set");
  CHECK(db.error("UPDATE docs SET k = 3").find("the hidden column k of a row cannot be set") !=
        std::string::npos);
  CHECK(db.error("INSERT INTO docs(docs) VALUES ('frobnicate')") ==
        "docs: unknown command 'frobnicate': there is fit, transform, unfit, optimize, rebuild, "
        "integrity-check");
  CHECK(db.error("INSERT INTO docs(docs, id) VALUES ('fit', 3)").find("a command stands alone") !=
        std::string::npos);
  db.run("COMMIT");
  CHECK(db.rows("SELECT id, vec_to_json(e) FROM docs") ==
        std::vector<std::vector<std::string>>{{"1", "[1,2,3]"}});
}

TEST_CASE("slots of deleted rows are used again, lowest first", "[surface][change]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[768]);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1100)"
      "INSERT INTO t(id, a) SELECT i, zeroblob(3072) FROM c;"
      "DELETE FROM t WHERE id % 5 = 0");
  const std::string bytes = db.one("SELECT sum(length(data)) FROM t_chunks");
  db.run("INSERT INTO t(id, a) VALUES (9001, zeroblob(3072)), (9002, zeroblob(3072))");
  CHECK(db.one("SELECT group_concat(slot) FROM (SELECT slot FROM t_rows WHERE id > 9000 ORDER BY id)") ==
        "4,9");
  db.run(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 218)"
      "INSERT INTO t(id, a) SELECT 10000 + i, zeroblob(3072) FROM c");
  CHECK(db.one("SELECT sum(length(data)) FROM t_chunks") == bytes);
  CHECK(db.one("SELECT count(*) FROM t_room") == "0");
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}
