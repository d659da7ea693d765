// A schema written by somebody else: views, triggers, defaults, constraints, generated columns and indexes
// that call isovec's functions and use its tables, where the schema is trusted and where it is not; and
// CREATE statements that were edited in the file.

#include <set>

#include "connection.hpp"
#include "temporary_file.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::SqlError;
using isovec::test::TemporaryFile;

constexpr const char* kTable =
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2], tenant text partition key, "
    "year integer indexed, +body text);"
    "INSERT INTO t(id, e, tenant, year, body) VALUES (1, '[1,0]', 'a', 2001, 'x'), (2, '[0,1]', 'b', 2002, "
    "'y'), (3, '[1,1]', 'a', 2003, 'z');";

struct Example {
  std::string name;
  std::string query;
};

std::vector<Example> examples(Connection& db) {
  std::vector<Example> found;
  // SQLite's own ->> may not stand in a schema that is not trusted; LIKE may.
  for (const auto& row : db.rows("SELECT name, replace(example, '->> ''', 'LIKE ''%') FROM vec_help"))
    found.push_back({row[0], row[1]});
  REQUIRE(found.size() > 60);
  return found;
}

// The example as one expression: its columns in a coalesce(). Empty where it is a query.
std::string expression_of(const std::string& query) {
  constexpr std::string_view kSelect = "SELECT ";
  if (query.rfind(kSelect, 0) != 0 || query.find(" FROM ") != std::string::npos) return "";
  return "coalesce(" + query.substr(kSelect.size()) + ", 1)";
}

void trust(Connection& db, bool trusted) {
  db.run(std::string("PRAGMA trusted_schema = ") + (trusted ? "ON" : "OFF"));
}

// Functions that say they give the same for the same arguments.
std::set<std::string> varying_functions(Connection& db) {
  std::set<std::string> names;
  for (const auto& row : db.rows("SELECT DISTINCT name FROM pragma_function_list WHERE flags & 0x800 = 0 AND "
                                 "(name LIKE 'vec\\_%' ESCAPE '\\' OR name LIKE 'isovec%')")) {
    names.insert(row[0]);
  }
  return names;
}

