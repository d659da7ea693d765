// Damage to every shadow table: BLOBs cut short at every length, bits flipped in every byte, values that are
// NULL, text or huge, rows deleted, moved and doubled. What is damaged is reported as such, by the integrity
// check always and by reads and writes whenever they meet it; nothing crashes, and no answer is wrong.

#include <algorithm>
#include <numeric>
#include <set>

#include "codec/code_encoder.hpp"
#include "connection.hpp"
#include "storage/code_groups.hpp"

namespace {

using isovec::test::Bytes;
using isovec::test::Connection;
using isovec::test::SqlError;

constexpr const char* kSetup =
    "CREATE VIRTUAL TABLE t USING isovec(key TEXT PRIMARY KEY, a float[3] transform='center', b int8[5] "
    "distance_metric=l2, c bit[16], year integer, lang text indexed, +body text);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)"
    "INSERT INTO t(key, a, b, c, year, lang, body) SELECT 'k' || i, '[' || i || ',' || (i * i % 7) || ',1]',"
    "  '[1,2,3,4,' || i || ']', vec_quantize_binary(vec_random(16, i)), 2000 + i, 'l' || (i % 3), "
    "  'body ' || i FROM n;"
    "DELETE FROM t WHERE key IN ('k4', 'k9');"
    "INSERT INTO t(t) VALUES ('fit');";

// The same, with floats in place of int8, and with a complete group, hence norms and codes, some of which no
// longer hold.
constexpr const char* kCodedSetup =
    "CREATE VIRTUAL TABLE t USING isovec(key TEXT PRIMARY KEY, a float[3] transform='center', b float[5] "
    "distance_metric=l2, c bit[16], year integer, lang text indexed, +body text);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 260)"
    "INSERT INTO t(key, a, b, c, year, lang, body) SELECT 'k' || i, '[' || i || ',' || (i * i % 7) || ',1]',"
    "  '[1,2,3,4,' || i || ']', vec_quantize_binary(vec_random(16, i)), 2000 + i, 'l' || (i % 3), "
    "  'body ' || i FROM n;"
    "INSERT INTO t(t) VALUES ('fit');"
    "DELETE FROM t WHERE key IN ('k4', 'k9');"
    "UPDATE t SET a = '[3,2,1]' WHERE key IN ('k7', 'k100');";

// The same, with NULL vectors in a complete group and behind it.
constexpr const char* kNullSetup =
    "CREATE VIRTUAL TABLE t USING isovec(key TEXT PRIMARY KEY, a float[3] transform='center', b float[5] "
    "distance_metric=l2, c bit[16], year integer, lang text indexed, +body text);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 270)"
    "INSERT INTO t(key, a, b, c, year, lang, body) SELECT 'k' || i, '[' || i || ',' || (i * i % 7) || ',1]',"
    "  CASE WHEN i % 3 THEN '[1,2,3,4,' || i || ']' END, CASE WHEN i % 5 THEN "
    "vec_quantize_binary(vec_random(16, "
    "i)) END, 2000 + i, 'l' || (i % 3), 'body ' || i FROM n;"
    "INSERT INTO t(t) VALUES ('fit');"
    "DELETE FROM t WHERE key IN ('k4', 'k9');"
    "UPDATE t SET a = NULL WHERE key IN ('k7', 'k100', 'k265');"
    "UPDATE t SET b = '[1,2,3,4,5]' WHERE key IN ('k3', 'k6');";

// What users read, and what they write: run after each damage.
struct Read {
  std::string sql;
  /// It asks for chosen rows, and a row whose values are damaged or gone may not be among them.
  bool chooses = false;
};
const std::vector<Read> kReads = {
    {"SELECT key, a, b, c, year, lang, body FROM t"},
    {"SELECT key, distance FROM t WHERE a MATCH '[1,0,0]'"},
    {"SELECT key, distance FROM t WHERE a MATCH '[1,0,0]' AND transform = 'none' AND k = 3"},
    {"SELECT key, distance FROM t WHERE b MATCH '[1,0,0,0,0]' AND lang = 'l1'", true},
    {"SELECT key, distance FROM t WHERE c MATCH vec_quantize_binary(vec_random(16, 3)) AND k = 5"},
    {"SELECT body FROM t WHERE key = 'k3'", true},
    {"SELECT length(transform) FROM t WHERE a MATCH '[1,0,0]' AND k = 1"},
    {"SELECT key FROM t WHERE b IS NULL", true},
    {"SELECT key, distance FROM t WHERE a MATCH '[1,0,0]' AND b IS NOT NULL AND k = 4", true},
};
const std::vector<std::string> kWrites = {
    "INSERT INTO t(key, a, b, c) VALUES ('new', '[1,2,3]', '[1,2,3,4,5]', vec_bit(x'0102'))",
    "INSERT INTO t(key, a, b, c) VALUES ('newer', '[1,2,3]', '[1,2,3,4,5]', vec_bit(x'0102'))",
    "INSERT INTO t(key, a, b, c) VALUES ('newest', '[1,2,3]', '[1,2,3,4,5]', vec_bit(x'0102'))",
    "UPDATE t SET a = '[0,1,0]', c = vec_bit(x'00ff'), year = 1 WHERE key = 'k3'",
    "DELETE FROM t WHERE key = 'k5'",
    "INSERT INTO t(key) VALUES ('void')",
    "UPDATE t SET a = NULL, b = '[1,2,3,4,5]' WHERE key = 'k6'",
    "UPDATE t SET c = NULL WHERE key = 'k2'",
    "DELETE FROM t WHERE key = 'k7'",
    "INSERT INTO t(t) VALUES ('fit column=b center')",
    "INSERT INTO t(t) VALUES ('unfit')",
};

// Every byte and length is tried; a build under sanitizers, ten times slower, tries every seventh.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kStride = 7;
#else
constexpr std::size_t kStride = 1;
#endif

class Patient {
 public:
  explicit Patient(const char* setup = kSetup) {
    db.run(setup);
    for (const Read& asked : kReads) answers.push_back(db.rows(asked.sql));
  }
  Connection db;
  std::vector<std::vector<std::vector<std::string>>> answers;

