// Harness of definitions: the text between the brackets of CREATE VIRTUAL TABLE, first as the parser meets
// it, then through SQLite, and what is made is used.

#include <isovec/isovec.h>
#include <sqlite3.h>

#include <isovec/buffer.hpp>
#include <memory>

#include "fuzz/harness.hpp"
#include "surface/definition.hpp"
#include "surface/definition_source.hpp"

namespace isovec::fuzz {
namespace {

sqlite3* open_connection() {
  sqlite3* db = nullptr;
  require(sqlite3_open(":memory:", &db) == SQLITE_OK, "a connection opens");
  require(sqlite3_isovec_init(db, nullptr, nullptr) == SQLITE_OK, "isovec registers");
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 4'000'000);
  return db;
}

// One statement, whatever else the text holds.
int run(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return SQLITE_ERROR;
  int rc = SQLITE_OK;
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
  }
  sqlite3_finalize(statement);
  return rc;
}

// A statement that has to work.
void require_runs(sqlite3* db, const std::string& sql, const std::string& create, const char* promise) {
  if (run(db, sql) == SQLITE_DONE) return;
  std::fprintf(stderr, "%s\nafter %s\nsays: %s\n", sql.c_str(), create.c_str(), sqlite3_errmsg(db));
  require(false, promise);
}

}  // namespace

void fuzz_definition(View input) {
  const std::string text(text_of(input).substr(0, 2000));
  const std::string create = "CREATE VIRTUAL TABLE t USING isovec(" + text + ")";
  answered([&] {
    const isovec::Buffer<std::string> arguments = surface::arguments_of(create);
    isovec::Buffer<const char*> words;
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    const storage::TableShape shape = surface::parse_definition("main", "t", words);
    static_cast<void>(surface::declaration_of(shape));
    static_cast<void>(shape.fingerprint());
  });
  static sqlite3* const db = open_connection();
  run(db, "BEGIN");
  if (run(db, create) == SQLITE_DONE) {
    // What a CREATE says is read again from the file by another splitter: both mean the same table.
    require_runs(db, "SELECT * FROM isovec_info('t')", create, "a table that was made is described");
    require_runs(db, "SELECT * FROM t", create, "a table that was made is read");
    run(db, "INSERT INTO t(t) VALUES ('integrity-check')");
    run(db, "INSERT INTO t DEFAULT VALUES");
    run(db, "DROP TABLE t");
  }
  if (sqlite3_get_autocommit(db) == 0)
    require(run(db, "ROLLBACK") == SQLITE_DONE, "a transaction is rolled back");
}

isovec::Buffer<Bytes> definition_seeds() {
  return {
      bytes_of(
          "id INTEGER PRIMARY KEY, embedding float[8] transform='project_mean', tenant text partition key"),
      bytes_of(
          "name TEXT PRIMARY KEY, a float16[4] distance_metric=l2, b bf16[2] distance_metric=dot codes=none"),
      bytes_of(
          "e f32[3], y int indexed, \"odd \"\"name\" real, [x y] text, +body text, +b blob, chunk_size=8"),
      bytes_of("e float[3] /* a, comment */ transform='whiten eps=1', -- another )\n z numeric"),
      bytes_of("e float[8192], m boolean"),
      bytes_of("e float[99999999999], `q` int64 indexed"),
      bytes_of("distance float[2]"),
      bytes_of(
          "e int8[8] transform='center', f bit[16] distance_metric=hamming, g float[2] distance_metric=l1")};
}

}  // namespace isovec::fuzz
