// Every operation of a table under every fault: the n-th allocation, read, write, truncation, deletion or
// sync fails, for n = 0, 1, 2, ... until the operation ends without one. Whatever fails, the error has its
// own code, the table holds what it held before or what it should hold after, it is sound, and no memory is
// lost.

#define CATCH_CONFIG_RUNNER
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>

#include "catch.hpp"
#include "connection.hpp"
#include "fault_injection.hpp"
#include "temporary_file.hpp"

namespace {

using namespace isovec::test;

long total_injected = 0;
long total_runs = 0;

struct Operation {
  const char* name;
  const char* sql;      ///< Statements, run one after the other; the first error ends them.
  bool changes = true;  ///< Whether the table may be another one afterwards.
};

constexpr const char* kSetup =
    "CREATE TABLE other(x);"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[3] transform='center', b "
    "float[1200] "
    "distance_metric=l2, lang text indexed, year integer, +body text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 30)"
    "INSERT INTO t(id, a, b, lang, year, body) SELECT i, vec_f32('[' || i || ',' || (i * i % 7) || ',1]'),"
    "  CAST(zeroblob(4788) || x'0000803f' || zeroblob(8) AS BLOB), 'l' || (i % 3), 2000 + i, 'body ' || i "
    "FROM c;"
    "DELETE FROM t WHERE id IN (4, 5, 20);"
    "INSERT INTO t(t) VALUES ('fit');";

// A complete group of 256 slots, hence blocks of codes, and one that lacks a single row. The next vector that
// is written into the first makes two rows be coded in their places.
constexpr const char* kCodedSetup =
    "CREATE TABLE other(x);"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[3] transform='center', b float[2] "
    "distance_metric=l2, c int8[4] distance_metric=l1, d bit[16], lang text, year integer, +body text);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 511)"
    "INSERT INTO t(id, a, b, c, d, lang, year, body) SELECT i, vec_f32('[' || i || ',' || (i * i % 7) || "
    "  ',1]'), vec_f32('[' || i || ',1]'), vec_int8('[1,2,3,' || (i % 100) || ']'), "
    "  vec_quantize_binary(vec_random(16, i)), 'l' || (i % 3), 2000 + i, 'body' FROM n;"
    "INSERT INTO t(t) VALUES ('fit');"
    "UPDATE t SET a = '[7,8,2]', b = '[5,2]' WHERE id IN (90, 200, 201);";

constexpr Operation kCodedOperations[] = {
    {"insert that completes a group",
     "BEGIN; INSERT INTO other VALUES (1); INSERT INTO t(a, b, c, d) VALUES ('[1,2,3]', '[1,2]', "
     "'[1,2,3,4]', vec_bit(x'0102')); COMMIT"},
    {"update a coded row",
     "BEGIN; INSERT INTO other VALUES (1); UPDATE t SET a = '[9,9,1]', b = '[3,3]', c = '[9,9,9,9]', d = "
     "vec_bit(x'ffff') WHERE id = 3; COMMIT"},
    {"delete a coded row", "BEGIN; INSERT INTO other VALUES (1); DELETE FROM t WHERE id = 11; COMMIT"},
    {"search by codes", "SELECT id, distance FROM t WHERE a MATCH '[1,0,0]' AND k = 5", false},
    {"search by codes, filtered",
     "SELECT id FROM t WHERE b MATCH '[1,0]' AND k = 3 AND year > 2010 ORDER BY distance", false},
    {"search integers", "SELECT id, distance FROM t WHERE c MATCH '[1,2,0,9]' AND k = 5 AND year > 2010",
     false},
    {"search bits", "SELECT id, distance FROM t WHERE d MATCH vec_bit(x'0ff0') LIMIT 5", false},
    {"fit and code", "INSERT INTO t(t) VALUES ('fit column=b center')"},
};

// NULL vectors in a complete group and in one that lacks a single row.
constexpr const char* kNullSetup =
    "CREATE TABLE other(x);"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[3] transform='center', b float[2] "
    "distance_metric=l2, lang text, +body text);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 511)"
    "INSERT INTO t(id, a, b, lang, body) SELECT i, CASE WHEN i % 3 THEN vec_f32('[' || i || ',' || (i * i % "
    "7) || "
    "  ',1]') END, CASE WHEN i % 2 THEN vec_f32('[' || i || ',1]') END, 'l' || (i % 3), 'body' FROM n;"
    "INSERT INTO t(t) VALUES ('fit');";

constexpr Operation kNullOperations[] = {
    {"insert of NULL that completes a group",
     "BEGIN; INSERT INTO other VALUES (1); INSERT INTO t(lang) VALUES ('x'); COMMIT"},
    {"fill a NULL vector",
     "BEGIN; INSERT INTO other VALUES (1); UPDATE t SET a = '[9,9,1]' WHERE id = 3; COMMIT"},
    {"empty a vector",
     "BEGIN; INSERT INTO other VALUES (1); UPDATE t SET a = NULL, b = NULL WHERE id = 5; COMMIT"},
    {"delete NULL vectors", "BEGIN; INSERT INTO other VALUES (1); DELETE FROM t WHERE id IN (6, 9); COMMIT"},
    {"fill all", "UPDATE t SET b = '[0,1]' WHERE b IS NULL"},
    {"search beside NULL", "SELECT id FROM t WHERE a MATCH '[1,0,0]' AND k = 3 AND b IS NULL", false},
};

constexpr Operation kOperations[] = {
    {"create",
     "CREATE VIRTUAL TABLE u USING isovec(k2 TEXT PRIMARY KEY, e float[8] transform='whiten', p int "
     "partition key, m real indexed, +x blob)"},
    {"insert",
     "BEGIN; INSERT INTO other VALUES (1);"
     "INSERT INTO t(a, b, lang, body) VALUES ('[1,2,3]', zeroblob(4800), 'x', 'new'); COMMIT"},
    {"insert at the end",
     "BEGIN; INSERT INTO other VALUES (1);"
     "INSERT INTO t(a, b) SELECT '[1,2,3]', zeroblob(4800) FROM t LIMIT 4; COMMIT"},
    {"insert many", "INSERT INTO t(a, b, lang) SELECT a, b, lang FROM t"},
    {"replace",
     "BEGIN; INSERT INTO other VALUES (1);"
     "INSERT OR REPLACE INTO t(id, a, b, body) VALUES (7, '[3,2,1]', zeroblob(4800), 'r'); COMMIT"},
    {"ignore", "INSERT OR IGNORE INTO t(id, a, b) VALUES (7, '[3,2,1]', zeroblob(4800))"},
    {"update a vector",
     "BEGIN; INSERT INTO other VALUES (1); UPDATE t SET a = '[9,9,1]' WHERE id = 3; COMMIT"},
    {"update values", "UPDATE t SET lang = 'z', year = NULL, body = 'changed' WHERE year > 2020"},
    {"update an id",
     "BEGIN; INSERT INTO other VALUES (1); UPDATE OR REPLACE t SET id = 8 WHERE id = 9; COMMIT"},
    {"delete", "BEGIN; INSERT INTO other VALUES (1); DELETE FROM t WHERE id = 11; COMMIT"},
    {"delete many", "DELETE FROM t WHERE lang = 'l1'"},
    {"fit", "INSERT INTO t(t) VALUES ('fit column=a whiten eps=1')"},
    {"fit another column", "INSERT INTO t(t) VALUES ('fit column=b center')"},
    {"give a transform",
     "INSERT INTO t(t, transform) SELECT 'transform column=a', vec_fit(a, 'none') FROM t"},
    {"unfit", "INSERT INTO t(t) VALUES ('unfit')"},
    {"search", "SELECT id, distance, similarity, a, body FROM t WHERE a MATCH '[1,0,0]'", false},
    {"search filtered",
     "SELECT id, lang FROM t WHERE b MATCH zeroblob(4800) AND k = 3 AND year > 2010 AND lang IN ('l0', "
     "'l1') ORDER BY distance",
     false},
    {"search under a transform of its own",
     "SELECT id FROM t WHERE a MATCH '[1,0,0]' AND transform = (SELECT "
     "vec_fit(a, 'remove_top') FROM t) AND query_mean = '[1,1,1]'",
     false},
    {"scan", "SELECT * FROM t", false},
    {"look up", "SELECT a, b, body FROM t WHERE id = 12", false},
    {"check", "INSERT INTO t(t) VALUES ('integrity-check')", false},
    {"optimize", "INSERT INTO t(t) VALUES ('optimize')"},
    {"rebuild", "INSERT INTO t(t) VALUES ('rebuild')"},
    {"rename", "ALTER TABLE t RENAME TO s"},
    {"drop", "DROP TABLE t"},
};

using Image = std::vector<char>;

Image image_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_image(const std::string& path, const Image& image) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(image.data(), static_cast<std::streamsize>(image.size()));
}

