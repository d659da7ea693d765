// The inputs of a search and its order: k, transform and query_mean, queries without neighbours, plans that
// EXPLAIN names, and rows that change while a search is read.

#include "connection.hpp"
#include "query_tables.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::kSetup;
using Rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("a search reports its inputs, distance and similarity", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[1,0,0.5]' AND (distance <> vec_distance_cosine(a, "
               "vec_f32('[1,0,0.5]')) "
               "OR similarity <> vec_cosine(a, vec_f32('[1,0,0.5]')))") == "0");
  CHECK(db.one("SELECT count(*) FROM t WHERE d MATCH '[1,2]' AND (distance <> -vec_dot(d, vec_f32('[1,2]')) "
               "OR similarity <> "
               "vec_dot(d, vec_f32('[1,2]')))") == "0");
  CHECK(db.one("SELECT count(similarity) FROM t WHERE b MATCH '[1,2]'") == "0");
  CHECK(db.one("SELECT count(distance) + count(similarity) FROM t") == "0");
  CHECK(db.rows("SELECT k, transform FROM t WHERE a MATCH '[1,0,0]' AND k = 1 AND transform = 'none'") ==
        Rows{{"1", "none"}});
}

TEST_CASE("an input that cannot be heeded is an error, never passed over", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  const auto error = [&](const std::string& where) { return db.error("SELECT id FROM t WHERE " + where); };
  CHECK(error("k = 5").find("t: the condition on k needs a search beside it") == 0);
  CHECK(error("a MATCH '[1,0,0]' AND +k = 5").find("k has no value here") != std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND k > 5").find("k has no value here") != std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND k <> 5").find("k has no value here") != std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND query_mean > 5").find("query_mean has no value here") !=
        std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND +transform = 'none'").find("transform has no value here") !=
        std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND transform LIKE 'n%'").find("transform has no value here") !=
        std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND CASE WHEN 1 THEN k = 5 END").find("k has no value here") !=
        std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND (k = 5 OR length(x) = 2)").find("k ") != std::string::npos);
  for (const char* on :
       {"o.y = t.y WHERE k = 2 AND a MATCH '[1,0,0]'", "o.y = t.y WHERE a MATCH '[1,0,0]' AND k = 2",
        "o.y = t.y AND a MATCH '[1,0,0]' WHERE k = 2"}) {
    CAPTURE(on);
    CHECK(db.error("SELECT t.id FROM u AS o LEFT JOIN t ON " + std::string(on)) != "");
  }
  CHECK(error("a MATCH '[1,0,0]' AND k IN (1, 2)").find("take one value") != std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND k = 1 AND k = 2").find("given twice") != std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND b MATCH '[1,0]'").find("one query can MATCH one vector column") !=
        std::string::npos);
  CHECK(error("a MATCH '[1,0,0]' AND k = -1") == "t: k must not be negative, got -1");
  CHECK(error("a MATCH '[1,0,0]' AND k = 'five'") == "t: k must be a whole number of rows, got TEXT");
  CHECK(error("a MATCH '[1,0,0]' AND k = 1.5") == "t: k must be a whole number of rows, got REAL");
  CHECK(error("a MATCH '[1,0,0]' AND k = '2 rows'") == "t: k must be a whole number of rows, got TEXT");
  CHECK(error("a MATCH '[1,0,0]' AND k = '-1'") == "t: k must not be negative, got -1");
  CHECK(error("a MATCH '[1,0,0]' AND k = x'32'") == "t: k must be a whole number of rows, got BLOB");
  CHECK(error("a MATCH '[1,0,0]' AND k = NULL") == "t: k must be a whole number of rows, got NULL");
  CHECK(error("a MATCH NULL AND k = 'five'") == "t: k must be a whole number of rows, got TEXT");
  CHECK(error("a MATCH 5") ==
        "t: column a: expected a vector of 3 float32 numbers as a BLOB or a JSON array, got INTEGER");
  CHECK(error("a MATCH '[1,0]'") == "t: column a: dimensions differ: the column has 3 and the vector has 2");
  CHECK(error("a MATCH '[0,0]'").find("t: column a: dimensions differ") == 0);
  CHECK(error("a MATCH vec_f16('[1,0,0]')").find("t: column a: types differ") == 0);
  CHECK(error("a MATCH '[1,0,0]' AND transform = 'center'")
            .find("t: transform must be 'none' or a transform") == 0);
  CHECK(error("a MATCH '[1,0,0]' AND transform = x'00'").find("t: ") == 0);
  CHECK(error("a MATCH '[1,0,0]' AND query_mean = '[1,0,0]'").find("t: query_mean replaces the mean") == 0);
  CHECK(error("l MATCH 'vi'").find("can be searched only by a condition of its own") != std::string::npos);
  CHECK(error("(a MATCH '[1,0,0]') = 1").find("can be searched only by a condition of its own") !=
        std::string::npos);
  CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[1,0,0]' OR id = 3").size() == 90);  // a union of two plans
  CHECK(
      error("a MATCH '[1,0,0]' AND (id = 3 OR k = 5)").find("the condition on k needs a search beside it") !=
      std::string::npos);
  // Every input beyond SQLite's sixteen that it is told not to check.
  std::string many = "a MATCH '[1,0,0]' AND k = 3 AND transform = 'none'";
  for (int i = 0; i < 40; ++i) many += " AND y <> " + std::to_string(1900 + i);
  CHECK(db.rows("SELECT id FROM t WHERE " + many).size() == 3);
  many = "y <> 1900";
  for (int i = 1; i < 40; ++i) many += " AND y <> " + std::to_string(1900 + i);
  CHECK(db.rows("SELECT id FROM t WHERE " + many +
                " AND id IN (SELECT id FROM u) AND a MATCH '[1,0,0]' AND k = 3")
            .size() == 3);
}

