// Statistics, fits and transforms as SQL functions: that every way to the same thing gives the same thing,
// that a BLOB is decoded once a statement, and that bad input gets a sentence.

#include <cmath>
#include <random>

#include "connection.hpp"

namespace isovec::test {
namespace {

// 200 rows of 6 dimensions in a narrow cone: a mean far from zero, one strong direction, seeded.
void make_rows(Connection& db) {
  db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, part INTEGER, v BLOB)");
  std::mt19937_64 generator(7);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 200; ++i) {
    const float strong = 3 * normal(generator);
    std::vector<float> row(6);
    for (std::size_t j = 0; j < row.size(); ++j) {
      row[j] = 5 + (j % 2 == 0 ? strong : -strong) + normal(generator);
    }
    db.rows("INSERT INTO t VALUES (?, ?, ?)", i, i % 3, blob_of(row));
  }
}

std::vector<double> matrix_of(Connection& db, const std::string& transform) {
  const std::string npy = db.one("SELECT vec_transform_matrix((" + transform + "))");
  return elements_of<double>(npy.substr(128));
}

void check_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  double scale = 0;
  for (const double x : b) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= tolerance * scale);
}

TEST_CASE("a fit of rows, of statistics and of merged statistics is the same fit", "[surface][fit]") {
  Connection db;
  make_rows(db);
  const std::string spec =
      GENERATE("center", "project_mean", "remove_top", "whiten", "whiten eps=1", "whiten basis=pca",
               "whiten k=3", "whiten shrinkage=oas", "pca k=2", "standardize");
  CAPTURE(spec);
  const auto rows = matrix_of(db, "SELECT vec_fit(v, '" + spec + "') FROM t");
  const auto statistics = matrix_of(db, "SELECT vec_fit_stats(vec_stats(v), '" + spec + "') FROM t");
  const auto merged = matrix_of(db, "SELECT vec_fit_stats(vec_stats_merge(s), '" + spec +
                                        "') FROM (SELECT vec_stats(v) s FROM t GROUP BY part)");
  // Condition of the rows' covariance is near 60, so float64 leaves far more digits than asked for here.
  check_close(rows, statistics, 1e-11);
  check_close(merged, statistics, 1e-11);
}

TEST_CASE("statistics less a part equal statistics of the rest", "[surface][statistics]") {
  Connection db;
  make_rows(db);
  const auto left =
      matrix_of(db,
                "SELECT vec_fit_stats(vec_stats_subtract(vec_stats(v), vec_stats(v) FILTER (WHERE part = "
                "0)), 'whiten') FROM t");
  const auto rest = matrix_of(db, "SELECT vec_fit(v, 'whiten') FROM t WHERE part <> 0");
  check_close(left, rest, 1e-10);
  CHECK(db.error("SELECT vec_stats_subtract(vec_stats(v) FILTER (WHERE part = 0), vec_stats(v)) FROM t") !=
        "");
}

TEST_CASE("statistics slide over a window", "[surface][statistics]") {
  Connection db;
  make_rows(db);
  const auto sliding = db.rows(
      "SELECT id, vec_stats_info(vec_stats(v) OVER (ORDER BY id ROWS 9 PRECEDING)) ->> 'n' FROM t ORDER "
      "BY id");
  for (const auto& row : sliding) CHECK(std::stoi(row[1]) == std::min(10, std::stoi(row[0]) + 1));
  const auto window = matrix_of(db,
                                "SELECT vec_fit_stats(s, 'whiten') FROM (SELECT id, vec_stats(v) OVER (ORDER "
                                "BY id ROWS 49 PRECEDING) s FROM t) "
                                "WHERE id = 150");
  const auto rows = matrix_of(db, "SELECT vec_fit(v, 'whiten') FROM t WHERE id BETWEEN 101 AND 150");
  check_close(window, rows, 1e-10);
}

TEST_CASE("a cosine under a transform is the cosine of the transformed vectors, bit for bit",
          "[surface][transform]") {
  Connection db;
  make_rows(db);
  db.run("CREATE TABLE f(T BLOB)");
  const std::string spec =
      GENERATE("none", "center", "project_mean", "remove_top", "whiten", "whiten k=3", "standardize");
  CAPTURE(spec);
  db.rows("INSERT INTO f SELECT vec_fit(v, ?) FROM t", spec);
  for (const char* name : {"vec_cosine", "vec_dot", "vec_distance_cosine"}) {
    CAPTURE(name);
    const std::string call(name);
    CHECK(db.one("SELECT count(*) FROM t a, t b, f WHERE a.id < 20 AND b.id < 20 AND " + call +
                 "(a.v, b.v, T) IS NOT " + call + "(vec_transform(a.v, T), vec_transform(b.v, T))") == "0");
    CHECK(db.one("SELECT count(*) FROM t a, t b, f WHERE a.id < 20 AND b.id < 20 AND " + call +
                 "(a.v, b.v, T) IS NOT " + call + "(b.v, a.v, T)") == "0");
  }
  CHECK(
      db.one(
          "SELECT count(*) FROM t a, t b, f WHERE a.id < 20 AND b.id < 20 AND vec_cosine(a.v, b.v, T) IS NOT "
          "vec_cosine(a.v, b.v, T, T)") == "0");
}

