#pragma once
// By which collations the right side of an IN may compare. SQLite tells a table the collation of the left
// side only; a COLLATE inside a subquery on the right, as in x IN (SELECT y COLLATE NOCASE ...), decides
// instead.

#include <optional>
#include <string>
#include <vector>

#include "db/api.hpp"

namespace isovec::db {

/// Whether a statement that is running, or a view or trigger that it may have used of the database `schema`
/// or of temp, says COLLATE anywhere.
[[nodiscard]] bool mentions_collate(sqlite3* db, const std::string& schema);

/// The collations that the connection has, without BINARY; nothing where an authorizer lets no one ask.
[[nodiscard]] std::optional<std::vector<std::string>> collations_of(sqlite3* db);

}  // namespace isovec::db
