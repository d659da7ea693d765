// A C++ program that makes every connection know isovec.
#include <isovec/isovec.h>
#include <sqlite3.h>

#include <iostream>
#include <isovec/error.hpp>
#include <isovec/version.hpp>
#include <stdexcept>
#include <string>

namespace {

std::string answer(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK ||
      sqlite3_step(statement) != SQLITE_ROW) {
    throw std::runtime_error(sqlite3_errmsg(db));
  }
  std::string text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  return text;
}

}  // namespace

int main() {
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(sqlite3_isovec_init));
  sqlite3* db = nullptr;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
  if (answer(db, "SELECT vec_version()") != "v" ISOVEC_VERSION) return 2;
  std::cout << answer(db, "SELECT vec_version()") << '\n'
            << answer(db, "SELECT vec_dot('[1, 2, 3]', '[4, 5, 6]')") << '\n';
  sqlite3_close(db);
}
