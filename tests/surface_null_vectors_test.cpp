// NULL vectors: rows that are inserted now and embedded later, and several vector columns that are filled one
// by one. An ordinary table with the same rows says what is right, and the functions the distances.

#include <cmath>

#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::code_of;
using isovec::test::Connection;
using isovec::test::SqlError;
using isovec::test::TemporaryFile;
using Rows = std::vector<std::vector<std::string>>;

// A column, what makes its vectors from the number S, and the distance of its vector X to the query Q.
struct Column {
  const char* declared;
  const char* make;
  const char* distance;
};
constexpr Column kColumns[] = {
    {"float[12]", "vec_random(12, S)", "vec_distance_cosine(X, Q)"},
    {"float[12] distance_metric=l2", "vec_random(12, S)", "vec_distance_l2(X, Q)"},
    {"float[12] distance_metric=dot codes=none", "vec_random(12, S)", "-vec_dot(X, Q)"},
    {"float16[5] distance_metric=dot", "vec_f16(vec_random(5, S))", "-vec_dot(vec_f16(X), Q)"},
    {"bfloat16[300] distance_metric=l1", "vec_bf16(vec_random(300, S))", "vec_distance_l1(vec_bf16(X), Q)"},
    {"int8[7] distance_metric=l2", "vec_quantize_int8(vec_random(7, S), 'unit')",
     "vec_distance_l2(vec_int8(X), Q)"},
    {"bit[40]", "vec_quantize_binary(vec_random(40, S))", "vec_distance_hamming(vec_bit(X), Q)"},
};

std::string with(const std::string& text, char what, const std::string& value) {
  std::string result;
  for (const char c : text) result += c == what ? value : std::string(1, c);
  return result;
}

// The isovec table t and the ordinary table u: a changes as the test says, b has every vector.
class Pair {
 public:
  explicit Pair(const Column& column) : column_(column) {
    db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a " + std::string(column.declared) +
           ", b float[3] distance_metric=l2, y integer);"
           "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b, y INTEGER)");
  }
  /// @ is the table, and #(n) the vector of number n.
  void both(const std::string& sql) {
    for (const char* table : {"t", "u"}) db.run(filled(sql, table));
  }
  void insert(int first, int last, const std::string& vector) {
    both("WITH RECURSIVE n(i) AS (SELECT " + std::to_string(first) +
         " UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(last) +
         ") INSERT INTO @(id, a, b, y) SELECT i, " + vector + ", vec_random(3, i), i % 13 FROM n");
  }
  void compare() {
    same("SELECT id, a, b, y FROM @ ORDER BY id");
    for (const char* where : {"a IS NULL", "a IS NOT NULL", "a IS NULL AND y = 3", "a NOTNULL OR y = 4",
                              "b IS NULL", "a IS NOT NULL AND id > 40 ORDER BY id LIMIT 3"}) {
      same(std::string("SELECT id, y FROM @ WHERE ") + where);
      same(std::string("SELECT count(*), count(a) FROM @ WHERE ") + where);
    }
    search("1", "");
    search("1", " AND k = 10");
    search("1", " LIMIT 7");
    search("y < 4", " AND k = 10");
    search("id IN (3, 5, 8, 300, 301, 302)", " AND k = 4");
    search("a IS NOT NULL", " AND k = 5");
    search("a IS NULL", "");
    for (const char* where : {"a IS NULL", "a IS NOT NULL", "a IS NULL AND y > 6"}) beside(where);
    CHECK(db.one("SELECT nulls FROM isovec_info('t') WHERE name = 'a'") ==
          db.one("SELECT count(*) FROM u WHERE a IS NULL"));
    CHECK(db.one("SELECT row_count || ' ' || nulls FROM isovec_info('t') WHERE name = 'b'") ==
          db.one("SELECT count(*) || ' 0' FROM u"));
    CHECK(db.one("SELECT isovec_check('t')") == "ok");
  }
  Connection db;

 private:
  [[nodiscard]] std::string filled(const std::string& sql, const char* table) const {
    std::string text = with(sql, '@', table);
    for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#', at)) {
      const std::size_t end = text.find(')', at) + 1;
      text.replace(at, end - at, with(column_.make, 'S', text.substr(at + 1, end - at - 1)));
    }
    return text;
  }
  void same(const std::string& sql) {
    CAPTURE(sql);
    CHECK(db.rows(with(sql, '@', "t")) == db.rows(with(sql, '@', "u")));
  }
  // A search of a: what is NULL has no distance, hence no place in the order.
  void search(const std::string& where, const std::string& end) {
    const std::string query = with(column_.make, 'S', "4711");
    const std::string distance = with(with(column_.distance, 'Q', query), 'X', "a");
    const bool has_k = end.find("k = ") != std::string::npos;
    const std::string limit = has_k ? " LIMIT " + end.substr(end.find("= ") + 2) : end;
    const std::string found =
        "SELECT id, printf('%.17g', distance) FROM t WHERE a MATCH " + query + " AND " + where + end;
    CAPTURE(found);
    CHECK(db.rows(found) ==
          db.rows("SELECT id, printf('%.17g', d) FROM (SELECT *, " + distance +
                  " AS d FROM u) WHERE d IS NOT NULL AND " + where + " ORDER BY d, id" + limit));
  }
  // A search of b, which counts only rows that meet a condition on a.
  void beside(const std::string& where) {
    const std::string found =
        "SELECT id, printf('%.17g', distance) FROM t WHERE b MATCH '[1,0,0]' AND k = 9 AND " + where;
    CAPTURE(found);
    CHECK(db.rows(found) ==
          db.rows("SELECT id, printf('%.17g', vec_distance_l2(b, '[1,0,0]')) AS d FROM u WHERE " + where +
                  " ORDER BY vec_distance_l2(b, '[1,0,0]'), id LIMIT 9"));
  }
  const Column& column_;
};