TEST_CASE("a distance under a transform is that of the transformed vectors, symmetric in its bits",
          "[surface][transform]") {
  Connection db;
  make_rows(db);
  db.run("CREATE TABLE f(T BLOB)");
  const std::string spec = GENERATE("none", "center", "project_mean", "remove_top", "whiten", "whiten k=3",
                                    "standardize", "center normalize=before", "whiten normalize=after");
  CAPTURE(spec);
  db.rows("INSERT INTO f SELECT vec_fit(v, ?) FROM t", spec);
  CHECK(db.one("SELECT count(*) FROM t a, t b, f WHERE a.id < 20 AND b.id < 20 AND "
               "vec_distance_l2(a.v, b.v, T) IS NOT vec_distance_l2(b.v, a.v, T)") == "0");
  CHECK(db.one("SELECT count(*) FROM t a, f WHERE vec_distance_l2(a.v, a.v, T) <> 0") == "0");
  // Each z is wrong by a few roundings of float32 of the largest term of W (x - mean), below 40 here.
  CHECK(db.number("SELECT max(abs(vec_distance_l2(a.v, b.v, T) - vec_distance_l2(vec_transform(a.v, T), "
                  "vec_transform(b.v, T)))) FROM t a, t b, f WHERE a.id < 20 AND b.id < 20") <=
        40 * 6 * 6e-8);
}

TEST_CASE("an invertible transform gives its input back", "[surface][transform]") {
  Connection db;
  make_rows(db);
  const std::string spec = GENERATE("center", "standardize", "whiten", "whiten basis=pca", "whiten eps=0.1");
  CAPTURE(spec);
  db.run("CREATE TABLE f(T BLOB)");
  db.rows("INSERT INTO f SELECT vec_fit(v, ?) FROM t", spec);
  // z is float32: its rounding, 2^-24, comes back multiplied by the condition of W, below 10 here.
  CHECK(db.number("SELECT max(vec_distance_l2(v, vec_inverse_transform(vec_transform(v, (SELECT T FROM f)), "
                  "(SELECT T FROM "
                  "f)))) FROM t") < 1e-4);
}

int decoded(Connection& db) {
  const std::string text = db.one("SELECT vec_debug()");
  const auto at = text.find("Transforms decoded: ");
  REQUIRE(at != std::string::npos);
  return std::stoi(text.substr(at + 20));
}

TEST_CASE("a transform is decoded once a statement, in whatever form it comes", "[surface][transform]") {
  Connection db;
  make_rows(db);
  db.run("CREATE TABLE f(T BLOB)");
  db.run("INSERT INTO f SELECT vec_fit(v, 'whiten') FROM t");
  const std::string blob = db.one("SELECT T FROM f");
  CHECK(decoded(db) == 0);
  SECTION("bound") {
    db.rows("SELECT vec_transform(v, ?) FROM t", Bytes{blob});
  }
  SECTION("literal") {
    db.rows("SELECT vec_transform(v, x'" + db.one("SELECT hex(T) FROM f") + "') FROM t");
  }
  SECTION("two scalar subqueries") {
    db.rows("SELECT vec_cosine(v, v, (SELECT T FROM f), (SELECT T FROM f)) FROM t");
  }
  SECTION("joined column of a distance") {
    db.rows(
        "SELECT vec_distance_l2(a.v, b.v, T), vec_inverse_transform(b.v, T) FROM t a JOIN t b ON b.id = a.id "
        "+ 1, f");
  }
  SECTION("scalar subquery") {
    db.rows("SELECT vec_transform(v, (SELECT T FROM f)) FROM t");
  }
  SECTION("joined column") {
    db.rows("SELECT vec_transform(v, T) FROM t, f");
  }
  SECTION("both sides of a cosine") {
    db.rows("SELECT vec_cosine(v, v, T) FROM t, f");
  }
  CHECK(decoded(db) == 1);
}

