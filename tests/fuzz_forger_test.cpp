// Forged BLOBs (fuzz/forger.hpp) in every place of SQL that takes one: a result or an error, in bounded
// memory and work, and never a byte that nothing wrote. ISOVEC_FORGED_CALLS says how many calls,
// ISOVEC_FIRST_SEED from where.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "campaign.hpp"
#include "connection.hpp"
#include "fuzz/forger.hpp"
#include "storage/code_groups.hpp"

namespace isovec::test {
namespace {

using fuzz::Forger;
using fuzz::Original;

// The dimension of all rows. One group of 256 rows is coded, some rows are not.
constexpr const char* kSetup =
    "CREATE TABLE r(i INTEGER PRIMARY KEY, v BLOB);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    "  INSERT INTO r SELECT i, vec_random(4, i) FROM n;"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[4], b float[4] distance_metric=l2,"
    "  c float[4] distance_metric=dot, d float[4] transform='center');"
    "INSERT INTO t(id, a, b, c, d) SELECT i, v, v, v, v FROM r;"
    "INSERT INTO t(t) VALUES ('fit');";

// ?1 is the forged BLOB, ?2 a sound transform, ?3 sound statistics, ?4 a vector of the dimension that ?1
// claims.
const std::vector<std::string> kTransformCalls = {
    "SELECT vec_transform(?4, ?1)",
    "SELECT vec_transform(v, T) FROM r, (SELECT ?1 T) WHERE i < 4",
    "SELECT vec_inverse_transform(?4, ?1)",
    "SELECT vec_inverse_transform(vec_transform(?4, ?1), ?1)",
    "SELECT vec_transform_info(?1)",
    "SELECT vec_drift(?1, ?3)",
    "SELECT vec_recenter(?1, ?4)",
    "SELECT vec_transform_info(vec_recenter(?1, ?4))",
    "SELECT vec_transform_mean(?1)",
    "SELECT vec_transform_matrix(?1)",
    "SELECT vec_transform_compose(?1, ?2)",
    "SELECT vec_transform_compose(?2, ?1)",
    "SELECT vec_transform_info(vec_transform_compose(?1, ?1))",
    "SELECT vec_cosine(?4, ?4, ?1)",
    "SELECT vec_cosine(?4, v, ?1, ?2) FROM r WHERE i < 4",
    "SELECT vec_cosine(v, ?4, ?2, ?1) FROM r WHERE i < 4",
    "SELECT vec_dot(?4, ?4, ?1)",
    "SELECT vec_distance_cosine(?4, ?4, ?1)",
    "SELECT vec_distance_l2(?4, ?4, ?1)",
    "SELECT * FROM vec_spectrum(?1)",
    "SELECT * FROM vec_components(?1)",
    "SELECT vec_stats_info(?1)",
    "SELECT id, distance, similarity FROM t WHERE a MATCH '[1,2,3,4]' AND transform = ?1 AND k = 3",
    "SELECT id, distance FROM t WHERE b MATCH '[1,2,3,4]' AND transform = ?1 AND k = 3",
    "SELECT id, distance FROM t WHERE c MATCH '[1,2,3,4]' AND transform = ?1 AND k = 3",
    "SELECT id, distance FROM t WHERE d MATCH '[1,2,3,4]' AND transform = ?1 AND query_mean = '[0,1,0,1]' "
    "AND k = 3",
    "SELECT id, distance FROM t WHERE b MATCH '[1,2,3,4]' AND transform = ?1 AND distance < 2.5",
};
const std::vector<std::string> kStatisticsCalls = {
    "SELECT vec_stats_info(?1)",
    "SELECT vec_stats_merge(s) FROM (SELECT ?1 s UNION ALL SELECT ?3)",
    "SELECT vec_stats_merge(s) FROM (SELECT ?3 s UNION ALL SELECT ?1)",
    "SELECT vec_stats_info(vec_stats_merge(s)) FROM (SELECT ?1 s UNION ALL SELECT ?1)",
    "SELECT vec_stats_merge(s) OVER (ROWS 1 PRECEDING) FROM (SELECT ?1 s UNION ALL SELECT ?3 UNION ALL "
    "SELECT ?1 "
    "UNION ALL SELECT ?1)",
    "SELECT vec_stats_subtract(?1, ?1)",
    "SELECT vec_stats_subtract(?1, ?3)",
    "SELECT vec_stats_subtract(?3, ?1)",
    "SELECT vec_drift(?2, ?1)",
    "SELECT * FROM vec_spectrum(?1)",
    "SELECT vec_transform_info(?1)",
    "SELECT vec_fit_stats(?1, 'none')",
    "SELECT vec_fit_stats(?1, 'center')",
    "SELECT vec_fit_stats(?1, 'standardize')",
    "SELECT vec_fit_stats(?1, 'project_mean')",
    "SELECT vec_fit_stats(?1, 'remove_top')",
    "SELECT vec_fit_stats(?1, 'pca k=2')",
    "SELECT vec_fit_stats(?1, 'pca variance=0.5')",
    "SELECT vec_fit_stats(?1, 'whiten')",
    "SELECT vec_fit_stats(?1, 'whiten eps=1')",
    "SELECT vec_fit_stats(?1, 'whiten basis=pca')",
    "SELECT vec_fit_stats(?1, 'whiten basis=cholesky eps=1')",
    "SELECT vec_fit_stats(?1, 'whiten basis=zca-cor')",
    "SELECT vec_fit_stats(?1, 'whiten basis=pca-cor k=2')",
    "SELECT vec_fit_stats(?1, 'whiten shrinkage=oas')",
    "SELECT vec_fit_stats(?1, 'whiten shrinkage=lw')",
};
// After the table has it: ?1 is a transform in the first, and a block of codes is written before the second.
const std::vector<std::string> kTableCalls = {
    "SELECT id, distance FROM t WHERE a MATCH '[1,2,3,4]' AND k = 3",
    "SELECT id, distance FROM t WHERE b MATCH '[1,2,3,4]' AND k = 3",
    "SELECT id, distance FROM t WHERE b MATCH '[1,2,3,4]' AND distance < 1.5",
    "SELECT id, distance FROM t WHERE c MATCH '[1,2,3,4]' AND k = 300",
    "SELECT id, distance FROM t WHERE d MATCH '[1,2,3,4]' AND k = 3",
    "SELECT id, distance FROM t WHERE d MATCH '[1,2,3,4]' AND k = 3 AND id IN (SELECT i FROM r WHERE i % 2)",
    "SELECT transform FROM t WHERE d MATCH '[1,2,3,4]' AND k = 1",
    "SELECT * FROM isovec_info('t')",
    "INSERT INTO t(t) VALUES ('integrity-check')",
    "UPDATE t SET a = d, d = a WHERE id < 80",
    "DELETE FROM t WHERE id % 3 = 0",
    "INSERT INTO t(t) VALUES ('optimize')",
    "INSERT INTO t(t) VALUES ('rebuild')",
    "INSERT INTO t(t) VALUES ('fit column=d whiten')",
};

struct Limits {
  // Calls ask for at most some tens of thousands of steps of SQLite's machine, whatever a BLOB claims.
  static constexpr long kSteps = 500'000;
  static constexpr int kStepsAtOnce = 100;
  static constexpr sqlite3_int64 kHeap = sqlite3_int64{96} << 20;
  static constexpr int kLength = 4 << 20;
  static constexpr rlim_t kAddressSpace = rlim_t{1} << 30;
};

class Campaign {
 public:
  explicit Campaign(unsigned seed) : forger_(seed) {
    db_.run(kSetup);
    transform_ = db_.one("SELECT vec_fit(v, 'whiten') FROM r");
    statistics_ = db_.one("SELECT vec_stats(v) FROM r");
    take_originals();
    sqlite3_limit(db_.handle(), SQLITE_LIMIT_LENGTH, Limits::kLength);
    sqlite3_progress_handler(db_.handle(), Limits::kStepsAtOnce, &Campaign::count_steps, this);
  }
  ~Campaign() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  }
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  /// One forged BLOB in every call that it fits.
  void round() {
    switch (forger_.draw(8)) {
      case 0:
        return in_table("INSERT INTO t(t, transform) VALUES ('transform column=d', ?1)",
                        forger_.forge(any(transforms_)));
      case 1: {
        const std::size_t column = forger_.draw(blocks_.size());
        const std::string id = std::to_string(storage::block_id(column, 0));
        return in_table("UPDATE t_codes SET data = ?1 WHERE id = " + id, forger_.forge(blocks_[column]));
      }
      case 2:
      case 3:
      case 4:
        return call_all(kTransformCalls, forger_.forge(any(transforms_)));
      default:
        return call_all(kStatisticsCalls, forger_.forge(any(statistics_blobs_)));
    }
  }

