#pragma once
// One snapshot of a database for several statements, where no transaction may be open: a function that is
// called without a table runs in none, and another connection may commit between two of its statements.

#include "db/statement.hpp"

namespace isovec::db {

class ReadTransaction {
 public:
  /// Begins to read `schema`; ends with the object.
  ReadTransaction(sqlite3* db, const std::string& schema)
      : statement_(db, "SELECT 1 FROM " + quoted(schema) + ".sqlite_schema") {
    statement_.step();  // a statement that stands at a row keeps its snapshot
  }

 private:
  Statement statement_;
};

}  // namespace isovec::db