/// Runs statements without allocating anything itself; the code of the first that fails.
int run_plainly(sqlite3* db, const char* sql) {
  while (*sql != '\0') {
    sqlite3_stmt* statement = nullptr;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, &sql);
    while (rc == SQLITE_OK && statement != nullptr && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
      rc = SQLITE_OK;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const bool is_null = sqlite3_column_type(statement, i) == SQLITE_NULL;
        if (!is_null && sqlite3_column_blob(statement, i) == nullptr && sqlite3_errcode(db) == SQLITE_NOMEM) {
          rc = SQLITE_NOMEM;
        }
      }
    }
    if (statement != nullptr) sqlite3_finalize(statement);
    if (rc != SQLITE_OK && rc != SQLITE_DONE) return rc;
  }
  return SQLITE_OK;
}

/// All that a database holds for its users.
std::string content(Connection& db) {
  std::string text;
  const auto add = [&](const std::string& sql) {
    for (const auto& row : db.rows(sql)) {
      for (const std::string& value : row) text += value + "|";
      text += "\n";
    }
  };
  add("SELECT x FROM other");
  const auto tables =
      db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%' ORDER BY name");
  for (const auto& name : tables) {
    text += name[0] + "\n";
    add("SELECT * FROM " + name[0]);
    if (name[0] != "t") continue;
    add("SELECT quote(transform) FROM t WHERE a MATCH '[1,0,0]' AND transform = 'none' AND k = 1");
    add("SELECT id, spec, rows FROM t_transforms ORDER BY id");
  }
  return text;
}