  long calls = 0;
  long results = 0;
  long most_steps = 0;
  std::string most_steps_in;
  double longest = 0;  // seconds, for those who read: nothing is decided by it
  std::string longest_in;

 private:
  void take_originals() {
    for (const char* spec :
         {"none", "center", "standardize", "project_mean", "remove_top drop=2", "pca k=2", "pca", "whiten",
          "whiten basis=cholesky", "whiten basis=zca-cor", "whiten basis=pca-cor k=2", "whiten slice=3 eps=1",
          "whiten normalize=both eps=1", "whiten k=3 normalize=after"}) {
      transforms_.push_back(fuzz::take_transform(db_.one("SELECT vec_fit(v, ?) FROM r", spec)));
    }
    transforms_.push_back(
        fuzz::take_transform(db_.one("SELECT vec_transform_make('[1,2,3,4]', '[[1,0,0,0],[0,1,0,0]]')")));
    transforms_.push_back(fuzz::take_transform(transform_));
    for (const char* options : {"", "moments=first", "normalize=before", "slice=2", "weights=frequency",
                                "precision=float normalize=before slice=3"}) {
      statistics_blobs_.push_back(
          fuzz::take_statistics(db_.one("SELECT vec_stats(v, i, ?) FROM r", options)));
    }
    std::string empty("isoS\1\0\0\0", 8);
    empty.resize(96);
    statistics_blobs_.push_back(fuzz::take_statistics(empty));
    for (std::size_t column = 0; column < 4; ++column) {
      const std::string block =
          db_.one("SELECT data FROM t_codes WHERE id = ?", sqlite3_int64{storage::block_id(column, 0)});
      blocks_.push_back(fuzz::take_code_block(block, storage::block_seed(column, 0)));
    }
  }
  const Original& any(const std::vector<Original>& originals) {
    return originals[forger_.draw(originals.size())];
  }

