// Random changes, transactions and queries of a table against a std::map and brute force. Every failure
// prints its seed; ISOVEC_MODEL_SEEDS=n runs n seeds.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>

#include "campaign.hpp"
#include "connection.hpp"
#include "core/similarity.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::blob_of;
using isovec::test::Connection;
using isovec::test::SqlError;

// An empty vector is NULL.
struct Row {
  std::vector<float> a;  // cosine, transform center
  std::vector<float> b;  // l2
  std::optional<int> year;
  std::string lang;
  std::string body;
  friend bool operator==(const Row&, const Row&) = default;
};

struct State {
  std::map<sqlite3_int64, Row> rows;
  std::optional<std::vector<double>> mean;  // of column a, where it is fitted
};

constexpr std::size_t kA = 6;
constexpr std::size_t kB = 300;  // 1,208 bytes a slot: 54 to a chunk
constexpr const char* kCreate =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[6] transform='center', year "
    "integer, "
    "b float[300] distance_metric=l2, lang text indexed, +body text)";

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed), file_("model" + std::to_string(seed)) {
    open();
    db_->run("CREATE TABLE other(x)");
    db_->run(kCreate);
  }
  void step();
  void compare();
  void compare_elsewhere();

 private:
  using Ids = std::vector<sqlite3_int64>;
  int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::vector<float> vector(std::size_t d) {
    std::normal_distribution<float> normal;
    std::vector<float> v(d);
    for (float& x : v) x = draw(8) == 0 ? 0.0F : std::round(normal(random_) * 4) / 4;  // ties are wanted
    v[0] += 0.25F;                                                                     // no zero vector
    return v;
  }
  std::vector<float> vector_or_null(std::size_t d) { return draw(6) == 0 ? std::vector<float>() : vector(d); }
  Row row() {
    Row made{vector_or_null(kA), vector_or_null(kB), std::nullopt, draw(2) == 0 ? "vi" : "en",
             "body" + std::to_string(draw(50))};
    if (draw(5) != 0) made.year = 2000 + draw(20);
    return made;
  }
  sqlite3_int64 some_id() {
    if (state_.rows.empty() || draw(4) == 0) return draw(60);
    auto it = state_.rows.begin();
    std::advance(it, draw(static_cast<int>(state_.rows.size())));
    return it->first;
  }
  void open() { db_ = std::make_unique<Connection>(file_.path()); }
  void insert();
  void update();
  void erase();
  void transaction();
  void fit();
  void reopen();
  void search();
  void search_fitted(const std::vector<float>& query);
  void search_l2();
  template <typename Year>
  void insert_row(const char* verb, sqlite3_int64 id, const Row& row, const Year& year) {
    db_->rows(std::string(verb) +
                  " INTO t(id, a, year, b, lang, body) VALUES (?, nullif(?, x''), ?, nullif(?, x''), ?, ?)",
              id, blob_of(row.a), year, blob_of(row.b), row.lang, row.body);
  }
  void insert_row(const char* verb, sqlite3_int64 id, const Row& row) {
    if (row.year) {
      insert_row(verb, id, row, *row.year);
    } else {
      insert_row(verb, id, row, nullptr);
    }
  }

  std::mt19937 random_;
  isovec::test::TemporaryFile file_;
  std::unique_ptr<Connection> db_;
  State state_;
  std::vector<State> savepoints_;  // the first is that of BEGIN
};

void Model::insert() {
  const Row made = row();
  if (draw(3) == 0) {
    db_->rows("INSERT INTO t(a, b, lang, body) VALUES (nullif(?, x''), nullif(?, x''), ?, ?)",
              blob_of(made.a), blob_of(made.b), made.lang, made.body);
    const sqlite3_int64 id = state_.rows.empty() ? 1 : state_.rows.rbegin()->first + 1;
    CHECK(sqlite3_last_insert_rowid(db_->handle()) == id);
    Row stored = made;
    stored.year.reset();
    state_.rows[id] = stored;
    return;
  }
  const sqlite3_int64 id = some_id();
  const bool taken = state_.rows.count(id) != 0;
  switch (draw(3)) {
    case 0:
      try {
        insert_row("INSERT", id, made);
        CHECK(!taken);
      } catch (const SqlError& error) {
        CHECK(error.result_code == SQLITE_CONSTRAINT_PRIMARYKEY);
        CHECK(taken);
        return;
      }
      break;
    case 1:
      insert_row("INSERT OR IGNORE", id, made);
      CHECK(sqlite3_changes(db_->handle()) == (taken ? 0 : 1));
      if (taken) return;
      break;
    default:
      insert_row("INSERT OR REPLACE", id, made);
  }
  state_.rows[id] = made;
}