bool calls_any(const std::string& expression, const std::set<std::string>& names) {
  for (const std::string& name : names) {
    if (expression.find(name + "(") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every function may stand in views and triggers, trusted or not, and gives the same there",
          "[surface][hostile]") {
  const bool trusted = GENERATE(false, true);
  Connection db;
  trust(db, trusted);
  db.run("CREATE TABLE plain(x); CREATE TABLE sink(n)");
  for (const Example& example : examples(db)) {
    if (example.name.rfind("isovec_", 0) == 0) continue;  // see below
    CAPTURE(example.name, trusted);
    const auto expected = db.rows(example.query);
    db.run("CREATE VIEW w AS " + example.query);
    CHECK(db.rows("SELECT * FROM w") == expected);
    // An INSERT in a trigger cannot begin with WITH, a FROM clause can.
    db.run("CREATE TRIGGER fires AFTER INSERT ON plain BEGIN INSERT INTO sink SELECT count(*) FROM (" +
           example.query + "); END; INSERT INTO plain VALUES (1)");
    CHECK(db.one("SELECT n FROM sink") == std::to_string(expected.size()));
    db.run("DROP VIEW w; DROP TRIGGER fires; DELETE FROM sink");
  }
}

TEST_CASE(
    "every scalar function may stand in a default, a constraint, a generated column or an index as it "
    "is flagged",
    "[surface][hostile]") {
  const bool trusted = GENERATE(false, true);
  Connection db;
  trust(db, trusted);
  const std::set<std::string> varying = varying_functions(db);
  long tried = 0;
  for (const Example& example : examples(db)) {
    const std::string expression = expression_of(example.query);
    if (expression.empty() || example.name == "isovec_check") continue;
    ++tried;
    CAPTURE(expression, trusted);
    const std::string expected = db.one("SELECT " + expression);
    db.run("CREATE TABLE p(x, d DEFAULT (" + expression + "), CHECK (" + expression +
           " IS NOT NULL)); INSERT INTO p(x) VALUES (1)");
    CHECK(db.one("SELECT d FROM p") == expected);
    const bool may_vary = calls_any(expression, varying);
    for (const std::string& sql :
         {"CREATE INDEX i ON p((" + expression + "))", "CREATE INDEX i ON p(x) WHERE " + expression,
          "ALTER TABLE p ADD COLUMN g AS (" + expression + ")"}) {
      if (may_vary) {
        CHECK(db.error(sql).find("non-deterministic") != std::string::npos);
        continue;
      }
      db.run(sql);
      db.run("INSERT INTO p(x) VALUES (2); DELETE FROM p WHERE x = 2");
      CHECK(db.one("PRAGMA integrity_check") == "ok");
      db.run("DROP INDEX IF EXISTS i");
    }
    if (!may_vary) CHECK(db.one("SELECT g FROM p") == expected);
    db.run("DROP TABLE p");
  }
  CHECK(tried > 25);
}

TEST_CASE("isovec_check is for statements of the user's own, and isovec_info for schemas that are trusted",
          "[surface][hostile]") {
  Connection db;
  db.run(kTable);
  db.run(
      "CREATE TABLE p(x, d DEFAULT (isovec_check('t'))); "
      "CREATE VIEW w AS SELECT isovec_check('t'); CREATE VIEW i AS SELECT * FROM isovec_info('t'); CREATE "
      "TABLE r(x);"
      "CREATE TRIGGER fires AFTER INSERT ON r BEGIN SELECT isovec_check('t'); END");
  for (const bool trusted : {false, true}) {
    trust(db, trusted);
    for (const char* sql : {"INSERT INTO p(x) VALUES (1)", "SELECT * FROM w", "INSERT INTO r VALUES (1)"}) {
      CHECK(db.error(sql) == "unsafe use of isovec_check()");
    }
    CHECK(db.one("SELECT isovec_check('t')") == "ok");
  }
  CHECK(db.one("SELECT row_count FROM i") == "3");
  trust(db, false);
  CHECK(db.error("SELECT * FROM i") == "unsafe use of virtual table \"isovec_info\"");
  CHECK(db.one("SELECT row_count FROM isovec_info('t')") == "3");
}

TEST_CASE("a table may be used by views and triggers, trusted or not", "[surface][hostile]") {
  const bool trusted = GENERATE(false, true);
  Connection db;
  trust(db, trusted);
  db.run(kTable);
  db.run(
      "CREATE TABLE notes(id INTEGER PRIMARY KEY, v, body);"
      "CREATE VIEW near AS SELECT id, distance FROM t WHERE e MATCH '[1,0]' AND k = 2;"
      "CREATE TRIGGER added AFTER INSERT ON notes BEGIN INSERT INTO t(id, e, body) VALUES (new.id, new.v, "
      "new.body); END;"
      "CREATE TRIGGER changed AFTER UPDATE ON notes BEGIN UPDATE t SET e = new.v WHERE id = new.id; END;"
      "CREATE TRIGGER gone AFTER DELETE ON notes BEGIN DELETE FROM t WHERE id = old.id; END;"
      "CREATE TRIGGER refit AFTER INSERT ON notes WHEN new.body = 'fit' BEGIN INSERT INTO t(t) VALUES ('fit "
      "center'); END;");
  CHECK(db.one("SELECT group_concat(id) FROM near") == "1,3");
  db.run("INSERT INTO notes VALUES (10, '[1,0.1]', 'n'), (11, '[2,0]', 'n')");
  CHECK(db.one("SELECT group_concat(id) FROM near") == "1,11");
  CHECK(db.one("SELECT last_insert_rowid()") == "11");
  db.run("UPDATE notes SET v = '[0,-1]' WHERE id = 11; DELETE FROM notes WHERE id = 10");
  CHECK(db.one("SELECT group_concat(id) FROM near") == "1,3");
  // What a trigger is refused takes the whole statement back.
  CHECK(db.error("INSERT INTO notes VALUES (12, '[1,0]', 'n'), (13, '[1]', 'n')").find("dimensions differ") !=
        std::string::npos);
  CHECK(db.one("SELECT count(*) FROM notes") == "1");
  CHECK(db.one("SELECT count(*) FROM t") == "4");
  db.run("INSERT INTO notes VALUES (14, '[3,1]', 'fit')");
  CHECK(db.one("SELECT transform FROM isovec_info('t')") == "center");
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("MATCH stays what it was for everybody else", "[surface][hostile]") {
  constexpr const char* kRefusal = "unable to use function MATCH in the requested context";
  Connection db;
  CHECK(db.error("SELECT 'a' MATCH 'b'") == kRefusal);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(":memory:", &other) == SQLITE_OK);
  CHECK(sqlite3_exec(other, "SELECT 'a' MATCH 'b'", nullptr, nullptr, nullptr) == SQLITE_ERROR);
  CHECK(std::string(sqlite3_errmsg(other)) == kRefusal);
  const auto seven = [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_int(context, 7); };
  sqlite3_create_function(other, "match", 2, SQLITE_UTF8, nullptr, seven, nullptr, nullptr);
  CHECK(sqlite3_isovec_init(other, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_exec(other, "CREATE TABLE s(x CHECK (x = ('a' MATCH 'b'))); INSERT INTO s VALUES (7)",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_close(other) == SQLITE_OK);
}

TEST_CASE("a CREATE statement edited in the file is refused with a sentence, or means what it meant",
          "[surface][hostile]") {
  const TemporaryFile file("edited");
  std::string original;
  std::string content;
  {
    Connection db(file.path());
    db.run(kTable);
    original = db.one("SELECT sql FROM sqlite_schema WHERE name = 't'");
    content = db.one("SELECT group_concat(id || hex(e) || tenant || year || body) FROM t");
  }
  const auto outcome = [&](const std::string& text) -> std::string {
    {
      Connection db(file.path());
      db.run("PRAGMA writable_schema = ON; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
      db.rows("UPDATE sqlite_schema SET sql = ? WHERE name = 't'", text);
    }
    Connection db(file.path());
    try {
      return db.one("SELECT group_concat(id || hex(e) || tenant || year || body) FROM t");
    } catch (const SqlError& error) {
      const int code = error.result_code & 0xFF;
      CHECK((code == SQLITE_ERROR || code == SQLITE_CORRUPT));
      CHECK(std::string(error.what()) != "");
      return "refused";
    }
  };
  const std::size_t begin = original.find('(');
  for (std::size_t i = begin; i < original.size(); ++i) {
    for (const char c : std::string("\0'\"(),[]=x9 ", 12)) {
      std::string text = original;
      if (c == '\0') {
        text.erase(i, 1);
      } else {
        text[i] = c;
      }
      CAPTURE(text);
      const std::string found = outcome(text);
      if (found != "refused") CHECK(found == content);
    }
  }
  CHECK(outcome(original) == content);
  CHECK(outcome("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2147483648])") ==
        "refused");
  CHECK(outcome("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[4096], tenant text "
                "partition key, year integer indexed, +body text)") == "refused");
  CHECK(outcome("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] "
                "transform='whiten', tenant text partition key, year integer indexed, body text)") ==
        "refused");
}
