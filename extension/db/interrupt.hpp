#pragma once
// Whether the user has asked to stop, for long work that runs no SQL. sqlite3_is_interrupted() exists only
// since SQLite 3.41; but every version looks at the same flag at the start of any statement, so a statement
// that does nothing tells.

#include "db/statement.hpp"

namespace isovec::db {

class Interrupt {
 public:
  explicit Interrupt(sqlite3* db) : statement_(db, "SELECT 1") {}
  /// Throws what SQLite says (SQLITE_INTERRUPT) where sqlite3_interrupt() was called. Costs about a
  /// microsecond.
  void check() {
    const Run run(statement_);
    run->step();
  }

 private:
  Statement statement_;
};

}  // namespace isovec::db
