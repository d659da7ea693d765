#include "db/statement.hpp"

namespace isovec::db {

Statement::Statement(sqlite3* db, std::string_view sql, bool persistent) {
  sqlite3_stmt* statement = nullptr;
  const unsigned flags = persistent ? SQLITE_PREPARE_PERSISTENT : 0U;
  const int rc = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), flags, &statement, nullptr);
  statement_.reset(statement);
  check(db, rc);
}

Statement& Statement::bind(int index, std::int64_t value) {
  check(connection(), sqlite3_bind_int64(handle(), index, value));
  return *this;
}

Statement& Statement::bind(int index, double value) {
  check(connection(), sqlite3_bind_double(handle(), index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  check(connection(),
        sqlite3_bind_text64(handle(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, std::span<const std::byte> bytes) {
  static constexpr std::byte kEmpty{};
  const std::byte* data = bytes.empty() ? &kEmpty : bytes.data();
  check(connection(), sqlite3_bind_blob64(handle(), index, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(int index, sqlite3_value* value) {
  check(connection(), sqlite3_bind_value(handle(), index, value));
  return *this;
}

Statement& Statement::bind_null(int index) {
  check(connection(), sqlite3_bind_null(handle(), index));
  return *this;
}

Statement& Statement::bind_zero_blob(int index, std::size_t size) {
  check(connection(), sqlite3_bind_zeroblob64(handle(), index, size));
  return *this;
}

bool Statement::step() {
  const int rc = sqlite3_step(handle());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  sqlite3* db = connection();
  sqlite3_reset(handle());
  raise(db, rc);
}

// An authorizer that ignores an INSERT leaves a program that writes nothing, and says that it is done.
void Statement::run() {
  const Run scope(*this);
  while (step()) {
  }
  if (sqlite3_stmt_readonly(handle()) == 0) return;
  throw SqliteFailure(
      SQLITE_AUTH, "the connection's authorizer ignores a write to a shadow table: it must allow or deny it");
}

void Statement::reset() noexcept {
  if (!prepared()) return;
  sqlite3_reset(handle());
  sqlite3_clear_bindings(handle());
}

std::span<const std::byte> Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(handle(), column);
  const int size = sqlite3_column_bytes(handle(), column);
  if (data == nullptr && size > 0) throw std::bad_alloc();
  if (data == nullptr && sqlite3_errcode(connection()) == SQLITE_NOMEM) throw std::bad_alloc();
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle(), column));
  if (data == nullptr) {
    if (sqlite3_errcode(connection()) == SQLITE_NOMEM) throw std::bad_alloc();
    return {};
  }
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
}

void execute(sqlite3* db, const std::string& sql) {
  check(db, sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr));
}

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace isovec::db
