#pragma once
// The shadow tables of an isovec table: their names, their CREATE statements, and what it takes to make,
// check, rename and drop them. The table of all of them stands in schema.cpp.

#include <isovec/buffer.hpp>
#include <string>
#include <string_view>

#include "db/statement.hpp"
#include "storage/shape.hpp"
#include "storage/state.hpp"

namespace isovec::storage {

/// The version of what is written; a table of a newer one is refused. A table has the second one while one of
/// its vectors is NULL, which an isovec of the first would take for damage.
inline constexpr std::int64_t kFormat = 2;
inline constexpr std::int64_t kNullFormat = 3;
[[nodiscard]] constexpr std::int64_t format_of(const State& state) noexcept {
  return state.nulls == 0 ? kFormat : kNullFormat;
}

/// Whether a table named <t>_<suffix> belongs to an isovec table named <t>.
[[nodiscard]] bool is_shadow_suffix(std::string_view suffix) noexcept;

/// "schema"."table_suffix", as SQL.
[[nodiscard]] std::string shadow(const TableShape& shape, std::string_view suffix);
/// "table_suffix", without quotes.
[[nodiscard]] std::string shadow_name(const TableShape& shape, std::string_view suffix);
/// Whether the table has a shadow table <t>_aux.
[[nodiscard]] inline bool has_auxiliary(const TableShape& shape) noexcept {
  return !shape.auxiliary.empty();
}

/// The columns of <t>_rows between slot and hash: key, then partitions p0.., then metadata m0.. .
struct RowColumn {
  std::string name;
  std::string type;  ///< In t_rows; empty for none.
  Affinity affinity = Affinity::blob;
  bool indexed = false;
  std::string collation = {};  ///< Of the index; empty for BINARY.
};
[[nodiscard]] Buffer<RowColumn> row_columns(const TableShape& shape);

/// The type under which a shadow table declares a column: its own, where that is one of the words that were
/// always taken, else the name of its affinity.
[[nodiscard]] std::string stored_type(const std::string& declared_type);

/// Makes the shadow tables of an empty table.
void create_tables(sqlite3* db, const TableShape& shape);
/// Drops them; a name that is no ordinary table is left alone.
void drop_tables(sqlite3* db, const TableShape& shape);
void rename_tables(sqlite3* db, const TableShape& shape, const std::string& new_name);

/// Throws Error{corrupt} unless each shadow table is the ordinary table that create_tables() made, without
/// triggers, and the recorded format and columns are those of `shape`.
void verify_tables(sqlite3* db, const TableShape& shape);

}  // namespace isovec::storage
