// How long work without SQL is stopped.

#include "connection.hpp"
#include "db/interrupt.hpp"
#include "db/pragma.hpp"

namespace {

using isovec::db::Interrupt;
using isovec::db::SqliteFailure;
using isovec::test::Connection;

int count_call(void* calls) {
  ++*static_cast<int*>(calls);
  return 0;
}

}  // namespace

TEST_CASE("a progress handler that waits for a thousand steps hears of work without SQL", "[db][interrupt]") {
  Connection db;
  int calls = 0;
  sqlite3_progress_handler(db.handle(), 1'000, count_call, &calls);
  Interrupt interrupt(db.handle());
  interrupt.check(256 * 256 * 256);  // some ten milliseconds
  CHECK(calls >= 1);
  calls = 0;
  for (int turn = 0; turn < 16 * 250; ++turn) interrupt.poll();
  CHECK(calls >= 1);
  const auto stop = [](void*) { return 1; };
  sqlite3_progress_handler(db.handle(), 1, stop, nullptr);
  CHECK_THROWS_AS(interrupt.check(), SqliteFailure);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  interrupt.check(std::numeric_limits<std::size_t>::max());  // takes no longer than some milliseconds
}

TEST_CASE("a check hears of sqlite3_interrupt() while a statement runs", "[db][interrupt]") {
  Connection db;
  sqlite3_stmt* running = nullptr;
  REQUIRE(sqlite3_prepare_v2(db.handle(), "VALUES (1), (2)", -1, &running, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(running) == SQLITE_ROW);
  Interrupt interrupt(db.handle());
  interrupt.check();
  sqlite3_interrupt(db.handle());
  int code = SQLITE_OK;
  try {
    interrupt.check();
  } catch (const SqliteFailure& failure) {
    code = failure.result_code();
  }
  CHECK(code == SQLITE_INTERRUPT);
  sqlite3_finalize(running);
}

TEST_CASE("a PRAGMA that the authorizer hides has no value", "[db]") {
  Connection db;
  db.run("CREATE TABLE x(y)");
  const auto size = [&] { return isovec::db::read_pragma(db.handle(), "main", "page_count"); };
  CHECK(size() == 2);
  const auto hide = [](void* answer, int action, const char*, const char*, const char*, const char*) {
    return action == SQLITE_PRAGMA ? *static_cast<int*>(answer) : SQLITE_OK;
  };
  for (int answer : {SQLITE_DENY, SQLITE_IGNORE}) {
    sqlite3_set_authorizer(db.handle(), hide, &answer);
    CHECK_FALSE(size());
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  }
}