  /// Damages the table, looks at what follows, and takes everything back. Returns whether the check saw it.
  template <typename... Args>
  bool suffers(const std::string& damage, const Args&... args) {
    db.run("SAVEPOINT whole");
    db.rows(damage, args...);
    const bool seen = check_fails();
    if (tried % used_every == 0) use();
    db.run("ROLLBACK TO whole; RELEASE whole");
    ++tried;
    return seen;
  }
  long tried = 0;
  long used_every = 1;  ///< After how many damages reads and writes are tried, beside the check.

 private:
  void use() {
    for (std::size_t i = 0; i < kReads.size(); ++i) {
      CAPTURE(kReads[i].sql);
      read(kReads[i], answers[i]);
    }
    for (const std::string& sql : kWrites) {
      CAPTURE(sql);
      write(sql);
    }
  }
  bool check_fails() {
    try {
      db.run("INSERT INTO t(t) VALUES ('integrity-check')");
    } catch (const SqlError& error) {
      CHECK((error.result_code == SQLITE_CORRUPT_VTAB || is_of_newer_format(error)));
      return true;
    }
    return false;
  }
  static bool is_of_newer_format(const SqlError& error) {
    return std::string(error.what()).find("the table is stored in format") != std::string::npos;
  }
  void read(const Read& asked, const std::vector<std::vector<std::string>>& expected) {
    try {
      const auto found = db.rows(asked.sql);
      if (found == expected) return;
      CHECK(asked.chooses);
      for (const auto& row : found) CHECK(std::find(expected.begin(), expected.end(), row) != expected.end());
    } catch (const SqlError& error) {
      if (!is_of_newer_format(error)) CHECK(error.result_code == SQLITE_CORRUPT_VTAB);
    }
  }
  void write(const std::string& sql) {
    try {
      db.run(sql);
    } catch (const SqlError& error) {
      if (!is_of_newer_format(error)) CHECK(error.result_code == SQLITE_CORRUPT_VTAB);
    }
  }
};

struct Column {
  std::string table;
  std::string name;
};

// Every column of every shadow table.
std::vector<Column> shadow_columns(Connection& db) {
  std::vector<Column> columns;
  for (const auto& table :
       db.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE "
               "'\\' ORDER BY name")) {
    for (const auto& column : db.rows("SELECT name FROM pragma_table_info('" + table[0] + "')")) {
      columns.push_back({table[0], column[0]});
    }
  }
  return columns;
}

