#pragma once
// How a failure of SQLite travels through C++ code.

#include <isovec/error.hpp>
#include <string>
#include <utility>

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

/// Throws on what `failure`, of a write after which others should have come, shall be reported as.
[[noreturn]] void raise_halfway(const SqliteFailure& failure);

/// Runs the writes of a change behind its first. Of a statement that writes one row SQLite takes back what it
/// wrote only where it fails for want of memory or room, on a file, or by an interrupt. Any other failure
/// would leave the change half written, so it becomes SQLITE_FULL, with what it was in its sentence.
template <typename Body>
void finish_writes(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const SqliteFailure& failure) {
    raise_halfway(failure);
  }
}

/// SQLite's result code for an Error.
[[nodiscard]] int result_code_of(Code code) noexcept;

}  // namespace isovec::db
