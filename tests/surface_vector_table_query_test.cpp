// Queries: whatever plan SQLite chooses, the answer is that of brute force over an ordinary table.

#include <algorithm>
#include <cmath>

#include "connection.hpp"
#include "query_tables.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::kSearches;
using isovec::test::kSetup;
using isovec::test::Search;
using Rows = std::vector<std::vector<std::string>>;

// Conditions beside MATCH that mean the same on t and on u.
const std::vector<std::string> kConditions = {
    "1",
    "y >= 2004",
    "y = 2003",
    "y <> 2003",
    "y IN (2001, 2002, NULL)",
    "y NOT IN (2001, 2002)",
    "y IS NULL",
    "y IS NOT NULL",
    "y BETWEEN 2002 AND 2005",
    "y < '2004'",
    "y = '2003'",
    "y > 2003.5",
    "y IS 2004",
    "y IS NOT 2004",
    "l = 'vi'",
    "l IN ('vi', 'EN')",
    "l = 'VI' COLLATE NOCASE",
    "l LIKE 'V%'",
    "l GLOB 'v*'",
    "l > 'de'",
    "l = 5",
    "p = 'p1'",
    "p IN ('p1', 'p3')",
    "p IS NULL",
    "p <> 'p2'",
    "id = 20",
    "id IN (20, 23, 24)",
    "id < 0",
    "rowid >= 101",
    "id IN (SELECT id FROM u WHERE y = 2003)",
    "id = 20 OR id = 23",
    "y = 2003 OR l = 'en'",
    "NOT (y = 2003)",
    "y = 2003 AND l = 'en'",
    "y + 0 = 2003",
    "+y = 2003",
    "x = 'x3'",
    "x LIKE 'x1%' AND y > 2003",
    "y = 2003 IS NULL",
    "y IN (SELECT y FROM u WHERE l = 'fr')",
    "(y, l) IN (SELECT 2003, 'en')",
    "length(p) = 2 AND id > 0",
    "y >= 2002 AND y <= 2008 AND l <> 'de' AND p IS NOT NULL AND id > -50 AND id < 150 AND y <> 2005",
};

void set_optimizations(Connection& db, int mask) {
  REQUIRE(sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, db.handle(), mask) == SQLITE_OK);
}

}  // namespace

TEST_CASE("a search with conditions returns the rows, order and bits of brute force", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  const int mask = GENERATE(0, 0xffff);
  const bool reversed = GENERATE(false, true);
  set_optimizations(db, mask);
  if (reversed) db.run("PRAGMA reverse_unordered_selects = ON");
  for (const Search& search : kSearches) {
    for (const std::string& condition : kConditions) {
      const std::string expected = "SELECT id, printf('%.17g', " + search.distance + ") FROM u WHERE (" +
                                   condition + ") AND " + search.distance + " IS NOT NULL ORDER BY " +
                                   search.distance + ", id";
      const std::string match = "SELECT id, printf('%.17g', distance) FROM t WHERE " + search.column +
                                " MATCH " + search.query + " AND (" + condition + ")";
      CAPTURE(match, mask);
      const Rows all = db.rows(expected);
      CHECK(db.rows(match) == all);
      CHECK(db.rows(match + " ORDER BY distance, id") == all);
      CHECK(db.rows(match + " ORDER BY distance LIMIT 7 OFFSET 2") ==
            db.rows(expected + " LIMIT 7 OFFSET 2"));
      Rows descending = db.rows(match + " ORDER BY distance DESC, id DESC");
      std::reverse(descending.begin(), descending.end());
      CHECK(descending == all);
      if (all.empty()) continue;
      const std::string middle =
          "(SELECT " + search.distance + " FROM u WHERE id = " + all[all.size() / 2][0] + ")";
      for (const std::string comparison : {" < ", " <= ", " > ", " >= ", " = "}) {
        const std::string bound = "SELECT id, text FROM (SELECT id, printf('%.17g', " + search.distance +
                                  ") AS text, " + search.distance + " AS distance FROM u WHERE (" +
                                  condition + ")) WHERE distance" + comparison + middle +
                                  " ORDER BY distance, id";
        CHECK(db.rows(match + " AND distance" + comparison + middle) == db.rows(bound));
      }
    }
  }
}

