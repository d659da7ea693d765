// Searches by codes find what searches without codes find: the same rows in the same order with the same
// bits, whatever the vectors look like, through every kind of change. The reference is a table of the same
// rows with codes=none, which scores every row, and for raw searches plain SQL over an ordinary table.

#include <cmath>
#include <functional>
#include <random>

#include "codec/code_block_layout.hpp"
#include "codec/code_encoder.hpp"
#include "connection.hpp"
#include "storage/code_groups.hpp"

namespace {

using isovec::test::Connection;

using Vectors = std::function<std::vector<float>(std::mt19937& random, std::size_t row)>;

constexpr std::size_t kDimension = 24;

std::vector<float> normal_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> v(kDimension);
  for (float& x : v) x = normal(random);
  return v;
}

struct Kind {
  const char* name;
  Vectors make;
};

// What bounds find hard.
const std::vector<Kind> kKinds = {
    {"a cone with few directions",
     [](std::mt19937& random, std::size_t) {
       std::vector<float> v = normal_vector(random);
       for (std::size_t i = 0; i < v.size(); ++i) v[i] = 3 + v[i] * std::pow(0.6F, static_cast<float>(i));
       return v;
     }},
    {"near duplicates",
     [](std::mt19937& random, std::size_t row) {
       std::vector<float> v(kDimension, 1);
       v[row % kDimension] += 1e-6F * static_cast<float>(random() % 7);
       return v;
     }},
    {"all rows equal", [](std::mt19937&, std::size_t) { return std::vector<float>(kDimension, 0.5F); }},
    {"a rogue coordinate",
     [](std::mt19937& random, std::size_t) {
       std::vector<float> v = normal_vector(random);
       v[3] *= 1e5F;
       return v;
     }},
    {"huge and tiny norms",
     [](std::mt19937& random, std::size_t row) {
       std::vector<float> v = normal_vector(random);
       for (float& x : v) x *= std::pow(10.0F, static_cast<float>(row % 31) - 15);
       return v;
     }},
    {"denormals and zeros",
     [](std::mt19937& random, std::size_t row) {
       std::vector<float> v(kDimension);
       if (row % 3 != 0) v[random() % kDimension] = 1e-42F * static_cast<float>(1 + row % 5);
       if (row % 4 == 0) v[0] = 1;
       return v;
     }},
};

std::string text_of(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (const std::string& value : row) text += value + " ";
    text += "\n";
  }
  return text;
}

class Pair {
 public:
  Pair(const std::string& metric, const Kind& kind, unsigned seed) : kind_(kind), random_(seed) {
    const std::string column = "v float[" + std::to_string(kDimension) + "] distance_metric=" + metric;
    db.run("CREATE VIRTUAL TABLE coded USING isovec(" + column + ", m integer);" +
           "CREATE VIRTUAL TABLE plain USING isovec(" + column + " codes=none, m integer)");
  }
  void both(const std::string& sql) {
    for (const char* table : {"coded", "plain"}) {
      std::string of_table = sql;
      for (std::size_t at = of_table.find('$'); at != std::string::npos; at = of_table.find('$', at + 1))
        of_table.replace(at, 1, table);
      db.run(of_table);
    }
  }
  void insert(std::size_t rows) {
    db.run("SAVEPOINT filling");
    for (std::size_t i = 0; i < rows; ++i) {
      const auto vector = isovec::test::blob_of(kind_.make(random_, next_));
      for (const char* table : {"coded", "plain"})
        db.rows(std::string("INSERT INTO ") + table + "(v, m) VALUES (?1, ?2)", vector,
                static_cast<sqlite3_int64>(next_ % 100));
      ++next_;
    }
    db.run("RELEASE filling");
  }
  void update(int modulus) {
    for (const auto& row : db.rows("SELECT rowid FROM coded WHERE rowid % ?1 = 0", modulus)) {
      const auto vector = isovec::test::blob_of(kind_.make(random_, next_++));
      for (const char* table : {"coded", "plain"})
        db.rows(std::string("UPDATE ") + table + " SET v = ?1 WHERE rowid = " + row[0], vector);
    }
  }
  void fit(const std::string& spec) {
    db.run("INSERT INTO plain(plain) VALUES ('fit " + spec + "')");
    db.run("INSERT INTO coded(coded, transform) SELECT 'transform', transform FROM plain LIMIT 1");
  }
  /// From now on searches end in this condition too.
  void search_under(const std::string& condition) { condition_ = condition; }
  void compare() {
    for (int query = 0; query < 3; ++query) {
      auto vector = kind_.make(random_, 1 + next_ * 2);
      vector[1] += query == 2 ? 1.0F : 0.0F;
      vector[0] += 1e-3F;
      compare(isovec::test::blob_of(vector));
    }
    CHECK(db.one("SELECT isovec_check('coded')") == "ok");
    CHECK(db.one("SELECT isovec_check('plain')") == "ok");
  }
  Connection db;