// What names one row of a shadow table.
std::string row_name(const Column& column) {
  return column.table == "t_config" ? "key" : "rowid";
}

struct Cell {
  Column column;
  std::string row;
  std::string bytes;
};

std::vector<Cell> cells_of_type(Connection& db, const char* type) {
  std::vector<Cell> cells;
  for (const Column& column : shadow_columns(db)) {
    const std::string name = "\"" + column.name + "\"";
    for (const auto& row :
         db.rows("SELECT quote(" + row_name(column) + "), CAST(" + name + " AS BLOB) FROM " + column.table +
                 " WHERE typeof(" + name + ") = '" + type + "'")) {
      cells.push_back({column, row[0], row[1]});
    }
  }
  return cells;
}

std::string update(const Cell& cell) {
  return "UPDATE " + cell.column.table + " SET \"" + cell.column.name + "\" = ?1 WHERE " +
         row_name(cell.column) + " = " + cell.row;
}

}  // namespace

TEST_CASE("a flipped bit in any byte of any stored BLOB is found", "[storage][corruption]") {
  Patient patient;
  patient.used_every = 10;
  unsigned bit = 0;
  for (const Cell& cell : cells_of_type(patient.db, "blob")) {
    CAPTURE(cell.column.table, cell.column.name, cell.row);
    for (std::size_t i = bit % kStride; i < cell.bytes.size(); i += kStride) {
      std::string damaged = cell.bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (bit++ % 8)));
      if (!patient.suffers(update(cell), Bytes{damaged})) {
        CAPTURE(i);
        CHECK(false);  // the check did not see it
      }
    }
  }
  WARN("flips tried and found: " << patient.tried);
}

TEST_CASE("a flipped bit in norms, marks and codes is found", "[storage][corruption]") {
  Patient patient(kCodedSetup);
  patient.used_every = 50;
  unsigned bit = 0;
  std::set<std::string> tables;
  for (const Cell& cell : cells_of_type(patient.db, "blob")) {
    const std::string& table = cell.column.table;
    if (table != "t_norms" && table != "t_marks" && table != "t_codes") continue;
    tables.insert(table);
    CAPTURE(table, cell.row);
    const std::size_t stride = table == "t_marks" ? kStride : 5 * kStride;
    for (std::size_t i = bit % stride; i < cell.bytes.size(); i += stride) {
      std::string damaged = cell.bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (bit++ % 8)));
      if (!patient.suffers(update(cell), Bytes{damaged})) {
        CAPTURE(i);
        CHECK(false);  // the check did not see it
      }
    }
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes.substr(0, cell.bytes.size() - 1)}));
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes.substr(0, cell.bytes.size() / 2)}));
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes + cell.bytes}));
    CHECK(patient.suffers(update(cell), Bytes{}));
  }
  CHECK(tables.size() == 3);
  WARN("flips tried and found: " << patient.tried);
}

