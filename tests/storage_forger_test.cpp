// Small tables of many kinds whose shadow rows are forged: other numbers, rows deleted, doubled, exchanged
// and of other types, all under right checksums. Then everything a table can do is done, with bounded memory,
// steps and file: each ends with rows or an error. ISOVEC_FORGED_FILES=n tries n files, from the seed
// ISOVEC_FIRST_SEED on.

#include <sys/resource.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <random>

#include "forger.hpp"

namespace {

using isovec::test::Bytes;
using isovec::test::Connection;
using isovec::test::Forger;
using isovec::test::SqlError;

// What 300 rows of a table are made from, n(i) being 1 ... 300.
struct Kind {
  const char* name;
  const char* columns;
  const char* vector;  ///< of the column v
  const char* others;  ///< the values of further columns, behind "v"
  const char* then;
  const char* query;
};

constexpr const char* kFloat4 = "vec_random(4, i)";
constexpr Kind kKinds[] = {
    {"cosine", "v float[4]", kFloat4, "", "", "'[1,2,3,4]'"},
    {"whitened", "v float[4] transform='whiten eps=1'", kFloat4, "", "INSERT INTO t(t) VALUES ('fit')",
     "'[1,2,3,4]'"},
    {"fewer outputs", "v float[8] distance_metric=l2", "vec_random(8, i)", "",
     "INSERT INTO t(t) VALUES ('fit whiten eps=1 slice=5 k=3')", "'[1,2,3,4,5,6,7,8]'"},
    {"int8", "v int8[4] distance_metric=l2", "vec_int8(vec_quantize_int8(vec_random(4, i), 'unit'))", "",
     "INSERT INTO t(t) VALUES ('fit center')", "vec_int8('[1,2,3,4]')"},
    {"bit", "v bit[16]", "vec_quantize_binary(vec_random(16, i))", "", "", "vec_bit(x'0102')"},
    {"l1", "v float16[4] distance_metric=l1", "vec_f16(vec_random(4, i))", "", "", "vec_f16('[1,2,3,4]')"},
    {"columns",
     "key TEXT PRIMARY KEY, v float[4] transform='center', p text partition key, m integer indexed, q float, "
     "w bfloat16[3] distance_metric=dot, +a text, +b",
     kFloat4, ", 'k' || i, 'p' || (i % 3), i % 7, i / 2.0, vec_bf16(vec_random(3, i)), 'a' || i, i",
     "INSERT INTO t(t) VALUES ('fit')", "'[1,2,3,4]'"},
    {"no codes", "v float[4] codes=none", kFloat4, "", "", "'[1,2,3,4]'"},
    {"nulls", "v float[4] distance_metric=dot transform='center'", "iif(i % 5 = 0, NULL, vec_random(4, i))",
     "", "INSERT INTO t(t) VALUES ('fit')", "'[1,2,3,4]'"},
    {"holes", "v float[4]", kFloat4, "", "DELETE FROM t WHERE rowid % 3 = 0", "'[1,2,3,4]'"},
    {"empty group", "v float[2] transform='center'", "vec_random(2, i)", "",
     "INSERT INTO t(t) VALUES ('fit'); DELETE FROM t WHERE rowid < 257", "'[1,2]'"},
};

struct Image {
  const Kind* kind;
  std::string bytes;
};

bool has_columns(const Kind& kind) {
  return kind.others[0] != '\0';
}

Image make_image(const Kind& kind) {
  Connection db;
  const std::string names = has_columns(kind) ? "v, key, p, m, q, w, a, b" : "v";
  db.run("PRAGMA page_size = 1024; CREATE VIRTUAL TABLE t USING isovec(" + std::string(kind.columns) +
         "); CREATE TABLE plain(x);"
         "CREATE TRIGGER rebuilds AFTER INSERT ON plain BEGIN INSERT INTO t(t) VALUES ('rebuild'); END;"
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t(" +
         names + ") SELECT " + kind.vector + kind.others + " FROM n;" + kind.then);
  REQUIRE(db.one("SELECT isovec_check('t')") == "ok");
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
      sqlite3_serialize(db.handle(), "main", &size, 0), sqlite3_free);
  REQUIRE(bytes != nullptr);
  return {&kind, {reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size)}};
}

