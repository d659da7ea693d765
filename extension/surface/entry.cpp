// The entry point that SQLite, or a program that links isovec, calls for a connection.

#include <isovec/isovec.h>

#include "db/memory.hpp"
#include "surface/function.hpp"
#include "surface/vector_table.hpp"

#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT1
#endif

namespace {

constexpr int kOldestSqlite = 3038000;  // the first with sqlite3_vtab_in() and sqlite3_vtab_rhs_value()

}  // namespace

extern "C" int sqlite3_isovec_init(sqlite3* db, char** error_message, const sqlite3_api_routines* api) {
  SQLITE_EXTENSION_INIT2(api);
  static_cast<void>(api);
  return isovec::db::guard(error_message, "isovec: ", [&] {
    if (isovec::db::runtime_version() < kOldestSqlite) {
      throw isovec::Error(isovec::Code::invalid_argument,
                          std::string("needs SQLite 3.38 or newer, and this is ") + sqlite3_libversion());
    }
    isovec::db::use_sqlite_memory();
    isovec::surface::register_functions(db);
    isovec::surface::register_vector_table(db);
    return SQLITE_OK;
  });
}