TEST_CASE("damage to NULL vectors, to their lists and to their count is found", "[storage][corruption]") {
  Patient patient(kNullSetup);
  patient.used_every = 20;
  unsigned bit = 0;
  for (const Cell& cell : cells_of_type(patient.db, "blob")) {
    const std::string& table = cell.column.table;
    if (table != "t_marks" && table != "t_config" && table != "t_chunks") continue;
    CAPTURE(table, cell.row);
    const std::size_t stride = table == "t_chunks" ? 7 * kStride : kStride;
    for (std::size_t i = bit % stride; i < cell.bytes.size(); i += stride) {
      std::string damaged = cell.bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (bit++ % 8)));
      CAPTURE(i);
      if (!patient.suffers(update(cell), Bytes{damaged})) CHECK(false);  // the check did not see it
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{48}, cell.bytes.size() - 1})
      if (size < cell.bytes.size()) CHECK(patient.suffers(update(cell), Bytes{cell.bytes.substr(0, size)}));
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes + std::string(1, '\0')}));
  }
  patient.used_every = 1;
  for (const auto& row : patient.db.rows("SELECT id FROM t_marks WHERE id & 549755813888")) {
    CAPTURE(row[0]);
    CHECK(patient.suffers("DELETE FROM t_marks WHERE id = " + row[0]));
    CHECK(patient.suffers("UPDATE t_marks SET id = id + 7 WHERE id = " + row[0]));
    CHECK(patient.suffers("INSERT INTO t_marks SELECT id + 7, data FROM t_marks WHERE id = " + row[0]));
    CHECK(patient.suffers(
        "UPDATE t_marks SET data = (SELECT data FROM t_marks WHERE id & 549755813888 AND id <> " + row[0] +
        " LIMIT 1) WHERE id = " + row[0]));
  }
  CHECK(patient.suffers("UPDATE t_config SET value = 2 WHERE key = 'format'"));
  WARN("damages tried and found: " << patient.tried);
}

TEST_CASE("a vector that is written over as NULL, whatever its checksum says, is found",
          "[storage][corruption]") {
  // The bytes of a NULL vector of the same row and slot, from a table that has it.
  const auto chunk_with = [](const char* vector) {
    Connection db;
    db.run("CREATE VIRTUAL TABLE t USING isovec(e float[2]); INSERT INTO t(e) VALUES (" +
           std::string(vector) + ")");
    return db.one("SELECT data FROM t_chunks");
  };
  Connection db;
  db.run("CREATE VIRTUAL TABLE t USING isovec(e float[2]); INSERT INTO t(e) VALUES ('[1,2]')");
  REQUIRE(chunk_with("'[1,2]'") == db.one("SELECT data FROM t_chunks"));
  db.rows("UPDATE t_chunks SET data = ?1", Bytes{chunk_with("NULL")});
  CHECK(db.one("SELECT isovec_check('t')").find("the list of NULL vectors of group 0") != std::string::npos);
  CHECK(code_of(db, "UPDATE t SET e = '[2,3]'") == SQLITE_CORRUPT_VTAB);
  CHECK(code_of(db, "DELETE FROM t") == SQLITE_CORRUPT_VTAB);
  db.run("INSERT INTO t(t) VALUES ('rebuild')");
  CHECK(db.one("SELECT count(*) FROM t WHERE e IS NULL") == "1");
  CHECK(db.one("SELECT value FROM t_config WHERE key = 'format'") == "3");
  CHECK(db.one("SELECT isovec_check('t')") == "ok");
}