TEST_CASE("an input that was not given is NULL where it is only read", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  for (const std::string where :
       {"id = 20", "a MATCH '[1,0,0]' AND id = 20", "b MATCH '[1,0]' AND id = 20"}) {
    for (const std::string column : {"k", "transform", "query_mean", "distance + k"}) {
      CAPTURE(where, column);
      CHECK(db.rows("SELECT " + column + " FROM t WHERE " + where) == Rows{{"NULL"}});
      CHECK(db.rows("SELECT id, " + column + ", y FROM t WHERE " + where)[0][1] == "NULL");
      CHECK(db.rows("SELECT " + column + " AS v, count(*) FROM t WHERE " + where + " AND v IS NULL")[0][1] ==
            "1");
    }
  }
  CHECK(db.rows("SELECT id, k FROM t ORDER BY id LIMIT 1") == Rows{{"-97", "NULL"}});
  CHECK(db.rows("SELECT k, y FROM t ORDER BY distance DESC, id LIMIT 1") == Rows{{"NULL", "2001"}});
  CHECK(db.rows("SELECT coalesce(k, -id) FROM t WHERE id = 20") == Rows{{"-20"}});
  CHECK(db.one("SELECT count(*) FROM t WHERE k IS NULL") == "90");
  // What a browser of tables asks for each column.
  for (const char* column : {"k", "query_mean", "transform", "distance", "id"}) {
    const std::string all =
        "(SELECT id, a, b, d, p, y, l, x, distance, similarity, k, transform, query_mean FROM t LIMIT 1000)";
    const std::string sql = "SELECT " + std::string(column) + " AS value, count(*) AS n FROM " + all +
                            " WHERE value IS NOT NULL GROUP BY value ORDER BY n DESC LIMIT 31";
    CAPTURE(sql);
    CHECK(db.rows(sql).size() == (std::string(column) == "id" ? 31 : 0));
  }
}

