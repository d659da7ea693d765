#pragma once
// Texts and BLOBs that functions give back. What may be large is compared with the connection's limit before
// it is made.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "db/memory.hpp"

namespace isovec::surface {

/// Throws Error{too_big} where a text or BLOB of so many bytes is beyond what the connection lets a value
/// have (SQLITE_LIMIT_LENGTH). Call it before the memory for a result is taken.
void require_room(sqlite3_context* context, std::uint64_t bytes);
/// The same for what a table-valued function reads into memory.
void require_room(sqlite3* db, std::uint64_t bytes);

/// Makes `text` the function's result. Throws as require_room.
void set_text(sqlite3_context* context, std::string_view text);
/// The same with the subtype of JSON: the function needs db::kResultSubtype.
void set_json(sqlite3_context* context, std::string_view text);
/// Makes a copy of `bytes` the function's result. Throws as require_room.
void set_blob(sqlite3_context* context, std::span<const std::byte> bytes);

/// A BLOB that is written where SQLite will keep it: for large ones, which are not copied.
class BlobResult {
 public:
  /// Uninitialised room at a multiple of 8. Throws as require_room, and std::bad_alloc.
  BlobResult(sqlite3_context* context, std::uint64_t bytes);
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {memory_.get(), size_}; }
  /// Makes it the function's result.
  void set(sqlite3_context* context) && noexcept;

 private:
  std::size_t size_;
  db::SqliteBytes memory_;
};

}  // namespace isovec::surface