TEST_CASE("a block or page of codes that is missing, doubled or exchanged is found",
          "[storage][corruption]") {
  Patient patient(kCodedSetup);
  for (const char* table : {"t_norms", "t_marks", "t_codes"}) {
    CAPTURE(table);
    const std::string name(table);
    for (const auto& row : patient.db.rows("SELECT id FROM " + name)) {
      CHECK(patient.suffers("DELETE FROM " + name + " WHERE id = " + row[0]));
      CHECK(patient.suffers("UPDATE " + name + " SET id = id + 1 WHERE id = " + row[0]));
      CHECK(patient.suffers("INSERT INTO " + name + " SELECT id + 1, data FROM " + name +
                            " WHERE id = " + row[0]));
    }
    CHECK(patient.suffers("INSERT INTO " + name + " VALUES (-5, x'00')"));
  }
  CHECK(patient.suffers("UPDATE t_codes SET data = (SELECT data FROM t_codes WHERE id = 0) WHERE id <> 0"));
  CHECK(patient.suffers("UPDATE t_marks SET data = (SELECT data FROM t_marks WHERE id = 0) WHERE id <> 0"));
}

TEST_CASE("a block of codes of other slots is found, whatever its checksum says", "[storage][corruption]") {
  Connection db;
  db.run(
      "CREATE VIRTUAL TABLE t USING isovec(v float[2]);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
      "INSERT INTO t(v) SELECT vec_random(2, i) FROM n");
  std::vector<float> rows(512);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 7) + 1;
  const auto search_with = [&](const std::vector<std::int64_t>& slots) {
    const auto block = isovec::codec::encode_block(
        {isovec::codec::CodeMetric::cosine, 2, slots, isovec::storage::block_seed(0, 1)}, rows);
    db.run("SAVEPOINT s");
    db.rows("UPDATE t_codes SET data = ?1 WHERE id = 1",
            Bytes{std::string(reinterpret_cast<const char*>(block.data()), block.size())});
    const int code = code_of(db, "SELECT rowid FROM t WHERE v MATCH '[1,0]' AND k = 3");
    db.run("ROLLBACK TO s; RELEASE s");
    return code;
  };
  std::vector<std::int64_t> slots(256);
  std::iota(slots.begin(), slots.end(), 256);
  for (const std::int64_t wrong : {255L, 300L, 512L, 4'000'000'000L}) {
    std::vector<std::int64_t> others = slots;
    others.back() = wrong;
    CAPTURE(wrong);
    CHECK(search_with(others) == SQLITE_CORRUPT_VTAB);
  }
}

TEST_CASE("a stored BLOB cut short at any length, or longer, is found", "[storage][corruption]") {
  Patient patient;
  patient.used_every = 10;
  for (const Cell& cell : cells_of_type(patient.db, "blob")) {
    CAPTURE(cell.column.table, cell.column.name, cell.row);
    for (std::size_t size = 0; size < cell.bytes.size(); size += kStride) {
      if (!patient.suffers(update(cell), Bytes{cell.bytes.substr(0, size)})) {
        CAPTURE(size);
        CHECK(false);
      }
    }
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes + std::string(1, '\0')}));
    CHECK(patient.suffers(update(cell), Bytes{cell.bytes + cell.bytes}));
  }
  WARN("cuts tried and found: " << patient.tried);
}

TEST_CASE("a stored number or text that is another one is found", "[storage][corruption]") {
  Patient patient;
  for (const Cell& cell : cells_of_type(patient.db, "integer")) {
    CAPTURE(cell.column.table, cell.column.name, cell.row, cell.bytes);
    const sqlite3_int64 value = std::stoll(cell.bytes);
    for (int bit = 0; bit < 64; bit += static_cast<int>(kStride)) {
      const auto flipped =
          static_cast<sqlite3_int64>(static_cast<sqlite3_uint64>(value) ^ (sqlite3_uint64{1} << bit));
      const std::string taken = "SELECT 1 FROM " + cell.column.table + " WHERE " + cell.column.name + " = ?1";
      if (!patient.db.rows(taken, flipped).empty() && cell.column.name != "slot" && cell.column.name != "m0")
        continue;
      CAPTURE(bit);
      CHECK(patient.suffers(update(cell), flipped));
    }
  }
  for (const Cell& cell : cells_of_type(patient.db, "text")) {
    CAPTURE(cell.column.table, cell.column.name, cell.row, cell.bytes);
    for (std::size_t i = 0; i < cell.bytes.size(); ++i) {
      std::string damaged = cell.bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 2);
      const std::string taken = "SELECT 1 FROM " + cell.column.table + " WHERE " + cell.column.name + " = ?1";
      const bool unique = cell.column.name == "key";
      if (unique && !patient.db.rows(taken, damaged).empty()) continue;
      CHECK(patient.suffers(update(cell), damaged));
    }
  }
}