TEST_CASE("k counts the rows that pass the conditions on columns", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  for (const Search& search : kSearches) {
    for (const char* condition :
         {"1", "y >= 2004", "y IN (2001, 2002, 2005)", "l = 'vi' AND y <> 2003", "p = 'p1'",
          "p IN ('p1', 'p3') AND id < 100", "id IN (SELECT id FROM u WHERE x > 'x5')", "l LIKE 'v%'",
          "y IS NULL", "l = 'VI' COLLATE NOCASE"}) {
      for (const char* k : {"0", "1", "5", "5.0", "1000", "9223372036854775807"}) {
        const std::string sql = "SELECT id FROM t WHERE " + search.column + " MATCH " + search.query +
                                " AND " + condition + " AND k = " + k;
        CAPTURE(sql);
        CHECK(db.rows(sql) ==
              db.rows("SELECT id FROM u WHERE " + std::string(condition) + " AND " + search.distance +
                      " IS NOT NULL ORDER BY " + search.distance + ", id LIMIT CAST(" + k + " AS INTEGER)"));
      }
    }
  }
}

TEST_CASE("k counts no row whose text is a number and would pass only as one", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[1] distance_metric=l2, p text, b "
      "blob);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, p TEXT, b BLOB);"
      "INSERT INTO u(p, b) VALUES ('12', '12'), ('3', 3), ('-1', '-1'), ('100', 100), ('03', '03'), ('x', "
      "'x'), ('5', 5), ('0', '0'), ('2024-05', '2024-05'), ('10', 10), ('1', '1');"
      "INSERT INTO t SELECT id, '[' || id || ']', p, b FROM u");
  for (const char* column : {"p", "b"}) {
    for (const char* comparison : {" < ", " <= ", " > ", " >= ", " = ", " <> ", " IS ", " IS NOT "}) {
      for (const char* value : {"'100%'", "'2024-01'", "'03'", "' '", "3", "10.5", "CAST('12' AS TEXT)"}) {
        for (const char* form : {"", "(SELECT ", "abs("}) {
          const std::string number = value;
          if (form[0] == 'a' && number[0] == '\'') continue;
          const std::string condition =
              std::string(column) + comparison + form + value + (form[0] == 0 ? "" : ")");
          CAPTURE(condition);
          CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[0]' AND k = 2 AND " + condition) ==
                db.rows("SELECT id FROM u WHERE " + condition + " ORDER BY id LIMIT 2"));
        }
      }
    }
  }
  CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[0]' AND k = 2 AND p BETWEEN '' AND ?1", "100%") ==
        db.rows("SELECT id FROM u WHERE p BETWEEN '' AND ?1 ORDER BY id LIMIT 2", "100%"));
}

TEST_CASE("a scan with conditions returns the rows of an ordinary table", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  for (const int mask : {0, 0xffff}) {
    set_optimizations(db, mask);
    for (const std::string& condition : kConditions) {
      CAPTURE(condition, mask);
      for (const char* end : {" ORDER BY id", " ORDER BY id DESC", " ORDER BY y, id LIMIT 5",
                              " ORDER BY rowid LIMIT 4 OFFSET 3"}) {
        const std::string from = "SELECT id, a, b, p, y, l, x FROM ";
        CHECK(db.rows(from + "t WHERE " + condition + end) == db.rows(from + "u WHERE " + condition + end));
      }
      const std::string parts = "SELECT (SELECT count(*) FROM t WHERE " + condition +
                                ") + (SELECT count(*) FROM t WHERE NOT (" + condition +
                                ")) + (SELECT count(*) FROM t WHERE (" + condition + ") IS NULL)";
      CHECK(db.one(parts) == "90");
    }
  }
}

