#pragma once
// Values of a PRAGMA that only reads.

#include <cstdint>
#include <optional>
#include <string>

#include "db/statement.hpp"

namespace isovec::db {

/// The number that PRAGMA "schema".name gives; nothing where the connection's authorizer does not let it be
/// read. Throws what else SQLite says.
[[nodiscard]] inline std::optional<std::int64_t> read_pragma(sqlite3* db, const std::string& schema,
                                                             const char* name) {
  try {
    Statement read(db, "PRAGMA " + quoted(schema) + "." + name);
    if (!read.step()) return std::nullopt;
    return read.integer(0);
  } catch (const SqliteFailure& failure) {
    if ((failure.result_code() & 0xFF) != SQLITE_AUTH) throw;
    return std::nullopt;
  }
}

}  // namespace isovec::db