 private:
  template <typename Blob>
  void compare(const Blob& vector) {
    const char* kConditions[] = {"",
                                 " AND k = 1",
                                 " AND k = 10",
                                 " AND k = 300",
                                 " AND k = 4611686018427387904",
                                 " LIMIT 15 OFFSET 5",
                                 " AND m < 50 AND k = 10",
                                 " AND m IN (3, 4, 5) LIMIT 30",
                                 " AND m = 7",
                                 " AND distance > 0.05 AND k = 20",
                                 " AND distance < 0.9",
                                 " AND distance BETWEEN 0.01 AND 1 AND m > 10 AND k = 9"};
    for (const char* condition : kConditions) {
      CAPTURE(condition);
      const auto answer = [&](const char* table) {
        return text_of(db.rows(std::string("SELECT rowid, printf('%.17g', distance) FROM ") + table +
                                   " WHERE v MATCH ?1" + condition_ + condition,
                               vector));
      };
      const std::string expected = answer("plain");
      CHECK(answer("coded") == expected);
    }
  }
  const Kind& kind_;
  std::mt19937 random_;
  std::size_t next_ = 0;
  std::string condition_;
};

}  // namespace

TEST_CASE("a search by codes finds what scoring every row finds, through every change", "[surface][codes]") {
  const std::string metric = GENERATE("cosine", "l2", "dot");
  for (const Kind& kind : kKinds) {
    CAPTURE(metric, kind.name);
    Pair pair(metric, kind, 11);
    pair.insert(600);
    pair.compare();
    pair.both("DELETE FROM $ WHERE rowid % 5 = 1");
    pair.update(7);
    pair.compare();
    pair.insert(200);  // into the free slots first
    pair.both("SAVEPOINT s");
    pair.update(2);
    pair.compare();
    pair.both("DELETE FROM $ WHERE rowid BETWEEN 100 AND 420");
    pair.compare();
    pair.db.run("ROLLBACK TO s; RELEASE s");
    pair.compare();
    pair.both("DELETE FROM $ WHERE rowid % 3 = 0");
    pair.both("INSERT INTO $($) VALUES ('optimize')");
    pair.compare();
    pair.both("INSERT INTO $($) VALUES ('rebuild')");
    pair.compare();
  }
}

TEST_CASE("a search by codes of transformed rows finds what scoring every row finds", "[surface][codes]") {
  const std::string metric = GENERATE("cosine", "l2", "dot");
  const std::string spec =
      GENERATE("center", "whiten eps=0.1", "project_mean", "whiten normalize=both eps=1");
  for (const Kind& kind : {kKinds[0], kKinds[3]}) {
    CAPTURE(metric, spec, kind.name);
    Pair pair(metric, kind, 5);
    pair.insert(400);
    pair.fit(spec);
    pair.compare();
    pair.insert(300);
    pair.update(6);
    pair.both("DELETE FROM $ WHERE rowid % 4 = 1");
    pair.compare();
    pair.both("INSERT INTO $($) VALUES ('optimize')");
    pair.compare();
    pair.both("INSERT INTO $($) VALUES ('unfit')");
    pair.compare();
  }
}

TEST_CASE("a search under a transform that comes with it finds by codes what scoring every row finds",
          "[surface][codes]") {
  const std::string metric = GENERATE("cosine", "l2", "dot");
  const std::string spec = GENERATE("center", "whiten", "whiten k=6 normalize=before",
                                    "remove_top drop=2 normalize=after", "whiten slice=9 normalize=both");
  for (const Kind& kind : {kKinds[0], kKinds[3], kKinds[5]}) {
    CAPTURE(metric, spec, kind.name);
    Pair pair(metric, kind, 7);
    pair.insert(600);
    Pair cone(metric, kKinds[0], 8);
    cone.insert(200);
    const std::string given = cone.db.one("SELECT hex(vec_fit(v, '" + spec + "')) FROM plain");
    pair.search_under(" AND transform = x'" + given + "'");
    pair.compare();
    pair.both("DELETE FROM $ WHERE rowid % 5 = 1");
    pair.update(3);
    pair.insert(50);
    pair.compare();
  }
}