// The same rows, and distances that differ by rounding: a table and the functions sum in different orders.
void check_near(const Rows& found, const Rows& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i][0] == expected[i][0]);
    CHECK(std::abs(std::stod(found[i][1]) - std::stod(expected[i][1])) < 1e-5);
  }
}

}  // namespace

TEST_CASE(
    "rows without a vector are stored, found by IS NULL, filled and emptied by UPDATE, never a neighbour",
    "[surface][vector_table][null]") {
  for (const Column& column : kColumns) {
    CAPTURE(column.declared);
    Pair pair(column);
    pair.insert(1, 5, "NULL");
    pair.compare();
    pair.insert(6, 300, "CASE WHEN i % 3 THEN #(i) END");  // completes a group
    pair.compare();
    pair.insert(301, 800, "NULL");  // a group of nothing else
    pair.compare();
    pair.both("UPDATE @ SET a = #(id) WHERE id BETWEEN 310 AND 600");  // embedded later
    pair.compare();
    pair.both("UPDATE @ SET a = NULL WHERE id % 5 = 0");
    pair.compare();
    pair.both("UPDATE @ SET id = id + 5000, y = 3 WHERE id % 7 = 0");  // NULL or not, a stays as it is
    pair.compare();
    pair.both("DELETE FROM @ WHERE y IN (2, 5)");
    pair.both("INSERT INTO @(a, b, y) SELECT NULL, b, 7 FROM @ WHERE y = 3");  // into free slots
    pair.both("INSERT OR REPLACE INTO @(id, b, y) SELECT id, b, 1 FROM @ WHERE y = 4");
    pair.both("INSERT OR REPLACE INTO @(id, a, b, y) SELECT id, #(id), b, 1 FROM @ WHERE y = 6");
    pair.compare();
    for (const char* command : {"optimize", "rebuild", "fit column=b center", "unfit"}) {
      pair.db.run(std::string("INSERT INTO t(t) VALUES ('") + command + "')");
      if (command != std::string("fit column=b center")) pair.compare();
    }
    pair.db.run("SAVEPOINT s");
    pair.both("UPDATE @ SET a = CASE WHEN id % 2 THEN #(id) END");
    pair.compare();
    pair.db.run("ROLLBACK TO s; RELEASE s; VACUUM");
    pair.compare();
    pair.both("UPDATE @ SET a = #(id) WHERE a IS NULL");
    pair.compare();
    CHECK(pair.db.one("SELECT count(*) FROM t WHERE a IS NULL") == "0");
    pair.both("UPDATE @ SET a = NULL");
    pair.compare();
    pair.both("DELETE FROM @");
    pair.compare();
  }
}

