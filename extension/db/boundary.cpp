#include "db/boundary.hpp"

namespace isovec::db {

void report(sqlite3_context* context, const char* name, int result_code, const char* message) noexcept {
  if ((result_code & 0xFF) == SQLITE_NOMEM) {
    sqlite3_result_error_nomem(context);
    return;
  }
  if ((result_code & 0xFF) == SQLITE_INTERRUPT) {  // hosts know an interrupt by SQLite's own text
    sqlite3_result_error_code(context, SQLITE_INTERRUPT);
    return;
  }
  char* text = sqlite3_mprintf("%s: %s", name, message);
  if (text == nullptr) {
    sqlite3_result_error_nomem(context);
    return;
  }
  sqlite3_result_error(context, text, -1);
  sqlite3_free(text);
  sqlite3_result_error_code(context, result_code);
}

int report(char** error_message, const char* prefix, int result_code, const char* message) noexcept {
  if (error_message == nullptr) return result_code;
  sqlite3_free(*error_message);
  const bool interrupted = (result_code & 0xFF) == SQLITE_INTERRUPT;  // SQLite has its own text for it
  *error_message = interrupted ? nullptr : sqlite3_mprintf("%s%s", prefix, message);
  return result_code;
}

}  // namespace isovec::db
