#include "db/collations.hpp"

#include <string_view>

#include "db/statement.hpp"

namespace isovec::db {
namespace {

bool has_collate(const char* sql) {
  // A statement without text is one that nobody knows.
  return sql == nullptr || sqlite3_strlike("%collate%", sql, 0) == 0;
}

bool schema_has_collate(sqlite3* db, const std::string& table) {
  Statement views(db,
                  "SELECT 1 FROM " + table + " WHERE type IN ('view', 'trigger') AND sql LIKE '%collate%'");
  return views.step();
}

// One that was registered and taken back is still on the list.
bool is_usable(sqlite3* db, const std::string& collation) {
  try {
    Statement(db, "SELECT 'a' = 'b' COLLATE " + quoted(collation));
    return true;
  } catch (const SqliteFailure& failure) {
    if ((failure.result_code() & 0xFF) != SQLITE_ERROR) throw;
    return false;
  }
}

bool is_denied(const SqliteFailure& failure) {
  return (failure.result_code() & 0xFF) == SQLITE_AUTH;
}

}  // namespace

bool mentions_collate(sqlite3* db, const std::string& schema) {
  for (sqlite3_stmt* s = sqlite3_next_stmt(db, nullptr); s != nullptr; s = sqlite3_next_stmt(db, s)) {
    if (sqlite3_stmt_busy(s) != 0 && has_collate(sqlite3_sql(s))) return true;
  }
  try {
    return schema_has_collate(db, quoted(schema) + ".sqlite_master") ||
           schema_has_collate(db, "sqlite_temp_master");
  } catch (const SqliteFailure& failure) {
    if (!is_denied(failure)) throw;
    return true;
  }
}

std::optional<std::vector<std::string>> collations_of(sqlite3* db) {
  try {
    std::vector<std::string> names;
    Statement list(db, "PRAGMA collation_list");
    while (list.step()) {
      std::string name = list.text(1);
      if (sqlite3_stricmp(name.c_str(), "BINARY") != 0 && is_usable(db, name))
        names.push_back(std::move(name));
    }
    return names;
  } catch (const SqliteFailure& failure) {
    if (!is_denied(failure)) throw;
    return std::nullopt;
  }
}

}  // namespace isovec::db