TEST_CASE("NOT NULL refuses NULL vectors before anything is written", "[surface][vector_table][null]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] not  NULL distance_metric=l2, "
      "f "
      "float[2]);"
      "INSERT INTO t(id, e) VALUES (1, '[1,2]')");
  for (const char* sql :
       {"INSERT INTO t(id) VALUES (2)", "INSERT INTO t(id, e, f) VALUES (2, NULL, '[1,2]')",
        "UPDATE t SET e = NULL", "UPDATE t SET e = NULL, f = '[1,2]' WHERE id = 1",
        "INSERT OR REPLACE INTO t(id) VALUES (1)", "INSERT OR FAIL INTO t(id) VALUES (2)"}) {
    CAPTURE(sql);
    db.run("BEGIN");
    const std::string before = db.one("SELECT hex(value) FROM t_config WHERE key = 'state'");
    try {
      db.run(sql);
      CHECK(false);
    } catch (const SqlError& error) {
      CHECK(error.result_code == SQLITE_CONSTRAINT_NOTNULL);
      CHECK(std::string(error.what()) == "NOT NULL constraint failed: t.e");
    }
    CHECK(db.one("SELECT hex(value) FROM t_config WHERE key = 'state'") == before);
    db.run("ROLLBACK");
  }
  db.run("INSERT OR IGNORE INTO t(id) VALUES (2)");
  CHECK(db.rows("SELECT id, vec_to_json(e), f FROM t") == Rows{{"1", "[1,2]", "NULL"}});
  CHECK(db.error("CREATE VIRTUAL TABLE u USING isovec(e float[2] NOT)").find("expected NULL after NOT") !=
        std::string::npos);
}

TEST_CASE("a fit takes the rows that have a vector", "[surface][vector_table][null]") {
  const std::string codes = GENERATE("", " codes=none");
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[3] transform='center'" + codes +
         ");"
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)"
         "INSERT INTO t SELECT i, CASE WHEN i % 4 THEN vec_random(3, i) END FROM n;"
         "INSERT INTO t VALUES (1000, '[0,0,0]');"
         "CREATE TABLE u AS SELECT id, e FROM t");
  const std::string undefined = "SELECT undefined || ' ' || nulls || ' ' || row_count FROM isovec_info('t')";
  CHECK(db.one(undefined) == "1 175 701");
  db.run("INSERT INTO t(t) VALUES ('fit')");
  CHECK(db.one("SELECT rows_at_fit FROM isovec_info('t')") == "526");
  CHECK(db.one("SELECT transform = (SELECT vec_fit(e, 'center') FROM u) FROM t LIMIT 1") == "1");
  CHECK(db.one(undefined) == "0 175 701");
  const auto found = [&] { return db.rows("SELECT id, distance FROM t WHERE e MATCH '[1,0,0]' AND k = 20"); };
  const auto expected = [&] {
    return db.rows(
        "WITH f(m) AS MATERIALIZED (SELECT transform FROM t LIMIT 1), d AS (SELECT id, "
        "vec_distance_cosine(e, '[1,0,0]', (SELECT m FROM f)) AS d FROM u WHERE e IS NOT NULL) SELECT id, "
        "d FROM d ORDER BY d, id LIMIT 20");
  };
  check_near(found(), expected());
  // Norms are kept beside the codes: of rows that come, go, and come back.
  for (const char* change :
       {"UPDATE @ SET e = NULL WHERE id % 3 = 0", "UPDATE @ SET e = vec_random(3, -id) WHERE id % 6 = 0",
        "INSERT INTO @(id) VALUES (2000)", "DELETE FROM @ WHERE id % 8 = 0",
        "INSERT INTO @ SELECT 3000 + id, CASE WHEN id % 2 THEN e END FROM @",
        "INSERT INTO @(id) SELECT 9000 + id FROM @"}) {
    CAPTURE(change);
    for (const char* table : {"t", "u"}) db.run(with(change, '@', table));
    check_near(found(), expected());
    CHECK(db.one("SELECT isovec_check('t')") == "ok");
  }
  const std::string given = "(SELECT vec_fit(e, 'whiten') FROM u)";
  db.run("INSERT INTO t(t) VALUES ('unfit')");
  check_near(
      db.rows("SELECT id, distance FROM t WHERE e MATCH '[1,0,0]' AND k = 20 AND transform = " + given),
      db.rows("WITH f(m) AS MATERIALIZED (SELECT " + given +
              "), d AS (SELECT id, vec_distance_cosine(e, '[1,0,0]', (SELECT m FROM f)) AS d FROM u WHERE e "
              "IS NOT NULL) SELECT id, d FROM d ORDER BY d, id LIMIT 20"));
  db.run("INSERT INTO t(t, transform) SELECT 'transform', " + given);
  CHECK(db.one("SELECT rows_at_fit FROM isovec_info('t')") == db.one("SELECT count(e) FROM u"));
}

