#pragma once
// How a failure of SQLite travels through C++ code.

#include <isovec/error.hpp>
#include <string>

#include "db/api.hpp"

namespace isovec::db {

/// A result code that SQLite gave to us, to be handed back as it is, with its message where there is one.
class SqliteFailure : public std::runtime_error {
 public:
  SqliteFailure(int result_code, const std::string& message)
      : std::runtime_error(message), result_code_(result_code) {}
  [[nodiscard]] int result_code() const noexcept { return result_code_; }

 private:
  int result_code_;
};

/// Throws what `result_code` stands for: std::bad_alloc for SQLITE_NOMEM, else SqliteFailure with the
/// connection's message. `db` may be null.
[[noreturn]] void raise(sqlite3* db, int result_code);

/// Throws unless `result_code` is SQLITE_OK.
inline void check(sqlite3* db, int result_code) {
  if (result_code != SQLITE_OK) raise(db, result_code);
}

/// SQLite's result code for an Error.
[[nodiscard]] int result_code_of(Code code) noexcept;

}  // namespace isovec::db
