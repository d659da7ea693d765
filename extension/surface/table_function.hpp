#pragma once
// Table-valued functions: a description (columns, arguments) and a function that opens the rows of one call.
// What an eponymous virtual table needs beside that is written here once.

#include <cstdint>
#include <isovec/buffer.hpp>
#include <memory>
#include <span>

#include "surface/function.hpp"

namespace isovec::surface {

/// The rows of one call, read one after the other.
class Rows {
 public:
  virtual ~Rows() = default;
  /// Moves to the next row (the first call: to the first); false after the last.
  virtual bool next() = 0;
  /// Sets column `index` of the current row, counted from 0 over the visible columns.
  virtual void column(sqlite3_context* context, int index) = 0;
  /// Of the current row; counts from 0 unless overridden by the reader's own numbers.
  [[nodiscard]] virtual std::int64_t rowid() const = 0;
};

/// What a table-valued function is.
struct TableFunction {
  const char* columns;  ///< The visible columns, as in CREATE TABLE: "rowid..., value REAL".
  int visible_columns;
  const char* arguments;  ///< The hidden columns: "json HIDDEN, bins HIDDEN"; "" for none.
  int minimum_arguments;
  int maximum_arguments;
  /// Opens the rows for the arguments given (only a prefix of them can be missing at the end).
  std::unique_ptr<Rows> (*open)(sqlite3* db, std::span<sqlite3_value* const> arguments);
  bool innocuous =
      true;  ///< Reads nothing but its arguments, so that views and triggers may use it anywhere.
};

namespace table_function {

int connect(sqlite3* db, const Function& function, const TableFunction& description, sqlite3_vtab** table,
            char** error_message) noexcept;
int disconnect(sqlite3_vtab* table) noexcept;
int best_index(sqlite3_vtab* table, sqlite3_index_info* info) noexcept;
int open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) noexcept;
int close(sqlite3_vtab_cursor* cursor) noexcept;
int filter(sqlite3_vtab_cursor* cursor, int plan, const char*, int count, sqlite3_value** values) noexcept;
int next(sqlite3_vtab_cursor* cursor) noexcept;
int eof(sqlite3_vtab_cursor* cursor) noexcept;
int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int index) noexcept;
int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* rowid) noexcept;

}  // namespace table_function

/// The module of a table-valued function. Its Function row refers to it: {.module =
/// &module_of<kDescription>}.
template <const TableFunction& Description>
inline constexpr sqlite3_module module_of = [] {
  sqlite3_module module{};
  module.xConnect = [](sqlite3* db, void* row, int, const char* const*, sqlite3_vtab** table,
                       char** message) {
    return table_function::connect(db, *static_cast<const Registration*>(row)->function, Description, table,
                                   message);
  };
  module.xBestIndex = table_function::best_index;
  module.xDisconnect = table_function::disconnect;
  module.xOpen = table_function::open;
  module.xClose = table_function::close;
  module.xFilter = table_function::filter;
  module.xNext = table_function::next;
  module.xEof = table_function::eof;
  module.xColumn = table_function::column;
  module.xRowid = table_function::rowid;
  return module;
}();

}  // namespace isovec::surface
