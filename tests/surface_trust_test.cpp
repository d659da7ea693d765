// Functions that count as innocuous run nothing of the host's or the file's: a virtual table named json_each,
// a function json_extract, or views and tables of such names are not called, whether the schema is trusted or
// not.

#include "catch.hpp"
#include "connection.hpp"

namespace {

using isovec::test::Connection;

long called = 0;

void stranger(sqlite3_context* context, int, sqlite3_value**) {
  ++called;
  sqlite3_result_int(context, 1);
}

// An eponymous virtual table of one row for whatever it is asked.
struct Cursor : sqlite3_vtab_cursor {
  int row;
};
sqlite3_module strange_table() {
  sqlite3_module module{};
  module.xConnect = [](sqlite3* db, void*, int, const char* const*, sqlite3_vtab** table, char**) {
    ++called;
    *table = new sqlite3_vtab{};
    return sqlite3_declare_vtab(
        db, "CREATE TABLE x(key, value, type, atom, id, parent, fullkey, path, json HIDDEN, root HIDDEN)");
  };
  module.xBestIndex = [](sqlite3_vtab*, sqlite3_index_info*) {
    ++called;
    return SQLITE_OK;
  };
  module.xDisconnect = [](sqlite3_vtab* table) {
    delete table;
    return SQLITE_OK;
  };
  module.xOpen = [](sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = new Cursor{};
    return SQLITE_OK;
  };
  module.xClose = [](sqlite3_vtab_cursor* cursor) {
    delete static_cast<Cursor*>(cursor);
    return SQLITE_OK;
  };
  module.xFilter = [](sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    ++called;
    static_cast<Cursor*>(cursor)->row = 0;
    return SQLITE_OK;
  };
  module.xNext = [](sqlite3_vtab_cursor* cursor) {
    ++static_cast<Cursor*>(cursor)->row;
    return SQLITE_OK;
  };
  module.xEof = [](sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor)->row > 0 ? 1 : 0; };
  module.xColumn = [](sqlite3_vtab_cursor*, sqlite3_context* context, int) {
    sqlite3_result_int(context, 1);
    return SQLITE_OK;
  };
  module.xRowid = [](sqlite3_vtab_cursor*, sqlite3_int64* rowid) {
    *rowid = 1;
    return SQLITE_OK;
  };
  return module;
}

}  // namespace

TEST_CASE("the host's json_each and json_extract are not called", "[surface][trust]") {
  const int trusted = GENERATE(0, 1);
  Connection db;
  const std::string report =
      "(SELECT vec_cosine_histogram(column1, 2) FROM (VALUES ('[1, 0, 0]'), ('[0, 1, "
      "0]'), ('[-1, 0, 1]')))";
  const std::string sql = "SELECT lo, hi, n, expected FROM vec_histogram(" + report + ")";
  const auto right = db.rows(sql);
  REQUIRE(right ==
          std::vector<std::vector<std::string>>{{"-1.0", "0.0", "1", "1.5"}, {"0.0", "1.0", "2", "1.5"}});
  static const sqlite3_module module = strange_table();
  for (const char* name : {"json_each", "json_tree"}) {
    REQUIRE(sqlite3_create_module_v2(db.handle(), name, &module, nullptr, nullptr) == SQLITE_OK);
  }
  for (const char* name : {"json_extract", "json", "json_array_length"}) {
    REQUIRE(sqlite3_create_function_v2(db.handle(), name, -1, SQLITE_UTF8, nullptr, stranger, nullptr,
                                       nullptr, nullptr) == SQLITE_OK);
  }
  REQUIRE(sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, trusted, nullptr) == SQLITE_OK);
  db.run("CREATE VIEW v AS " + sql);
  called = 0;
  CHECK(db.rows(sql) == right);
  CHECK(db.rows("SELECT * FROM v") == right);
  CHECK(called == 0);
}

TEST_CASE("a file's own table or view of a known name is not read", "[surface][trust]") {
  Connection db;
  const std::string sql =
      "SELECT n FROM vec_histogram((SELECT vec_cosine_histogram(column1, 2) FROM (VALUES "
      "('[1, 0]'), ('[0, 1]'))))";
  const auto right = db.rows(sql);
  db.run("CREATE TABLE secret(x); CREATE VIEW json_each AS SELECT 1 AS value, * FROM secret");
  CHECK(db.rows(sql) == right);
  db.run("DROP VIEW json_each; CREATE TABLE json_each(value, json HIDDEN, root HIDDEN)");
  CHECK(db.rows(sql) == right);
}

TEST_CASE("no function runs a statement that names anything", "[surface][trust]") {
  Connection db;
  const auto examples = db.rows("SELECT name, example FROM vec_help WHERE name LIKE 'vec\\_%' ESCAPE '\\'");
  REQUIRE(examples.size() > 70);
  std::vector<std::string> seen;
  sqlite3_trace_v2(
      db.handle(), SQLITE_TRACE_STMT,
      [](unsigned, void* state, void*, void* text) {
        static_cast<std::vector<std::string>*>(state)->push_back(static_cast<const char*>(text));
        return 0;
      },
      &seen);
  for (const auto& example : examples) {
    CAPTURE(example[0], example[1]);
    seen.clear();
    db.rows(example[1]);
    REQUIRE_FALSE(seen.empty());
    CHECK(seen.front() == example[1]);
    for (std::size_t i = 1; i < seen.size(); ++i)
      CHECK(seen[i].find_first_not_of("-- SELECT 1,") == std::string::npos);
  }
  sqlite3_trace_v2(db.handle(), 0, nullptr, nullptr);
}

TEST_CASE("a report is read in the one form in which it is written", "[surface][trust]") {
  Connection db;
  const std::string report =
      "{\"rows\":2,\"sampled\":2,\"dimension\":2,\"pairs\":1,\"bins\":[{\"lo\":-1,\"hi\":1,\"n\":1,"
      "\"expected\":1}"
      "]}";
  CHECK(db.one("SELECT n FROM vec_histogram(?)", report) == "1");
  std::string spaced;
  for (const char c : report)
    spaced += std::string(c == ':' || c == ',' || c == '{' ? " \n\t" : "") + c + " ";
  CHECK(db.error("SELECT n FROM vec_histogram(?)", spaced).rfind("vec_histogram: not a report of ", 0) == 0);
  CHECK(db.one("SELECT n FROM vec_histogram(replace(replace(?, ',', ' , '), ':', ' : '))", report) == "1");
  // Every byte taken away or replaced gives the same bins or an error, and every shorter text an error.
  for (std::size_t i = 0; i < report.size(); ++i) {
    CAPTURE(i);
    CHECK(db.error("SELECT n FROM vec_histogram(?)", report.substr(0, i)).rfind("vec_histogram: ", 0) == 0);
    for (const char c : std::string("\0\"{}[],:0-e.x\xff", 15)) {
      std::string other = report;
      other[i] = c;
      try {
        for (const auto& row : db.rows("SELECT lo, hi, n, expected FROM vec_histogram(?)", other)) {
          CHECK(row.size() == 4);
        }
      } catch (const isovec::test::SqlError& error) {
        CHECK(std::string(error.what())
                  .rfind("vec_histogram: not a report of vec_cosine_histogram: expected ", 0) == 0);
      }
    }
  }
  for (const std::string& other : {std::string("{}"), std::string("[]"), std::string("null"), report + "x",
                                   std::string("{\"bins\":[]}"), std::string(100'000, '[')}) {
    CHECK(db.error("SELECT n FROM vec_histogram(?)", other).find(": expected ") != std::string::npos);
  }
}