TEST_CASE("columns of every affinity are compared as SQLite compares them", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[1] distance_metric=l2, p text, y "
      "integer, b blob, r real);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, p text, y integer, b blob, r real);"
      "CREATE TABLE o(n INTEGER PRIMARY KEY, plain, whole INTEGER, word TEXT, bytes BLOB, number NUMERIC);"
      "INSERT INTO u(p, y, b, r) VALUES ('-1', 2, 2, 2), ('(abc', 'x', 'ab', 'y'), ('12abc', '12', '12', "
      "1.5), ('', NULL, "
      "x'6162', NULL), ('3', 3, '3', 3), ('2.5', 2.5, 2.5, 2.5), ('03', -3, NULL, '3'), (NULL, 0, '03', 0);"
      "INSERT INTO t SELECT id, '[' || id || ']', p, y, b, r FROM u;"
      "INSERT INTO o(plain, whole, word, bytes, number) VALUES (2, 3, '3', x'6162', '3'), ('3', 'x', 'x', 3, "
      "2.5), (2.5, "
      "12, '12', '3', 12), (NULL, NULL, NULL, NULL, NULL), (x'6162', -1, '', 2.5, '(abc');");
  long rows = 0;
  for (const char* left : {"t.p", "t.y", "t.b", "t.r"}) {
    for (const char* comparison : {" = ", " <> ", " < ", " <= ", " > ", " >= ", " IS ", " IS NOT "}) {
      for (const char* right :
           {"o.plain", "o.whole", "o.word", "o.bytes", "o.number", "CAST(o.plain AS TEXT)",
            "CAST(o.word AS INTEGER)", "+o.whole", "3", "'3'", "2.5", "CAST('3' AS INTEGER)"}) {
        const std::string condition = std::string(left) + comparison + right;
        CAPTURE(condition);
        const std::string order = " ORDER BY o.n, t.id";
        const Rows expected = db.rows("SELECT o.n, t.id FROM o CROSS JOIN u AS t WHERE " + condition + order);
        CHECK(db.rows("SELECT o.n, t.id FROM o CROSS JOIN t WHERE " + condition + order) == expected);
        CHECK(db.rows("SELECT o.n, t.id FROM o CROSS JOIN t WHERE t.a MATCH '[0]' AND " + condition +
                      order) == expected);
        rows += static_cast<long>(expected.size());
      }
    }
    const std::string list = std::string(left) + " IN (SELECT plain FROM o)";
    CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[0]' AND " + list) ==
          db.rows("SELECT id FROM u AS t WHERE " + list));
  }
  CHECK(rows > 2000);
}

TEST_CASE("an IN of any values means what it means on an ordinary table", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[1] distance_metric=l2, c text, i "
      "text "
      "indexed, p text partition key, m blob, n integer, r real, f text collate nocase);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, e, c text, i text, p text, m blob, n integer, r real, f text "
      "collate nocase);"
      "WITH v(id, x) AS (VALUES (1, 'a'), (2, 'A'), (3, 'b '), (4, 'b'), (5, '1'), (6, 1), (7, '1.0'), (8, "
      "1.5), "
      "(9, x'31'), (10, NULL), (11, 'cb'), (12, '449'), (13, 449), (14, ' 7'), (15, 7))"
      "INSERT INTO u SELECT id, '[' || id || ']', x, x, x, x, x, x, x FROM v;"
      "INSERT INTO t(id, e, c, i, p, m, n, r, f) SELECT id, e, c, i, p, m, n, r, f FROM u;"
      "CREATE TABLE w(x, t TEXT, y TEXT COLLATE NOCASE, b BLOB, n NUMERIC);"
      "INSERT INTO w SELECT c, c, upper(c), m, n FROM u;"
      "CREATE VIEW folded AS SELECT x COLLATE NOCASE AS x FROM w");
  const auto reversed = [](void*, int a, const void* left, int b, const void* right) {
    std::string x(static_cast<const char*>(left), static_cast<std::size_t>(a));
    std::string y(static_cast<const char*>(right), static_cast<std::size_t>(b));
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    return x.compare(y);
  };
  // Equal where the letters are, in any order.
  REQUIRE(sqlite3_create_collation(db.handle(), "ANAGRAM", SQLITE_UTF8, nullptr, reversed) == SQLITE_OK);
  std::string many;
  for (int i = 1; i <= 1300; ++i) many += std::to_string(i) + ", ";
  std::vector<std::string> lists = {many + "'1'",
                                    many + "'449', x'31', '1.0', NULL",
                                    "'1', " + many + "1.5",
                                    "'a', 'B'",
                                    "1, '1', 1.0",
                                    "SELECT 'a' COLLATE NOCASE",
                                    "SELECT x COLLATE NOCASE FROM w WHERE x > 'A'",
                                    "SELECT 'b' COLLATE RTRIM UNION ALL SELECT 'zz'",
                                    "SELECT 'bc' COLLATE ANAGRAM",
                                    "SELECT 'B' UNION ALL SELECT 'a' COLLATE NOCASE",
                                    "SELECT x FROM folded",
                                    "SELECT x COLLATE NOCASE FROM folded",
                                    "SELECT x FROM (SELECT 'a' COLLATE NOCASE AS x)"};
  for (const char* column : {"x", "t", "y", "b", "n", "+x", "CAST(x AS TEXT)", "t || ''"})
    lists.push_back("SELECT " + std::string(column) + " FROM w");
  lists.push_back(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 900) SELECT i FROM c "
      "UNION ALL SELECT 'A' COLLATE NOCASE UNION ALL SELECT i || '' FROM c");
  for (const char* column : {"id", "c", "i", "p", "m", "n", "r", "c COLLATE NOCASE", "+c", "c COLLATE BINARY",
                             "f", "f COLLATE BINARY", "f COLLATE RTRIM"}) {
    for (const std::string& list : lists) {
      const std::string where = std::string(column) + " IN (" + list + ")";
      CAPTURE(where);
      const Rows expected = db.rows("SELECT id FROM u WHERE " + where + " ORDER BY id");
      CHECK(db.rows("SELECT id FROM t WHERE " + where + " ORDER BY id") == expected);
      CHECK(db.rows("SELECT id FROM t WHERE e MATCH '[0]' AND " + where) == expected);
      CHECK(db.one("SELECT count(*) FROM t WHERE " + where) == std::to_string(expected.size()));
      if (std::string(column) == "id")
        CHECK(db.rows("SELECT id FROM t WHERE e MATCH '[0]' AND k = 99 AND " + where) == expected);
    }
  }
  // Where the COLLATE stands in a view or a trigger.
  db.run(
      "CREATE VIEW ids AS SELECT id FROM t WHERE c IN (SELECT 'a' COLLATE NOCASE);"
      "CREATE TABLE log(id); CREATE TEMP TRIGGER logged AFTER INSERT ON w BEGIN INSERT INTO log SELECT id "
      "FROM t WHERE "
      "c IN (SELECT new.x COLLATE NOCASE); END;");
  CHECK(db.rows("SELECT id FROM ids ORDER BY id") == Rows{{"1"}, {"2"}});
  db.run("INSERT INTO w(x) VALUES ('B')");
  CHECK(db.rows("SELECT id FROM log") == Rows{{"4"}});
  // Where nothing may be asked.
  const auto deny = [](void*, int action, const char*, const char*, const char*, const char*) {
    return action == SQLITE_PRAGMA ? SQLITE_DENY : SQLITE_OK;
  };
  sqlite3_set_authorizer(db.handle(), deny, nullptr);
  CHECK(db.rows("SELECT id FROM t WHERE c IN (SELECT 'bc' COLLATE ANAGRAM)") == Rows{{"11"}});
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  // Where a collation is gone.
  REQUIRE(sqlite3_create_collation(db.handle(), "ANAGRAM", SQLITE_UTF8, nullptr, nullptr) == SQLITE_OK);
  CHECK(db.rows("SELECT id FROM t WHERE c IN (SELECT 'B' COLLATE NOCASE)") == Rows{{"4"}});
}

