#include "db/boundary.hpp"

namespace isovec::db {

void report(sqlite3_context* context, const char* name, int result_code, const char* message) noexcept {
  if ((result_code & 0xFF) == SQLITE_NOMEM) {
    sqlite3_result_error_nomem(context);
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

void report(char** error_message, const char* prefix, const char* message) noexcept {
  if (error_message == nullptr) return;
  sqlite3_free(*error_message);
  *error_message = sqlite3_mprintf("%s%s", prefix, message);
}

}  // namespace isovec::db
