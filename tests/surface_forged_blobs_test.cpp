// BLOBs whose checksum is right and whose numbers are not: refused as damaged, at the cost of their bytes.

#include <limits>

#include "connection.hpp"
#include "forged_blob.hpp"

namespace isovec::test {
namespace {

constexpr const char* kRows =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    "INSERT INTO t SELECT i, vec_random(4, i) FROM n;";

template <typename... Args>
void refuses(Connection& db, const std::string& sql, const Args&... args) {
  CAPTURE(sql);
  try {
    db.rows(sql, args...);
    FAIL_CHECK("no error");
  } catch (const SqlError& error) {
    CAPTURE(error.what());
    CHECK(error.result_code == SQLITE_CORRUPT_VTAB);
  }
}

// Where a number stands in a transform BLOB.
constexpr std::size_t kInput = 16, kColumns = 20, kOutputs = 24, kKind = 28, kNormalize = 29, kProjected = 32,
                      kRank = 44, kKept = 52, kDropped = 60, kDead = 68, kSummary = 76, kSpecSize = 132;

// And in statistics.
constexpr std::size_t kDimensions = 16, kSlice = 20, kMoments = 27, kStatsRows = 32, kPositive = 40,
                      kZero = 48, kWeight = 56, kWeightEver = 72, kRounding = 80, kFourth = 88, kShift = 96;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST_CASE("a transform that reads fewer columns than its inverse gives is refused", "[surface][forged]") {
  Connection db;
  const std::string narrow =
      "x'"
      "69736f5401000000a00b5f47b8f4c2a20400000001000000040000000300000000000000060000000000000001000000000000"
      "00010000000000000000000000000000000000000000000000000000000000f03f000000000000f03f000000000000f03f0000"
      "00"
      "000000f03f000000000000f03f000000000000f03f000000000000f03f000000000000000000000000000000000000f03f0000"
      "00"
      "000000f03f000000000000f03f000000000000f03f'";
  refuses(db, "SELECT hex(vec_inverse_transform('[1,0,0,0]', " + narrow + "))");
  refuses(db, "SELECT vec_transform('[1,0,0,0]', " + narrow + ")");
}

TEST_CASE("numbers of a transform that do not agree are refused", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const auto fitted = [&](const char* spec) { return db.one("SELECT vec_fit(v, ?) FROM t", spec); };
  const auto refused = [&](const std::string& blob) {
    refuses(db, "SELECT vec_transform_info(?)", Bytes{blob});
  };
  const std::string white = fitted("whiten"), center = fitted("center"), scaled = fitted("standardize"),
                    top = fitted("remove_top"), correlated = fitted("whiten basis=zca-cor");
  CHECK(db.one("SELECT vec_transform_info(?) ->> 'rank'", Bytes{sealed(white)}) == "4");
  for (const std::string& blob : {white, center, scaled, top, correlated}) {
    refused(forged(blob, kInput, 0U));
    if (blob != top) {                    // which has no inverse
      refused(forged(blob, kInput, 5U));  // four columns of five
      refused(forged(blob, kNormalize, std::uint8_t{2}));
    }
    refused(forged(blob, kInput, 65'536U));
    refused(forged(blob, kColumns, 5U));
    refused(forged(blob, kOutputs, 5U));
    refused(forged(blob, kDropped, std::uint64_t{9}));
    for (const std::size_t count : {kRank, kKept, kDropped, kDead}) {
      for (const std::uint64_t number :
           {std::uint64_t{5}, std::uint64_t{1} << 32, std::uint64_t{1} << 62, ~std::uint64_t{0}})
        refused(forged(blob, count, number));
    }
    for (std::size_t i = 0; i < 7; ++i) {
      for (const double number : {kNaN, kInfinite}) refused(forged(blob, kSummary + 8 * i, number));
      if (i >= 2) refused(forged(blob, kSummary + 8 * i, -1.0));
    }
    refused(forged(blob, kSpecSize, 0xFFFF'FFFFU));
    refused(forged(blob, kSpecSize + 4, '\0'));
  }
  refused(forged(white, kNormalize, std::uint8_t{1}));
  refused(forged(white, kProjected, 1U));
  refused(forged(top, kProjected, 0U));
  refused(forged(white, kRank, std::uint64_t{3}));
  refused(forged(white, kDropped, std::uint64_t{1}));
  refused(forged(center, kRank, std::uint64_t{1}));
  refused(forged(center, kKind, std::uint8_t{1}));
  refused(forged(scaled, scaled.size() - 8, 0.0));       // a coordinate that no inverse gives back
  refused(forged(correlated, kDead, std::uint64_t{1}));  // a standardizer without zeros
  const std::size_t warnings = kSpecSize + 4 + std::string("whiten").size() + 4;
  REQUIRE(db.one("SELECT vec_transform_info(?) ->> 'warnings'", Bytes{fitted("whiten k=1")}) == "[]");
  refused(forged(white, warnings, 0xFFFF'FFFFU));
}

// The least header: no rows yet, `slice` coordinates to keep.
std::string empty_statistics(std::uint32_t slice) {
  std::string blob("isoS\1\0\0\0", 8);
  blob.resize(96);
  blob[kMoments] = 1;
  return forged(blob, kSlice, slice);
}

TEST_CASE("statistics of no rows with a slice merge and subtract", "[surface][forged]") {
  Connection db;
  const Bytes empty{empty_statistics(3)};
  CHECK(db.one("SELECT vec_stats_info(?) ->> 'columns'", empty) == "0");
  CHECK(db.one("SELECT vec_stats_subtract(b, b) FROM (SELECT ? b)", empty) == "NULL");
  CHECK(db.one("SELECT vec_stats_merge(b) FROM (SELECT ?1 b UNION ALL SELECT ?1)", empty) == "NULL");
  const auto moving = db.rows(
      "SELECT vec_stats_merge(b) OVER (ORDER BY i ROWS 1 PRECEDING) FROM (SELECT value i, ? b FROM "
      "json_each('[1,2,3,4]'))",
      empty);
  CHECK(moving == std::vector<std::vector<std::string>>(4, {"NULL"}));
  // Beside statistics of rows they are nothing.
  db.run("CREATE TABLE s(i INTEGER PRIMARY KEY, b)");
  db.run("INSERT INTO s SELECT 2, vec_stats(vec_random(4, value), 1, 'slice=3') FROM json_each('[1,2,3]')");
  for (const int i : {1, 3}) db.rows("INSERT INTO s VALUES (?, ?)", i, empty);
  CHECK(db.rows(
            "SELECT vec_stats_merge(b) OVER (ORDER BY i ROWS 1 PRECEDING) IS iif(i = 1, NULL, (SELECT b FROM "
            "s WHERE i = 2)) FROM s") == std::vector<std::vector<std::string>>(3, {"1"}));
  CHECK(db.one("SELECT vec_stats_subtract((SELECT b FROM s WHERE i = 2), b) = (SELECT b FROM s WHERE i = 2) "
               "FROM s "
               "WHERE i = 3") == "1");
  CHECK(db.error("SELECT vec_fit_stats(?, 'none')", empty).find("no rows") != std::string::npos);
}

TEST_CASE("statistics take no memory for a slice that they do not have", "[surface][forged]") {
  Connection db;
  const sqlite3_int64 before = sqlite3_hard_heap_limit64(-1);
  sqlite3_hard_heap_limit64(16 << 20);
  for (const std::uint32_t slice : {65'536U, 400'000'000U, 0xFFFF'FFFFU}) {
    const Bytes blob{empty_statistics(slice)};
    refuses(db, "SELECT vec_stats_info(?)", blob);
    refuses(db, "SELECT vec_stats_merge(?)", blob);
    refuses(db, "SELECT vec_stats_subtract(b, b) FROM (SELECT ? b)", blob);
    refuses(db, "SELECT vec_fit_stats(?, 'center')", blob);
    refuses(db, "SELECT * FROM vec_spectrum(?)", blob);
  }
  CHECK(db.error("SELECT vec_stats('[1,2]', 1, 'slice=400000000')").find("slice=") != std::string::npos);
  sqlite3_hard_heap_limit64(before);
}

TEST_CASE("numbers of statistics that do not agree are refused", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const auto taken = [&](const char* options) {
    return db.one("SELECT vec_stats(v, id, ?) FROM t", options);
  };
  const auto refused = [&](const std::string& blob) { refuses(db, "SELECT vec_stats_info(?)", Bytes{blob}); };
  for (const char* options : {"", "moments=first", "normalize=before", "weights=frequency slice=3"}) {
    CAPTURE(options);
    const std::string blob = taken(options);
    CHECK(db.one("SELECT vec_stats_info(?) ->> 'n'", Bytes{sealed(blob)}) == "40");
    for (const std::uint32_t number : {0U, 3U, 5U, 65'536U, 1U << 31, 0xFFFF'FFFFU}) {
      const bool has_slice = blob[kSlice] == 3 && (number == 3 || number == 5);
      if (!has_slice) refused(forged(blob, kDimensions, number));
      if (number != 0 && number != 3) refused(forged(blob, kSlice, number));
    }
    refused(forged(blob, kStatsRows, std::uint64_t{39}));
    refused(forged(blob, kPositive, std::uint64_t{0}));
    for (const std::size_t count : {kStatsRows, kPositive, kZero}) {
      for (const std::uint64_t number : {std::uint64_t{1} << 62, ~std::uint64_t{0} >> 1, ~std::uint64_t{0}})
        refused(forged(blob, count, number));
    }
    for (std::size_t at = kWeight; at + 8 <= blob.size(); at += 8) {
      for (const double number : {kNaN, kInfinite, -kInfinite, 1e308, -1e308})
        refused(forged(blob, at, number));
    }
    refused(forged(blob, kWeightEver, 0.0));
    refused(forged(blob, kWeightEver, -1.0));
    refused(forged(blob, kWeight, 821.0));  // of 1 + 2 + ... + 40 = 820
    refused(forged(blob, kRounding, -1.0));
    refused(forged(blob, kRounding, 2.0));
    refused(forged(blob, kShift, 2e18));
  }
  refused(forged(taken("moments=first"), kFourth, 1.0));
  refused(forged(taken(""), kZero, std::uint64_t{1}));
  // Of no rows, nothing is summed.
  for (std::size_t at = kStatsRows; at < kShift; at += 8) {
    refused(forged(empty_statistics(3), at, std::uint64_t{1}));
    if (at >= kWeight) refused(forged(empty_statistics(3), at, 1.0));
  }
}

TEST_CASE("statistics hold as many rows as float64 counts", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const std::string blob = db.one("SELECT vec_stats(v) FROM t");
  const std::string many = forged(blob, kStatsRows, (std::uint64_t{1} << 53) - 40);
  CHECK(db.one("SELECT vec_stats_info(?) ->> 'n'", Bytes{many}) == "9007199254740952");
  CHECK(db.one("SELECT vec_stats_info(vec_stats_merge(b)) ->> 'n' FROM (SELECT ? b UNION ALL SELECT ?)",
               Bytes{many}, Bytes{blob}) == "9007199254740992");
  CHECK(db.error("SELECT vec_stats_merge(b) FROM (SELECT ?1 b UNION ALL SELECT ?1)", Bytes{many})
            .find("2^53") != std::string::npos);
}

TEST_CASE("a damaged BLOB is refused on a connection that has just used the sound one", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const std::string transform = db.one("SELECT vec_fit(v, 'whiten') FROM t");
  const std::string statistics = db.one("SELECT vec_stats(v) FROM t");
  for (std::size_t i = 0; i < transform.size(); i += 3) {
    CAPTURE(i);
    db.rows("SELECT vec_transform('[1,2,3,4]', ?)", Bytes{transform});
    std::string damaged = transform;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK(db.error("SELECT vec_transform('[1,2,3,4]', ?)", Bytes{damaged}).find("vec_transform: ") == 0);
  }
  for (std::size_t i = 0; i < statistics.size(); i += 3) {
    CAPTURE(i);
    db.rows("SELECT vec_fit_stats(?, 'whiten')", Bytes{statistics});
    std::string damaged = statistics;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK(db.error("SELECT vec_fit_stats(?, 'whiten')", Bytes{damaged}).find("vec_fit_stats: ") == 0);
  }
}

TEST_CASE("a transform is known by its bytes and not by a checksum that it claims", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const std::string center = db.one("SELECT vec_fit(v, 'center') FROM t");
  db.rows("SELECT vec_transform('[1,2,3,4]', ?)", Bytes{center});
  // The transform of other rows under the checksum of the first: damaged, not the first.
  std::string other = db.one("SELECT vec_fit(v, 'center') FROM t WHERE id <> 7");
  REQUIRE(other.size() == center.size());
  other.replace(8, 8, center, 8, 8);
  refuses(db, "SELECT vec_transform('[1,2,3,4]', ?)", Bytes{other});
  refuses(db, "SELECT vec_transform('[1,2,3,4]', T) FROM (SELECT ? T)", Bytes{other});
}

}  // namespace
}  // namespace isovec::test