TEST_CASE("vectors of every type are transformed as the float32 numbers that they hold",
          "[surface][transform]") {
  Connection db;
  make_rows(db);
  db.run("CREATE TABLE f(T BLOB)");
  db.run("INSERT INTO f SELECT vec_fit(v, 'whiten') FROM t");
  const std::string type = GENERATE("vec_f32(#)", "vec_f16(vec_f32(#))", "vec_bf16(vec_f32(#))",
                                    "vec_quantize_int8(vec_normalize(#), 'unit')", "vec_to_json(#)");
  CAPTURE(type);
  const auto of = [&](const std::string& column) {
    return std::string(type).replace(type.find('#'), 1, column);
  };
  const auto wide = [&](const std::string& column) { return "vec_f32(" + of(column) + ")"; };
  for (const std::string call :
       {"vec_transform(A, T)", "vec_inverse_transform(A, T)", "vec_cosine(A, B, T)", "vec_dot(A, B, T)",
        "vec_distance_cosine(A, B, T)", "vec_distance_l2(A, B, T)", "vec_cosine(A, B, T, T)"}) {
    CAPTURE(call);
    const auto filled = [&](const auto& argument) {
      std::string text = call;
      text.replace(text.find('A'), 1, argument("a.v"));
      if (const auto at = text.find("B,"); at != std::string::npos) text.replace(at, 1, argument("b.v"));
      return text;
    };
    CHECK(db.one("SELECT count(*) FROM t a JOIN t b ON b.id = a.id + 1, f WHERE " + filled(of) + " IS " +
                 filled(wide)) == "199");
  }
  // So are fits.
  for (const std::string call : {"vec_fit(#, 'center')", "vec_isotropy(#)"}) {
    CHECK(db.one("SELECT length(" + std::string(call).replace(call.find('#'), 1, of("v")) + ") > 0 FROM t") ==
          "1");
  }
  CHECK(db.one("SELECT vec_transform_mean(vec_fit(" + of("v") + ", 'center')) = vec_transform_mean(vec_fit(" +
               wide("v") + ", 'center')) FROM t") == "1");
}

TEST_CASE("one changed byte makes a transform refused", "[surface][transform]") {
  Connection db;
  make_rows(db);
  const std::string blob = db.one("SELECT vec_fit(v, 'whiten') FROM t");
  for (std::size_t i = 0; i < blob.size(); ++i) {
    std::string damaged = blob;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CAPTURE(i);
    CHECK(db.error("SELECT vec_transform((SELECT v FROM t WHERE id = 1), ?)", Bytes{damaged})
              .find("vec_transform: ") == 0);
  }
}

TEST_CASE("queries may have a mean of their own", "[surface][transform]") {
  Connection db;
  make_rows(db);
  db.run("CREATE TABLE f(T BLOB)");
  db.run("INSERT INTO f SELECT vec_fit(v, 'whiten basis=pca') FROM t");
  CHECK(db.number("SELECT vec_cosine(vec_scale(v, 2), v, vec_recenter(T, '[10,10,10,10,10,10]'), T) FROM t, "
                  "f WHERE id = 3") <= 1.0);
  CHECK(db.error("SELECT vec_cosine(v, v, T, (SELECT vec_fit(v, 'whiten basis=pca') FROM t WHERE part = 1)) "
                 "FROM t, f")
            .find("vec_recenter") != std::string::npos);
  CHECK(db.error("SELECT vec_recenter(vec_fit(v, 'project_mean'), '[1,1,1,1,1,1]') FROM t")
            .find("vec_recenter: ") == 0);
}

TEST_CASE("transforms from outside compute z = W (x - mean)", "[surface][transform]") {
  Connection db;
  CHECK(db.one("SELECT vec_to_json(vec_transform('[3,4]', vec_transform_make(NULL, '[[1,1],[1,-1]]')))") ==
        "[7,-1]");
  CHECK(
      db.one(
          "SELECT vec_to_json(vec_transform('[3,4]', vec_transform_make('[1,2]', vec_f32('[1,1,1,-1]'))))") ==
      "[4,0]");
  CHECK(db.error("SELECT vec_transform_make('[1,2]', '[[1,2],[3]]')").find("differ in length") !=
        std::string::npos);
  CHECK(db.error("SELECT vec_transform_make('[1,2]', '[[1,2],[3,4]')").find("array of arrays") !=
        std::string::npos);
  CHECK(db.error("SELECT vec_transform_make('[1,2]', '[1,2,3]')").find("vec_transform_make: ") == 0);
  make_rows(db);
  CHECK(db.number("SELECT max(abs(vec_cosine(a.v, b.v, T) - vec_cosine(a.v, b.v, "
                  "vec_transform_make(vec_transform_mean(T), "
                  "vec_transform_matrix(T))))) FROM t a, t b, (SELECT vec_fit(v, 'whiten') T FROM t) WHERE "
                  "a.id < 9 AND b.id "
                  "< 9") == 0.0);
}

