#include "db/failure.hpp"

#include <new>

namespace isovec::db {

void raise(sqlite3* db, int result_code) {
  if ((result_code & 0xFF) == SQLITE_NOMEM) throw std::bad_alloc();
  const bool current = db != nullptr && (sqlite3_errcode(db) & 0xFF) == (result_code & 0xFF);
  throw SqliteFailure(result_code, current ? sqlite3_errmsg(db) : sqlite3_errstr(result_code));
}

void raise_halfway(const SqliteFailure& failure) {
  switch (failure.result_code() & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_INTERRUPT:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw failure;
    default:
      throw SqliteFailure(SQLITE_FULL, std::string(failure.what()) +
                                           ": half of the change was written, so it was rolled back");
  }
}

int result_code_of(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return SQLITE_ERROR;
    case Code::mismatch:
      return SQLITE_MISMATCH;
    case Code::constraint:
      return SQLITE_CONSTRAINT_VTAB;
    case Code::too_big:
      return SQLITE_TOOBIG;
    case Code::corrupt:
      return SQLITE_CORRUPT_VTAB;
    case Code::interrupted:
      return SQLITE_INTERRUPT;
  }
  return SQLITE_ERROR;
}

}  // namespace isovec::db