void check_sound(Connection& db) {
  CHECK(db.one("PRAGMA integrity_check") == "ok");
  for (const auto& name : db.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'")) {
    db.run("INSERT INTO " + name[0] + "(" + name[0] + ") VALUES ('integrity-check')");
  }
  // What belongs to no table must not be left behind.
  CHECK(db.one("SELECT count(*) FROM sqlite_schema s WHERE type = 'table' AND name LIKE '%\\_rows' ESCAPE "
               "'\\' AND NOT "
               "EXISTS (SELECT 1 FROM sqlite_schema v WHERE v.name || '_rows' = s.name)") == "0");
}

bool is_expected(Fault fault, int rc) {
  const int primary = rc & 0xFF;
  switch (fault) {
    case Fault::sqlite_memory:
    case Fault::cpp_memory:
      return rc == SQLITE_NOMEM;
    case Fault::file_write:
      return primary == SQLITE_FULL || primary == SQLITE_IOERR;
    default:
      return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  }
}

class FaultLoop {
 public:
  FaultLoop(const Operation& operation, Fault fault, Repeat repeat, const Image& image,
            const std::string& before, const std::string& after, const char* journal)
      : operation_(operation),
        fault_(fault),
        repeat_(repeat),
        image_(image),
        before_(before),
        after_(after),
        journal_(journal) {}

  [[nodiscard]] bool is_of_files() const {
    return fault_ != Fault::sqlite_memory && fault_ != Fault::cpp_memory;
  }

  void run() {
    once(std::numeric_limits<long>::max());  // what is made once in a process is made now
    for (long n = 0;; n += stride()) {
      const Outstanding base = outstanding();
      const bool fired = once(n);
      if (!is_of_files()) {
        const Outstanding left = outstanding();
        if (left.sqlite != base.sqlite || left.cpp != base.cpp) {
          CAPTURE(operation_.name, n, left.sqlite - base.sqlite, left.cpp - base.cpp);
          CHECK(false);  // memory is lost
        }
      }
      if (!fired) return;
    }
  }

 private:
  // Syncs, truncations and deletions are few.
  [[nodiscard]] long stride() const {
    const bool is_rare =
        fault_ == Fault::file_sync || fault_ == Fault::file_truncate || fault_ == Fault::file_delete;
    const char* wanted = std::getenv("ISOVEC_FAULT_STRIDE");
    if (wanted != nullptr) return std::max(1L, std::atol(wanted));
    return is_rare ? 3 : 23;
  }

