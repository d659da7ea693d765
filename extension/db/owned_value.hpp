#pragma once
// A copy of an SQL value that outlives the callback which received it.

#include <memory>
#include <new>

#include "db/value.hpp"

namespace isovec::db {

class OwnedValue {
 public:
  /// Throws std::bad_alloc.
  explicit OwnedValue(sqlite3_value* value) : value_(sqlite3_value_dup(value)) {
    if (value_ == nullptr) throw std::bad_alloc();
  }
  [[nodiscard]] sqlite3_value* handle() const noexcept { return value_.get(); }
  [[nodiscard]] Value view() const noexcept { return Value(value_.get()); }

 private:
  struct Free {
    void operator()(sqlite3_value* value) const noexcept { sqlite3_value_free(value); }
  };
  std::unique_ptr<sqlite3_value, Free> value_;
};

}  // namespace isovec::db
