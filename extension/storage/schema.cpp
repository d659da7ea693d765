#include "storage/schema.hpp"

#include <algorithm>
#include <array>

#include "storage/checksum.hpp"
#include "storage/state.hpp"

// The shadow tables of a table t. Pages, chunks and their checksums are described beside their writers.
//
//   t_config      key, value: 'format' (format_of()), 'shape' (TableShape::fingerprint), 'state' (state.hpp)
//   t_rows        one row of ordinary values per row of t (row_store.hpp)
//   t_aux         the auxiliary values of a row; only where columns are auxiliary (row_store.hpp)
//   t_slots       which row is in which slot, a page of slots in a row (slot_map.hpp)
//   t_room        the pages of t_slots with a free slot below the high-water mark (slot_map.hpp)
//   t_chunks      the vectors, by column and slot (chunk_store.hpp)
//   t_norms       the norms of the rows under their column's transform, by column and slot (norm_store.hpp)
//   t_marks       which rows of a group have a code that holds, by column and group (code_groups.hpp), and
//                 which vectors are NULL (null_map.hpp)
//   t_codes       a block of codes for each complete group of 256 slots, by column (code_groups.hpp)
//   t_transforms  the fitted transform of a column and the statistics it was fitted from
//   (transform_store.hpp)
//
// The suffixes have no underscore, since SQLite takes what follows the last one for the suffix. No trigger
// may stand on a shadow table: it would run inside our writes. Columns of t_rows that are indexed have an
// index each, with the slot, so that a search finds its rows there alone; its name does not matter.

namespace isovec::storage {
namespace {

constexpr std::array<std::string_view, 11> kStoredTypes = {
    "text", "int", "integer", "int64", "bool", "boolean", "float", "double", "real", "numeric", "blob"};
constexpr std::array<std::string_view, 10> kSuffixes = {"config", "rows",  "aux",   "slots", "room",
                                                        "chunks", "norms", "marks", "codes", "transforms"};

struct ShadowTable {
  std::string_view suffix;
  std::string columns;
};

std::string rows_columns(const TableShape& shape) {
  std::string text = "(id INTEGER PRIMARY KEY, slot INTEGER NOT NULL";
  for (const RowColumn& column : row_columns(shape)) {
    text += ", " + column.name;
    if (!column.type.empty()) text += " " + column.type;
    if (column.name == "key") text += " NOT NULL UNIQUE";
  }
  return text + ", hash INTEGER NOT NULL)";
}

std::string auxiliary_columns(const TableShape& shape) {
  std::string text = "(id INTEGER PRIMARY KEY";
  for (std::size_t i = 0; i < shape.auxiliary.size(); ++i) {
    text += ", a" + std::to_string(i);
    const std::string type = stored_type(shape.auxiliary[i].type);
    if (!type.empty()) text += " " + type;
  }
  return text + ", hash INTEGER NOT NULL)";
}

Buffer<ShadowTable> shadow_tables(const TableShape& shape) {
  Buffer<ShadowTable> tables = {
      {"config", "(key TEXT PRIMARY KEY, value) WITHOUT ROWID"},
      {"rows", rows_columns(shape)},
      {"slots", "(page INTEGER PRIMARY KEY, map BLOB NOT NULL)"},
      {"room", "(page INTEGER PRIMARY KEY)"},
      {"chunks", "(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"},
      {"norms", "(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"},
      {"marks", "(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"},
      {"codes", "(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"},
      {"transforms",
       "(id INTEGER PRIMARY KEY, spec TEXT NOT NULL, transform BLOB NOT NULL, statistics BLOB, "
       "rows INTEGER NOT NULL, hash INTEGER NOT NULL)"},
  };
  if (has_auxiliary(shape)) tables.push_back({"aux", auxiliary_columns(shape)});
  return tables;
}

// Indexes keep their names when the table is renamed, since nothing can be dropped inside ALTER TABLE; so the
// name that a new one would have may be taken by that of a table that was renamed.
std::string free_index_name(sqlite3* db, const TableShape& shape, const RowColumn& column) {
  db::Statement find(
      db, "SELECT 1 FROM " + db::quoted(shape.schema) + ".sqlite_schema WHERE name = ?1 COLLATE NOCASE");
  for (int number = 1;; ++number) {
    const std::string suffix = number == 1 ? "" : std::to_string(number);
    const std::string name = shadow_name(shape, column.name) + suffix;
    const db::Run run(find);
    find.bind(1, name);
    if (!find.step()) return name;
  }
}

void create_indexes(sqlite3* db, const TableShape& shape) {
  for (const RowColumn& column : row_columns(shape)) {
    if (!column.indexed) continue;
    const std::string name = free_index_name(db, shape, column);
    db::execute(db, "CREATE INDEX " + db::quoted(shape.schema) + "." + db::quoted(name) + " ON " +
                        db::quoted(shadow_name(shape, "rows")) + "(" + column.name +
                        (column.collation.empty() ? "" : " COLLATE " + column.collation) + ", slot)");
  }
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::corrupt,
              what + ": restore the database from a backup, or DROP this table and fill it again");
}

// What sqlite_schema holds for a shadow table: the text of its CREATE statement, with the name as SQLite or
// ALTER TABLE wrote it.
void verify_text(const TableShape& shape, const ShadowTable& table, const std::string& sql) {
  const std::string name = shadow_name(shape, table.suffix);
  const std::string expected = "CREATE TABLE " + db::quoted(name) + table.columns;
  if (sql != expected) refuse("the shadow table " + name + " is not what isovec made");
}

void verify_table(sqlite3* db, const TableShape& shape, const ShadowTable& table) {
  const std::string name = shadow_name(shape, table.suffix);
  db::Statement find(db, "SELECT type, sql FROM " + db::quoted(shape.schema) +
                             ".sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE");
  find.bind(1, name);
  if (!find.step()) refuse("the shadow table " + name + " is missing");
  if (find.text(0) != "table") refuse(name + " is a view and must be a table");
  verify_text(shape, table, find.text(1));
}

void verify_triggers(sqlite3* db, const TableShape& shape) {
  for (const std::string& schema : {shape.schema, std::string("temp")}) {
    db::Statement find(db, "SELECT name, tbl_name FROM " + db::quoted(schema) +
                               ".sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE");
    for (const std::string_view suffix : kSuffixes) {
      find.reset();
      const std::string name = shadow_name(shape, suffix);
      find.bind(1, name);
      if (!find.step()) continue;
      throw Error(Code::corrupt, "the trigger " + find.text(0) + " stands on the shadow table " +
                                     find.text(1) + " and would run inside its writes: drop the trigger");
    }
  }
}

void verify_config(sqlite3* db, const TableShape& shape) {
  const auto integer = [&](std::string_view key) {
    db::Statement read(db, "SELECT value FROM " + shadow(shape, "config") + " WHERE key = ?1");
    read.bind(1, key);
    if (!read.step() || read.type(0) != SQLITE_INTEGER) {
      refuse("the entry '" + std::string(key) + "' of " + shadow_name(shape, "config") +
             " is missing or damaged");
    }
    return read.integer(0);
  };
  const std::int64_t format = integer("format");
  if (format != kFormat && format != kNullFormat) {
    throw Error(Code::invalid_argument,
                "the table is stored in format " + std::to_string(format) +
                    " and this isovec reads formats " + std::to_string(kFormat) + " and " +
                    std::to_string(kNullFormat) +
                    (format > kNullFormat ? ": use a newer isovec"
                                          : ": copy its rows into a new table with the isovec that made it"));
  }
  if (static_cast<std::uint64_t>(integer("shape")) != shape.fingerprint()) {
    refuse("the columns of the CREATE statement are not those that were stored");
  }
}

}  // namespace

