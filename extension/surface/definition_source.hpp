#pragma once
// The definition of an isovec table from the CREATE statement that the schema holds, for functions that are
// given the table's name.

#include <isovec/buffer.hpp>
#include <string>

#include "db/api.hpp"
#include "storage/shape.hpp"

namespace isovec::surface {

/// The arguments in the text of a CREATE VIRTUAL TABLE statement, split as SQLite splits them.
[[nodiscard]] Buffer<std::string> arguments_of(const std::string& create);

/// Throws Error where there is no isovec table of this name in the schema.
[[nodiscard]] storage::TableShape find_definition(sqlite3* db, const std::string& schema,
                                                  const std::string& name);

}  // namespace isovec::surface