TEST_CASE("npy rows keep NumPy's numbering and come back", "[surface][npy]") {
  Connection db;
  make_rows(db);
  CHECK(db.one("SELECT count(*) FROM t JOIN vec_npy((SELECT vec_to_npy(v) FROM (SELECT v FROM t ORDER BY "
               "id))) n ON n.rowid = "
               "t.id WHERE n.vector = t.v") == "200");
  CHECK(db.error("SELECT * FROM vec_npy(NULL)").find("vec_npy: ") == 0);
  CHECK(db.error("SELECT * FROM vec_npy('x.npy')").find("readfile") != std::string::npos);
  CHECK(db.error("SELECT * FROM vec_npy").find("vec_npy(npy)") != std::string::npos);
  std::string npy = db.one("SELECT vec_to_npy(v) FROM t");
  const auto at = npy.find("<f4");
  REQUIRE(at != std::string::npos);
  npy.replace(at, 3, "<i4");
  CHECK(db.error("SELECT * FROM vec_npy(?)", Bytes{npy}).find("<i4") != std::string::npos);
}

TEST_CASE("npy rows are vectors: of finite elements, and at least one", "[surface][npy]") {
  Connection db;
  const auto file = [](const std::string& descr, const std::string& shape, const std::string& data) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
    header.insert(0, 1, '\0');
    header.insert(0, 1, static_cast<char>(header.size() - 1));
    return Bytes{std::string("\x93NUMPY\x01\0", 8) + header + data};
  };
  const std::string nan = blob_of(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}).bytes;
  const std::string large = blob_of(std::vector<double>{1, 1e300}).bytes;
  CHECK(db.error("SELECT vector FROM vec_npy(?)", file("<f4", "(1, 2)", nan)).find("element 1 of row 0") !=
        std::string::npos);
  CHECK(db.error("SELECT vector FROM vec_npy(?)", file("<f8", "(2,)", large)).find("beyond float32") !=
        std::string::npos);
  for (const char* shape : {"(20000000, 0)", "(18446744073709551615, 0)", "(1, 0)", "(0,)"}) {
    CAPTURE(shape);
    CHECK(db.error("SELECT count(*) FROM vec_npy(?)", file("<f4", shape, "")).find("no elements") !=
          std::string::npos);
  }
  CHECK(db.one("SELECT count(*) FROM vec_npy(?)", file("<f4", "(0, 5)", "")) == "0");
}

TEST_CASE("bad input to fits and transforms gets a sentence and loses nothing", "[surface][errors]") {
  Connection db;
  make_rows(db);
  const auto says = [&](const std::string& sql, const std::string& words) {
    CAPTURE(sql, words);
    const std::string message = db.error(sql);
    CAPTURE(message);
    CHECK(message.find(words) != std::string::npos);
  };
  says("SELECT vec_fit(v, 'whiten') FROM t WHERE id = 0", "vec_fit: ");
  says("SELECT vec_fit(v, 'whiten') FROM t WHERE id < 6", "vec_fit: ");
  says("SELECT vec_fit(v, 'whitten') FROM t", "whiten");
  says("SELECT vec_fit(v, 'center k=3') FROM t", "k");
  says("SELECT vec_fit(v, CASE id WHEN 7 THEN 'center' ELSE 'whiten' END) FROM t", "same for every row");
  says("SELECT vec_fit(v, 'center', -1) FROM t", "weight");
  says("SELECT vec_fit(v, 7) FROM t", "vec_fit: ");
  says("SELECT vec_fit(CASE id WHEN 9 THEN vec_f32('[1,2]') ELSE v END, 'center') FROM t", "dimension");
  says("SELECT vec_transform(v, x'00') FROM t", "vec_transform: ");
  says("SELECT vec_transform(v, 'whiten') FROM t", "vec_fit()");
  says("SELECT vec_transform('[1,2]', (SELECT vec_fit(v, 'center') FROM t))", "takes 6 and the vector has 2");
  says("SELECT vec_transform((SELECT v FROM t), (SELECT vec_stats(v) FROM t))", "vec_transform: ");
  says("SELECT vec_inverse_transform('[1,2,3,4,5,6]', (SELECT vec_fit(v, 'remove_top') FROM t))",
       "vec_inverse_transform: ");
  says("SELECT vec_fit_stats(x'0011', 'center')", "vec_fit_stats: ");
  says("SELECT vec_stats(v, 1, 'colour=red') FROM t", "vec_stats: ");
  says("SELECT vec_isotropy(v, 'x') FROM t", "weight");
  says("SELECT * FROM vec_spectrum('x')", "vec_spectrum: ");
  for (const char* call : {"vec_fit(NULL, 'center')", "vec_stats(NULL)", "vec_isotropy(NULL)",
                           "vec_stats_merge(NULL)", "vec_to_npy(NULL)"}) {
    CAPTURE(call);
    CHECK(db.one("SELECT " + std::string(call) + " IS NULL") == "1");
  }
  CHECK(db.one("SELECT count(*) FROM t") == "200");
}

}  // namespace
}  // namespace isovec::test