TEST_CASE("a search among the ids of a query finds what it does in plain SQL", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] distance_metric=l2, m integer, "
      "n text);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, x, y, m integer, n text);"
      "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 2299)"
      "INSERT INTO u SELECT 3 * i - 900, i * 37 % 1009, i % 11, i % 5, 'n' || i FROM c;"
      "INSERT INTO t(id, e, m, n) SELECT id, '[' || x || ',' || y || ']', m, n FROM u;"
      "DELETE FROM t WHERE id % 31 = 2; DELETE FROM u WHERE id % 31 = 2");
  const std::vector<std::string> sources = {
      "SELECT id FROM u WHERE id % 400 = 0",
      "SELECT id FROM u WHERE id % 20 = 0",
      "SELECT id FROM u WHERE id % 2",
      "SELECT id FROM u WHERE id % 100 > 4 OR id % 100 < -4",
      "SELECT id FROM u",
      "SELECT id + 1 FROM u",
      "SELECT id * 1.0 FROM u WHERE m <> 2",
      "SELECT CAST(id AS TEXT) FROM u WHERE m = 3",
      "SELECT id FROM u WHERE 0",
      "SELECT id FROM u UNION ALL SELECT NULL UNION ALL SELECT 1e300 UNION ALL SELECT 'x' UNION ALL SELECT "
      "x'30'",
  };
  const std::vector<std::string> others = {"",
                                           " AND m = 3",
                                           " AND m IN (1, 3, '4')",
                                           " AND id IN (SELECT id FROM u WHERE id % 7 < 5)",
                                           " AND n IN (SELECT n FROM u WHERE m <> 1)",
                                           " AND id > 0 AND id IN (SELECT id FROM u) AND n > 'n2'"};
  for (const std::string& source : sources) {
    for (const std::string& other : others) {
      const std::string where = "id IN (" + source + ")" + other;
      CAPTURE(where);
      const std::string plain =
          "SELECT id FROM u WHERE " + where + " ORDER BY (x - 500) * (x - 500) + y * y, id LIMIT ";
      const std::string search = "SELECT id FROM t WHERE e MATCH '[500,0]' AND " + where;
      CHECK(db.rows(search) == db.rows(plain + "-1"));
      CHECK(db.rows(search + " LIMIT 10") == db.rows(plain + "10"));
      for (const char* k : {"1", "10", "300"}) CHECK(db.rows(search + " AND k = " + k) == db.rows(plain + k));
      CHECK(db.rows("SELECT id FROM t WHERE " + where + " ORDER BY id") ==
            db.rows("SELECT id FROM u WHERE " + where + " ORDER BY id"));
    }
  }
}

