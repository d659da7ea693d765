#include "storage/block_reader.hpp"

#include <algorithm>
#include <array>

#include "db/pragma.hpp"
#include "storage/checksum.hpp"
#include "storage/code_groups.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// Bytes before the BLOB in a row (id, data) of a table with an INTEGER PRIMARY KEY: the sizes of header, id
// and data as variable-length integers.
std::size_t header_bytes(std::size_t blob_bytes) noexcept {
  std::size_t size = 1;
  for (std::size_t type = (2 * blob_bytes + 12) >> 7; type != 0; type >>= 7) ++size;
  return 2 + size;
}

// How many bytes of a row stand on the page of the table's tree, before the first overflow page.
std::size_t local_bytes(std::size_t row_bytes, std::size_t usable) noexcept {
  const std::size_t most = usable - 35;
  if (row_bytes <= most) return row_bytes;
  const std::size_t least = (usable - 12) * 32 / 255 - 23;
  const std::size_t wanted = least + (row_bytes - least) % (usable - 4);
  return wanted <= most ? wanted : least;
}

}  // namespace

BlockReader::BlockReader(Store& store, std::size_t column, std::size_t blocks)
    : store_(store), column_(column), blocks_(blocks), scan_(store.statements()[Sql::scan_codes]) {}

void BlockReader::choose_way() {
  page_bytes_ = 0;
  const std::size_t d = store_.shape().vectors[column_].dimension;
  const std::size_t bytes = blocks_ * static_cast<std::size_t>(kGroupSlots) * (d + 16);
  if (sqlite3_compileoption_used("DIRECT_OVERFLOW_READ") == 0 || !cache_holds(bytes)) return;
  const std::int64_t page = pragma("page_size");
  int reserved = -1;
  sqlite3_file_control(store_.connection(), store_.shape().schema.c_str(), SQLITE_FCNTL_RESERVE_BYTES,
                       &reserved);
  constexpr std::int64_t kSmallestUsable = 480;
  const std::int64_t usable = page - std::max(0, reserved);
  if (usable >= kSmallestUsable) page_bytes_ = static_cast<std::size_t>(usable);
}

// 0 where the host lets no one ask: then blocks are read as a whole, which is slower at most.
std::int64_t BlockReader::pragma(const char* name) {
  return db::read_pragma(store_.connection(), store_.shape().schema, name).value_or(0);
}

// Of a file that is mapped into memory nothing has to be cached.
bool BlockReader::cache_holds(std::size_t bytes) {
  if (pragma("mmap_size") > 0) return false;
  const std::int64_t size = pragma("cache_size");  // in pages, or negative in KiB
  const std::int64_t cache = size < 0 ? -1'024 * size : size * pragma("page_size");
  return cache > 0 && static_cast<std::size_t>(cache) / 5 * 4 > bytes;
}

bool BlockReader::open(std::int64_t id) {
  if (blob_ && blob_->try_reopen(id)) return true;
  blob_.reset();
  const TableShape& shape = store_.shape();
  blob_ = db::Blob::find(store_.connection(), shape.schema.c_str(), shadow_name(shape, "codes").c_str(),
                         "data", id, db::Access::read);
  return blob_.has_value();
}

void BlockReader::read_pages() {
  bytes_.resize(blob_->size());
  const std::size_t header = header_bytes(bytes_.size());
  const std::size_t local = local_bytes(header + bytes_.size(), *page_bytes_);
  std::size_t end = std::min(bytes_.size(), local - header);
  for (std::size_t begin = 0; begin < bytes_.size();) {
    blob_->read(std::span(bytes_).subspan(begin, end - begin), begin);
    begin = end;
    end = std::min(bytes_.size(), begin + *page_bytes_ - 4);
  }
}

std::optional<std::span<const std::byte>> BlockReader::read(std::int64_t group) {
  const std::int64_t id = block_id(column_, group);
  if (!page_bytes_) choose_way();
  if (*page_bytes_ > 0) {
    if (!open(id)) return std::nullopt;
    read_pages();
    return bytes_;
  }
  if (last_scanned_ != id - 1) {
    scan_->reset();
    scan_->bind(1, id).bind(2, block_id(column_ + 1, 0));
  }
  last_scanned_ = id;
  if (!scan_->step() || scan_->integer(0) != id || scan_->type(1) != SQLITE_BLOB) return std::nullopt;
  return scan_->blob(1);
}

std::optional<std::uint64_t> BlockReader::read_checksum(std::int64_t group) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes;
  if (!open(block_id(column_, group)) || blob_->size() < bytes.size()) return std::nullopt;
  blob_->read(bytes, 0);
  return load_u64(bytes.data());
}

}  // namespace isovec::storage
