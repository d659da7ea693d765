#pragma once
// Whether the user has asked to stop, for long work that runs no SQL. sqlite3_is_interrupted() exists only
// since SQLite 3.41; but every version looks at the same flag at the start of any statement, so a statement
// that does nothing tells. A progress handler is called by the steps that statements take: so that one which
// waits for many of them is heard, too, heavy work takes more of them.

#include <algorithm>
#include <isovec/checkpoint.hpp>
#include <memory>

#include "db/statement.hpp"

namespace isovec::db {

class Interrupt {
 public:
  explicit Interrupt(sqlite3* db) noexcept : db_(db) {}
  /// Throws what SQLite says (SQLITE_INTERRUPT) where sqlite3_interrupt() was called or a progress handler
  /// wants to stop. Costs a fifth of a microsecond, and as much again for every so many of the
  /// multiplications of `work` since the last call.
  void check(std::size_t work = 0) {
    if (!statement_.prepared()) statement_ = Statement(db_, "SELECT 1");
    for (std::size_t left = std::min(work / kWorkOfRun, kMostRuns) + 1; left > 0; --left) {
      const Run run(statement_);
      run->step();
    }
  }
  /// Checks at every sixteenth call, for loops whose turns take microseconds.
  void poll() {
    if (++turns_ % 16 == 0) check();
  }

 private:
  // A run takes four steps, and so many multiplications some eight microseconds: it is one step for two
  // microseconds, where SQL would take twenty and more.
  static constexpr std::size_t kWorkOfRun = 16'384;
  static constexpr std::size_t kMostRuns = 10'000;

  sqlite3* db_;
  unsigned turns_ = 0;
  Statement statement_;
};

/// A checkpoint that does this, for so much work between two of its calls; its statement is prepared when it
/// is first asked, so short work costs nothing.
[[nodiscard]] inline Checkpoint checkpoint_of(sqlite3* db, std::size_t work = 0) {
  return [db, work, interrupt = std::shared_ptr<Interrupt>()]() mutable {
    if (interrupt == nullptr) interrupt = std::make_shared<Interrupt>(db);
    interrupt->check(work);
  };
}
/// The same for the connection of an SQL function.
[[nodiscard]] inline Checkpoint checkpoint_of(sqlite3_context* context) {
  return checkpoint_of(sqlite3_context_db_handle(context));
}

}  // namespace isovec::db
