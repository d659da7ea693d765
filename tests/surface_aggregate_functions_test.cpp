// Aggregates of vectors and of scores through SQL: groups, windows, NULLs, order, interrupts; references in
// long double.

#include <cmath>
#include <random>

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::blob_of;
using isovec::test::Connection;
using isovec::test::elements_of;
using isovec::test::SqlError;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kDimension = 3;

std::vector<std::vector<float>> fill(Connection& db, std::size_t n, bool with_huge) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, v, weight, part)");
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<float> row(kDimension);
    for (float& x : row) x = normal(random) * (with_huge && i % 11 == 5 ? 1e30F : 1.0F);
    db.rows("INSERT INTO t VALUES (?, ?, ?, ?)", i, blob_of(row), 0.25 * static_cast<double>(i % 5), i % 3);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

TEST_CASE("sums and means over groups, with and without weights", "[surface][aggregate]") {
  Connection db;
  const auto rows = fill(db, 100, false);
  for (std::size_t part = 0; part < 3; ++part) {
    std::vector<long double> sum(kDimension);
    std::vector<long double> weighted(kDimension);
    long double count = 0;
    long double weights = 0;
    for (std::size_t i = part; i < rows.size(); i += 3) {
      const long double weight = 0.25L * static_cast<long double>(i % 5);
      for (std::size_t k = 0; k < kDimension; ++k) {
        sum[k] += static_cast<long double>(rows[i][k]);
        weighted[k] += weight * static_cast<long double>(rows[i][k]);
      }
      count += 1;
      weights += weight;
    }
    const auto of = [&](const std::string& call) {
      return elements_of<float>(db.one("SELECT " + call + " FROM t WHERE part = ?", part));
    };
    for (std::size_t k = 0; k < kDimension; ++k) {
      CHECK(of("vec_sum(v)")[k] == static_cast<float>(sum[k]));
      CHECK(of("vec_mean(v)")[k] == static_cast<float>(sum[k] / count));
      CHECK(of("vec_avg(v, weight)")[k] == static_cast<float>(weighted[k] / weights));
    }
  }
  CHECK(db.rows("SELECT part, vec_length(vec_mean(v)) FROM t GROUP BY part") ==
        Rows{{"0", "3"}, {"1", "3"}, {"2", "3"}});
}

TEST_CASE("a sliding window gives what its frame alone gives, huge rows before it or not",
          "[surface][aggregate]") {
  Connection db;
  fill(db, 60, true);
  const std::string frame = " OVER (ORDER BY id ROWS BETWEEN 4 PRECEDING AND CURRENT ROW)";
  for (const std::string call :
       {"vec_sum(v)", "vec_mean(v)", "vec_mean(v, weight)", "vec_alignment(v, '[1, 2, 3]')"}) {
    CAPTURE(call);
    const auto windows = db.rows("SELECT id, " + call + frame + " FROM t ORDER BY id");
    REQUIRE(windows.size() == 60);
    for (const auto& row : windows) {
      const std::string alone =
          db.one("SELECT " + call + " FROM t WHERE id BETWEEN ?1 - 4 AND ?1", std::stoi(row[0]));
      if (alone == "NULL") {  // all weights are 0
        CHECK(row[1] == "NULL");
        continue;
      }
      REQUIRE(alone.size() == row[1].size());
      if (call.rfind("vec_alignment", 0) == 0) {
        CHECK(std::abs(std::stod(alone) - std::stod(row[1])) < 1e-12);
        continue;
      }
      const auto expected = elements_of<float>(alone);
      const auto found = elements_of<float>(row[1]);
      for (std::size_t k = 0; k < kDimension; ++k) {
        // One rounding to float32 may fall to either side.
        CHECK(std::abs(static_cast<double>(found[k]) - static_cast<double>(expected[k])) <=
              1e-7 * std::abs(static_cast<double>(expected[k])));
      }
    }
  }
}

TEST_CASE("aggregates pass NULL over and give NULL for nothing", "[surface][aggregate]") {
  Connection db;
  for (const std::string call :
       {"vec_sum(v)", "vec_mean(v)", "vec_avg(v, 1)", "vec_alignment(v, v)", "vec_uniformity(v)",
        "vec_info_nce(v, v, 1)", "vec_cosine_histogram(v, 2)", "vec_logsumexp(v)", "vec_pearson(v, v)",
        "vec_spearman(v, v)", "vec_ndcg(v, v, 1)", "vec_recall(v, v, 1)"}) {
    CAPTURE(call);
    CHECK(db.one("SELECT " + call + " FROM (SELECT 1 AS v WHERE 0)") == "NULL");
    CHECK(db.one("SELECT " + call + " FROM (SELECT NULL AS v UNION ALL SELECT NULL)") == "NULL");
  }
  CHECK(db.one("SELECT vec_mean(column1, column2) FROM (VALUES ('[1]', 0), ('[2]', 0.0), (NULL, 1), ('[3]', "
               "NULL))") == "NULL");
  CHECK(db.one("SELECT vec_to_json(vec_mean(column1, column2)) FROM (VALUES ('[1]', 0), ('[2]', 5))") ==
        "[2]");
  CHECK(db.one("SELECT vec_uniformity('[1, 2]')") == "NULL");
  CHECK(db.one("SELECT vec_alignment('[0, 0]', '[1, 2]')") == "NULL");
  CHECK(db.one("SELECT vec_info_nce('[0, 0]', '[1, 2]', 1)") == "NULL");
  CHECK(db.one("SELECT vec_info_nce('[1, 0]', '[1, 2]', 1)") == "0.0");
}

