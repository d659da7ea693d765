// Transforms of a column: declared, fitted, given, taken away, and chosen for one query.

#include <cmath>

#include "connection.hpp"

namespace {

using isovec::test::Connection;
using Rows = std::vector<std::vector<std::string>>;

// 60 rows of four correlated coordinates around a mean that is not 0, in t and in the ordinary table u.
constexpr const char* kRows =
    "CREATE TABLE u(id INTEGER PRIMARY KEY, e);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 60)"
    "INSERT INTO u SELECT i, vec_f32('[' || (5 + i % 7) || ',' || (i % 7 + i % 5 * 0.5) || ',' || (i * i % "
    "11 - 3) || ',' "
    "|| (i % 3 * 0.25 + i % 11) || ']') FROM c;";

std::string create(const std::string& options) {
  return "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[4] " + options +
         ");"
         "INSERT INTO t(id, e) SELECT * FROM u;";
}

constexpr const char* kQuery = "vec_f32('[6,2,0.5,1]')";

// The largest difference between what the table and the function say of a row.
double largest_difference(Connection& db, const std::string& inputs, const std::string& function) {
  CHECK(db.one("SELECT count(*) FROM t WHERE e MATCH " + std::string(kQuery) + inputs) == "60");
  return db.number("SELECT max(abs(distance - " + function + ")) FROM t WHERE e MATCH " + kQuery + inputs);
}

}  // namespace

