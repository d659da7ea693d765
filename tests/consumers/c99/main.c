/* A C99 program that links the static library, found by pkg-config alone. */
#include <isovec/isovec.h>
#include <sqlite3.h>
#include <stdio.h>

/* Runs a query of one row and one column, and prints it. */
static int print(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = NULL;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) {
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    return 1;
  }
  printf("%s\n", (const char*)sqlite3_column_text(statement, 0));
  return sqlite3_finalize(statement) != SQLITE_OK;
}

int main(void) {
  sqlite3* db = NULL;
  int failed = sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite3_isovec_init(db, NULL, NULL) != SQLITE_OK;
  failed = failed || print(db, "SELECT vec_version()") || print(db, "SELECT vec_dot('[1, 2, 3]', '[4, 5, 6]')");
  sqlite3_close(db);
  return failed;
}
