#pragma once
// A database for a test: opened with isovec registered, closed with sqlite3_close() so that a statement left
// open is seen. SQL in, text out.

#include <isovec/isovec.h>
#include <sqlite3.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"

namespace isovec::test {

/// What SQLite said when a statement failed.
struct SqlError : std::runtime_error {
  SqlError(int code, const std::string& message) : std::runtime_error(message), result_code(code) {}
  int result_code;  ///< Extended.
};

/// A BLOB to bind; its bytes are copied.
struct Bytes {
  std::string bytes;
};

/// A vector of float, or of any number type, as the bytes of a BLOB.
template <typename T>
Bytes blob_of(const std::vector<T>& values) {
  Bytes blob;
  blob.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(blob.bytes.data(), values.data(), blob.bytes.size());
  return blob;
}

/// The elements of a BLOB.
template <typename T>
std::vector<T> elements_of(const std::string& bytes) {
  REQUIRE(bytes.size() % sizeof(T) == 0);
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class Connection {
 public:
  explicit Connection(const std::string& path = ":memory:") {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    db_ = db;
    sqlite3_extended_result_codes(db_, 1);
    char* message = nullptr;
    const int rc = sqlite3_isovec_init(db_, &message, nullptr);
    INFO((message != nullptr ? message : ""));
    REQUIRE(rc == SQLITE_OK);
  }
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] sqlite3* handle() const noexcept { return db_; }
  /// Closes now; every statement must be finalized.
  void close() {
    if (db_ != nullptr) CHECK(sqlite3_close(db_) == SQLITE_OK);
    db_ = nullptr;
  }

  /// All rows of one statement, each column as text (NULL as "NULL", a BLOB as its bytes).
  /// Arguments are bound in order: std::string, const char*, integers, double, Bytes, nullptr.
  template <typename... Args>
  std::vector<std::vector<std::string>> rows(const std::string& sql, const Args&... args) {
    const Statement statement = prepare(sql);
    int index = 0;
    (bind(statement.get(), ++index, args), ...);
    std::vector<std::vector<std::string>> result;
    int rc = SQLITE_ROW;
    while ((rc = sqlite3_step(statement.get())) == SQLITE_ROW) {
      std::vector<std::string> row;
      for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) row.push_back(text(statement.get(), i));
      result.push_back(std::move(row));
    }
    if (rc != SQLITE_DONE) throw SqlError(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_));
    return result;
  }
  /// The first column of the only row.
  template <typename... Args>
  std::string one(const std::string& sql, const Args&... args) {
    const auto all = rows(sql, args...);
    INFO(sql);
    REQUIRE(all.size() == 1);
    return all.front().front();
  }
  /// The only value as the double it is, unrounded by any text form; NaN for NULL.
  template <typename... Args>
  double number(const std::string& sql, const Args&... args) {
    const Statement statement = prepare(sql);
    int index = 0;
    (bind(statement.get(), ++index, args), ...);
    const int rc = sqlite3_step(statement.get());
    if (rc != SQLITE_ROW) throw SqlError(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_));
    if (sqlite3_column_type(statement.get(), 0) == SQLITE_NULL)
      return std::numeric_limits<double>::quiet_NaN();
    return sqlite3_column_double(statement.get(), 0);
  }
  /// Runs a script of several statements without results.
  void run(const std::string& script) {
    char* message = nullptr;
    const int rc = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, &message);
    const std::unique_ptr<char, decltype(&sqlite3_free)> owner(message, sqlite3_free);
    if (rc != SQLITE_OK) throw SqlError(sqlite3_extended_errcode(db_), message != nullptr ? message : "");
  }
  /// The message of the error that `sql` must give; "" and a failed check where it gives none.
  template <typename... Args>
  std::string error(const std::string& sql, const Args&... args) {
    try {
      rows(sql, args...);
    } catch (const SqlError& failure) {
      return failure.what();
    }
    INFO(sql);
    CHECK("no error" == sql);
    return "";
  }

 private:
  using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;
  Statement prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int rc = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
    if (rc != SQLITE_OK) throw SqlError(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_));
    return Statement(statement, sqlite3_finalize);
  }
  static void bind(sqlite3_stmt* statement, int index, std::nullptr_t) {
    sqlite3_bind_null(statement, index);
  }
  static void bind(sqlite3_stmt* statement, int index, double value) {
    sqlite3_bind_double(statement, index, value);
  }
  static void bind(sqlite3_stmt* statement, int index, sqlite3_int64 value) {
    sqlite3_bind_int64(statement, index, value);
  }
  static void bind(sqlite3_stmt* statement, int index, int value) {
    sqlite3_bind_int(statement, index, value);
  }
  static void bind(sqlite3_stmt* statement, int index, std::size_t value) {
    sqlite3_bind_int64(statement, index, static_cast<sqlite3_int64>(value));
  }
  static void bind(sqlite3_stmt* statement, int index, const std::string& text) {
    sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  static void bind(sqlite3_stmt* statement, int index, const char* text) {
    sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
  }
  static void bind(sqlite3_stmt* statement, int index, const Bytes& blob) {
    sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), SQLITE_TRANSIENT);
  }
  static std::string text(sqlite3_stmt* statement, int column) {
    const int type = sqlite3_column_type(statement, column);
    if (type == SQLITE_NULL) return "NULL";
    const void* data = type == SQLITE_BLOB ? sqlite3_column_blob(statement, column)
                                           : static_cast<const void*>(sqlite3_column_text(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
  }

  sqlite3* db_ = nullptr;
};

/// The extended result code of a script: that of the statement which fails, or SQLITE_OK.
inline int code_of(Connection& db, const std::string& script) {
  try {
    db.run(script);
  } catch (const SqlError& failure) {
    return failure.result_code;
  }
  return SQLITE_OK;
}

}  // namespace isovec::test
