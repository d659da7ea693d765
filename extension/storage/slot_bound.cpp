#include "storage/slot_bound.hpp"

#include "db/pragma.hpp"
#include "storage/chunk_store.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// The slots in the chunks of the first column that lie one after the other. This takes a step for each chunk;
// so that a table which grows does not pay for it again and again, twice as many are allowed.
std::int64_t slots_in_chunks(sqlite3* db, const TableShape& shape) {
  const ChunkGeometry geometry(shape, 0);
  db::Statement chunks(
      db, "SELECT id FROM " + shadow(shape, "chunks") + " WHERE id >= ?1 AND id < ?2 ORDER BY id");
  chunks.bind(1, geometry.id_of(0)).bind(2, geometry.id_of(kColumnStride));
  std::int64_t count = 0;
  while (chunks.step() && chunks.integer(0) == geometry.id_of(count)) ++count;
  return 2 * geometry.first_slot(count);
}

}  // namespace

std::int64_t SlotBound::measure(sqlite3* db) const {
  const auto pages = db::read_pragma(db, shape_.schema, "page_count");
  const auto page_bytes = db::read_pragma(db, shape_.schema, "page_size");
  if (!pages || !page_bytes) return slots_in_chunks(db, shape_);
  auto bytes = static_cast<std::int64_t>(sizeof(std::int64_t));
  for (std::size_t c = 0; c < shape_.vectors.size(); ++c) {
    bytes += static_cast<std::int64_t>(ChunkGeometry(shape_, c).slot_bytes);
  }
  return *pages * *page_bytes / bytes;
}

bool SlotBound::allows(sqlite3* db, std::int64_t slots) {
  if (slots <= known_) return true;
  known_ = measure(db);
  return slots <= known_;
}

}  // namespace isovec::storage