  bool once(long n) {
    const TemporaryFile file("fault");
    write_image(file.path(), image_);
    long fired = 0;
    int rc = SQLITE_OK;
    {
      Connection db(file.path());
      db.run(std::string("PRAGMA synchronous = ") + (is_of_files() ? "FULL" : "OFF"));
      db.rows(std::string("PRAGMA journal_mode = ") + (is_of_files() ? journal_ : "MEMORY"));
      db.run("PRAGMA cache_size = 3");  // so that reads and writes come in the middle, not only at the end
      arm(fault_, n, repeat_);
      rc = run_plainly(db.handle(), operation_.sql);
      fired = disarm();
      verify(db, rc, n);
    }
    Connection again(file.path());
    verify_closed(again, rc, n);
    total_injected += fired;
    ++total_runs;
    return fired != 0;
  }

  // The same connection goes on. Where the transaction is still open, its earlier statements stand and the
  // failed one left nothing behind.
  void verify(Connection& db, int rc, long n) {
    const int fault = static_cast<int>(fault_);
    CAPTURE(operation_.name, fault, static_cast<int>(repeat_), n, rc);
    if (rc != SQLITE_OK && !is_expected(fault_, rc)) CHECK(rc == SQLITE_OK);
    if (sqlite3_get_autocommit(db.handle()) == 0) {
      const std::string now = content(db);
      const bool committing = now == after_;  // all was done and COMMIT failed
      if (!committing) CHECK((now == "1|\n" + before_ || now == before_));
      db.run("ROLLBACK");
    }
    const std::string now = content(db);
    if (rc == SQLITE_OK) {
      CHECK(now == after_);
    } else if (now != before_ && now != after_) {
      CHECK(now == before_);
    }
    check_sound(db);
  }

  void verify_closed(Connection& db, int rc, long n) {
    CAPTURE(operation_.name, n, rc);
    const std::string now = content(db);
    if (now != (rc == SQLITE_OK ? after_ : before_)) {
      // A failure after the commit point leaves what was committed.
      CHECK((is_of_files() && now == after_));
    }
    check_sound(db);
  }

  const Operation& operation_;
  Fault fault_;
  Repeat repeat_;
  const Image& image_;
  const std::string& before_;
  const std::string& after_;
  const char* journal_;
};

constexpr std::initializer_list<Repeat> kBoth = {Repeat::once, Repeat::from_then_on};

void run_faults(const Operation& operation, std::initializer_list<Fault> faults, const char* setup = kSetup,
                const char* journal = "DELETE", std::initializer_list<Repeat> repeats = kBoth) {
  const TemporaryFile file("fault_image");
  std::string before;
  {
    Connection db(file.path());
    db.run(setup);
    before = content(db);
  }
  const Image image = image_of(file.path());
  std::string after;
  {
    Connection db(file.path());
    REQUIRE(run_plainly(db.handle(), operation.sql) == SQLITE_OK);
    after = content(db);
  }
  if (!operation.changes) CHECK(before == after);
  const long runs_before = total_runs;
  for (const Fault fault : faults) {
    for (const Repeat repeat : repeats) {
      FaultLoop(operation, fault, repeat, image, before, after, journal).run();
    }
  }
  std::printf("%6ld runs: %s, journal %s\n", total_runs - runs_before, operation.name, journal);
}

// A database that a process left in the middle of a change: a journal, or a log, that the next one to open
// it has to bring back.
struct Abandoned {
  Image database;
  Image journal;
  std::string content;  ///< What is right after that.
};

Abandoned abandon(const char* mode, const char* suffix) {
  const TemporaryFile file("abandoned");
  Connection db(file.path());
  db.run(kSetup);
  db.rows(std::string("PRAGMA journal_mode = ") + mode);
  db.run("PRAGMA cache_size = 3; UPDATE t SET year = 7 WHERE id = 2");
  Abandoned left;
  left.content = content(db);
  db.run(
      "BEGIN; DELETE FROM t WHERE id > 6; INSERT INTO t(a, b) SELECT a, b FROM t; INSERT INTO t(t) VALUES "
      "('rebuild')");
  left.database = image_of(file.path());
  left.journal = image_of(file.path() + suffix);
  REQUIRE(left.journal.size() > 1000);
  db.run("ROLLBACK");
  return left;
}

