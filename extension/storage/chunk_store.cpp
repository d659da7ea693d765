#include "storage/chunk_store.hpp"

#include <algorithm>
#include <string>

#include "storage/checksum.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kChunkBytes = 65'536;
constexpr std::size_t kGrowthBytes = 4'096;
constexpr std::size_t kHeader = 8;

Buffer<std::byte> slot_of(const ChunkGeometry& geometry, std::int64_t slot, std::int64_t rowid,
                          std::span<const std::byte> vector) {
  Buffer<std::byte> bytes(geometry.slot_bytes);
  store(bytes.data(), geometry.checksum_of(vector, slot, rowid));
  std::copy(vector.begin(), vector.end(), bytes.begin() + kHeader);
  return bytes;
}

// The chunk, open; nothing where there is none or it is no BLOB.
std::optional<db::Blob> open_chunk(sqlite3* db, const TableShape& shape, std::int64_t id, db::Access access) {
  return db::Blob::find(db, shape.schema.c_str(), shadow_name(shape, "chunks").c_str(), "data", id, access);
}

// The size of a chunk's BLOB, nothing where there is no such chunk.
std::optional<std::size_t> chunk_size(Statements& statements, const ChunkGeometry& geometry,
                                      std::int64_t chunk) {
  const db::Run run(statements[Sql::chunk_shape]);
  run->bind(1, geometry.id_of(chunk));
  if (!run->step()) return std::nullopt;
  if (run->text(0) != "blob") geometry.refuse(chunk, "is no BLOB");
  return static_cast<std::size_t>(run->integer(1));
}