// What is done with each file, in this order.
std::vector<std::string> uses_of(const Kind& kind) {
  const std::string match = "SELECT rowid, distance FROM t WHERE v MATCH " + std::string(kind.query);
  std::vector<std::string> uses = {
      "SELECT * FROM t",
      match + " AND k = 5",
      match,
      match + " AND k = 5",
      match + " AND k = 5 AND rowid < 100",
      match + " AND k = 400 AND rowid IN (1, 2, 300, 5000000000)",
      match + " AND distance > 0.2 AND distance < 0.9",
      match + " AND k = 5 AND transform = 'none'",
      "SELECT count(*) FROM t WHERE v IS NULL",
      match + " AND k = 5 AND transform = (SELECT f FROM temp.given)",
      match + " AND k = 3 AND rowid > 2 AND transform = (SELECT f FROM temp.given)",
      "SELECT v FROM t WHERE rowid = 7",
      "SELECT length(transform) FROM t WHERE rowid = 7",
      "SELECT * FROM isovec_info('t')",
      "SELECT isovec_check('t')",
      "PRAGMA quick_check",
      "PRAGMA integrity_check",
      "INSERT INTO t(t) VALUES ('integrity-check')",
  };
  uses.emplace_back("UPDATE t SET v = NULL WHERE rowid IN (20, 21, 297)");
  const std::string change = has_columns(kind)
                                 ? "INSERT INTO t(v, key, p, m, q, w, a, b) VALUES (" +
                                       std::string(kind.query) + ", 'new', 'p1', 5, 1.5, '[1,2,3]', 'aa', 3)"
                                 : "INSERT INTO t(v) VALUES (" + std::string(kind.query) + ")";
  uses.push_back(change);
  uses.push_back("UPDATE t SET v = " + std::string(kind.query) + " WHERE rowid IN (3, 4, 299)");
  uses.push_back("UPDATE t SET rowid = 5000 WHERE rowid = 6");
  uses.push_back("DELETE FROM t WHERE rowid IN (10, 11, 298)");
  if (has_columns(kind)) {
    uses.push_back(match + " AND p = 'p1' AND m > 2 AND k = 4");
    uses.push_back("SELECT a, b, rowid FROM t WHERE key = 'k7' OR m = 3");
    uses.push_back("SELECT rowid FROM t WHERE w MATCH '[1,2,3]' AND k = 4");
    uses.push_back("UPDATE t SET a = 'x', m = 9 WHERE key = 'k8'");
  }
  for (const char* command : {"fit column=v center", "optimize", "unfit"}) {
    uses.push_back("INSERT INTO t(t) VALUES ('" + std::string(command) + "')");
  }
  uses.emplace_back(match + " AND k = 5");
  uses.emplace_back("INSERT INTO t(t, transform) SELECT 'transform column=v', f FROM temp.given");
  uses.emplace_back("DELETE FROM t WHERE rowid < 40");
  uses.emplace_back("INSERT INTO plain VALUES (1)");  // 'rebuild' from the file's own trigger
  uses.emplace_back(match + " AND k = 5");
  uses.emplace_back("INSERT INTO t(t) VALUES ('optimize')");
  uses.emplace_back("VACUUM");
  uses.emplace_back("ALTER TABLE t RENAME TO s");
  uses.emplace_back("DROP TABLE s");
  return uses;
}

// The edits of one file.
class Edits {
 public:
  Edits(Connection& db, unsigned seed) : db_(db), forger_(db), random_(seed) {}

  void make() {
    for (unsigned edits = 1 + random_() % 4; edits > 0; --edits) {
      try {
        one();
      } catch (const SqlError& error) {  // a key that is taken, a NULL that may not be
        CHECK((error.result_code & 0xFF) == SQLITE_CONSTRAINT);
      }
    }
    forger_.seal_all();
  }

 private:
  unsigned below(std::size_t end) { return static_cast<unsigned>(random_() % end); }

