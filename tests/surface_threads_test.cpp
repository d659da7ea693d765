// Several threads, a connection each: nothing that they share is written without a lock, and threads do not
// change results. tests/threads.sh runs it under ThreadSanitizer.

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <isovec/transform.hpp>
#include <thread>

#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;
using isovec::test::TemporaryFile;

constexpr int kThreads = 4;

// Catch's assertions are for one thread: each thread says what went wrong, and the first asserts.
using Report = std::string;

void run_threads(const std::function<Report(int)>& body) {
  std::vector<Report> reports(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      try {
        reports[static_cast<std::size_t>(i)] = body(i);
      } catch (const std::exception& error) {
        reports[static_cast<std::size_t>(i)] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Report& report : reports) CHECK(report == "");
}

// A connection without Catch.
class Plain {
 public:
  explicit Plain(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK ||
        sqlite3_isovec_init(db_, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error("a connection could not be opened");
    sqlite3_busy_timeout(db_, 20'000);
  }
  ~Plain() { sqlite3_close(db_); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  /// All values of all rows of all statements.
  std::string ask(const std::string& sql) {
    std::string text;
    char* message = nullptr;
    const auto add = [](void* to, int count, char** values, char**) {
      for (int i = 0; i < count; ++i)
        *static_cast<std::string*>(to) += std::string(values[i] != nullptr ? values[i] : "NULL") + "|";
      return 0;
    };
    const int rc = sqlite3_exec(db_, sql.c_str(), add, &text, &message);
    const std::string error = message != nullptr ? message : "";
    sqlite3_free(message);
    if (rc != SQLITE_OK) throw std::runtime_error(sql + ": " + error);
    return text;
  }

 private:
  sqlite3* db_ = nullptr;
};

// Long enough in a sanitizer, where time goes slowly.
int rounds() {
  const char* wanted = std::getenv("ISOVEC_THREAD_ROUNDS");
  return wanted != nullptr ? std::atoi(wanted) : 3;
}

constexpr const char* kWork =
    "CREATE VIRTUAL TABLE t USING isovec(e float[48] transform='whiten eps=1', f float16[16] "
    "distance_metric=l2, y integer indexed);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 400)"
    "INSERT INTO t(e, f, y) SELECT vec_random(48, i), vec_f16(vec_random(16, i)), i % 9 FROM c;"
    "INSERT INTO t(t) VALUES ('fit'); DELETE FROM t WHERE y = 3; INSERT INTO t(t) VALUES ('optimize');"
    "SELECT hex(transform) FROM t WHERE e MATCH vec_random(48, 7) AND k = 1;"
    "SELECT rowid, distance FROM t WHERE e MATCH vec_random(48, 7) AND y > 4 AND k = 50;"
    "SELECT rowid, distance FROM t WHERE f MATCH vec_f16(vec_random(16, 9)) AND k = 50;"
    "SELECT vec_to_json(vec_mean(e)), hex(vec_stats(e)), vec_isotropy(e) FROM t;"
    "SELECT isovec_check('t'); DROP TABLE t";

}  // namespace

TEST_CASE("threads with databases of their own get the same bytes as one alone", "[surface][threads]") {
  const std::string expected = Plain(":memory:").ask(kWork);
  REQUIRE(expected.find("ok|") != std::string::npos);
  run_threads([&](int) -> Report {
    for (int round = 0; round < rounds(); ++round) {
      Plain db(":memory:");  // opening registers everything anew, beside the other threads
      if (db.ask(kWork) != expected) return "another result than one thread gives";
    }
    return "";
  });
}

TEST_CASE("threads share a transform, whose inverse the first of them makes", "[surface][threads]") {
  constexpr std::size_t kDimension = 40;
  for (int round = 0; round < 20 * rounds(); ++round) {
    // A shift of every element to its neighbour, and twice the element itself: far from singular.
    std::vector<double> matrix(kDimension * kDimension);
    for (std::size_t i = 0; i < kDimension; ++i) {
      matrix[i * kDimension + i] = 2;
      matrix[i * kDimension + (i + 1) % kDimension] = 1;
    }
    const isovec::Transform shared = isovec::make_transform({}, matrix, kDimension);
    run_threads([&](int number) -> Report {
      const isovec::Transform copy = shared;
      std::vector<float> x(kDimension), z(kDimension), again(kDimension);
      for (std::size_t i = 0; i < kDimension; ++i) x[i] = static_cast<float>(number) + static_cast<float>(i);
      for (std::size_t i = 0; i < kDimension; ++i) z[i] = 2 * x[i] + x[(i + 1) % kDimension];
      (number % 2 == 0 ? shared : copy).inverse(z, again);
      for (std::size_t i = 0; i < kDimension; ++i) {
        if (std::abs(again[i] - x[i]) > 1e-4F) return "another vector than the one that was transformed";
      }
      return "";
    });
  }
}

TEST_CASE("readers beside a writer of one database see whole transactions only", "[surface][threads]") {
  const TemporaryFile file("threads");
  {
    Plain db(file.path());
    db.ask(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
        "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[8] transform='center', v "
        "integer);"
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)"
        "INSERT INTO t(id, e, v) SELECT i, vec_random(8, i), 0 FROM c; INSERT INTO t(t) VALUES ('fit')");
  }
  std::atomic<bool> written{false};
  run_threads([&](int number) -> Report {
    Plain db(file.path());
    if (number == 0) {
      for (int round = 1; round <= 8 * rounds(); ++round) {
        const std::string n = std::to_string(round);
        // Every row gets the round's number; rows come and go, but always 300 of them.
        db.ask("BEGIN IMMEDIATE; UPDATE t SET v = " + n + ", e = vec_random(8, id + " + n +
               "); DELETE FROM t WHERE id % 10 = " + n +
               " % 10; WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300) INSERT "
               "INTO t(e, v) SELECT "
               "vec_random(8, i), " +
               n + " FROM c LIMIT 300 - (SELECT count(*) FROM t); INSERT INTO t(t) VALUES ('fit'); COMMIT");
      }
      written = true;
      return "";
    }
    while (!written) {
      if (db.ask("SELECT count(*), max(v) - min(v) FROM t") != "300|0|") return "a torn scan";
      if (db.ask("SELECT count(*), max(v) - min(v), max(distance) <= 2.0000001 FROM t WHERE e MATCH "
                 "vec_random(8, 5)") != "300|0|1|")
        return "a torn search: " + db.ask(
                                       "SELECT count(*), max(v) - min(v), max(distance), count(distance) "
                                       "FROM t WHERE e MATCH vec_random(8, 5)");
      if (db.ask("SELECT isovec_check('t')") != "ok|") return "damage: " + db.ask("SELECT isovec_check('t')");
    }
    return "";
  });
}
