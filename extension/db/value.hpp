#pragma once
// A view of one SQL value. Valid during the callback that received it, so never stored.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "db/failure.hpp"

namespace isovec::db {

class Value {
 public:
  Value(sqlite3_value* value) noexcept : value_(value) {}  // NOLINT: a view converts freely

  [[nodiscard]] sqlite3_value* handle() const noexcept { return value_; }
  [[nodiscard]] int type() const noexcept { return sqlite3_value_type(value_); }
  [[nodiscard]] bool is_null() const noexcept { return type() == SQLITE_NULL; }
  [[nodiscard]] bool is_blob() const noexcept { return type() == SQLITE_BLOB; }
  [[nodiscard]] bool is_text() const noexcept { return type() == SQLITE_TEXT; }
  [[nodiscard]] bool is_number() const noexcept { return type() == SQLITE_INTEGER || type() == SQLITE_FLOAT; }
  [[nodiscard]] unsigned subtype() const noexcept { return sqlite3_value_subtype(value_); }

  [[nodiscard]] std::int64_t integer() const noexcept { return sqlite3_value_int64(value_); }
  [[nodiscard]] double real() const noexcept { return sqlite3_value_double(value_); }
  /// The value as an integer where it is one: an INTEGER, or a REAL without a fraction that fits.
  [[nodiscard]] std::optional<std::int64_t> integral() const noexcept;

  /// The bytes of a BLOB. Throws std::bad_alloc where SQLite could not hand them out.
  [[nodiscard]] std::span<const std::byte> blob() const {
    const void* data = sqlite3_value_blob(value_);  // before the size: this call may convert the value
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value_));
    if (data == nullptr && (size > 0 || out_of_memory())) throw std::bad_alloc();
    return {static_cast<const std::byte*>(data), size};
  }
  /// The text as UTF-8. Throws std::bad_alloc where SQLite could not hand it out.
  [[nodiscard]] std::string_view text() const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(value_));
    if (data == nullptr) throw std::bad_alloc();
    return {data, static_cast<std::size_t>(sqlite3_value_bytes(value_))};
  }
  /// "NULL", "INTEGER", "REAL", "TEXT" or "BLOB", for messages.
  [[nodiscard]] const char* type_name() const noexcept;

 private:
  // A zeroblob() argument is expanded on reading; a failure there leaves a NULL pointer behind a BLOB's type.
  [[nodiscard]] bool out_of_memory() const noexcept { return sqlite3_value_type(value_) == SQLITE_NULL; }
  sqlite3_value* value_;
};

}  // namespace isovec::db
