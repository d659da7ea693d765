#pragma once
// The SQL that a table's store runs again and again: one prepared statement each, made when first needed,
// reset after each run.

#include <array>
#include <cstdint>
#include <string>

#include "db/statement.hpp"
#include "storage/shape.hpp"

namespace isovec::storage {

enum class Sql : std::size_t {
  defaults,  ///< the declared defaults, NULL where there is none, of partitions, metadata and auxiliary columns
  read_state,
  write_state,
  write_format,
  claim,     ///< writes nothing, and locks the state as a write does
  read_row,  ///< by id; the columns of row_select()
  find_key,  ///< id by text key
  greatest_id,
  insert_row,  ///< id, slot, values, hash
  update_row,  ///< the same, and the old id
  delete_row,
  read_auxiliary,  ///< values, hash by id
  insert_auxiliary,
  update_auxiliary,
  delete_auxiliary,
  delete_stray_auxiliary,
  read_slots,
  write_slots,
  lowest_room,
  insert_room,
  delete_room,
  erase_slots,   ///< of pages from one to before another
  erase_room,    ///< the same
  chunk_shape,   ///< typeof and length by id
  scan_chunks,   ///< id, data of ids from one to another
  cut_chunk,     ///< to a number of bytes, by id
  erase_chunks,  ///< of ids from one to before another, as those below
  read_chunk,
  write_chunk,
  read_norms,
  write_norms,
  erase_norms,
  read_marks,
  write_marks,
  delete_marks,
  scan_marks,  ///< id, data from one id to before another
  erase_marks,
  scan_codes,  ///< id, data from one id to before another
  write_codes,
  delete_codes,
  erase_codes,
  read_transform,  ///< spec, transform, statistics, rows, hash by column
  write_transform,
  delete_transform,
  erase_transforms,
  count,
};

/// "id, slot, key, p0, m0, hash": what a reader of t_rows selects.
[[nodiscard]] std::string row_select(const TableShape& shape);

class Statements {
 public:
  Statements(sqlite3* db, const TableShape& shape) : db_(db), shape_(shape) {}
  [[nodiscard]] sqlite3* connection() const noexcept { return db_; }
  /// The statement, prepared and reset. Throws what SQLite says.
  [[nodiscard]] db::Statement& operator[](Sql which);
  /// Runs one of the erase_* statements.
  void erase(Sql which, std::int64_t first, std::int64_t end);
  /// Prepares all that writes need, so that no later write can fail for want of it. Where connections share
  /// a cache, a table that another one reads cannot be written: each of them reads the state first, so it is
  /// here that SQLITE_LOCKED comes from, before anything is written.
  void prepare_writes();
  void forget(Sql which) noexcept { statements_[static_cast<std::size_t>(which)] = db::Statement(); }
  /// Forgets all: after the schema changed.
  void clear() noexcept;

 private:
  [[nodiscard]] std::string text(Sql which) const;
  sqlite3* db_;
  const TableShape& shape_;
  std::array<db::Statement, static_cast<std::size_t>(Sql::count)> statements_;
};

}  // namespace isovec::storage
