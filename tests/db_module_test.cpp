// Where xIntegrity lies for SQLite, whether the headers know it or not.

#include <cstddef>
#include <cstring>

#include "catch.hpp"
#include "db/module.hpp"

namespace {

// The tails of sqlite3_module in headers before and since 3.44.
struct Older {
  int iVersion;
  int (*xShadowName)(const char*);
};
struct Newer {
  int iVersion;
  int (*xShadowName)(const char*);
  int (*xIntegrity)(sqlite3_vtab*, const char*, const char*, int, char**);
};

int check(sqlite3_vtab*, const char*, const char*, int, char**) {
  return SQLITE_OK;
}

template <typename Declared>
isovec::db::IntegrityMethod read_as_newer() {
  isovec::db::ModuleOf<Declared> module{};
  module.set_integrity(check);
  static_assert(sizeof module == sizeof(Newer));
  isovec::db::IntegrityMethod method = nullptr;
  std::memcpy(&method, reinterpret_cast<const char*>(&module) + offsetof(Newer, xIntegrity), sizeof method);
  return method;
}

}  // namespace

TEST_CASE("a module has its integrity check where newer versions of SQLite look for it", "[db]") {
  CHECK(read_as_newer<Older>() == check);
  CHECK(read_as_newer<Newer>() == check);
  // Whatever the headers are, it stands behind xShadowName, which version 3 ends with.
  isovec::db::Module module{};
  module.set_integrity(check);
  isovec::db::IntegrityMethod method = nullptr;
  constexpr std::size_t kPlace = offsetof(sqlite3_module, xShadowName) + sizeof(sqlite3_module::xShadowName);
  std::memcpy(&method, reinterpret_cast<const char*>(&module) + kPlace, sizeof method);
  CHECK(method == check);
}
