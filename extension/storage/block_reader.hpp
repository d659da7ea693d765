#pragma once
// Reads blocks of codes at the speed of the page cache.
//
// SQLite stores a BLOB of many pages as a chain of overflow pages. Since 3.46 it usually copies them straight
// from the file, one system call a page, even where all of them are in the page cache
// (SQLITE_DIRECT_OVERFLOW_READ). That is right for a BLOB that is read once, and three times slower for
// blocks that each search reads again. It does not do so for a read that begins where a page begins; so where
// the cache is large enough for the codes, they are read page by page. Where page boundaries lie follows from
// the file format (https://sqlite.org/fileformat2.html, 1.6); a wrong guess would cost time and nothing else.

#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "db/blob.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

class BlockReader {
 public:
  /// `blocks` is about how many the column has.
  BlockReader(Store& store, std::size_t column, std::size_t blocks);
  /// The block of a group, valid until the next call; groups ascend. Nothing where it is missing, or no BLOB.
  [[nodiscard]] std::optional<std::span<const std::byte>> read(std::int64_t group);
  /// The checksum that its block begins with.
  [[nodiscard]] std::optional<std::uint64_t> read_checksum(std::int64_t group);

 private:
  void choose_way();
  [[nodiscard]] bool cache_holds(std::size_t bytes);
  [[nodiscard]] std::int64_t pragma(const char* name);
  [[nodiscard]] bool open(std::int64_t id);
  void read_pages();

  Store& store_;
  std::size_t column_;
  std::size_t blocks_;
  db::Run scan_;
  std::optional<std::int64_t> last_scanned_;
  std::optional<std::size_t> page_bytes_;  // that are usable; 0 where blocks are read as a whole
  std::optional<db::Blob> blob_;
  Buffer<std::byte> bytes_;
};

}  // namespace isovec::storage