  static int count_steps(void* self) {
    auto& campaign = *static_cast<Campaign*>(self);
    campaign.steps_ += Limits::kStepsAtOnce;
    return campaign.steps_ > Limits::kSteps ? 1 : 0;
  }

  void call_all(const std::vector<std::string>& sqls, const std::string& forged) {
    std::uint32_t claimed = 0;
    std::memcpy(&claimed, forged.data() + 16, sizeof claimed);
    vector_.assign(4 * (claimed <= 70'000 ? claimed : 4), '\0');
    for (std::size_t i = 0; i + 4 <= vector_.size(); i += 4) {
      const float element = static_cast<float>(i % 7) - 2.5F;
      std::memcpy(vector_.data() + i, &element, sizeof element);
    }
    for (const std::string& sql : sqls) call(sql, forged);
  }

  void in_table(const std::string& sql, const std::string& forged) {
    call("SAVEPOINT whole", forged);
    if (call(sql, forged)) {
      for (const std::string& follow : kTableCalls) call(follow, forged);
    }
    call("ROLLBACK TO whole", forged);
    call("RELEASE whole", forged);
    REQUIRE(sqlite3_get_autocommit(db_.handle()) == 1);
  }

  sqlite3_stmt* statement_of(const std::string& sql) {
    for (auto& [known, statement] : statements_) {
      if (known == sql) return statement;
    }
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(db_.handle(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    statements_.emplace_back(sql, statement);
    return statement;
  }

  // Every byte of a result decides something, so that memcheck sees one that was never written.
  static void read(sqlite3_stmt* statement) {
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
      const auto* const bytes = static_cast<const unsigned char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      unsigned sum = 0;
      for (int i = 0; i < size; ++i) sum = sum * 31 + bytes[i];
      if (sum == 0x5EED'0001U) std::printf("\n");
    }
  }

  bool call(const std::string& sql, const std::string& forged) {
    sqlite3_stmt* const statement = statement_of(sql);
    const std::string* const blobs[] = {&forged, &transform_, &statistics_, &vector_};
    for (int i = 0; i < std::min(4, sqlite3_bind_parameter_count(statement)); ++i) {
      sqlite3_bind_blob64(statement, i + 1, blobs[i]->data(), blobs[i]->size(), SQLITE_STATIC);
    }
    steps_ = 0;
    const auto begin = std::chrono::steady_clock::now();
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) read(statement);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    judge(sql, rc, forged);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    ++calls;
    results += rc == SQLITE_DONE ? 1 : 0;
    if (seconds > longest) longest = seconds, longest_in = sql;
    if (steps_ > most_steps) most_steps = steps_, most_steps_in = sql;
    return rc == SQLITE_DONE;
  }

  void judge(const std::string& sql, int rc, const std::string& forged) const {
    static const std::set<int> kAnswers = {SQLITE_DONE,  SQLITE_ERROR,  SQLITE_CORRUPT,
                                           SQLITE_NOMEM, SQLITE_TOOBIG, SQLITE_CONSTRAINT};
    const std::string message = sqlite3_errmsg(db_.handle());
    if (kAnswers.count(rc & 0xFF) != 0 && (rc == SQLITE_DONE || message.size() > 10)) return;
    std::string hex;
    for (const char c : forged) {
      constexpr const char* kDigits = "0123456789abcdef";
      hex += kDigits[static_cast<unsigned char>(c) >> 4];
      hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    CAPTURE(sql, rc, message, hex);
    FAIL_CHECK("an answer that is none");
  }

  Connection db_;
  Forger forger_;
  std::string transform_, statistics_, vector_;
  std::vector<Original> transforms_, statistics_blobs_, blocks_;
  std::vector<std::pair<std::string, sqlite3_stmt*>> statements_;
  long steps_ = 0;
};

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Sanitizers and valgrind map more than any limit of the address space.
void limit_memory() {
  sqlite3_hard_heap_limit64(Limits::kHeap);
#ifndef __SANITIZE_ADDRESS__
  if (std::getenv("ISOVEC_NO_ADDRESS_LIMIT") != nullptr) return;
  const rlimit limit{Limits::kAddressSpace, Limits::kAddressSpace};
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
#endif
}

TEST_CASE("forged BLOBs cost an error and nothing else", "[fuzz][forged]") {
#ifdef __SANITIZE_ADDRESS__
  const long wanted = wanted_number("ISOVEC_FORGED_CALLS", 4'000);
#else
  const long wanted = wanted_number("ISOVEC_FORGED_CALLS", 20'000);
#endif
  limit_memory();
  Campaign campaign(wanted_number("ISOVEC_FIRST_SEED", 1));
  const auto begin = std::chrono::steady_clock::now();
  while (campaign.calls < wanted) campaign.round();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%ld calls of forged BLOBs, %ld with a result, %.0f a second; peak %ld MB\n", campaign.calls,
              campaign.results, static_cast<double>(campaign.calls) / seconds, peak_megabytes());
  std::printf("longest call %.3f s: %s\n", campaign.longest, campaign.longest_in.c_str());
  std::printf("most steps %ld: %s\n", campaign.most_steps, campaign.most_steps_in.c_str());
  CHECK(campaign.results > 0);
}

}  // namespace
}  // namespace isovec::test
