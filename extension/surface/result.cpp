#include "surface/result.hpp"

#include <isovec/error.hpp>
#include <string>

namespace isovec::surface {

void require_room(sqlite3* db, std::uint64_t bytes) {
  const auto limit = static_cast<std::uint64_t>(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
  if (bytes <= limit) return;
  throw Error(Code::too_big, "the result would take " + std::to_string(bytes) +
                                 " bytes, and this connection takes at most " + std::to_string(limit) +
                                 " (SQLITE_LIMIT_LENGTH)");
}

void require_room(sqlite3_context* context, std::uint64_t bytes) {
  require_room(sqlite3_context_db_handle(context), bytes);
}

void set_text(sqlite3_context* context, std::string_view text) {
  require_room(context, text.size());
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void set_json(sqlite3_context* context, std::string_view text) {
  constexpr unsigned kJsonSubtype = 'J';
  set_text(context, text);
  sqlite3_result_subtype(context, kJsonSubtype);
}

void set_blob(sqlite3_context* context, std::span<const std::byte> bytes) {
  require_room(context, bytes.size());
  sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

BlobResult::BlobResult(sqlite3_context* context, std::uint64_t bytes)
    : size_(static_cast<std::size_t>(bytes)) {
  require_room(context, bytes);
  memory_ = db::allocate_bytes(bytes);
}

void BlobResult::set(sqlite3_context* context) && noexcept {
  sqlite3_result_blob64(context, memory_.release(), size_, sqlite3_free);
}

}  // namespace isovec::surface