TEST_CASE("a table of NULL vectors alone cannot be fitted, and nothing is near",
          "[surface][vector_table][null]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(e float[2], c text);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
      "INSERT INTO t(c) SELECT 'x' FROM n");
  CHECK(db.rows("SELECT * FROM t WHERE e MATCH '[1,0]'").empty());
  CHECK(db.rows("SELECT * FROM t WHERE e MATCH '[1,0]' AND k = 3 AND c = 'x'").empty());
  CHECK(code_of(db, "INSERT INTO t(t) VALUES ('fit whiten')") == SQLITE_ERROR);
  CHECK(db.one("SELECT vec_mean(e) IS NULL FROM t") == "1");
  CHECK(
      db.one("SELECT nulls || ' ' || tail || ' ' || code_bytes || ' ' || undefined FROM isovec_info('t')") ==
      "600 0 0 0");
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("a stream goes on over rows that become NULL behind it", "[surface][vector_table][null]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] distance_metric=l2, y int);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
      "INSERT INTO t SELECT i, vec_f32('[' || i || ',0]'), 0 FROM n");
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), "SELECT id, e FROM t WHERE e MATCH '[0,0]'", -1, &statement,
                             nullptr) == SQLITE_OK);
  for (int i = 1; i <= 300; ++i) {
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(sqlite3_column_int(statement, 0) == i);
    if (i == 40) db.run("UPDATE t SET e = NULL WHERE id > 100");
    CHECK((sqlite3_column_type(statement, 1) == SQLITE_NULL) == (i > 100));
  }
  CHECK(sqlite3_step(statement) == SQLITE_DONE);
  sqlite3_finalize(statement);
}

TEST_CASE("the format rises while a vector is NULL, and only then", "[surface][vector_table][null]") {
  const TemporaryFile file("null_format");
  Connection db(file.path());
  Connection other(file.path());
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2])");
  const auto format = [&] { return db.one("SELECT value FROM t_config WHERE key = 'format'"); };
  db.run("INSERT INTO t VALUES (1, '[1,0]')");
  CHECK(format() == "2");
  CHECK(other.one("SELECT count(*) FROM t WHERE e IS NULL") == "0");
  db.run("INSERT INTO t(id) VALUES (2), (3)");
  CHECK(format() == "3");
  CHECK(other.one("SELECT count(*) FROM t WHERE e IS NULL") == "2");
  db.run("UPDATE t SET e = '[0,1]' WHERE id = 2");
  CHECK(format() == "3");
  db.run("DELETE FROM t WHERE id = 3");
  CHECK(format() == "2");
  CHECK(db.one("SELECT length(value) FROM t_config WHERE key = 'state'") == "48");
  CHECK(other.one("SELECT count(*) FROM t WHERE e IS NOT NULL") == "2");
  db.run("BEGIN; UPDATE t SET e = NULL; ROLLBACK");
  CHECK(format() == "2");
  CHECK(other.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("other statements read NULL vectors as NULL", "[surface][vector_table][null]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2], f float[2], c text);"
      "INSERT INTO t VALUES (1, NULL, '[1,0]', 'a'), (2, '[1,0]', NULL, 'b'), (3, NULL, NULL, 'c');"
      "CREATE TABLE o(id INTEGER PRIMARY KEY, e); INSERT INTO o VALUES (1, vec_f32('[0,2]')), (2, NULL)");
  CHECK(db.rows("SELECT id, vec_length(e), typeof(f), vec_norm(coalesce(e, f)) FROM t") ==
        Rows{{"1", "NULL", "blob", "1.0"}, {"2", "2", "null", "1.0"}, {"3", "NULL", "null", "NULL"}});
  CHECK(db.rows("SELECT o.id, t.id FROM o LEFT JOIN t ON t.id = o.id + 2 AND t.e IS NULL") ==
        Rows{{"1", "3"}, {"2", "NULL"}});
  CHECK(db.rows("SELECT o.id FROM o LEFT JOIN t ON t.id = o.id + 1 WHERE t.e IS NULL") == Rows{{"2"}});
  db.run("UPDATE t SET e = o.e FROM o WHERE o.id = t.id");
  CHECK(db.rows("SELECT id, vec_to_json(e), c FROM t") ==
        Rows{{"1", "[0,2]", "a"}, {"2", "NULL", "b"}, {"3", "NULL", "c"}});
  db.run("UPDATE t SET c = 'z' WHERE e IS NULL");
  CHECK(db.one("SELECT group_concat(c, '') FROM t") == "azz");
  db.run("DELETE FROM t WHERE e IS NULL AND f IS NULL");
  CHECK(db.one("SELECT group_concat(id) FROM t") == "1");
}