TEST_CASE("full whitening of ill-conditioned rows is searched exactly", "[surface][codes]") {
  const Kind steep{"condition 1e8", [](std::mt19937& random, std::size_t) {
                     std::vector<float> v = normal_vector(random);
                     for (std::size_t i = 0; i < v.size(); ++i)
                       v[i] = 1 + v[i] * std::pow(10.0F, -4 * static_cast<float>(i) / kDimension);
                     return v;
                   }};
  Pair pair(GENERATE("cosine", "l2"), steep, 3);
  pair.insert(1'000);
  pair.fit("whiten");
  pair.compare();
}

TEST_CASE("rows that change while a search is being read are those it found", "[surface][codes]") {
  Pair pair("cosine", kKinds[0], 9);
  pair.insert(700);
  Connection& db = pair.db;
  const auto query = isovec::test::blob_of(std::vector<float>(kDimension, 1));
  const auto before = db.rows("SELECT rowid FROM coded WHERE v MATCH ?1", query);
  // Among the first rows of the stream, at their end, and behind them.
  const std::size_t after = GENERATE(0U, 10U, 18U, 19U, 20U, 21U, 300U);
  CAPTURE(after);
  sqlite3_stmt* read = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), "SELECT rowid FROM coded WHERE v MATCH ?1", -1, &read, nullptr) ==
          SQLITE_OK);
  sqlite3_bind_blob(read, 1, query.bytes.data(), static_cast<int>(query.bytes.size()), SQLITE_TRANSIENT);
  std::vector<std::string> found;
  const std::size_t gone = after + 10;
  for (std::size_t i = 0; sqlite3_step(read) == SQLITE_ROW; ++i) {
    found.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(read, 0)));
    if (i == after) {
      db.run("UPDATE coded SET v = vec_zeros(24) WHERE rowid % 2 = 0");
      db.run("DELETE FROM coded WHERE rowid = " + before[gone][0]);
      db.run("INSERT INTO coded(v, m) SELECT v, 1 FROM plain LIMIT 300");
    }
  }
  CHECK(sqlite3_errcode(db.handle()) == SQLITE_DONE);
  sqlite3_finalize(read);
  REQUIRE(found.size() == before.size() - 1);
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == before[i < gone ? i : i + 1][0]);
}

TEST_CASE("a stream whose rows are rolled back while it is read ends in an error", "[surface][codes]") {
  Pair pair("cosine", kKinds[0], 10);
  pair.insert(700);
  Connection& db = pair.db;
  const auto query = isovec::test::blob_of(std::vector<float>(kDimension, 1));
  db.rows("SELECT rowid FROM coded WHERE v MATCH ?1 AND k = 1", query);  // blocks are kept from here on
  const std::size_t after = GENERATE(1U, 19U, 20U);
  db.run("BEGIN; SAVEPOINT s; DELETE FROM coded WHERE rowid % 3 = 0; DELETE FROM coded WHERE rowid < 300");
  db.run("INSERT INTO coded(v, m) SELECT v, 1 FROM plain LIMIT 400");
  sqlite3_stmt* read = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), "SELECT rowid FROM coded WHERE v MATCH ?1", -1, &read, nullptr) ==
          SQLITE_OK);
  sqlite3_bind_blob(read, 1, query.bytes.data(), static_cast<int>(query.bytes.size()), SQLITE_TRANSIENT);
  for (std::size_t i = 0; i < after; ++i) REQUIRE(sqlite3_step(read) == SQLITE_ROW);
  db.run("ROLLBACK TO s");
  int rc = SQLITE_OK;
  while ((rc = sqlite3_step(read)) == SQLITE_ROW) {
  }
  CAPTURE(after, sqlite3_errmsg(db.handle()));
  CHECK((rc & 0xFF) == SQLITE_ABORT);
  sqlite3_finalize(read);
  db.run("ROLLBACK");
  pair.compare();
}