TEST_CASE("a search may be one side of any join", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  // One search for each row of q, with a k of its own.
  std::string expected;
  for (const char* n : {"1", "2", "3"}) {
    const std::string v = std::string("(SELECT v FROM q WHERE n = ") + n + ")";
    expected += std::string(expected.empty() ? "" : " UNION ALL ") + "SELECT * FROM (SELECT " + n +
                ", id FROM u WHERE vec_distance_cosine(a, " + v +
                ") IS NOT NULL ORDER BY vec_distance_cosine(a, " + v +
                "), id LIMIT (SELECT k FROM q WHERE n = " + n + "))";
  }
  const Rows nearest = db.rows(expected);
  CHECK(nearest.size() == 9);
  CHECK(db.rows("SELECT n, id FROM q JOIN t ON t.a MATCH q.v AND t.k = q.k") == nearest);
  CHECK(db.rows("SELECT n, id FROM t JOIN q ON t.a MATCH q.v AND t.k = q.k") == nearest);
  CHECK(db.rows("SELECT n, id FROM q CROSS JOIN t WHERE a MATCH v AND t.k = q.k ORDER BY n, distance, id") ==
        nearest);
  CHECK(db.rows("SELECT n, id FROM q LEFT JOIN t ON a MATCH v AND t.k = q.k ORDER BY n, distance, id") ==
        nearest);
  CHECK(db.one("SELECT group_concat((SELECT group_concat(id) FROM (SELECT id FROM t WHERE a MATCH q.v AND k "
               "= q.k))) FROM q") == db.one("SELECT group_concat(id) FROM (" + expected + ")"));
  // Results joined to another table, in either order of writing.
  const std::string rest = " WHERE t.a MATCH '[1,0,0]' AND t.k = 6 AND u.y > 2002 ORDER BY t.distance, t.id";
  const Rows joined = db.rows("SELECT t.id, u.x FROM t JOIN u ON u.id = t.id" + rest);
  CHECK(db.rows("SELECT t.id, u.x FROM u JOIN t ON u.id = t.id" + rest) == joined);
  CHECK(joined ==
        db.rows("SELECT id, x FROM (SELECT id, x, y, row_number() OVER (ORDER BY vec_distance_cosine(a, "
                "vec_f32('[1,0,0]')), id) AS r FROM u) WHERE r <= 6 AND y > 2002 ORDER BY r"));
  CHECK(db.one("SELECT count(*) FROM t AS s JOIN t AS w ON w.a MATCH s.a AND w.k = 1 AND w.distance = 0") ==
        "90");
}

TEST_CASE("an OR of lookups does not displace the search beside it in a join that is sorted",
          "[surface][query]") {
  Connection db;
  db.run(kSetup);
  for (const char* inputs : {"", " AND t.transform = 'none'", " AND t.k = 1000"}) {
    for (const char* condition :
         {"(t.id IN (20, 23, 26) OR t.id IN (29, NULL))", "(t.id = 20 OR t.rowid = 32 OR t.p = 'p1')"}) {
      const std::string rest = std::string(condition) + " ORDER BY t.distance, t.id, q.n";
      const std::string join = "t LEFT JOIN q ON q.k = t.id % 5";
      CAPTURE(inputs, rest);
      CHECK(
          db.rows("SELECT q.n, t.id, t.distance FROM " + join + " WHERE t.a MATCH '[1,0,0]'" + inputs +
                  " AND " + rest) ==
          db.rows("WITH t AS (SELECT *, id AS rowid, vec_distance_cosine(a, vec_f32('[1,0,0]')) AS distance "
                  "FROM u) SELECT q.n, t.id, t.distance FROM " +
                  join + " WHERE t.distance IS NOT NULL AND " + rest));
    }
  }
}
