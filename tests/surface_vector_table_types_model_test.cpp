// Random changes, transactions and commands of a table of int8, bit and l1 columns, and the same changes of
// an ordinary table beside it in the same file: after each step both say the same. Every failure prints its
// seed; ISOVEC_MODEL_SEEDS=n runs n seeds.

#include <random>

#include "campaign.hpp"
#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::TemporaryFile;

constexpr const char* kCreate =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a int8[24] transform='center', b bit[40], y "
    "integer, "
    "c float[5] distance_metric=l1, d int8[3] distance_metric=l1, e bfloat16[300] distance_metric=l1, "
    "f int8[7] distance_metric=l2);"
    "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b, y INTEGER, c, d, e, f);";

// A column, what makes its vectors from a seed, and the distance of X to Q in plain SQL.
struct Column {
  const char* name;
  const char* make;
  const char* distance;
};
constexpr Column kColumns[] = {
    {"a", "vec_quantize_int8(vec_scale(vec_random(24, S), 0.5), 'unit')",
     "vec_distance_cosine(vec_int8(X), Q)"},
    {"b", "vec_quantize_binary(vec_random(40, S))", "vec_distance_hamming(vec_bit(X), Q)"},
    {"c", "vec_random(5, S)", "vec_distance_l1(X, Q)"},
    {"d", "vec_quantize_int8(vec_scale(vec_random(3, S), 0.02), 'unit')", "vec_distance_l1(vec_int8(X), Q)"},
    {"e", "vec_bf16(vec_random(300, S))", "vec_distance_l1(vec_bf16(X), Q)"},
    {"f", "vec_quantize_int8(vec_random(7, S), 'unit')", "vec_distance_l2(vec_int8(X), Q)"},
};

std::string with(std::string text, char what, const std::string& value) {
  std::string result;
  for (const char c : text) result += c == what ? value : std::string(1, c);
  return result;
}

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed), file_("types" + std::to_string(seed)) {
    open();
    db_->run(kCreate);
    insert(300);  // a complete group from the start
  }
  void step();
  void compare();
  void check_integrity() { db_->run("INSERT INTO t(t) VALUES ('integrity-check')"); }

 private:
  int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string some_id() { return std::to_string(draw(400)); }
  // Few seeds, so that vectors repeat and distances tie.
  std::string vector(const Column& column) { return with(column.make, 'S', std::to_string(draw(90))); }
  std::string vector_or_null(const Column& column) { return draw(5) == 0 ? "NULL" : vector(column); }
  void open() { db_ = std::make_unique<Connection>(file_.path()); }
  void both(const std::string& sql) {
    for (const char* table : {"t", "u"}) db_->run(with(sql, '@', table));
  }
  void insert(int rows);
  void update();
  void transaction();
  void command();
  void search(const Column& column);

  std::mt19937 random_;
  TemporaryFile file_;
  std::unique_ptr<Connection> db_;
  int savepoints_ = 0;  // BEGIN among them
};

// New rows, each of vectors that its number and one draw decide.
void Model::insert(int rows) {
  const std::string seed = "((i * 7 + " + std::to_string(draw(1'000)) + ") % 90)";
  std::string sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                    std::to_string(rows) + ") INSERT OR REPLACE INTO @(id, y";
  for (const Column& column : kColumns) sql += std::string(", ") + column.name;
  sql += ") SELECT i + " + (rows > 1 ? "0" : some_id()) + ", i % 13";
  for (const Column& column : kColumns) {
    sql +=
        ", CASE WHEN i % 7 <> " + std::to_string(draw(14)) + " THEN " + with(column.make, 'S', seed) + " END";
  }
  both(sql + " FROM n");
}

void Model::update() {
  const Column& column = kColumns[draw(static_cast<int>(std::size(kColumns)))];
  const std::string set = std::string("UPDATE @ SET ") + column.name + " = " + vector_or_null(column);
  switch (draw(3)) {
    case 0:
      return both(set + " WHERE id = " + some_id());
    case 1:
      return both(set + " WHERE y = " + std::to_string(draw(13)));
    default:
      return both("UPDATE OR REPLACE @ SET id = " + some_id() + ", y = y + 1 WHERE id = " + some_id());
  }
}

void Model::transaction() {
  if (savepoints_ == 0) {
    db_->run("BEGIN");
    savepoints_ = 1;
  } else if (savepoints_ < 4 && draw(2) == 0) {
    db_->run("SAVEPOINT s" + std::to_string(savepoints_++));
  } else if (savepoints_ > 1) {
    const int level = 1 + draw(savepoints_ - 1);
    const bool back = draw(2) == 0;
    db_->run((back ? "ROLLBACK TO s" : "RELEASE s") + std::to_string(level));
    savepoints_ = back ? level + 1 : level;
  } else {
    db_->run(draw(2) == 0 ? "ROLLBACK" : "COMMIT");
    savepoints_ = 0;
  }
}

void Model::command() {
  constexpr const char* kCommands[] = {"fit",     "unfit",           "optimize",
                                       "rebuild", "integrity-check", "fit column=f standardize"};
  if (savepoints_ == 0 && draw(3) == 0) {
    db_.reset();
    return open();
  }
  if (db_->one("SELECT count(*) > 50 FROM t") == "0") return;
  db_->run(std::string("INSERT INTO t(t) VALUES ('") +
           kCommands[draw(static_cast<int>(std::size(kCommands)))] + "')");
}

void Model::search(const Column& column) {
  const std::string query = vector(column);
  const std::string distance = with(with(column.distance, 'Q', query), 'X', column.name);
  const std::string year = std::to_string(draw(13));
  const std::string end = draw(2) == 0 ? " LIMIT 10" : "";
  for (const std::string& condition : {std::string("1"), "y > " + year, "id < " + some_id(),
                                       std::string("c IS NULL"), std::string("e IS NOT NULL")}) {
    const std::string found = "SELECT id, printf('%.17g', distance) FROM t WHERE " +
                              std::string(column.name) + " MATCH " + query + " AND transform = 'none' AND " +
                              condition + end;
    CAPTURE(found);
    CHECK(db_->rows(found) ==
          db_->rows("SELECT id, printf('%.17g', d) FROM (SELECT id, y, c, e, " + distance +
                    " AS d FROM u) WHERE d IS NOT NULL AND " + condition + " ORDER BY d, id" + end));
  }
}

void Model::compare() {
  CHECK(db_->rows("SELECT id, a, b, y, c, d, e, f FROM t ORDER BY id") ==
        db_->rows("SELECT id, a, b, y, c, d, e, f FROM u ORDER BY id"));
  for (const Column& column : kColumns) search(column);
}

void Model::step() {
  const int choice = draw(20);
  if (choice < 3) return insert(1);
  if (choice < 4) return insert(60 + draw(250));
  if (choice < 9) return update();
  if (choice < 11) return both("DELETE FROM @ WHERE id = " + some_id());
  if (choice < 12) return both("DELETE FROM @ WHERE y = " + std::to_string(draw(13)));
  if (choice < 17) return transaction();
  command();
}

}  // namespace

TEST_CASE("a table of int8, bit and l1 columns behaves as an ordinary table through random changes",
          "[surface][vector_table][types][model]") {
  const isovec::test::Seeds seeds("ISOVEC_MODEL_SEEDS", 4);
  for (unsigned seed = seeds.first; seed < seeds.end; ++seed) {
    CAPTURE(seed);
    Model model(seed);
    for (int step = 0; step < 100; ++step) {
      CAPTURE(step);
      model.step();
      if (step % 4 == 3) model.compare();
    }
    model.check_integrity();
  }
}
