#pragma once
// SQLite's memory as the source of what isovec holds beyond a few KB, so that sqlite3_memory_used() counts it
// and sqlite3_hard_heap_limit64() limits it.

#include <isovec/buffer.hpp>

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

}  // namespace isovec::db
