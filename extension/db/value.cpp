#include "db/value.hpp"

#include <cmath>

namespace isovec::db {

std::optional<std::int64_t> Value::integral() const noexcept {
  if (type() == SQLITE_INTEGER) return integer();
  if (type() != SQLITE_FLOAT) return std::nullopt;
  const double value = real();
  const bool fits = value >= -0x1p63 && value < 0x1p63 && std::trunc(value) == value;
  return fits ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;
}

const char* Value::type_name() const noexcept {
  switch (type()) {
    case SQLITE_INTEGER:
      return "INTEGER";
    case SQLITE_FLOAT:
      return "REAL";
    case SQLITE_TEXT:
      return "TEXT";
    case SQLITE_BLOB:
      return "BLOB";
    default:
      return "NULL";
  }
}

}  // namespace isovec::db
