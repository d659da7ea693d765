// Fits through SQL: what several specs of the same statistics share, and that long work stops when asked.

#include <string>
#include <vector>

#include "connection.hpp"
#include "interrupting_thread.hpp"

namespace isovec::test {
namespace {

// Specs of every method and basis: 16, none of which needs more than the two decompositions.
const std::vector<std::string> kSpecs = {"none",
                                         "center",
                                         "standardize",
                                         "project_mean",
                                         "remove_top",
                                         "remove_top drop=2",
                                         "pca k=8",
                                         "pca variance=.9",
                                         "whiten",
                                         "whiten basis=pca k=8",
                                         "whiten basis=cholesky",
                                         "whiten eps=.1",
                                         "whiten shrinkage=oas",
                                         "whiten shrinkage=lw power=.25",
                                         "whiten basis=zca-cor",
                                         "whiten basis=pca-cor k=4"};

// A table `s` of statistics, a row for each seed: 300 random rows of 24 dimensions each.
void make_statistics(Connection& db, int count) {
  db.run("CREATE TABLE s(id INTEGER PRIMARY KEY, s BLOB)");
  for (int seed = 1; seed <= count; ++seed) {
    db.rows(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        "INSERT INTO s(s) SELECT vec_stats(vec_random(24, ?1 * 1000 + i)) FROM n",
        seed);
  }
}

int decompositions(Connection& db) {
  const std::string line = "Eigendecompositions of statistics: ";
  const std::string text = db.one("SELECT vec_debug()");
  const auto at = text.find(line);
  REQUIRE(at != std::string::npos);
  return std::stoi(text.substr(at + line.size()));
}

std::string fit(Connection& db, int id, const std::string& spec) {
  return db.one("SELECT vec_fit_stats(s, ?) FROM s WHERE id = ?", spec, id);
}

TEST_CASE("all specs of the same statistics share two decompositions", "[surface][fit]") {
  Connection db;
  make_statistics(db, 1);
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    Connection fresh;
    make_statistics(fresh, 1);
    CHECK(fit(db, 1, spec) == fit(fresh, 1, spec));
  }
  CHECK(kSpecs.size() == 16);
  CHECK(decompositions(db) == 2);
  // A spec that cannot be fitted loses nothing.
  CHECK(db.error("SELECT vec_fit_stats(s, 'whiten k=25') FROM s").find("k=25 of 24 dimensions") !=
        std::string::npos);
  fit(db, 1, "whiten");
  CHECK(decompositions(db) == 2);
}

TEST_CASE("a spec that fails after its decomposition leaves it to the next", "[surface][fit]") {
  Connection db;
  db.run(
      "CREATE TABLE s AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) "
      "SELECT vec_stats(vec_random(24, i)) AS s FROM n");
  CHECK(db.error("SELECT vec_fit_stats(s, 'whiten') FROM s").find("rows of positive weight") !=
        std::string::npos);
  CHECK(decompositions(db) == 1);
  db.rows("SELECT vec_fit_stats(s, 'whiten eps=1') FROM s");
  CHECK(decompositions(db) == 1);
}

TEST_CASE("the decompositions of two statistics are kept, no more", "[surface][fit]") {
  Connection db;
  make_statistics(db, 3);
  for (const int id : {1, 2, 1, 2}) fit(db, id, "whiten");
  CHECK(decompositions(db) == 2);
  fit(db, 3, "whiten");  // the first goes, which was used before the second
  fit(db, 2, "pca");
  CHECK(decompositions(db) == 3);
  fit(db, 1, "pca");
  CHECK(decompositions(db) == 4);
}

TEST_CASE("statistics that were fitted are refused once a byte is damaged", "[surface][fit]") {
  Connection db;
  make_statistics(db, 1);
  fit(db, 1, "center");
  const std::string blob = db.one("SELECT s FROM s");
  for (std::size_t i = 0; i < blob.size(); i += 7) {
    std::string damaged = blob;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    CAPTURE(i);
    CHECK(db.error("SELECT vec_fit_stats(?, 'center')", Bytes{damaged}).find("vec_fit_stats: ") == 0);
  }
  CHECK(db.error("SELECT vec_fit_stats(?, 'center')", Bytes{blob.substr(0, blob.size() - 8)})
            .find("vec_fit_stats: ") == 0);
}

// A statement that is interrupted as soon as its work looks whether it is: the look prepares a statement of
// its own, which the authorizer sees.
int code_when_asked(Connection& db, const std::string& sql, int& asked) {
  struct State {
    sqlite3* db;
    int* asked;
  } state{db.handle(), &asked};
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  sqlite3_set_authorizer(
      db.handle(),
      [](void* pointer, int, const char*, const char*, const char*, const char*) {
        auto* given = static_cast<State*>(pointer);
        ++*given->asked;
        sqlite3_interrupt(given->db);
        return SQLITE_OK;
      },
      &state);
  const int rc = sqlite3_step(statement);
  sqlite3_finalize(statement);
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  return rc;
}

TEST_CASE("fits and reports in many dimensions stop when asked", "[surface][fit][interrupt]") {
  Connection db;
  db.run(
      "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 320) "
      "SELECT vec_random(300, i) AS v FROM n;"
      "CREATE TABLE wide AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
      "SELECT vec_random(800, i) AS v FROM n;"
      "CREATE TABLE s AS SELECT vec_stats(v) AS s FROM t;"
      "CREATE TABLE f AS SELECT vec_fit_stats(s, 'whiten eps=1') AS T, "
      "vec_fit_stats(s, 'whiten eps=1 basis=cholesky') AS C FROM s");
  for (const std::string sql :
       {"SELECT vec_fit(v, 'whiten eps=1') FROM t", "SELECT vec_fit(v, 'pca k=9') FROM wide",
        "SELECT vec_fit_stats(vec_stats(v), 'whiten eps=1 basis=zca-cor') FROM t",
        "SELECT vec_fit_stats(vec_stats(v, 2), 'remove_top') FROM t", "SELECT vec_isotropy(v) FROM t",
        "SELECT vec_drift(T, s) FROM f, s", "SELECT count(*) FROM vec_spectrum((SELECT s FROM s))",
        "SELECT count(*) FROM vec_components((SELECT T FROM f))",
        "SELECT vec_inverse_transform(v, (SELECT C FROM f)) FROM t",
        "SELECT vec_transform_compose(T, C) FROM f"}) {
    CAPTURE(sql);
    int asked = 0;
    CHECK(code_when_asked(db, sql, asked) == SQLITE_INTERRUPT);
    CHECK(asked > 0);
    CHECK(db.rows(sql).size() >= 1);  // the same statement goes on from what is intact
  }
}

TEST_CASE("an eigendecomposition is interrupted from another thread", "[surface][fit][interrupt]") {
  Connection db;
  db.run(
      "CREATE TABLE s AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
      "SELECT vec_stats(vec_random(512, i)) AS s FROM n");
  const InterruptingThread other(db, 10);
  CHECK(db.error("SELECT vec_fit_stats(s, 'whiten eps=1') FROM s") == "interrupted");
  CHECK(decompositions(db) == 0);
}

TEST_CASE("a progress handler runs during an eigendecomposition", "[surface][fit][interrupt]") {
  Connection db;
  db.run(
      "CREATE TABLE s AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
      "SELECT vec_stats(vec_random(512, i)) AS s FROM n");
  int calls = 0;
  const auto stop_at_third = [](void* pointer) { return ++*static_cast<int*>(pointer) == 3 ? 1 : 0; };
  sqlite3_progress_handler(db.handle(), 100, stop_at_third, &calls);
  CHECK(db.error("SELECT vec_fit_stats(s, 'whiten eps=1') FROM s") == "interrupted");
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  CHECK(calls == 3);
  CHECK(decompositions(db) == 0);
}

}  // namespace
}  // namespace isovec::test