TEST_CASE("sums take every type of numbers and give float32", "[surface][aggregate]") {
  Connection db;
  for (const std::string type : {"vec_f32", "vec_f16", "vec_bf16", "vec_int8"}) {
    CAPTURE(type);
    CHECK(db.one("SELECT vec_to_json(vec_sum(" + type +
                 "(column1))) FROM (VALUES ('[100, 1]'), ('[100, -3]'))") == "[200,-2]");
    CHECK(db.one("SELECT vec_type(vec_mean(" + type + "('[1]')))") == "float32");
  }
  CHECK(db.error("SELECT vec_sum(vec_bit(x'01'))") ==
        "vec_sum: takes vectors of numbers, and this is bit; vec_f32() makes float32 of it");
  CHECK(db.error("SELECT vec_sum(column1) FROM (VALUES ('[3e38]'), ('[3e38]'))") ==
        "vec_sum: element 0 of the result is beyond float32, whose largest number is 3.4028235e38");
}

TEST_CASE("a failed row leaves no state behind", "[surface][aggregate]") {
  Connection db;
  for (int i = 0; i < 3; ++i) {
    db.error("SELECT vec_sum(column1) FROM (VALUES ('[1]'), ('[1, 2]'))");
    db.error("SELECT vec_uniformity(column1) FROM (VALUES ('[1]'), ('hello'))");
    db.error("SELECT vec_sum(column1) OVER (ROWS 1 PRECEDING) FROM (VALUES ('[1]'), ('[1, 2]'))");
  }
  CHECK(db.one("SELECT vec_to_json(vec_sum('[1]'))") == "[1]");  // leaks are the sanitizer's to find
}

TEST_CASE("softmax over partitions sums to 1 for any scale", "[surface][aggregate]") {
  Connection db;
  db.run("CREATE TABLE s(q, d, score)");
  for (int q = 0; q < 4; ++q) {
    for (int d = 0; d < 25; ++d)
      db.rows("INSERT INTO s VALUES (?, ?, ?)", q, d, std::sin(q * 31.0 + d * 7.0));
  }
  for (const double scale : {0.0, 1.0, 20.0, 1e6}) {
    for (const auto& row :
         db.rows("SELECT q, sum(p) FROM (SELECT q, exp(?1*score - vec_logsumexp(?1*score) OVER (PARTITION BY "
                 "q)) AS p FROM s) GROUP BY q",
                 scale)) {
      CHECK(std::abs(std::stod(row[1]) - 1) < 1e-9);
    }
  }
}

TEST_CASE("judgements agree with values worked out elsewhere", "[surface][judgement]") {
  Connection db;
  // scipy.stats 1.17: pearsonr and spearmanr of the same columns.
  const std::string rows = " FROM (VALUES (1, 2.5), (2, 0.5), (2, 4), (3, 3), (7, 4), (8, 9), (8, 1))";
  CHECK(std::abs(db.number("SELECT vec_pearson(column1, column2)" + rows) - 0.4255533159206518) < 1e-14);
  CHECK(std::abs(db.number("SELECT vec_spearman(column1, column2)" + rows) - 0.3394638275806279) < 1e-14);
  CHECK(db.one("SELECT vec_pearson(column1, 1)" + rows) == "NULL");
  // By hand: gains 3, 0, 1 in the order of scores; DCG = 3 + 1/2, best 3 + 1/log2(3).
  const std::string scored = " FROM (VALUES (0.9, 3), (0.5, 0), (0.1, 1))";
  CHECK(std::abs(db.number("SELECT vec_ndcg(column1, column2, 3)" + scored) -
                 3.5 / (3 + 1 / std::log2(3.0))) < 1e-14);
  CHECK(db.number("SELECT vec_recall(column1, column2, 1)" + scored) == 0.5);
  // Two tied at the first place, one of them relevant: found with chance 1/2.
  const std::string tied = " FROM (VALUES (0.9, 1), (0.9, 0), (0.1, 0))";
  CHECK(db.number("SELECT vec_recall(column1, column2, 1)" + tied) == 0.5);
  CHECK(db.number("SELECT vec_recall(column1, column2, 2)" + tied) == 1);
  CHECK(std::abs(db.number("SELECT vec_ndcg(column1, column2, 2)" + tied) - 0.5 * (1 + 1 / std::log2(3.0))) <
        1e-14);
  CHECK(db.one("SELECT vec_ndcg(column1, 0, 2)" + tied) == "NULL");
}

