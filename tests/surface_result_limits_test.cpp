// Results and the connection's limit on the length of a value: an error that names both sizes, before the
// memory for the result is taken.

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;

// The error of `sql`, which must be SQLITE_TOOBIG.
std::string too_big(Connection& db, const std::string& sql) {
  CAPTURE(sql);
  try {
    db.rows(sql);
  } catch (const SqlError& error) {
    CHECK(error.result_code == SQLITE_TOOBIG);
    return error.what();
  }
  CHECK("no error" == sql);
  return "";
}

std::string sentence(const std::string& name, const std::string& bytes, int limit) {
  return name + ": the result would take " + bytes + " bytes, and this connection takes at most " +
         std::to_string(limit) + " (SQLITE_LIMIT_LENGTH)";
}

std::string many(const std::string& value, int n) {
  return "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(n) +
         ") SELECT i, " + value + " AS v FROM n)";
}

}  // namespace

TEST_CASE("a matrix of 7 GB is refused in so many words", "[surface][limits]") {
  Connection db;
  const int limit = sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, -1);
  for (const std::string spec : {"center", "none", "standardize"}) {
    CAPTURE(spec);
    // 30,000 x 30,000 float64 behind a header of 128 bytes.
    CHECK(too_big(db, "SELECT length(vec_transform_matrix((SELECT vec_fit(v, '" + spec + "') FROM " +
                          many("vec_random(30000, i)", 3) + ")))") ==
          sentence("vec_transform_matrix", "7200000128", limit));
  }
}

TEST_CASE("compositions stay diagonal, and names stay short", "[surface][limits]") {
  Connection db;
  db.run("CREATE TABLE f(T, s); INSERT INTO f SELECT vec_fit(v, 'center'), vec_fit(v, 'standardize') FROM " +
         many("vec_random(30000, i)", 3));
  for (int i = 0; i < 40; ++i) db.run("UPDATE f SET T = vec_transform_compose(T, T)");
  db.run("UPDATE f SET s = vec_transform_compose(T, vec_transform_compose(s, s))");
  CHECK(db.one("SELECT vec_transform_info(T) ->> 'linear' FROM f") == "identity");
  CHECK(db.one("SELECT vec_transform_info(s) ->> 'linear' FROM f") == "diagonal");
  CHECK(db.one("SELECT length(vec_transform_info(T) ->> 'spec') <= 1000 FROM f") == "1");
  CHECK(db.one("SELECT length(T) < 300000 AND length(s) < 500000 FROM f") == "1");
}

TEST_CASE("a result is compared with the limit of the connection", "[surface][limits]") {
  Connection db;
  db.run(
      "CREATE TABLE f(T, d, s); INSERT INTO f SELECT vec_fit(v, 'whiten eps=1'), vec_fit(v, 'center'), "
      "vec_stats(v) FROM " +
      many("vec_random(40, i)", 100));
  const int limit = 10'000;
  sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, limit);
  const std::string rows = many("vec_random(40, i)", 100);
  // 100 rows of 40 float32 are 16,000 bytes; the 62nd is the first beyond 10,000.
  CHECK(too_big(db, "SELECT vec_to_npy(v) FROM " + rows) == sentence("vec_to_npy", "10048", limit));
  CHECK(too_big(db, "SELECT vec_transform_matrix(d) FROM f") ==
        sentence("vec_transform_matrix", "12928", limit));
  // 96 bytes, then 3 times 80 and 80 * 81 / 2 float64.
  CHECK(too_big(db, "SELECT vec_stats(v) FROM " + many("vec_random(80, i)", 2)) ==
        sentence("vec_stats", "27936", limit));
  CHECK(too_big(db, "SELECT vec_stats(v) OVER () FROM " + many("vec_random(80, i)", 2)) ==
        sentence("vec_stats", "27936", limit));
  CHECK(too_big(db, "SELECT vec_fit(v, 'whiten eps=1 basis=pca') FROM " + many("vec_random(50, i)", 100))
            .rfind("vec_fit: the result would take ", 0) == 0);
  // 40 x 40 float64.
  CHECK(too_big(db, "SELECT vec_transform_compose(T, T) FROM f") ==
        sentence("vec_transform_compose", "12800", limit));
  CHECK(db.one("SELECT length(vec_transform_compose(d, d)) < 1500 FROM f") == "1");
  CHECK(too_big(db, "SELECT vec_transform_make(NULL, vec_to_npy(v)) FROM " + many("vec_random(40, i)", 50)) ==
        sentence("vec_transform_make", "16000", limit));
  CHECK(too_big(db, "SELECT vec_transform_mean(vec_fit(v, 'center')) FROM " + many("vec_random(1240, i)", 2))
            .rfind("vec_", 0) == 0);
  CHECK(too_big(db, "SELECT vec_cosine_histogram(v, 200) FROM " + rows)
            .rfind("vec_cosine_histogram: the result would take ", 0) == 0);
  CHECK(db.one("SELECT length(vec_to_npy(v)) FROM " + many("vec_random(40, i)", 61)) == "9888");
  sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, 3000);
  CHECK(too_big(db, "SELECT vec_svg_histogram(0.5, 'a', 3)")
            .rfind("vec_svg_histogram: the result would take ", 0) == 0);
}

TEST_CASE("what a BLOB takes is known before it is made", "[surface][limits]") {
  Connection db;
  const std::string rows = many("vec_random(12, i)", 40);
  for (const std::string made :
       {"vec_stats(v)", "vec_stats(v, 1, 'moments=first')", "vec_stats(v, 1, 'slice=5 normalize=before')",
        "vec_fit(v, 'none')", "vec_fit(v, 'center')", "vec_fit(v, 'standardize')",
        "vec_fit(v, 'project_mean')", "vec_fit(v, 'remove_top drop=3')", "vec_fit(v, 'pca k=4')",
        "vec_fit(v, 'whiten')", "vec_fit(v, 'whiten basis=zca-cor')",
        "vec_fit(v, 'whiten basis=cholesky slice=7')", "vec_to_npy(v)"}) {
    CAPTURE(made);
    Connection other;
    const int length = std::stoi(other.one("SELECT length(" + made + ") FROM " + rows));
    sqlite3_limit(other.handle(), SQLITE_LIMIT_LENGTH, length);
    CHECK(other.one("SELECT length(" + made + ") FROM " + rows) == std::to_string(length));
    sqlite3_limit(other.handle(), SQLITE_LIMIT_LENGTH, length - 1);
    CHECK(too_big(other, "SELECT " + made + " FROM " + rows).find(std::to_string(length) + " bytes") !=
          std::string::npos);
  }
}
