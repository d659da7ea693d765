#pragma once
// SQLite's memory as the source of what isovec holds beyond a few KB, so that sqlite3_memory_used() counts it
// and sqlite3_hard_heap_limit64() limits it.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <memory>
#include <new>

#include "db/api.hpp"

namespace isovec::db {

/// Large blocks are SQLite's from now on.
inline void use_sqlite_memory() noexcept {
  static constexpr MemorySource source{
      [](std::size_t bytes) noexcept { return sqlite3_malloc64(bytes); },
      [](void* block) noexcept { sqlite3_free(block); },
  };
  set_memory_source(source);
}

struct SqliteFree {
  void operator()(std::byte* bytes) const noexcept { sqlite3_free(bytes); }
};
/// Bytes of SQLite's memory, at a multiple of 8.
using SqliteBytes = std::unique_ptr<std::byte, SqliteFree>;

/// Uninitialised; null where there is no memory.
[[nodiscard]] inline SqliteBytes try_allocate_bytes(std::uint64_t count) noexcept {
  return SqliteBytes(static_cast<std::byte*>(sqlite3_malloc64(count)));
}
/// The same, and throws std::bad_alloc there.
[[nodiscard]] inline SqliteBytes allocate_bytes(std::uint64_t count) {
  SqliteBytes bytes = try_allocate_bytes(count);
  if (!bytes) throw std::bad_alloc();
  return bytes;
}

}  // namespace isovec::db
