#pragma once
// sqlite3_module as SQLite 3.44 and later reads it (version 4), whatever headers this is compiled with. Those
// of older versions end before xIntegrity, which then has to come right behind what they declare; those of
// newer ones have it.

#include "db/api.hpp"

namespace isovec::db {

using IntegrityMethod = int (*)(sqlite3_vtab*, const char* schema, const char* table, int flags,
                                char** message);

template <typename Declared>
struct ModuleOf {
  Declared declared;
  IntegrityMethod integrity;
  void set_integrity(IntegrityMethod method) noexcept { integrity = method; }
};

template <typename Declared>
requires requires(Declared declared) {
  declared.xIntegrity;
}
struct ModuleOf<Declared> {
  Declared declared;
  void set_integrity(IntegrityMethod method) noexcept { declared.xIntegrity = method; }
};

/// `declared` is what SQLite is given.
using Module = ModuleOf<sqlite3_module>;

}  // namespace isovec::db