TEST_CASE("a stored value of another type is found", "[storage][corruption]") {
  Patient patient;
  for (const char* type : {"blob", "integer", "text"}) {
    for (const Cell& cell : cells_of_type(patient.db, type)) {
      CAPTURE(cell.column.table, cell.column.name, cell.row);
      const std::string rowid_alias = "id page";
      const bool is_key = rowid_alias.find(cell.column.name) != std::string::npos;
      if (is_key) continue;  // SQLite itself lets no other type stand there
      const std::string sql = update(cell);
      const auto try_value = [&](const auto& value) {
        try {
          if (!patient.suffers(sql, value)) CHECK(false);
        } catch (const SqlError& error) {
          CHECK((error.result_code & 0xFF) == SQLITE_CONSTRAINT);  // NOT NULL forbids it
          patient.db.run("ROLLBACK TO whole; RELEASE whole");
        }
      };
      if (std::string(type) != "text") try_value("text");
      if (std::string(type) != "integer") try_value(-5);
      if (std::string(type) != "blob") try_value(Bytes{std::string(40, 'x')});
      try_value(nullptr);
      const std::string huge =
          sql.substr(0, sql.find("?1")) + "zeroblob(2000000)" + sql.substr(sql.find("?1") + 2);
      CHECK(patient.suffers(huge));
    }
  }
}

TEST_CASE("a row of a shadow table that is missing, doubled or moved is found", "[storage][corruption]") {
  Patient patient;
  std::set<std::string> tables;
  for (const Column& column : shadow_columns(patient.db)) tables.insert(column.table);
  for (const std::string& table : tables) {
    const std::string name = table == "t_config" ? "key" : "rowid";
    for (const auto& row : patient.db.rows("SELECT quote(" + name + ") FROM " + table)) {
      CAPTURE(table, row[0]);
      CHECK(patient.suffers("DELETE FROM " + table + " WHERE " + name + " = " + row[0]));
      if (table == "t_config") continue;
      CHECK(patient.suffers("UPDATE " + table + " SET rowid = rowid + 1000 WHERE rowid = " + row[0]));
    }
  }
  CHECK(patient.suffers("INSERT INTO t_chunks SELECT id + 1, data FROM t_chunks WHERE id = 0"));
  CHECK(patient.suffers("INSERT INTO t_slots SELECT page + 1, map FROM t_slots"));
  CHECK(patient.suffers("INSERT INTO t_norms VALUES (0, zeroblob(3848))"));
  CHECK(patient.suffers("INSERT INTO t_aux SELECT id + 100, a0, hash FROM t_aux LIMIT 1"));
  CHECK(patient.suffers(
      "INSERT INTO t_rows SELECT id + 100, slot, key || 'x', m0, m1, hash FROM t_rows LIMIT 1"));
  // Two rows that changed places.
  CHECK(patient.suffers("UPDATE t_rows SET slot = CASE id WHEN 1 THEN 1 ELSE 0 END WHERE id IN (1, 2)"));
  CHECK(patient.suffers(
      "UPDATE t_chunks SET data = substr(data, 21, 20) || substr(data, 1, 20) || substr(data, 41) "
      "WHERE id = 0"));
}