TEST_CASE("a query that is NULL, or zero under cosine, has no neighbours", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  db.run(
      "CREATE VIRTUAL TABLE s USING isovec(id INTEGER PRIMARY KEY, c float[2] transform='center', w float[2] "
      "distance_metric=l2 transform='center', h int8[2], b bit[8]);"
      "INSERT INTO s(id, c, w, h, b) VALUES (1, '[1,2]', '[1,2]', '[1,2]', vec_bit(x'01')), (2, '[3,4]', "
      "'[3,4]', "
      "'[3,4]', vec_bit(x'03')), (3, '[5,3]', '[5,3]', '[0,0]', vec_bit(x'00'));"
      "INSERT INTO s(s) VALUES ('fit column=c'), ('fit column=w')");
  const auto count = [&](const std::string& where) {
    return db.one("SELECT count(*) FROM s WHERE " + where);
  };
  for (const char* k : {"", " AND k = 2", " AND id > 0", " AND distance < 9"}) {
    CAPTURE(k);
    CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH NULL" + std::string(k)) == "0");
    CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[0,0,0]'" + std::string(k)) == "0");
    for (const char* column : {"c", "w", "h", "b"})
      CHECK(count(std::string(column) + " MATCH NULL" + k) == "0");
    CHECK(count("c MATCH '[3,3]'" + std::string(k)) == "0");  // the mean
    CHECK(count("h MATCH '[0,0]'" + std::string(k)) == "0");
  }
  // Zero is a point like any other where distances are not of directions.
  CHECK(count("w MATCH '[3,3]'") == "3");
  CHECK(count("b MATCH vec_bit(x'00')") == "3");
  CHECK(count("h MATCH '[1,0]'") == "2");
  CHECK(db.one("SELECT count(*) FROM t WHERE b MATCH '[0,0]'") == "90");
  CHECK(db.one("SELECT count(*) FROM t WHERE d MATCH '[0,0]'") == "90");
  // A transform that normalizes rows first, under any metric.
  const std::string given = "vec_transform_make(NULL, '[[1,0],[0,1]]', 'normalize=before')";
  for (const char* column : {"b", "d"}) {
    const std::string search =
        "SELECT count(*) FROM t WHERE " + std::string(column) + " MATCH ? AND transform = ";
    CHECK(db.one(search + given, "[0,0]") == "0");
    CHECK(db.error(search + "'center'", "[0,0]").find("t: transform must be") == 0);
    CHECK(db.error(search + given + " AND query_mean = '[1,1]'", "[0,0]")
              .find("needs a transform that subtracts") != std::string::npos);
  }
  // One of many queries.
  db.run(
      "DELETE FROM q; INSERT INTO q(n, v) VALUES (1, '[1,0,0]'), (2, NULL), (3, '[0,0,0]'), (4, "
      "'[0,1,0.5]')");
  const Rows expected = db.rows(
      "SELECT n, (SELECT id FROM (SELECT id, vec_distance_cosine(a, v) AS distance FROM u) "
      "WHERE distance IS NOT NULL ORDER BY distance, id LIMIT 1) FROM q WHERE n IN (1, 4)");
  CHECK(db.rows("SELECT n, id FROM q JOIN t ON t.a MATCH q.v AND t.k = 1") == expected);
  CHECK(db.rows("SELECT n, id FROM q LEFT JOIN t ON t.a MATCH q.v AND t.k = 1") ==
        Rows{expected[0], {"2", "NULL"}, {"3", "NULL"}, expected[1]});
  CHECK(db.rows("SELECT id FROM (VALUES (1, '[1,0,0]'), (2, NULL)) AS w JOIN t ON t.a MATCH w.column2 AND "
                "t.k = 1") == Rows{{expected[0][1]}});
}

TEST_CASE("k may be text that is a number", "[surface][query]") {
  Connection db;
  db.run(kSetup);
  const Rows two = db.rows("SELECT id FROM t WHERE b MATCH '[3,2]' AND k = 2");
  REQUIRE(two.size() == 2);
  for (const char* k : {"2", " 2 ", "2.0", "+2", "2e0"}) {
    CHECK(db.rows("SELECT id FROM t WHERE b MATCH '[3,2]' AND k = ?", k) == two);
  }
  CHECK(db.rows("SELECT id FROM t WHERE b MATCH '[3,2]' AND k = ?", 2.0) == two);
  CHECK(db.rows("SELECT id FROM t WHERE b MATCH '[3,2]' AND k = ?", "4294967296").size() == 90);
  CHECK(db.rows("SELECT id FROM t WHERE b MATCH '[3,2]' AND k = ?", "0").empty());
  CHECK(db.rows("SELECT typeof(k) FROM t WHERE b MATCH '[3,2]' AND k = ?", "1") == Rows{{"text"}});
}

TEST_CASE("EXPLAIN QUERY PLAN names the search, its conditions and its transform", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[3] transform='center', y integer, "
      "+x text)");
  const auto plan = [&](const std::string& where) {
    const std::string text = db.rows("EXPLAIN QUERY PLAN SELECT x FROM t WHERE " + where)[0][3];
    return text.substr(0, text.find(" {"));
  };
  CHECK(plan("e MATCH ? AND k = 3") ==
        "SCAN t VIRTUAL TABLE INDEX 0:search e by cosine, k = ?, transform 'center'");
  CHECK(plan("e MATCH ? AND transform = ? AND y > 3 AND x = 'q' AND distance < 1") ==
        "SCAN t VIRTUAL TABLE INDEX 0:search e by cosine, transform = ?, distance < ?, y > ?; left to "
        "SQLite: x = ?");
  CHECK(plan("id = 5") == "SCAN t VIRTUAL TABLE INDEX 0:lookup, id = ?");
  CHECK(plan("y IN (1, 2)") == "SCAN t VIRTUAL TABLE INDEX 0:scan, y IN (...)");
  CHECK(plan("x = 'q'") == "SCAN t VIRTUAL TABLE INDEX 0:scan; left to SQLite: x = ?");
  // The order of a search needs no sorter, any other does.
  const auto sorts = [&](const std::string& order) {
    return db.rows("EXPLAIN QUERY PLAN SELECT x FROM t WHERE e MATCH ? ORDER BY " + order).size() > 1;
  };
  CHECK_FALSE(sorts("distance"));
  CHECK_FALSE(sorts("distance, id"));
  CHECK(sorts("distance DESC"));
  CHECK(sorts("id"));
  CHECK(sorts("distance, id DESC"));
  CHECK_FALSE(sorts("similarity DESC"));
  CHECK_FALSE(sorts("similarity DESC, id"));
  CHECK(sorts("similarity"));
}

