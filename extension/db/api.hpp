#pragma once
// SQLite's interface, for both products: the static library calls the functions by name (SQLITE_CORE), the
// loadable module calls them through the table that SQLite hands to its entry point.
// Whatever is newer than SQLite 3.38 is called only after a look at runtime_version().

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

namespace isovec::db {

/// The version of the SQLite that runs, which may be older or newer than the headers, e.g. 3040001.
inline int runtime_version() noexcept {
  return sqlite3_libversion_number();
}

/// Since 3.45 a function that sets a subtype must say so; older versions ignore the bit.
inline constexpr int kResultSubtype = 0x001000000;

}  // namespace isovec::db
