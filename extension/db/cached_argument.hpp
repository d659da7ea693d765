#pragma once
// What a constant argument of an SQL function was decoded to, kept by SQLite for the rest of the statement.

#include <memory>

#include "db/api.hpp"

namespace isovec::db {

/// The object kept for argument `index`, or null. `T` must be the type that was kept there.
template <typename T>
const T* cached_argument(sqlite3_context* context, int index) noexcept {
  return static_cast<const T*>(sqlite3_get_auxdata(context, index));
}

/// Hands `object` to SQLite, which keeps it while argument `index` is a constant and otherwise destroys it at
/// once or later: so it may be gone when this returns. Read it back with cached_argument().
template <typename T>
void cache_argument(sqlite3_context* context, int index, std::unique_ptr<T> object) noexcept {
  sqlite3_set_auxdata(context, index, object.release(),
                      [](void* pointer) { delete static_cast<T*>(pointer); });
}

}  // namespace isovec::db