TEST_CASE("a fitted search ranks as the functions of the same transform do", "[surface][transform]") {
  const std::string spec =
      GENERATE("center", "project_mean", "remove_top", "whiten", "whiten eps=1", "pca k=2", "whiten k=3",
               "center normalize=both", "whiten normalize=before", "none", "standardize");
  const std::string metric = GENERATE("cosine", "l2", "dot");
  CAPTURE(spec, metric);
  Connection db;
  db.run(kRows);
  db.run(create("transform='" + spec + "' distance_metric=" + metric));
  CHECK(db.error("SELECT id FROM t WHERE e MATCH '[1,2,3,4]'")
            .find("not fitted: run INSERT INTO \"t\"(\"t\") VALUES "
                  "('fit'), or add AND transform = 'none'") != std::string::npos);
  db.run("INSERT INTO t(t) VALUES ('fit')");
  // The same bytes as the aggregate over the same rows in the order of the slots.
  CHECK(db.one("SELECT transform = (SELECT vec_fit(e, '" + spec + "') FROM u) FROM t LIMIT 1") == "1");
  const std::string t = "(SELECT transform FROM t LIMIT 1)";
  const std::string q = kQuery;
  const std::string function = metric == "cosine" ? "vec_distance_cosine(e, " + q + ", " + t + ")"
                               : metric == "l2"   ? "vec_distance_l2(e, " + q + ", " + t + ")"
                                                  : "-vec_dot(e, " + q + ", " + t + ")";
  // z is float32 in the functions: 2^-24 of |z_q||z_x| or so, below 1e4 here, and its root where l2
  // subtracts.
  CHECK(largest_difference(db, "", function) < 2e-3);
  CHECK(largest_difference(db, " AND transform = " + t, function) < 2e-3);
  // Stored norms and those of a transform that is given are the same numbers.
  CHECK(db.rows("SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH " + q) ==
        db.rows("SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH " + q + " AND transform = " + t));
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("a search by a row itself finds it at distance 0", "[surface][transform]") {
  Connection db;
  db.run(kRows);
  db.run(create("transform='whiten'"));
  db.run("INSERT INTO t(t) VALUES ('fit')");
  CHECK(db.number("SELECT max((SELECT distance FROM t WHERE e MATCH u.e AND k = 1)) FROM u") < 1e-9);
}

TEST_CASE("rows that come, change and go after a fit are scored under it", "[surface][transform]") {
  Connection db;
  db.run(kRows);
  db.run(create("transform='whiten'"));
  db.run(
      "INSERT INTO t(t) VALUES ('fit');"
      "DELETE FROM t WHERE id % 4 = 0; INSERT INTO t(e) SELECT e FROM u WHERE id < 9;"
      "UPDATE t SET e = '[1,2,3,4]' WHERE id = 7; INSERT OR REPLACE INTO t(id, e) VALUES (9, '[4,3,2,1]')");
  const std::string t = "(SELECT transform FROM t LIMIT 1)";
  CHECK(
      db.rows("SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH '[6,2,1,1]'") ==
      db.rows("SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH '[6,2,1,1]' AND transform = " + t));
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("commands change a transform and say what is wrong with them", "[surface][transform]") {
  Connection db;
  db.run(kRows);
  db.run(create("transform='center'"));
  db.run("CREATE VIRTUAL TABLE two USING isovec(\"a b\" float[2], c float[2] transform='center')");
  const auto spec = [&] { return db.one("SELECT coalesce(transform, '-') FROM isovec_info('t')"); };
  CHECK(spec() == "-");
  db.run("INSERT INTO t(t) VALUES ('fit')");
  CHECK(spec() == "center");
  db.run("INSERT INTO t(t) VALUES ('  FIT  column=E  whiten eps=1 ')");
  CHECK(spec() == "whiten eps=1");
  db.run("INSERT INTO t(t, transform) SELECT 'transform', vec_fit(e, 'project_mean') FROM u");
  CHECK(spec() == "project_mean");
  CHECK(db.one("SELECT spec || rows_at_fit FROM isovec_info('t')") == "center60");
  db.run("INSERT INTO t(t) VALUES ('unfit')");
  CHECK(spec() == "-");
  CHECK(db.one("SELECT count(*) FROM t_norms") == "0");

  const auto error = [&](const std::string& table, const std::string& command) {
    return db.error("INSERT INTO " + table + "(" + table + ") VALUES ('" + command + "')");
  };
  CHECK(error("t", "fit column=x").find("no vector column is named x: there is e") != std::string::npos);
  CHECK(error("t", "fit whitten").find("t: ") == 0);
  CHECK(error("t", "unfit now") == "t: 'unfit' takes no 'now'");
  CHECK(error("t", "transform")
            .find("needs a transform (a BLOB from vec_fit) in the column transform, got NULL") !=
        std::string::npos);
  CHECK(error("two", "fit center").find("so 'fit' needs column=, one of a b, c") != std::string::npos);
  CHECK(error("two", "fit column=\"a b\"").find("there is nothing to fit") != std::string::npos);
  CHECK(error("two", "fit").find("two: ") == 0);
  CHECK(db.error("INSERT INTO t(t, transform) VALUES ('fit', x'00')").find("only the command 'transform'") !=
        std::string::npos);
  CHECK(db.error("INSERT INTO t(t, transform) VALUES ('transform', x'0011')").find("t: ") == 0);
  CHECK(
      db.error(
          "INSERT INTO t(t, transform) VALUES ('transform', vec_transform_make('[1,1]', '[[1,0],[0,1]]'))") ==
      "t: the transform maps vectors of 2 dimensions and column e has 4");
  db.run(
      "INSERT INTO two(\"a b\", c) VALUES ('[1,2]', '[3,4]'), ('[2,1]', '[4,4]');"
      "INSERT INTO two(two) VALUES ('fit column=\"a b\" center'), ('fit')");
  CHECK(db.rows("SELECT name, transform FROM isovec_info('two')") ==
        Rows{{"a b", "center"}, {"c", "center"}});
  db.run("INSERT INTO two(two) VALUES ('integrity-check'); INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("a fit that is rolled back leaves the old transform", "[surface][transform]") {
  Connection db;
  db.run(kRows);
  db.run(create("transform='center'"));
  db.run("INSERT INTO t(t) VALUES ('fit')");
  const std::string ask = "SELECT id, printf('%.17g', distance) FROM t WHERE e MATCH '[6,2,1,1]'";
  const Rows before = db.rows(ask);
  db.run("BEGIN; INSERT INTO t(t) VALUES ('fit whiten')");
  const Rows whitened = db.rows(ask);
  CHECK(whitened != before);
  db.run("SAVEPOINT s; INSERT INTO t(t) VALUES ('unfit')");
  CHECK(db.error(ask).find("not fitted") != std::string::npos);
  db.run("ROLLBACK TO s");
  CHECK(db.rows(ask) == whitened);
  db.run("ROLLBACK");
  CHECK(db.rows(ask) == before);
}

TEST_CASE("query_mean centers the query on another mean", "[surface][transform]") {
  Connection db;
  db.run(kRows);
  db.run(create("transform='center'"));
  db.run("INSERT INTO t(t) VALUES ('fit')");
  // By hand: cos(q - m, x - mean).
  const std::string hand = "vec_distance_cosine(vec_sub(" + std::string(kQuery) +
                           ", vec_f32('[1,1,0,0]')), vec_sub(e, (SELECT vec_mean(e) FROM u)))";
  CHECK(largest_difference(db, " AND query_mean = '[1,1,0,0]'", hand) < 1e-6);
  db.run("INSERT INTO t(t) VALUES ('fit project_mean')");
  CHECK(db.error("SELECT id FROM t WHERE e MATCH '[1,2,3,4]' AND query_mean = '[1,1,0,0]'").find("t: ") == 0);
  CHECK(db.error("SELECT id FROM t WHERE e MATCH '[1,2,3,4]' AND query_mean = '[1,1]'")
            .find("t: column query_mean: dimensions "
                  "differ") == 0);
}

TEST_CASE("a row without a direction is stored, counted and never found by a cosine",
          "[surface][transform]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[2], b float[2] "
      "distance_metric=l2, h float16[2]);"
      "INSERT INTO t(id, a, b, h) VALUES (1, '[1,0]', '[0,0]', '[0,0]'), (2, '[0,0]', '[1,1]', '[1,0]'), (3, "
      "'[-0.0,0]', "
      "'[0,1]', '[-0.0,0]')");
  CHECK(db.one("SELECT count(*) FROM t") == "3");
  CHECK(db.rows("SELECT id FROM t WHERE a MATCH '[1,1]'") == Rows{{"1"}});
  CHECK(db.one("SELECT count(*) FROM t WHERE b MATCH '[0,0]'") == "3");
  CHECK(db.rows("SELECT name, undefined FROM isovec_info('t')") == Rows{{"a", "2"}, {"b", "0"}, {"h", "2"}});
  CHECK(db.one("SELECT count(*) FROM t WHERE a MATCH '[0,0]'") == "0");
  db.run("INSERT INTO t(t) VALUES ('fit column=b center'); INSERT INTO t(t) VALUES ('integrity-check')");
}

TEST_CASE("half-precision columns are searched as their values widened to float32", "[surface][transform]") {
  const std::string type = GENERATE("float16", "bfloat16");
  const std::string make = type == "float16" ? "vec_f16" : "vec_bf16";
  Connection db;
  db.run(kRows);
  db.run("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e " + type +
         "[4] transform='center');"
         "INSERT INTO t(id, e) SELECT id, vec_to_json(e) FROM u");
  CHECK(db.one("SELECT count(*) FROM t WHERE e MATCH '[6,2,0.5,1]' AND transform = 'none' AND distance <> "
               "vec_distance_cosine(e, " +
               make + "('[6,2,0.5,1]'))") == "0");
  db.run("INSERT INTO t(t) VALUES ('fit')");
  CHECK(db.one("SELECT count(*) FROM t WHERE e MATCH '[6,2,0.5,1]'") == "60");
  CHECK(db.one("SELECT vec_type(e) FROM t LIMIT 1") == type);
  db.run("INSERT INTO t(t) VALUES ('integrity-check')");
}