TEST_CASE("descending similarity is the order of a search", "[surface][query]") {
  Connection db;
  // Similarities near 0, of which many have one distance.
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, c float[2], n float[2] codes=none, d "
      "float[2] "
      "distance_metric=dot, l float[2] distance_metric=l2, h int8[2]);"
      "CREATE TABLE u(id INTEGER PRIMARY KEY, v, w);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 900) INSERT INTO u SELECT i, "
      "vec_f32('[' || ((i * 37 % 101 - 50) * CASE i % 3 WHEN 0 THEN 1e-18 ELSE 0.01 END) || ',' || (i % 7 + "
      "1) || ']'),"
      "vec_int8('[' || (i * 37 % 101 - 50) || ',' || (i % 7 + 1) || ']') FROM c;"
      "INSERT INTO t(id, c, n, d, l, h) SELECT id, v, v, v, v, w FROM u");
  REQUIRE(
      db.one("SELECT count(DISTINCT vec_cosine(v, vec_f32('[1,0]'))) > count(DISTINCT vec_distance_cosine(v, "
             "vec_f32('[1,0]'))) FROM u") == "1");
  const std::vector<std::pair<std::string, std::string>> kColumns = {
      {"c", "vec_cosine(v, vec_f32('[1,0]'))"},
      {"n", "vec_cosine(v, vec_f32('[1,0]'))"},
      {"d", "vec_dot(v, vec_f32('[1,0]'))"},
      {"h", "vec_cosine(vec_int8(w), vec_int8('[1,0]'))"}};
  for (const auto& [column, similarity] : kColumns) {
    const std::string plain = "(SELECT id, CAST(" + similarity + " AS REAL) AS similarity, " +
                              (column == "d" ? "-" : "1 - ") + similarity + " AS distance FROM u WHERE " +
                              similarity + " IS NOT NULL)";
    for (const std::string limit : {" LIMIT 1", " LIMIT 25", " LIMIT 100 OFFSET 15", ""}) {
      for (const std::string order :
           {"similarity DESC, id", "similarity DESC, id DESC", "similarity, id", "distance, id"}) {
        const std::string search = "SELECT id FROM t WHERE " + column + " MATCH '[1,0]'";
        const std::string end = " ORDER BY " + order + limit;
        CAPTURE(search, end);
        CHECK(db.rows(search + end) == db.rows("SELECT id FROM " + plain + end));
        // k counts by distance, then its rows are sorted.
        CHECK(db.rows(search + " AND k = 40" + end) ==
              db.rows("SELECT id FROM (SELECT * FROM " + plain + " ORDER BY distance, id LIMIT 40)" + end));
      }
    }
  }
  // NULL, and so in any order.
  CHECK(db.rows("SELECT id FROM t WHERE l MATCH '[1,0]' ORDER BY similarity DESC").size() == 900);
  CHECK(db.rows("SELECT id FROM t WHERE l MATCH '[1,0]' ORDER BY similarity DESC, id DESC LIMIT 2") ==
        Rows{{"900"}, {"899"}});
}

TEST_CASE("rows that change while a search is read do not disturb it", "[surface][query]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[1] distance_metric=l2);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200)"
      "INSERT INTO t(id, a) SELECT i, '[' || i || ']' FROM c");
  for (const char* sql : {"SELECT id FROM t WHERE a MATCH '[0]'", "SELECT id FROM t"}) {
    db.run("SAVEPOINT s");
    sqlite3_stmt* read = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), sql, -1, &read, nullptr) == SQLITE_OK);
    std::vector<int> seen;
    while (sqlite3_step(read) == SQLITE_ROW) {
      const int id = sqlite3_column_int(read, 0);
      seen.push_back(id);
      if (id == 10)
        db.run("DELETE FROM t WHERE id BETWEEN 20 AND 40 OR id < 5; UPDATE t SET a = '[0]' WHERE id = 60");
      if (id == 50) db.run("INSERT INTO t(t) VALUES ('optimize'); UPDATE t SET id = -1 WHERE id = 70");
    }
    CHECK(sqlite3_finalize(read) == SQLITE_OK);
    std::vector<int> expected;
    for (int i = 1; i <= 200; ++i) {
      if ((i < 20 || i > 40) && i != 70) expected.push_back(i);
    }
    CHECK(seen == expected);
    db.run("INSERT INTO t(t) VALUES ('integrity-check'); ROLLBACK TO s; RELEASE s");
  }
  CHECK(db.error("SELECT * FROM no_such").find("no such table") != std::string::npos);
}
