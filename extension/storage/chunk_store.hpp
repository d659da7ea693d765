#pragma once
// The vectors as they were given, in chunks of at most 64 KB (a vector above that has a chunk of its own). A
// row of t_chunks is one chunk of one column: id = column * 2^40 + chunk, chunk = slot / capacity. Its BLOB
// is a list of slots, the first for slot chunk * capacity:
//
//   byte 0  u64    checksum of the vector, under column, slot and row
//        8  bytes  the vector: little-endian elements
//
// A free slot is all zeros. Where the vector of a row is NULL the checksum is that of no bytes, with zeros
// behind it; in memory an empty vector is NULL. A chunk has room for all its slots from the start, except
// chunk 0, which grows 4 KB at a time, so that a small table stays small.

#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "db/blob.hpp"
#include "storage/norm_store.hpp"
#include "storage/statements.hpp"

namespace isovec::storage {

/// Whether bytes are those of free slots.
[[nodiscard]] bool all_zero(std::span<const std::byte> bytes) noexcept;

/// How the vectors of one column lie in their chunks.
struct ChunkGeometry {
  ChunkGeometry(const TableShape& shape, std::size_t vector_column);
  std::size_t column;
  std::size_t vector_bytes;
  std::size_t slot_bytes;  ///< vector_bytes + 8
  std::size_t capacity;    ///< slots in a chunk
  std::size_t growth;      ///< slots by which chunk 0 grows

  [[nodiscard]] std::int64_t chunk_of(std::int64_t slot) const noexcept {
    return slot / static_cast<std::int64_t>(capacity);
  }
  [[nodiscard]] std::size_t place_of(std::int64_t slot) const noexcept {
    return static_cast<std::size_t>(slot % static_cast<std::int64_t>(capacity));
  }
  [[nodiscard]] std::int64_t first_slot(std::int64_t chunk) const noexcept {
    return chunk * static_cast<std::int64_t>(capacity);
  }
  [[nodiscard]] std::int64_t id_of(std::int64_t chunk) const noexcept {
    return static_cast<std::int64_t>(column) * kColumnStride + chunk;
  }
  /// What stands before a vector.
  [[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> vector, std::int64_t slot,
                                          std::int64_t rowid) const noexcept;
  /// Whether the bytes of a slot hold a vector of the row; false where it is NULL. Throws Error{corrupt}
  /// where they are neither.
  [[nodiscard]] bool holds_vector(std::span<const std::byte> slot_bytes_read, std::int64_t slot,
                                  std::int64_t rowid) const;
  /// Slots in a chunk's BLOB. Throws Error{corrupt} where its size is impossible.
  [[nodiscard]] std::size_t slots_in(std::size_t blob_bytes, std::int64_t chunk) const;
  /// Slots that a chunk has room for in a table of `used` slots.
  [[nodiscard]] std::size_t slots_of(std::int64_t chunk, std::int64_t used) const noexcept;
  [[noreturn]] void refuse(std::int64_t chunk, const char* what) const;
};

/// A change to one slot of one column, prepared: everything that can fail for a reason of its own has been
/// done.
class VectorEdit {
 public:
  /// Puts a vector into a free slot of `slots` used so far. Throws Error{corrupt} where the slot is not free.
  [[nodiscard]] static VectorEdit put(Statements& statements, const TableShape& shape,
                                      const ChunkGeometry& geometry, std::int64_t slot, std::int64_t rowid,
                                      std::span<const std::byte> vector);
  /// Replaces the vector of a row, which is moved from `old_rowid` to `rowid`; none keeps the old one.
  [[nodiscard]] static VectorEdit replace(Statements& statements, const TableShape& shape,
                                          const ChunkGeometry& geometry, std::int64_t slot,
                                          std::int64_t old_rowid, std::int64_t rowid,
                                          std::optional<std::span<const std::byte>> vector);
  /// Frees the slot of a row.
  [[nodiscard]] static VectorEdit erase(Statements& statements, const TableShape& shape,
                                        const ChunkGeometry& geometry, std::int64_t slot, std::int64_t rowid);
  /// Whether the vector that is replaced or erased is NULL.
  [[nodiscard]] bool was_null() const noexcept { return was_null_; }
  void write(Statements& statements);

 private:
  std::int64_t chunk_id_ = 0;
  std::optional<db::Blob> blob_;  // the chunk, open for writing; nothing where it is written as a whole
  std::size_t offset_ = 0;
  bool was_null_ = false;
  Buffer<std::byte> bytes_;  // of the slot, or of the whole chunk
};

/// Reads vectors one by one and checks each. Holds a BLOB open between reads: give it up between statements.
class VectorReader {
 public:
  VectorReader(sqlite3* db, const TableShape& shape, std::size_t vector_column)
      : db_(db), shape_(shape), geometry_(shape, vector_column) {}
  /// The vector of a row, empty where it is NULL; valid until the next read.
  [[nodiscard]] std::span<const std::byte> read(std::int64_t slot, std::int64_t rowid) {
    const std::span<const std::byte> bytes = read_slot(slot, rowid);
    return bytes.empty() ? bytes : bytes.subspan(sizeof(std::uint64_t));
  }
  /// The same behind its checksum; empty where it is NULL.
  [[nodiscard]] std::span<const std::byte> read_slot(std::int64_t slot, std::int64_t rowid);
  void close() noexcept { blob_.reset(); }

 private:
  sqlite3* db_;
  const TableShape& shape_;
  ChunkGeometry geometry_;
  std::optional<db::Blob> blob_;
  Buffer<std::byte> bytes_;
};

}  // namespace isovec::storage