TEST_CASE("measures over pairs do not depend on the order of rows", "[surface][aggregate]") {
  Connection db;
  db.run(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM n WHERE i < 700) "
      "INSERT INTO t SELECT i, vec_random(6, i) FROM n");
  const double up = db.number("SELECT vec_uniformity(v) FROM (SELECT v FROM t ORDER BY id)");
  const double down = db.number("SELECT vec_uniformity(v) FROM (SELECT v FROM t ORDER BY id DESC)");
  CHECK(std::abs(up - down) < 1e-12);
  CHECK(db.one("SELECT vec_cosine_histogram(v, 9) FROM (SELECT v FROM t ORDER BY id)") ==
        db.one("SELECT vec_cosine_histogram(v, 9) FROM (SELECT v FROM t ORDER BY -id)"));
}

TEST_CASE("beyond 16,384 rows pairs are refused, or sampled with a seed", "[surface][aggregate]") {
  Connection db;
  db.run(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM n WHERE i < 16500) "
      "INSERT INTO t SELECT i, vec_random(2, i) FROM n");
  CHECK(db.error("SELECT vec_uniformity(v) FROM t").find("give a seed to take a sample") !=
        std::string::npos);
  CHECK(db.error("SELECT vec_cosine_histogram(v, 3) FROM t").find("give a seed to take a sample") !=
        std::string::npos);
  CHECK(db.error("SELECT vec_info_nce(v, v, 1) FROM t")
            .find("all pairs of more than 16384 rows are too many") != std::string::npos);
  // Random directions of the plane: the mean of exp(-4 (1 - cos)) is exp(-4) I0(4) = 0.2070019; 134 million
  // pairs of 16,384 rows leave a deviation far below 0.01.
  const double sampled = db.number("SELECT vec_uniformity(v, 2, 7) FROM t");
  CHECK(std::abs(sampled - std::log(0.2070019)) < 0.01);
  CHECK(std::abs(sampled - db.number("SELECT vec_uniformity(v, 2, 7) FROM (SELECT v FROM t ORDER BY -id)")) <
        1e-12);
  const std::string report = db.one("SELECT vec_cosine_histogram(v, 3, 7) FROM t");
  CHECK(report.rfind("{\"rows\":16500,\"sampled\":16384,\"dimension\":2,\"pairs\":134209536,", 0) == 0);
}

TEST_CASE("a histogram reports what random directions would give", "[surface][aggregate]") {
  Connection db;
  db.run(
      "CREATE TABLE t(v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO t SELECT "
      "vec_random(50, i) FROM n; CREATE TABLE report AS SELECT vec_cosine_histogram(v, 20) AS r FROM t");
  CHECK(db.one("SELECT sum(n) = 2000 * 1999 / 2 AND abs(sum(expected) - sum(n)) < 1e-3 FROM report, "
               "vec_histogram(r)") == "1");
  CHECK(db.one("SELECT count(*) FROM report, vec_histogram(r)") == "20");
  CHECK(db.one(
            "SELECT max(abs(n - expected) / (100 + 5 * sqrt(expected))) < 1 FROM report, vec_histogram(r)") ==
        "1");
  CHECK(db.one("SELECT min(lo) || ' ' || max(hi) FROM report, vec_histogram(r)") == "-1.0 1.0");
  CHECK(db.rows("SELECT * FROM vec_histogram(NULL)").empty());
  CHECK(db.error("SELECT * FROM vec_histogram('hello')") ==
        "vec_histogram: not a report of vec_cosine_histogram: expected '{' at byte 0");
  CHECK(db.error("SELECT * FROM vec_histogram(7)") ==
        "vec_histogram: the report must be a text, and this is 7");
}

