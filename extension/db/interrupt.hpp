#pragma once
// Whether the user has asked to stop, for long work that runs no SQL. sqlite3_is_interrupted() exists only
// since SQLite 3.41; but every version looks at the same flag at the start of any statement, so a statement
// that does nothing tells. A progress handler is called by the steps that statements take: so that one which
// waits for many of them is heard, too, about as many are taken as the work in between would have been in SQL.

#include <algorithm>
#include <chrono>
#include <isovec/checkpoint.hpp>
#include <memory>
#include <string>

#include "db/statement.hpp"

namespace isovec::db {

class Interrupt {
 public:
  /// Work begins now.
  explicit Interrupt(sqlite3* db) noexcept : db_(db), last_(Clock::now()) {}
  /// Throws what SQLite says (SQLITE_INTERRUPT) where sqlite3_interrupt() was called or a progress handler
  /// wants to stop. Costs a microsecond, and a hundredth of the time since the last call.
  void check() {
    if (!statement_.prepared()) statement_ = Statement(db_, text(db_));
    const std::chrono::duration<double, std::micro> worked = Clock::now() - last_;
    const double steps = std::min(worked.count() * kStepsPerMicrosecond, kMostSteps);
    for (double taken = 0; taken <= steps; taken += kSteps) {
      const Run run(statement_);
      run->step();
    }
    last_ = Clock::now();
  }
  /// The same once a millisecond, for loops whose turns are short.
  void poll() {
    if (Clock::now() - last_ >= std::chrono::milliseconds(1)) check();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kSteps = 100;  // of one run, at least
  static constexpr double kStepsPerMicrosecond = 1;
  static constexpr double kMostSteps = 100'000;

  static std::string text(sqlite3* db) {
    std::string sql = "SELECT 1";
    for (int column = std::min(kSteps, sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1)); column > 1; --column)
      sql += ",1";
    return sql;
  }

  sqlite3* db_;
  Clock::time_point last_;
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