void Model::update() {
  const sqlite3_int64 id = some_id();
  const Row made = row();
  const auto there = state_.rows.find(id);
  const bool exists = there != state_.rows.end();
  switch (draw(5)) {
    case 0:
      db_->rows("UPDATE t SET a = nullif(?, x'') WHERE id = ?", blob_of(made.a), id);
      if (exists) there->second.a = made.a;
      break;
    case 1:
      db_->rows("UPDATE t SET b = nullif(?, x''), lang = ? WHERE id = ?", blob_of(made.b), made.lang, id);
      if (exists) there->second.b = made.b, there->second.lang = made.lang;
      break;
    case 2:
      db_->rows("UPDATE t SET body = ?, year = year + 1 WHERE rowid = ?", made.body, id);
      if (exists) {
        there->second.body = made.body;
        if (there->second.year) ++*there->second.year;
      }
      break;
    case 3: {
      const sqlite3_int64 target = some_id();
      db_->rows("UPDATE OR REPLACE t SET id = ? WHERE id = ?", target, id);
      if (exists) {
        const Row moved = there->second;
        state_.rows.erase(id);
        state_.rows[target] = moved;
      }
      break;
    }
    default:
      db_->rows("UPDATE t SET lang = 'x' WHERE year < ?", 2000 + draw(6));
      db_->rows("UPDATE t SET lang = 'vi' WHERE lang = 'x'");
      for (auto& [key, value] : state_.rows) {
        const auto text = db_->rows("SELECT lang FROM t WHERE id = ?", key);
        if (value.year && text.size() == 1) value.lang = text[0][0];
      }
  }
}

void Model::erase() {
  if (draw(3) != 0) {
    const sqlite3_int64 id = some_id();
    db_->rows("DELETE FROM t WHERE id = ?", id);
    state_.rows.erase(id);
    return;
  }
  const sqlite3_int64 first = some_id();
  const sqlite3_int64 last = first + draw(8);
  db_->rows("DELETE FROM t WHERE id BETWEEN ? AND ?", first, last);
  state_.rows.erase(state_.rows.lower_bound(first), state_.rows.upper_bound(last));
}

void Model::transaction() {
  const int choice = draw(4);
  if (savepoints_.empty()) {
    db_->run("BEGIN");
    savepoints_.push_back(state_);
  } else if (choice == 0 && savepoints_.size() < 5) {
    db_->run("SAVEPOINT s" + std::to_string(savepoints_.size()));
    savepoints_.push_back(state_);
  } else if (choice == 1 && savepoints_.size() > 1) {
    const auto level = 1 + static_cast<std::size_t>(draw(static_cast<int>(savepoints_.size()) - 1));
    db_->run("ROLLBACK TO s" + std::to_string(level));
    state_ = savepoints_[level];
    savepoints_.resize(level + 1);
  } else if (choice == 2 && savepoints_.size() > 1) {
    const auto level = 1 + static_cast<std::size_t>(draw(static_cast<int>(savepoints_.size()) - 1));
    db_->run("RELEASE s" + std::to_string(level));
    savepoints_.resize(level);
  } else if (draw(2) == 0) {
    db_->run("ROLLBACK");
    state_ = savepoints_.front();
    savepoints_.clear();
  } else {
    db_->run("COMMIT");
    savepoints_.clear();
  }
}

void Model::fit() {
  std::size_t count = 0;
  for (const auto& [id, row] : state_.rows) count += row.a.empty() ? 0 : 1;
  if (draw(3) == 0 || count < 3) {
    db_->run("INSERT INTO t(t) VALUES ('unfit column=a')");
    state_.mean.reset();
    return;
  }
  db_->run("INSERT INTO t(t) VALUES ('fit')");
  std::vector<double> mean(kA);
  for (const auto& [id, row] : state_.rows) {
    for (std::size_t i = 0; i < row.a.size(); ++i) mean[i] += row.a[i];
  }
  for (double& x : mean) x /= static_cast<double>(count);
  state_.mean = mean;
}

void Model::reopen() {
  if (!savepoints_.empty()) return;
  if (draw(2) == 0) db_->run("VACUUM");
  db_.reset();
  open();
}

// Every row by brute force with the function's arithmetic: the stream must have the same ids and the same
// bits.
void Model::search() {
  const std::vector<float> query = vector(kA);
  std::vector<std::pair<double, sqlite3_int64>> expected;
  const int year = 2000 + draw(20);
  const bool filters = draw(2) == 0;
  for (const auto& [id, row] : state_.rows) {
    if (row.a.empty() || (filters && (!row.year || *row.year < year))) continue;
    expected.emplace_back(*isovec::core::distance_cosine(row.a, query), id);
  }
  std::sort(expected.begin(), expected.end());
  std::string sql =
      "SELECT id, distance, vec_distance_cosine(a, ?1) = distance FROM t WHERE a MATCH ?1 AND transform = "
      "'none'";
  if (filters) sql += " AND year >= " + std::to_string(year);
  if (draw(2) == 0) {
    const auto k = static_cast<std::size_t>(draw(12));
    sql += " AND k = " + std::to_string(k);
    expected.resize(std::min(k, expected.size()));
  }
  const auto found = db_->rows(sql, blob_of(query));
  CAPTURE(sql);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i][0] == std::to_string(expected[i].second));
    CHECK(found[i][2] == "1");
  }
  search_fitted(query);
  search_l2();
}