Buffer<std::byte> whole_chunk(Statements& statements, const ChunkGeometry& geometry, std::int64_t chunk) {
  const db::Run run(statements[Sql::read_chunk]);
  run->bind(1, geometry.id_of(chunk));
  if (!run->step()) geometry.refuse(chunk, "is missing");
  const std::span<const std::byte> bytes = run->blob(0);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

ChunkGeometry::ChunkGeometry(const TableShape& shape, std::size_t vector_column)
    : column(vector_column),
      vector_bytes(shape.vectors[vector_column].bytes()),
      slot_bytes(vector_bytes + kHeader),
      capacity(std::max<std::size_t>(1, kChunkBytes / slot_bytes)),
      growth(std::max<std::size_t>(1, kGrowthBytes / slot_bytes)) {}

std::uint64_t ChunkGeometry::checksum_of(std::span<const std::byte> vector, std::int64_t slot,
                                         std::int64_t rowid) const noexcept {
  // Each of the three takes part under an odd multiplier of its own, so that vectors that change places are
  // seen.
  const std::uint64_t seed = static_cast<std::uint64_t>(column) * 0x9E3779B97F4A7C15U ^
                             static_cast<std::uint64_t>(slot) * 0xC2B2AE3D27D4EB4FU ^
                             static_cast<std::uint64_t>(rowid) * 0x165667B19E3779F9U;
  return checksum(vector, seed);
}

void ChunkGeometry::refuse(std::int64_t chunk, const char* what) const {
  throw Error(Code::corrupt,
              "chunk " + std::to_string(chunk) + " of vector column " + std::to_string(column) + " " + what);
}

bool ChunkGeometry::holds_vector(std::span<const std::byte> read, std::int64_t slot,
                                 std::int64_t rowid) const {
  const std::uint64_t stored = load_u64(read.data());
  const std::span<const std::byte> vector = read.subspan(kHeader);
  if (stored == checksum_of(vector, slot, rowid)) return true;
  if (stored == checksum_of({}, slot, rowid) && all_zero(vector)) return false;
  throw Error(Code::corrupt, "the vector of row " + std::to_string(rowid) + " in slot " +
                                 std::to_string(slot) + " of vector column " + std::to_string(column) +
                                 " is damaged");
}

std::size_t ChunkGeometry::slots_in(std::size_t blob_bytes, std::int64_t chunk) const {
  const std::size_t slots = blob_bytes / slot_bytes;
  const bool fits = blob_bytes % slot_bytes == 0 && slots > 0 && slots <= capacity;
  if (!fits || (chunk > 0 && slots != capacity)) refuse(chunk, "has an impossible size");
  return slots;
}

std::size_t ChunkGeometry::slots_of(std::int64_t chunk, std::int64_t used) const noexcept {
  if (chunk > 0) return capacity;
  const auto needed = std::min(capacity, static_cast<std::size_t>(used));
  return std::min(capacity, (needed + growth - 1) / growth * growth);
}

VectorEdit VectorEdit::put(Statements& statements, const TableShape& shape, const ChunkGeometry& geometry,
                           std::int64_t slot, std::int64_t rowid, std::span<const std::byte> vector) {
  VectorEdit edit;
  const std::int64_t chunk = geometry.chunk_of(slot);
  const std::size_t place = geometry.place_of(slot);
  edit.chunk_id_ = geometry.id_of(chunk);
  edit.offset_ = place * geometry.slot_bytes;
  edit.bytes_ = slot_of(geometry, slot, rowid, vector);

  const std::optional<std::size_t> size = chunk_size(statements, geometry, chunk);
  const std::size_t slots = size ? geometry.slots_in(*size, chunk) : 0;
  if (place < slots) {
    edit.blob_ = open_chunk(statements.connection(), shape, edit.chunk_id_, db::Access::write);
    if (!edit.blob_) geometry.refuse(chunk, "cannot be opened");
    Buffer<std::byte> there(geometry.slot_bytes);
    edit.blob_->read(there, edit.offset_);
    if (!all_zero(there)) geometry.refuse(chunk, "is not clear where a new vector should go");
    return edit;
  }
  if (place != slots) geometry.refuse(chunk, "is shorter than the slots that are used");
  Buffer<std::byte> whole = size ? whole_chunk(statements, geometry, chunk) : Buffer<std::byte>();
  whole.resize(geometry.slots_of(chunk, slot + 1) * geometry.slot_bytes);
  std::copy(edit.bytes_.begin(), edit.bytes_.end(),
            whole.begin() + static_cast<std::ptrdiff_t>(edit.offset_));
  edit.bytes_ = std::move(whole);
  return edit;
}

VectorEdit VectorEdit::replace(Statements& statements, const TableShape& shape, const ChunkGeometry& geometry,
                               std::int64_t slot, std::int64_t old_rowid, std::int64_t rowid,
                               std::optional<std::span<const std::byte>> vector) {
  VectorEdit edit = erase(statements, shape, geometry, slot, old_rowid);
  Buffer<std::byte> there(geometry.slot_bytes);
  edit.blob_->read(there, edit.offset_);
  std::span<const std::byte> kept;
  if (!edit.was_null_) kept = std::span<const std::byte>(there).subspan(kHeader);
  edit.bytes_ = slot_of(geometry, slot, rowid, vector.value_or(kept));
  return edit;
}

VectorEdit VectorEdit::erase(Statements& statements, const TableShape& shape, const ChunkGeometry& geometry,
                             std::int64_t slot, std::int64_t rowid) {
  VectorEdit edit;
  const std::int64_t chunk = geometry.chunk_of(slot);
  const std::size_t place = geometry.place_of(slot);
  edit.chunk_id_ = geometry.id_of(chunk);
  edit.offset_ = place * geometry.slot_bytes;
  edit.blob_ = open_chunk(statements.connection(), shape, edit.chunk_id_, db::Access::write);
  if (!edit.blob_) geometry.refuse(chunk, "is missing or no BLOB");
  if (place >= geometry.slots_in(edit.blob_->size(), chunk)) {
    geometry.refuse(chunk, "is shorter than the slots that are used");
  }
  edit.bytes_.resize(geometry.slot_bytes);
  edit.blob_->read(edit.bytes_, edit.offset_);
  edit.was_null_ = !geometry.holds_vector(edit.bytes_, slot, rowid);
  std::fill(edit.bytes_.begin(), edit.bytes_.end(), std::byte{0});
  return edit;
}

void VectorEdit::write(Statements& statements) {
  if (blob_) {
    blob_->write(bytes_, offset_);
    blob_.reset();
  } else {
    statements[Sql::write_chunk].bind(1, chunk_id_).bind(2, std::span<const std::byte>(bytes_)).run();
  }
}

std::span<const std::byte> VectorReader::read_slot(std::int64_t slot, std::int64_t rowid) {
  const std::int64_t chunk = geometry_.chunk_of(slot);
  const std::size_t place = geometry_.place_of(slot);
  if (!blob_ || !blob_->try_reopen(geometry_.id_of(chunk))) {
    blob_.reset();
    blob_ = open_chunk(db_, shape_, geometry_.id_of(chunk), db::Access::read);
    if (!blob_) geometry_.refuse(chunk, "is missing or no BLOB");
  }
  if (slot < 0 || place >= geometry_.slots_in(blob_->size(), chunk)) {
    geometry_.refuse(chunk, "is shorter than the slots that are used");
  }
  bytes_.resize(geometry_.slot_bytes);
  blob_->read(bytes_, place * geometry_.slot_bytes);
  if (!geometry_.holds_vector(bytes_, slot, rowid)) return {};
  return bytes_;
}

}  // namespace isovec::storage