TEST_CASE("rows that change all over a table are found by codes, not read one by one", "[surface][codes]") {
  const std::string metric = GENERATE("cosine", "l2", "dot");
  const bool fitted = GENERATE(false, true);
  for (const Kind& kind : kKinds) {
    if (fitted && &kind != &kKinds[0] && &kind != &kKinds[3]) continue;  // zeros have no whitening
    CAPTURE(metric, fitted, kind.name);
    Pair pair(metric, kind, 31);
    pair.insert(1'030);  // four groups, and six rows
    if (fitted) pair.fit("whiten eps=0.1");
    const std::string bytes = pair.db.one("SELECT sum(length(data)) FROM coded_codes");
    // New rows take the places of those that are gone.
    pair.both("DELETE FROM $ WHERE rowid % 3 = 0");
    pair.compare();
    pair.insert(343);
    CHECK(std::stoi(pair.db.one("SELECT tail FROM isovec_info('coded')")) <= 4 * 1 + 6);
    pair.compare();
    for (const int modulus : {10, 3, 2, 1}) {
      pair.update(modulus);
      const std::string uncoded = pair.db.one("SELECT tail FROM isovec_info('coded')");
      CAPTURE(modulus, uncoded);
      CHECK(std::stoi(uncoded) <= 4 * 1 + 6);
      pair.compare();
    }
    CHECK(pair.db.one("SELECT sum(length(data)) FROM coded_codes") == bytes);
  }
}

TEST_CASE("a code that is not that of its row is found, whatever its checksum says", "[surface][codes]") {
  Pair pair("cosine", kKinds[0], 32);
  pair.insert(256);
  pair.update(50);  // five rows, of which four are coded in their places
  Connection& db = pair.db;
  CHECK(db.one("SELECT isovec_check('coded')") == "ok");
  const std::string hex = db.one("SELECT hex(data) FROM coded_codes");
  isovec::Buffer<std::byte> block;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    block.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  const std::size_t place = 49;  // of row 50
  const isovec::codec::CodeBlockShape shape{isovec::codec::CodeMetric::cosine, false, kDimension, 256};
  const std::size_t scale = isovec::codec::code_layout::rows_at(shape) + 4 * place;
  const std::size_t code = isovec::codec::code_layout::codes_at(shape) + kDimension * place;
  for (const std::size_t at : {scale, scale + 4 * 256, scale + 2 * 4 * 256, code, code + kDimension - 1}) {
    isovec::Buffer<std::byte> wrong = block;
    wrong[at] ^= std::byte{1};
    isovec::codec::seal_block(wrong, isovec::storage::block_seed(0, 0));
    db.run("SAVEPOINT s");
    db.rows("UPDATE coded_codes SET data = ?1",
            isovec::test::Bytes{std::string(reinterpret_cast<const char*>(wrong.data()), wrong.size())});
    CHECK(db.one("SELECT isovec_check('coded')").find("are not those of its rows") != std::string::npos);
    db.run("ROLLBACK TO s; RELEASE s");
  }
}

TEST_CASE("isovec_info tells the bytes of codes and the rows without one", "[surface][codes]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(a float[4], b float[4] codes=none, c int8[8]);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) INSERT INTO t(a, b, c) "
      "SELECT '[' || i || ',1,2,3]', '[1,2,3,4]', vec_int8('[1,2,3,4,5,6,7,8]') FROM n");
  const auto figures = [&](const char* name) {
    return db.one(std::string("SELECT tail || ' ' || holes || ' ' || raw_bytes FROM isovec_info('t') "
                              "WHERE name = '") +
                  name + "'");
  };
  // Two groups of 256 are complete, 88 rows follow.
  CHECK(figures("a") == "88 0 " + db.one("SELECT sum(length(data)) FROM t_chunks WHERE id < 1 << 40"));
  CHECK(db.one("SELECT code_bytes = (SELECT sum(length(data)) FROM t_codes) FROM isovec_info('t') WHERE name "
               "= 'a'") == "1");
  CHECK(db.one("SELECT code_bytes > 512 * 4 FROM isovec_info('t') LIMIT 1") == "1");
  CHECK(db.rows("SELECT name, code_bytes, tail FROM isovec_info('t') WHERE name <> 'a'") ==
        std::vector<std::vector<std::string>>{{"b", "0", "600"}, {"c", "0", "600"}});
  // Ten rows of a group are coded in their places, two at a time.
  db.run("UPDATE t SET a = '[1,2,3,4]' WHERE rowid <= 10; DELETE FROM t WHERE rowid IN (11, 12, 600)");
  CHECK(db.one("SELECT tail FROM isovec_info('t') LIMIT 1") == "87");
  CHECK(db.one("SELECT holes FROM isovec_info('t') LIMIT 1") == "3");
  db.run("INSERT INTO t(t) VALUES ('rebuild')");
  CHECK(db.one("SELECT tail FROM isovec_info('t') LIMIT 1") == "87");
}

TEST_CASE("norms that are kept for a given transform are those of the rows at hand", "[surface][codes]") {
  Pair pair("cosine", kKinds[0], 21);
  pair.insert(300);
  Connection& db = pair.db;
  const auto query = isovec::test::blob_of(std::vector<float>(kDimension, 1.5F));
  // A condition that every row meets: its search computes the norms it needs.
  const auto agree = [&](const std::string& spec) {
    const std::string search =
        "SELECT rowid, printf('%.17g', distance) FROM coded WHERE v MATCH ?1 AND transform = (SELECT "
        "vec_fit(v, '" +
        spec + "') FROM plain)";
    const std::string expected = text_of(db.rows(search + " AND m >= 0", query));
    CHECK(text_of(db.rows(search, query)) == expected);
    CHECK(text_of(db.rows(search, query)) == expected);
  };
  agree("whiten eps=1");
  agree("center");
  agree("whiten eps=1");
  db.run("SAVEPOINT s; UPDATE coded SET v = (SELECT v FROM plain WHERE rowid = 9) WHERE rowid = 200");
  agree("center");
  db.run("ROLLBACK TO s; RELEASE s; DELETE FROM coded WHERE rowid = 100");
  agree("center");
  pair.insert(1);
  agree("center");
}