void Model::search_fitted(const std::vector<float>& query) {
  if (!state_.mean) {
    CHECK_THROWS_AS(db_->rows("SELECT id FROM t WHERE a MATCH ?", blob_of(query)), SqlError);
    return;
  }
  const auto found = db_->rows("SELECT id, printf('%.17g', distance) FROM t WHERE a MATCH ?", blob_of(query));
  double last = -1;
  std::size_t undefined = 0;
  std::map<std::string, double> distances;
  for (const auto& row : found) {
    const double distance = std::stod(row[1]);
    CHECK(distance >= last);
    last = distance;
    distances[row[0]] = distance;
  }
  for (const auto& [id, row] : state_.rows) {
    if (row.a.empty()) {
      CHECK(distances.count(std::to_string(id)) == 0);
      ++undefined;
      continue;
    }
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < kA; ++i) {
      const double x = row.a[i] - (*state_.mean)[i];
      const double q = query[i] - (*state_.mean)[i];
      dot += x * q, aa += x * x, bb += q * q;
    }
    const auto stands = distances.find(std::to_string(id));
    if (stands == distances.end()) {
      CHECK(aa < 1e-20);  // the row is the mean: no direction
      ++undefined;
      continue;
    }
    if (aa > 1e-6 && bb > 1e-6) CHECK(std::abs(stands->second - (1 - dot / std::sqrt(aa * bb))) < 1e-9);
  }
  CHECK(distances.size() + undefined == state_.rows.size());
}

void Model::search_l2() {
  const std::vector<float> query = vector(kB);
  std::vector<std::pair<double, sqlite3_int64>> expected;
  const int nulls = draw(3);  // none of a counts, or only they, or all
  for (const auto& [id, row] : state_.rows) {
    if (row.b.empty() || (nulls == 0 && row.a.empty()) || (nulls == 1 && !row.a.empty())) continue;
    expected.emplace_back(isovec::core::distance_l2(row.b, query), id);
  }
  std::sort(expected.begin(), expected.end());
  expected.resize(std::min<std::size_t>(expected.size(), 7));
  const char* condition = nulls == 0 ? " AND a IS NOT NULL" : nulls == 1 ? " AND a IS NULL" : "";
  const char* end = draw(2) == 0 ? " AND k = 7" : " ORDER BY distance LIMIT 7";
  const auto found =
      db_->rows(std::string("SELECT id FROM t WHERE b MATCH ?") + condition + end, blob_of(query));
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i][0] == std::to_string(expected[i].second));
}

void compare_content(Connection& db, const State& state) {
  const auto rows = db.rows("SELECT id, a, b, year, lang, body FROM t");
  REQUIRE(rows.size() == state.rows.size());
  auto expected = state.rows.begin();
  for (const auto& found : rows) {
    const Row& row = expected->second;
    CHECK(found[0] == std::to_string(expected->first));
    CHECK(found[1] == (row.a.empty() ? "NULL" : blob_of(row.a).bytes));
    CHECK(found[2] == (row.b.empty() ? "NULL" : blob_of(row.b).bytes));
    CHECK(found[3] == (row.year ? std::to_string(*row.year) : "NULL"));
    CHECK(found[4] == row.lang);
    CHECK(found[5] == row.body);
    ++expected;
  }
}

void Model::compare() {
  compare_content(*db_, state_);
  // No statement is left in the middle of its rows: it would pin a snapshot.
  for (sqlite3_stmt* s = sqlite3_next_stmt(db_->handle(), nullptr); s != nullptr;
       s = sqlite3_next_stmt(db_->handle(), s)) {
    CHECK(sqlite3_stmt_busy(s) == 0);
  }
}

// Another connection sees what was committed, without being opened anew for it.
void Model::compare_elsewhere() {
  Connection reader(file_.path());
  compare_content(reader, savepoints_.empty() ? state_ : savepoints_.front());
  if (savepoints_.empty()) reader.run("INSERT INTO t(t) VALUES ('integrity-check')");
}

void Model::step() {
  const int choice = draw(20);
  if (choice < 7) return insert();
  if (choice < 11) return update();
  if (choice < 14) return erase();
  if (choice < 17) return transaction();
  if (choice == 17) return fit();
  if (choice == 18) return reopen();
  search();
}

}  // namespace

TEST_CASE(
    "a table behaves as a map of rows and brute force through random changes, transactions and reopenings",
    "[surface][vector_table][model]") {
  const isovec::test::Seeds seeds("ISOVEC_MODEL_SEEDS", 6);
  for (unsigned seed = seeds.first; seed < seeds.end; ++seed) {
    CAPTURE(seed);
    Model model(seed);
    for (int step = 0; step < 500; ++step) {
      CAPTURE(step);
      model.step();
      if (step % 10 == 9) model.compare();
      if (step % 50 == 49) model.compare_elsewhere();
    }
  }
}
