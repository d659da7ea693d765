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

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST_CASE("a transform that reads fewer columns than its inverse gives is refused", "[surface][forged]") {
  Connection db;
  const std::string narrow =
      "x'69736f5401000000a00b5f47b8f4c2a20400000001000000040000000300000000000000060000000000000001000000000000"
      "00010000000000000000000000000000000000000000000000000000000000f03f000000000000f03f000000000000f03f000000"
      "000000f03f000000000000f03f000000000000f03f000000000000f03f000000000000000000000000000000000000f03f000000"
      "000000f03f000000000000f03f000000000000f03f'";
  refuses(db, "SELECT hex(vec_inverse_transform('[1,0,0,0]', " + narrow + "))");
  refuses(db, "SELECT vec_transform('[1,0,0,0]', " + narrow + ")");
}

TEST_CASE("numbers of a transform that do not agree are refused", "[surface][forged]") {
  Connection db;
  db.run(kRows);
  const auto fitted = [&](const char* spec) { return db.one("SELECT vec_fit(v, ?) FROM t", spec); };
  const auto refused = [&](const std::string& blob) { refuses(db, "SELECT vec_transform_info(?)", Bytes{blob}); };
  const std::string white = fitted("whiten"), center = fitted("center"), scaled = fitted("standardize"),
                    top = fitted("remove_top"), correlated = fitted("whiten basis=zca-cor");
  CHECK(db.one("SELECT vec_transform_info(?) ->> 'rank'", Bytes{sealed(white)}) == "4");
  for (const std::string& blob : {white, center, scaled, top, correlated}) {
    refused(forged(blob, kInput, 0U));
    if (blob != top) {  // which has no inverse
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

}  // namespace
}  // namespace isovec::test
