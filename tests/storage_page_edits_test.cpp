// A database file with random bytes of its pages changed, handed to SQLite as an image: whatever the bytes,
// reading, checking, changing and dropping the table end with an answer or an error. ISOVEC_PAGE_EDITS=n
// tries n files.

#include <random>

#include "campaign.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;

std::string make_image() {
  Connection db;
  db.run(
      "PRAGMA page_size = 512;"
      "CREATE VIRTUAL TABLE t USING isovec(key TEXT PRIMARY KEY, a float[3] transform='center', b float16[5] "
      "distance_metric=l2, part text partition key, year integer indexed, +body text);"
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 40)"
      "INSERT INTO t(key, a, b, part, year, body) SELECT 'k' || i, vec_random(3, i), vec_f16(vec_random(5, "
      "i)), 'p' || "
      "(i % 3), 2000 + i, 'body ' || i FROM c;"
      "DELETE FROM t WHERE key IN ('k4', 'k9', 'k30'); INSERT INTO t(t) VALUES ('fit');"
      "INSERT INTO t(key, a, part) VALUES ('n1', NULL, 'p1'), ('n2', '[1,2,3]', 'p2');");
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(db.handle(), "main", &size, 0);
  REQUIRE(bytes != nullptr);
  std::string image(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return image;
}

constexpr const char* kUses[] = {
    "SELECT * FROM t",
    "SELECT key, distance, body FROM t WHERE a MATCH '[1,0,0]'",
    "SELECT key FROM t WHERE b MATCH '[1,0,0,0,0]' AND part = 'p1' AND year > 2005 AND k = 4",
    "SELECT body FROM t WHERE key = 'k7'",
    "SELECT key FROM t WHERE b IS NULL",
    "SELECT key FROM t WHERE a MATCH '[1,0,0]' AND b IS NOT NULL AND k = 3",
    "UPDATE t SET b = '[1,2,3,4,5]' WHERE b IS NULL",
    "UPDATE t SET a = NULL WHERE key > 'k3'",
    "SELECT * FROM isovec_info('t')",
    "SELECT isovec_check('t')",
    "INSERT INTO t(key, a, b) VALUES ('new', '[1,2,3]', '[1,2,3,4,5]')",
    "UPDATE t SET a = '[0,1,0]', year = 1 WHERE key = 'k3'",
    "DELETE FROM t WHERE key = 'k5'",
    "INSERT INTO t(t) VALUES ('fit column=b center')",
    "INSERT INTO t(t) VALUES ('rebuild')",
    "INSERT INTO t(t) VALUES ('unfit')",
    "ALTER TABLE t RENAME TO s",
    "DROP TABLE s",
};

// Bounded time, whatever the file: SQLite itself may be sent in circles.
int stop_after(void* left) {
  return --*static_cast<long*>(left) < 0 ? 1 : 0;
}

}  // namespace

TEST_CASE("no change of a database file makes a table do harm", "[storage][corruption]") {
  const std::string sound = make_image();
  const isovec::test::Seeds seeds("ISOVEC_PAGE_EDITS", 300);
  long answers = 0, errors = 0;
  for (unsigned seed = seeds.first; seed < seeds.end; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string image = sound;
    for (unsigned edits = 1 + random() % 8; edits > 0; --edits) {
      const std::size_t place = 100 + random() % (image.size() - 108);
      const std::size_t size = 1 + random() % 8;
      for (std::size_t i = 0; i < size; ++i) image[place + i] = static_cast<char>(random());
    }
    Connection db;
    auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.size()));
    REQUIRE(bytes != nullptr);
    std::memcpy(bytes, image.data(), image.size());
    const auto size = static_cast<sqlite3_int64>(image.size());
    REQUIRE(sqlite3_deserialize(db.handle(), "main", bytes, size, size,
                                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
    sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, 1'000'000);
    for (const char* sql : kUses) {
      long left = 20'000;
      sqlite3_progress_handler(db.handle(), 10, stop_after, &left);
      try {
        db.rows(sql);
        ++answers;
      } catch (const SqlError& error) {
        ++errors;
        CHECK(error.result_code != SQLITE_MISUSE);
        CHECK(error.result_code != SQLITE_INTERNAL);
      }
    }
    sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  }
  CHECK(answers > 0);
  CHECK(errors > 0);
}
