#include "storage/row_scan.hpp"

#include <algorithm>
#include <string>

#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kHeader = 8;  // the checksum before each vector

// The chunks that may hold slots below `slots`: their ids run from that of chunk 0 to that of the last.
db::Statement chunks_of(Store& store, const ChunkGeometry& geometry, std::int64_t slots) {
  db::Statement read(store.connection(), "SELECT id, data FROM " + shadow(store.shape(), "chunks") +
                                             " WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
  const std::int64_t last = slots == 0 ? -1 : geometry.chunk_of(slots - 1);
  read.bind(1, geometry.id_of(0)).bind(2, geometry.id_of(last));
  return read;
}

}  // namespace

double NormReader::norm(std::int64_t slot) {
  const std::int64_t page = page_of(slot);
  if (!page_ || page_->id() != NormPage(column_, page).id())
    page_ = read_norm_page(statements_, column_, page);
  return page_->norm(place_of(slot));
}

AllRows::AllRows(Store& store, std::size_t column, const State& state, WithNorms with_norms)
    : statements_(store.statements()),
      geometry_(store.shape(), column),
      slots_(state.slots),
      rows_left_(state.rows),
      chunks_(chunks_of(store, geometry_, state.slots)) {
  if (with_norms == WithNorms::yes) norm_reader_.emplace(store.statements(), column);
}

std::optional<std::int64_t> AllRows::row_in(std::int64_t slot) {
  const std::int64_t page = page_of(slot);
  if (!page_ || page_->page() != page) {
    page_ = read_slot_page(statements_, page);
    if (!page_) throw Error(Code::corrupt, "page " + std::to_string(page) + " of the slot map is missing");
  }
  return page_->row(place_of(slot));
}

bool AllRows::next_chunk() {
  const bool expected = geometry_.first_slot(chunk_ + 1) < slots_;
  ++chunk_;
  if (!chunks_.step()) {
    if (expected) geometry_.refuse(chunk_, "is missing");
    if (rows_left_ != 0)
      throw Error(Code::corrupt, "the slot map holds another number of rows than the table");
    return false;
  }
  if (chunks_.integer(0) != geometry_.id_of(chunk_)) geometry_.refuse(chunk_, "is missing");
  if (chunks_.type(1) != SQLITE_BLOB) geometry_.refuse(chunk_, "is no BLOB");
  data_ = chunks_.blob(1);
  place_ = 0;
  const auto below = static_cast<std::size_t>(slots_ - geometry_.first_slot(chunk_));
  places_ = std::min(geometry_.capacity, below);
  if (geometry_.slots_in(data_.size(), chunk_) < places_) {
    geometry_.refuse(chunk_, "is shorter than the slots that are used");
  }
  return true;
}

// A run of used slots that lie one after the other in one chunk.
std::optional<index::RowBatch> AllRows::next() {
  rowids_.clear();
  norms_.clear();
  std::size_t first = 0;
  while (rowids_.empty()) {
    if (place_ == places_ && !next_chunk()) return std::nullopt;
    first = place_;
    for (; place_ < places_; ++place_) {
      const std::int64_t slot = geometry_.first_slot(chunk_) + static_cast<std::int64_t>(place_);
      const std::optional<std::int64_t> row = row_in(slot);
      if (!row) break;
      geometry_.verify(data_.subspan(place_ * geometry_.slot_bytes, geometry_.slot_bytes), slot, *row);
      rowids_.push_back(*row);
      if (norm_reader_) norms_.push_back(norm_reader_->norm(slot));
    }
    if (rowids_.empty() && place_ < places_) ++place_;  // a free slot
  }
  first_slot_ = geometry_.first_slot(chunk_) + static_cast<std::int64_t>(first);
  rows_left_ -= static_cast<std::int64_t>(rowids_.size());
  const std::byte* vectors = data_.data() + first * geometry_.slot_bytes + kHeader;
  return index::RowBatch{vectors, geometry_.slot_bytes, rowids_, norms_};
}

ChosenRows::ChosenRows(Store& store, std::size_t column, const State& state, std::vector<RowHead> rows,
                       WithNorms with_norms)
    : geometry_(store.shape(), column),
      slots_(state.slots),
      rows_(std::move(rows)),
      whole_(store.connection(), "SELECT data FROM " + shadow(store.shape(), "chunks") + " WHERE id = ?1"),
      reader_(store.connection(), store.shape(), column) {
  if (with_norms == WithNorms::yes) norm_reader_.emplace(store.statements(), column);
}

// Rows position_ to end, all in one chunk. Where many are wanted the chunk is read as a whole.
void ChosenRows::read_chunk(std::size_t end, std::int64_t chunk) {
  const std::size_t count = end - position_;
  vectors_.resize(count * geometry_.vector_bytes);
  const bool as_a_whole = count >= std::max<std::size_t>(2, geometry_.capacity / 4);
  const db::Run run(whole_);
  std::span<const std::byte> data;
  if (as_a_whole) {
    run->bind(1, geometry_.id_of(chunk));
    if (!run->step() || run->type(0) != SQLITE_BLOB) geometry_.refuse(chunk, "is missing or no BLOB");
    data = run->blob(0);
    reader_.close();
  }
  const std::size_t slots = as_a_whole ? geometry_.slots_in(data.size(), chunk) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const RowHead& row = rows_[position_ + i];
    std::span<const std::byte> vector;
    if (as_a_whole) {
      const std::size_t place = geometry_.place_of(row.slot);
      if (place >= slots) geometry_.refuse(chunk, "is shorter than the slots that are used");
      const auto bytes = data.subspan(place * geometry_.slot_bytes, geometry_.slot_bytes);
      geometry_.verify(bytes, row.slot, row.id);
      vector = bytes.subspan(kHeader);
    } else {
      vector = reader_.read(row.slot, row.id);
    }
    std::copy(vector.begin(), vector.end(),
              vectors_.begin() + static_cast<std::ptrdiff_t>(i * geometry_.vector_bytes));
  }
}

std::optional<index::RowBatch> ChosenRows::next() {
  if (position_ == rows_.size()) {
    reader_.close();
    return std::nullopt;
  }
  const std::int64_t chunk = geometry_.chunk_of(rows_[position_].slot);
  std::size_t end = position_;
  rowids_.clear();
  norms_.clear();
  for (; end < rows_.size() && geometry_.chunk_of(rows_[end].slot) == chunk; ++end) {
    const RowHead& row = rows_[end];
    if (row.slot < 0 || row.slot >= slots_) {
      throw Error(Code::corrupt, "the stored values of row " + std::to_string(row.id) + " are damaged");
    }
    rowids_.push_back(row.id);
    if (norm_reader_) norms_.push_back(norm_reader_->norm(row.slot));
  }
  read_chunk(end, chunk);
  position_ = end;
  return index::RowBatch{vectors_.data(), geometry_.vector_bytes, rowids_, norms_};
}

}  // namespace isovec::storage