// The n-th fault strikes while the first statement brings the database back; the second finds it whole.
// False where there was no n-th.
bool recover(const Abandoned& left, const char* suffix, Fault fault, Repeat repeat, long n) {
  const TemporaryFile file("recovered");
  write_image(file.path(), left.database);
  write_image(file.path() + suffix, left.journal);
  long fired = 0;
  {
    Connection db(file.path());
    arm(fault, n, repeat);
    const int rc = run_plainly(db.handle(), "SELECT count(*) FROM t");
    fired = disarm();
    CAPTURE(suffix, static_cast<int>(fault), static_cast<int>(repeat), n, rc);
    if (rc != SQLITE_OK && !is_expected(fault, rc)) CHECK(rc == SQLITE_OK);
    CHECK(content(db) == left.content);
    check_sound(db);
  }
  Connection again(file.path());
  CHECK(content(again) == left.content);
  total_injected += fired;
  ++total_runs;
  return fired != 0;
}

}  // namespace

constexpr std::initializer_list<Fault> kMemoryFaults = {Fault::sqlite_memory, Fault::cpp_memory};
constexpr std::initializer_list<Fault> kFileFaults = {
    Fault::file_read, Fault::file_write, Fault::file_truncate, Fault::file_delete, Fault::file_sync};

TEST_CASE("no failed allocation damages a table or changes its error", "[storage][fault][memory]") {
  for (const Operation& operation : kOperations) run_faults(operation, kMemoryFaults);
}

TEST_CASE("no failed allocation damages a table with codes", "[storage][fault][memory]") {
  for (const Operation& operation : kCodedOperations) run_faults(operation, kMemoryFaults, kCodedSetup);
}

TEST_CASE("no failed allocation, read or write damages a table with NULL vectors",
          "[storage][fault][memory][file]") {
  for (const Operation& operation : kNullOperations) {
    run_faults(operation, kMemoryFaults, kNullSetup);
    run_faults(operation, kFileFaults, kNullSetup);
  }
  const Operation optimize{"optimize NULL vectors", "INSERT INTO t(t) VALUES ('optimize')"};
  const std::string holes = std::string(kNullSetup) + "DELETE FROM t WHERE id < 5";
  run_faults(optimize, kMemoryFaults, holes.c_str());
  run_faults(optimize, kFileFaults, holes.c_str());
}

TEST_CASE("no failed read, write, truncation, deletion or sync damages a table", "[storage][fault][file]") {
  for (const Operation& operation : kOperations) run_faults(operation, kFileFaults);
  for (const Operation& operation : kCodedOperations) run_faults(operation, kFileFaults, kCodedSetup);
}

TEST_CASE("no failed file damages a table, with journals of the other kinds", "[storage][fault][file]") {
  // Every operation under one of them and one kind of fault, or all under all.
  constexpr const char* kJournals[] = {"TRUNCATE", "PERSIST", "WAL"};
  const bool all = std::getenv("ISOVEC_FAULT_STRIDE") != nullptr;
  std::size_t number = 0;
  const auto run = [&](const Operation& operation, const char* setup) {
    ++number;
    for (std::size_t i = 0; i < std::size(kJournals); ++i) {
      if (all) run_faults(operation, kFileFaults, setup, kJournals[i]);
    }
    if (all) return;
    const Repeat repeat = number % 2 == 0 ? Repeat::once : Repeat::from_then_on;
    run_faults(operation, kFileFaults, setup, kJournals[number % std::size(kJournals)], {repeat});
  };
  for (const Operation& operation : kOperations) run(operation, kSetup);
  for (const Operation& operation : kCodedOperations) run(operation, kCodedSetup);
}

TEST_CASE("a fault while a journal or a log is brought back passes, and the next try succeeds",
          "[storage][fault][file]") {
  struct Mode {
    const char* journal;
    const char* suffix;
  };
  for (const Mode& mode : {Mode{"DELETE", "-journal"}, Mode{"WAL", "-wal"}}) {
    const Abandoned left = abandon(mode.journal, mode.suffix);
    for (const Fault fault : {Fault::sqlite_memory, Fault::cpp_memory, Fault::file_read, Fault::file_write,
                              Fault::file_truncate, Fault::file_delete, Fault::file_sync}) {
      for (const Repeat repeat : kBoth) {
        for (long n = 0; recover(left, mode.suffix, fault, repeat, n);) n += 1 + n / 8;
      }
    }
  }
}

int main(int count, char** words) {
  install_faults();
  const int failures = Catch::Session().run(count, words);
  if (total_runs > 0) std::printf("faults injected: %ld in %ld runs\n", total_injected, total_runs);
  return failures;
}