bool is_shadow_suffix(std::string_view suffix) noexcept {
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view known) {
    return known.size() == suffix.size() &&
           sqlite3_strnicmp(known.data(), suffix.data(), static_cast<int>(known.size())) == 0;
  });
}

std::string shadow_name(const TableShape& shape, std::string_view suffix) {
  return shape.name + "_" + std::string(suffix);
}

std::string shadow(const TableShape& shape, std::string_view suffix) {
  return db::quoted(shape.schema) + "." + db::quoted(shadow_name(shape, suffix));
}

std::string stored_type(const std::string& declared_type) {
  const bool known = std::find(kStoredTypes.begin(), kStoredTypes.end(), declared_type) != kStoredTypes.end();
  return known ? declared_type : name_of(affinity_of(declared_type));
}

Buffer<RowColumn> row_columns(const TableShape& shape) {
  Buffer<RowColumn> columns;
  if (shape.key == Key::text) columns.push_back({"key", "TEXT", Affinity::text, false});
  for (std::size_t i = 0; i < shape.partitions.size(); ++i) {
    const ValueColumn& column = shape.partitions[i];
    columns.push_back({"p" + std::to_string(i), stored_type(column.type), affinity_of(column.type), true,
                       column.collation});
  }
  for (std::size_t i = 0; i < shape.metadata.size(); ++i) {
    const ValueColumn& column = shape.metadata[i];
    columns.push_back({"m" + std::to_string(i), stored_type(column.type), affinity_of(column.type),
                       column.indexed, column.collation});
  }
  return columns;
}

void create_tables(sqlite3* db, const TableShape& shape) {
  for (const ShadowTable& table : shadow_tables(shape)) {
    db::execute(db, "CREATE TABLE " + shadow(shape, table.suffix) + table.columns);
  }
  create_indexes(db, shape);
  db::Statement write(db, "INSERT INTO " + shadow(shape, "config") + " VALUES (?1, ?2)");
  const auto put = [&](std::string_view key, std::int64_t value) { write.bind(1, key).bind(2, value).run(); };
  put("format", kFormat);
  put("shape", static_cast<std::int64_t>(shape.fingerprint()));
  write.bind(1, std::string_view("state")).bind(2, StateBytes(State{}).bytes()).run();
}

void drop_tables(sqlite3* db, const TableShape& shape) {
  db::Statement find(db, "SELECT 1 FROM " + db::quoted(shape.schema) +
                             ".sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE");
  for (const std::string_view suffix : kSuffixes) {
    bool there = false;
    {
      const db::Run run(find);
      const std::string name = shadow_name(shape, suffix);
      find.bind(1, name);
      there = find.step();
    }
    if (there) db::execute(db, "DROP TABLE " + shadow(shape, suffix));
  }
}

void rename_tables(sqlite3* db, const TableShape& shape, const std::string& new_name) {
  TableShape renamed = shape;
  renamed.name = new_name;
  for (const ShadowTable& table : shadow_tables(shape)) {
    db::execute(db, "ALTER TABLE " + shadow(shape, table.suffix) + " RENAME TO " +
                        db::quoted(shadow_name(renamed, table.suffix)));
  }
}

void verify_tables(sqlite3* db, const TableShape& shape) {
  for (const ShadowTable& table : shadow_tables(shape)) verify_table(db, shape, table);
  verify_triggers(db, shape);
  verify_config(db, shape);
}

}  // namespace isovec::storage
