#pragma once
// A prepared statement as a value: finalized when it goes, reset after each run.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "db/failure.hpp"

namespace isovec::db {

/// One prepared statement. Columns count from 0, parameters from 1, as in SQLite.
class Statement {
 public:
  Statement() = default;
  /// Prepares `sql`. Throws what SQLite says. A persistent statement is one that will be kept and run often.
  Statement(sqlite3* db, std::string_view sql, bool persistent = false);

  [[nodiscard]] bool prepared() const noexcept { return statement_ != nullptr; }
  [[nodiscard]] sqlite3_stmt* handle() const noexcept { return statement_.get(); }

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  /// The bytes are not copied: they must outlive the run.
  Statement& bind(int index, std::span<const std::byte> bytes);
  Statement& bind(int index, sqlite3_value* value);
  Statement& bind_null(int index);
  Statement& bind_zero_blob(int index, std::size_t size);

  /// True while there is a row. Throws what SQLite says, after a reset.
  bool step();
  /// Runs a statement that writes to its end and resets. Throws SQLITE_AUTH where an authorizer made it one
  /// that does not.
  void run();
  void reset() noexcept;

  [[nodiscard]] int type(int column) const { return sqlite3_column_type(handle(), column); }
  [[nodiscard]] bool is_null(int column) const { return type(column) == SQLITE_NULL; }
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle(), column); }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(handle(), column); }
  /// Valid until the next step or reset. Throws std::bad_alloc where SQLite could not hand the bytes out.
  [[nodiscard]] std::span<const std::byte> blob(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] sqlite3_value* value(int column) const { return sqlite3_column_value(handle(), column); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  [[nodiscard]] sqlite3* connection() const noexcept { return sqlite3_db_handle(handle()); }
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Resets a kept statement at the end of a scope and forgets what was bound, so that it pins no snapshot.
class Run {
 public:
  explicit Run(Statement& statement) noexcept : statement_(statement) {}
  ~Run() { statement_.reset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  Statement* operator->() const noexcept { return &statement_; }
  Statement& operator*() const noexcept { return statement_; }

 private:
  Statement& statement_;
};

/// Runs SQL that gives no rows.
void execute(sqlite3* db, const std::string& sql);

/// "name" as an SQL identifier, quotes doubled.
[[nodiscard]] std::string quoted(std::string_view name);

}  // namespace isovec::db
