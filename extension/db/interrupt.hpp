#pragma once
// Whether the user has asked to stop, for long work that runs no SQL. sqlite3_is_interrupted() exists only
// since SQLite 3.41; but every version looks at the same flag at the start of any statement, so a statement
// that does nothing tells.

#include <isovec/checkpoint.hpp>
#include <memory>

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

/// A checkpoint that does this; its statement is prepared when it is first asked, so short work costs
/// nothing.
[[nodiscard]] inline Checkpoint checkpoint_of(sqlite3* db) {
  return [db, interrupt = std::shared_ptr<Interrupt>()]() mutable {
    if (interrupt == nullptr) interrupt = std::make_shared<Interrupt>(db);
    interrupt->check();
  };
}
/// The same for the connection of an SQL function.
[[nodiscard]] inline Checkpoint checkpoint_of(sqlite3_context* context) {
  return checkpoint_of(sqlite3_context_db_handle(context));
}

}  // namespace isovec::db