  sqlite3_int64 number_near(sqlite3_int64 value) {
    constexpr sqlite3_int64 kOne = 1;
    constexpr sqlite3_int64 kMost = std::numeric_limits<sqlite3_int64>::max();
    const auto bits = static_cast<sqlite3_uint64>(value);
    const sqlite3_int64 numbers[] = {0,
                                     1,
                                     -1,
                                     kOne << 31,
                                     kOne << 32,
                                     kOne << 40,
                                     kOne << 62,
                                     kMost,
                                     static_cast<sqlite3_int64>(bits + 1),
                                     static_cast<sqlite3_int64>(bits - 1),
                                     static_cast<sqlite3_int64>(bits * 2),
                                     static_cast<sqlite3_int64>(random_() % 1'000),
                                     std::bit_cast<sqlite3_int64>(std::numeric_limits<double>::infinity()),
                                     std::bit_cast<sqlite3_int64>(std::numeric_limits<double>::quiet_NaN()),
                                     std::bit_cast<sqlite3_int64>(1e300)};
    return numbers[below(std::size(numbers))];
  }

  // Puts another number of 1, 2, 4 or 8 bytes where it likely matters: near the start.
  std::string forged(std::string bytes) {
    const std::size_t size = std::size_t{1} << below(4);
    if (bytes.size() < size) return bytes;
    const std::size_t places = bytes.size() / size;
    const std::size_t near_start = std::min<std::size_t>(places, 96 / size);
    const std::size_t place = size * below(below(3) != 0 ? near_start : places);
    std::uint64_t old = 0;
    std::memcpy(&old, bytes.data() + place, size);
    const sqlite3_int64 number = number_near(static_cast<sqlite3_int64>(old));
    std::memcpy(bytes.data() + place, &number, size);
    return bytes;
  }

  void one() {
    switch (below(8)) {
      case 0:
      case 1:
        return forge_blob();
      case 2:
        return forge_state();
      case 3:
      case 4:
        return forge_integer();
      case 5:
        return forge_fit();
      case 6:
        return forge_rows();
      default:
        return retype();
    }
  }

  void forge_state() {
    std::string bytes = db_.one("SELECT value FROM t_config WHERE key = 'state'");
    if (bytes.size() < 48) return;  // it is of another type by now
    const std::size_t field = 8 * below(bytes.size() / 8 - 1);
    sqlite3_int64 old = 0;
    std::memcpy(&old, bytes.data() + field, sizeof old);
    const sqlite3_int64 number = number_near(old);
    std::memcpy(bytes.data() + field, &number, sizeof number);
    forger_.set_state_bytes(Forger::sealed("config", 0, bytes));
  }

  struct Cell {
    std::string suffix;
    std::string id;
    std::string bytes;
  };
  Cell blob() {
    static const char* const kBlobs[][3] = {{"slots", "page", "map"},
                                            {"norms", "id", "data"},
                                            {"marks", "id", "data"},
                                            {"codes", "id", "data"},
                                            {"chunks", "id", "data"}};
    const auto& of = kBlobs[below(std::size(kBlobs))];
    const auto rows = db_.rows(std::string("SELECT ") + of[1] + ", " + of[2] + " FROM t_" + of[0] +
                               " WHERE typeof(" + of[2] + ") = 'blob' ORDER BY 1");
    if (rows.empty()) return {};
    const auto& row = rows[below(rows.size())];
    return {of[0], row[0], row[1]};
  }
  void write(const Cell& cell) {
    db_.rows("INSERT OR REPLACE INTO t_" + cell.suffix + " VALUES (" + cell.id + ", ?1)",
             Bytes{cell.suffix == "chunks" ? cell.bytes
                                           : Forger::sealed(cell.suffix, std::stoll(cell.id), cell.bytes)});
  }
  void forge_blob() {
    Cell cell = blob();
    if (cell.suffix.empty()) return;
    switch (below(6)) {
      case 0:
        cell.bytes.resize(below(2) != 0 ? below(cell.bytes.size() + 1) : cell.bytes.size() + 1 + below(64));
        break;
      case 1: {  // the bytes of another one, or this one under another number
        const Cell other = blob();
        if (other.suffix == cell.suffix) cell.bytes = other.bytes;
        cell.id = std::to_string(number_near(std::stoll(cell.id)));
        break;
      }
      default:
        cell.bytes = forged(cell.bytes);
    }
    write(cell);
  }

  void forge_integer() {
    std::vector<std::pair<std::string, std::string>> columns = {
        {"rows", "slot"},  {"rows", "slot"}, {"rows", "slot"},     {"rows", "id"},
        {"slots", "page"}, {"room", "page"}, {"chunks", "id"},     {"norms", "id"},
        {"marks", "id"},   {"codes", "id"},  {"transforms", "id"}, {"transforms", "rows"}};
    if (!forger_.shape().auxiliary.empty()) columns.emplace_back("aux", "id");
    const auto& [suffix, column] = columns[below(columns.size())];
    const auto rows = db_.rows("SELECT rowid, " + column + " FROM t_" + suffix + " ORDER BY rowid");
    if (rows.empty()) return;
    const auto& row = rows[below(3) == 0 ? rows.size() - 1 : below(rows.size())];
    const sqlite3_int64 old = std::atoll(row[1].c_str());
    db_.rows("UPDATE t_" + suffix + " SET " + column + " = ?1 WHERE rowid = " + row[0], number_near(old));
  }

  // A transform or its statistics, under their own hash.
  void forge_fit() {
    const std::string column = below(2) != 0 ? "transform" : "statistics";
    const auto rows = db_.rows("SELECT id, " + column + " FROM t_transforms WHERE typeof(" + column +
                               ") = 'blob' ORDER BY id");
    if (rows.empty()) return forge_state();
    const auto& row = rows[below(rows.size())];
    db_.rows("UPDATE t_transforms SET " + column + " = ?1 WHERE id = " + row[0],
             Bytes{Forger::sealed_fit(forged(row[1]))});
  }

  void forge_rows() {
    std::vector<std::string> suffixes = {"rows",  "slots", "room",  "chunks",
                                         "norms", "marks", "codes", "transforms"};
    if (!forger_.shape().auxiliary.empty()) suffixes.emplace_back("aux");
    const std::string table = "t_" + suffixes[below(suffixes.size())];
    const auto rows = db_.rows("SELECT rowid FROM " + table + " ORDER BY rowid");
    if (rows.empty()) return;
    const std::string first = rows[below(rows.size())][0];
    const std::string second = rows[below(rows.size())][0];
    if (below(2) != 0) {
      db_.run("DELETE FROM " + table + " WHERE rowid = " + first);
    } else if (first != second) {
      db_.run("UPDATE " + table + " SET rowid = -77 WHERE rowid = " + first + "; UPDATE " + table +
              " SET rowid = " + first + " WHERE rowid = " + second + "; UPDATE " + table +
              " SET rowid = " + second + " WHERE rowid = -77");
    }
  }

  void retype() {
    static const char* const kColumns[][2] = {{"rows", "slot"},
                                              {"rows", "hash"},
                                              {"slots", "map"},
                                              {"chunks", "data"},
                                              {"norms", "data"},
                                              {"marks", "data"},
                                              {"codes", "data"},
                                              {"config", "value"},
                                              {"transforms", "spec"},
                                              {"transforms", "transform"},
                                              {"transforms", "statistics"},
                                              {"transforms", "rows"}};
    static const char* const kValues[] = {"NULL", "'text'",  "-1.5",   "x''", "zeroblob(100000)",
                                          "7",    "9.9e300", "'[1,2]'"};
    const auto& column = kColumns[below(std::size(kColumns))];
    const bool config = std::string(column[0]) == "config";
    const std::string key = config ? "key" : "rowid";
    const auto rows = db_.rows("SELECT quote(" + key + ") FROM t_" + column[0] + " ORDER BY 1");
    if (rows.empty()) return;
    db_.run(std::string("UPDATE t_") + column[0] + " SET " + column[1] + " = " +
            kValues[below(std::size(kValues))] + " WHERE " + key + " = " + rows[below(rows.size())][0]);
  }

  Connection& db_;
  Forger forger_;
  std::mt19937 random_;
};

// Counts the steps of a statement, stops it after too many, and knows the longest work between two of them.
struct Watch {
  static double cpu_milliseconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
  }
  static constexpr int kSteps = 20;
  static constexpr long kMostCalls = 20'000;
  long left = 0;
  double last = 0;
  double longest = 0;
  std::string slowest;
  std::string sql;  // that is running