TEST_CASE("'rebuild' mends what follows from rows, vectors and transforms, and names what does not",
          "[storage][corruption]") {
  const auto mends = [](const std::string& damage, const char* setup = kSetup) {
    Patient patient(setup);
    patient.db.run(damage);
    CAPTURE(damage);
    CHECK(patient.db.one("SELECT isovec_check('t')") != "ok");
    patient.db.run("INSERT INTO t(t) VALUES ('rebuild')");
    CHECK(patient.db.one("SELECT isovec_check('t')") == "ok");
    for (std::size_t i = 0; i < kReads.size(); ++i)
      CHECK(patient.db.rows(kReads[i].sql) == patient.answers[i]);
    for (const std::string& sql : kWrites) patient.db.run(sql);
    CHECK(patient.db.one("SELECT isovec_check('t')") == "ok");
  };
  mends("DELETE FROM t_slots");
  mends("UPDATE t_slots SET map = zeroblob(3912)");
  mends("DELETE FROM t_room");
  mends("INSERT INTO t_room VALUES (5)");
  mends("DELETE FROM t_config WHERE key = 'state'; INSERT INTO t_config VALUES ('state', zeroblob(48))");
  for (const char* table : {"t_norms", "t_marks", "t_codes"}) {
    mends(std::string("DELETE FROM ") + table, kCodedSetup);
    mends(std::string("UPDATE ") + table + " SET data = zeroblob(3848)", kCodedSetup);
    mends(std::string("INSERT INTO ") + table + " VALUES (7, x'0102')", kCodedSetup);
  }
  mends("DELETE FROM t_marks", kNullSetup);
  mends("DELETE FROM t_marks WHERE id & 549755813888", kNullSetup);
  mends("UPDATE t_marks SET data = zeroblob(264) WHERE id & 549755813888", kNullSetup);
  mends("UPDATE t_config SET value = 2 WHERE key = 'format'", kNullSetup);
  mends("UPDATE t_config SET value = zeroblob(56) WHERE key = 'state'", kNullSetup);
  mends("UPDATE t_config SET value = 3 WHERE key = 'format'");
  mends("UPDATE t_chunks SET data = CAST(data || zeroblob(20) AS BLOB) WHERE id = 0");
  mends("INSERT INTO t_chunks SELECT id + 7, data FROM t_chunks");
  mends("INSERT INTO t_aux SELECT id + 100, a0, hash FROM t_aux");

  const auto names = [](const std::string& damage) {
    Patient patient;
    patient.db.run(damage);
    return patient.db.error("INSERT INTO t(t) VALUES ('rebuild')");
  };
  CHECK(names("UPDATE t_rows SET m0 = 7 WHERE id = 3") == "t: the stored values of row 3 are damaged");
  CHECK(names("UPDATE t_chunks SET data = zeroblob(length(data)) WHERE id = 0")
            .find("the vector of row 1 in slot 0") != std::string::npos);
  CHECK(names("DELETE FROM t_chunks WHERE id = 0").find("chunk 0 of vector column 0 is missing") !=
        std::string::npos);
  CHECK(names("DELETE FROM t_aux WHERE id = 2") == "t: the auxiliary values of row 2 are missing");
  CHECK(names("UPDATE t_transforms SET rows = 3").find("run 'unfit', then 'fit'") != std::string::npos);
}

TEST_CASE("'optimize' of a table that lost rows says so", "[storage][corruption]") {
  Patient patient;
  for (const char* damage : {"DELETE FROM t_rows", "DELETE FROM t_rows WHERE id > 3"}) {
    patient.db.run("SAVEPOINT s");
    patient.db.run(damage);
    CHECK(patient.db.error("INSERT INTO t(t) VALUES ('optimize')").find("another number of rows") !=
          std::string::npos);
    patient.db.run("ROLLBACK TO s; RELEASE s");
  }
}

TEST_CASE("a table whose shadow tables are damaged can still be dropped", "[storage][corruption]") {
  Connection db;
  db.run(kSetup);
  db.run("DROP TABLE t_slots; DELETE FROM t_config; DROP TABLE t");
  CHECK(db.one("SELECT count(*) FROM sqlite_schema") == "0");
}