TEST_CASE("long measures stop when asked", "[surface][aggregate]") {
  Connection db;
  db.run(
      "CREATE TABLE t(v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO t SELECT "
      "vec_random(64, i) FROM n");
  for (const std::string call :
       {"vec_uniformity(v)", "vec_info_nce(v, v, 0.1)", "vec_cosine_histogram(v, 10)"}) {
    CAPTURE(call);
    // The authorizer runs when the measure prepares its own statement, after the last row: from then on it is
    // interrupted.
    struct State {
      sqlite3* db;
      int calls;
    } state{db.handle(), 0};
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(db.handle(), ("SELECT " + call + " FROM t").c_str(), -1, &statement,
                               nullptr) == SQLITE_OK);
    sqlite3_set_authorizer(
        db.handle(),
        [](void* pointer, int, const char*, const char*, const char*, const char*) {
          auto* given = static_cast<State*>(pointer);
          ++given->calls;
          sqlite3_interrupt(given->db);
          return SQLITE_OK;
        },
        &state);
    CHECK(sqlite3_step(statement) == SQLITE_INTERRUPT);
    CHECK(sqlite3_finalize(statement) == SQLITE_INTERRUPT);
    CHECK(state.calls > 0);
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  }
  CHECK(db.one("SELECT count(*) FROM t") == "3000");
}

TEST_CASE("weights, gains and numbers of any size give what their ratios say", "[surface][aggregate]") {
  Connection db;
  // By hand: 3e38 is the mean of itself, and (1e308 * 1 + 3e308 / 3 * 4) / 2e308 is 2.5.
  CHECK(db.one("SELECT vec_to_json(vec_mean('[3e38]', 1e308))") == "[3e+38]");
  CHECK(db.one("SELECT vec_to_json(vec_avg(column1, 1e308)) FROM (VALUES ('[1]'), ('[4]'))") == "[2.5]");
  CHECK(db.one("SELECT vec_to_json(vec_mean(column1, 1e-300)) FROM (VALUES ('[1e-30]'), ('[3e-30]'))") ==
        "[2e-30]");
  CHECK(db.one("SELECT vec_to_json(vec_mean(column1, column2)) FROM (VALUES ('[5]', 5e-324), ('[7]', 0))") ==
        "[5]");
  CHECK(db.one("SELECT vec_to_json(vec_mean(column1, column2)) FROM (VALUES ('[3]', 1e308), ('[-1e38]', 1), "
               "('[1e30]', 1e-300))") == "[3]");
  // What a huge weight covered is there again when it has left.
  CHECK(
      db.rows("SELECT vec_to_json(vec_mean(column2, column3) OVER (ORDER BY column1 ROWS 1 PRECEDING)) FROM "
              "(VALUES (1, '[1]', 1e-305), (2, '[9]', 1e305), (3, '[2]', 3), (4, '[6]', 1))") ==
      Rows{{"[1]"}, {"[9]"}, {"[9]"}, {"[3]"}});
  for (const double scale : {1e-300, 1e-160, 1.0, 1e160, 1e305}) {
    CAPTURE(scale);
    // The values of the tests above, in another unit.
    const std::string rows = " FROM (VALUES (1, 2.5), (2, 0.5), (2, 4), (3, 3), (7, 4), (8, 9), (8, 1))";
    CHECK(std::abs(db.number("SELECT vec_pearson(column1 * ?1, column2 * ?1)" + rows, scale) -
                   0.4255533159206518) < 1e-14);
    CHECK(std::abs(db.number("SELECT vec_spearman(column1 * ?1, column2 / ?1)" + rows, scale) -
                   0.3394638275806279) < 1e-14);
    CHECK(std::abs(db.number(
                       "SELECT vec_ndcg(column1, column2 * ?1, 3) FROM (VALUES (0.9, 3), (0.5, 0), (0.1, 1))",
                       scale) -
                   3.5 / (3 + 1 / std::log2(3.0))) < 1e-14);
  }
  CHECK(db.number("SELECT vec_ndcg(column1, 1.7e308, 3) FROM (VALUES (1), (2), (3))") == 1);
  // Two directions at a right angle: |a - b|^2 = 2, and the log of exp(-2 t) is -2 t for any t.
  for (const double t : {1.0, 150.0, 151.0, 1e4, 1e300}) {
    CAPTURE(t);
    const double found =
        db.number("SELECT vec_uniformity(column1, ?) FROM (VALUES ('[1, 0]'), ('[0, 1]'))", t);
    CHECK(std::abs(found + 2 * t) <= 1e-12 * t);
  }
  CHECK(db.number("SELECT vec_info_nce(column1, column1, 1e-300) FROM (VALUES ('[1, 0]'), ('[0, 1]'))") == 0);
  CHECK(db.error("SELECT vec_info_nce('[1]', '[1]', 1e-310)")
            .rfind("vec_info_nce: tau must be at least 1e-300", 0) == 0);
}

TEST_CASE("a table of nothing has no columns to tell of", "[surface][aggregate]") {
  Connection db;
  CHECK(db.rows("SELECT * FROM isovec_info(NULL)").empty());
  CHECK(db.rows("SELECT * FROM isovec_info('t', NULL)").empty());
  CHECK(db.one("SELECT isovec_check(NULL)") == "NULL");
  CHECK(db.one("SELECT isovec_check('t', NULL)") == "NULL");
}