  void begin(const std::string& statement) {
    sql = statement;
    left = kMostCalls;
    last = cpu_milliseconds();
  }
  void look() {
    const double now = cpu_milliseconds();
    const double milliseconds = now - last;
    if (milliseconds > longest) slowest = sql;
    longest = std::max(longest, milliseconds);
    last = now;
  }
  static int progress(void* pointer) {
    auto& watch = *static_cast<Watch*>(pointer);
    watch.look();
    return --watch.left < 0 ? 1 : 0;
  }
};

constexpr sqlite3_int64 kHeapLimit = 64 << 20;

// What this process may have beside what it has now. A sanitizer maps far more than it uses.
void limit_memory() {
  sqlite3_hard_heap_limit64(kHeapLimit);
#ifndef __SANITIZE_ADDRESS__
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, rlim_t{1} << 30);
  setrlimit(RLIMIT_AS, &limit);
#endif
}

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

}  // namespace

TEST_CASE("no forged shadow row makes a table do harm", "[storage][forged][campaign]") {
  std::vector<Image> images;
  for (const Kind& kind : kKinds) {
    INFO(kind.name);
    images.push_back(make_image(kind));
  }
#ifdef __SANITIZE_ADDRESS__
  constexpr int kFiles = 40;
#else
  constexpr int kFiles = 200;
#endif
  const int first = number_from("ISOVEC_FIRST_SEED", 1);
  const int files = number_from("ISOVEC_FORGED_FILES", kFiles);
  limit_memory();
  std::map<int, long> outcomes;
  long calls = 0, stopped = 0;
  Watch watch;
  for (int seed = first; seed < first + files; ++seed) {
    const Image& image = images[static_cast<std::size_t>(seed) % images.size()];
    CAPTURE(seed, image.kind->name);
    Connection db;
    auto* bytes = static_cast<unsigned char*>(sqlite3_malloc64(image.bytes.size()));
    REQUIRE(bytes != nullptr);
    std::memcpy(bytes, image.bytes.data(), image.bytes.size());
    const auto size = static_cast<sqlite3_int64>(image.bytes.size());
    REQUIRE(sqlite3_deserialize(db.handle(), "main", bytes, size, size,
                                SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
    const std::string fit = image.kind->name == std::string("bit") ? "NULL" : "vec_fit(v, 'center')";
    db.run("CREATE TABLE temp.given AS SELECT " + fit + " AS f FROM t");
    Edits(db, static_cast<unsigned>(seed)).make();
    const sqlite3_int64 pages = std::stoll(db.one("PRAGMA page_count"));
    db.run("PRAGMA max_page_count = " + std::to_string(2 * pages + 300));
    sqlite3_limit(db.handle(), SQLITE_LIMIT_LENGTH, 10'000'000);
    sqlite3_progress_handler(db.handle(), Watch::kSteps, Watch::progress, &watch);
    for (const std::string& sql : uses_of(*image.kind)) {
      CAPTURE(sql);
      watch.begin(sql);
      int code = SQLITE_OK;
      try {
        db.rows(sql);
      } catch (const SqlError& error) {
        code = error.result_code;
      }
      watch.look();
      ++calls;
      ++outcomes[code & 0xFF];
      stopped += watch.left < 0 ? 1 : 0;
      // No memory or room: a number was believed before it was compared with what is there.
      for (const int wrong : {SQLITE_MISUSE, SQLITE_INTERNAL, SQLITE_NOMEM, SQLITE_FULL, SQLITE_TOOBIG}) {
        if ((code & 0xFF) == wrong) CHECK(code == SQLITE_OK);
      }
    }
    sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
    CHECK(watch.left >= 0);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::string counts;
  for (const auto& [code, count] : outcomes)
    counts += " " + std::to_string(code) + ":" + std::to_string(count);
  WARN("SQLite " << sqlite3_libversion() << ", forged files: " << files << ", calls: " << calls
                 << ", by result code:" << counts << "; stopped after too many steps: " << stopped
                 << "; peak memory: " << usage.ru_maxrss / 1024
                 << " MB; longest work between two calls of the progress handler: " << watch.longest
                 << " ms (" << watch.slowest << ")");
  CHECK(outcomes[SQLITE_OK] > 0);
  CHECK(outcomes[SQLITE_CORRUPT] > 0);
  sqlite3_hard_heap_limit64(0);
}
