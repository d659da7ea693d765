#include "storage/row_scan.hpp"

#include <algorithm>
#include <string>

#include "codec/vector_convert.hpp"
#include "storage/checksum.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kHeader = 8;  // the checksum before each vector

// Whether the user has asked to stop during the last batch.
void look(db::Interrupt& interrupt, std::size_t work, std::size_t rows) {
  if (work > 0) {
    interrupt.check(work * rows);
  } else {
    interrupt.poll();
  }
}

// The statement, or a copy of it where it stands in the middle of a scan.
db::Statement& idle(db::Statement& shared, db::Statement& own) {
  if (sqlite3_stmt_busy(shared.handle()) == 0) {
    shared.reset();
    return shared;
  }
  own = db::Statement(sqlite3_db_handle(shared.handle()), sqlite3_sql(shared.handle()));
  return own;
}

}  // namespace

NormReader::NormReader(Store& store, std::size_t column, const State& state, NormsBySlot given)
    : statements_(store.statements()),
      column_(column),
      declared_(store.shape().vectors[column]),
      first_computed_(complete_groups(state) * kGroupSlots),
      transform_(store.transform(column, state)),
      cache_(store.read_cache(column)),
      given_(given) {
  constexpr std::size_t kMostRemembered = 4 * static_cast<std::size_t>(kGroupSlots);
  if (cache_.transforms != state.transforms || cache_.norms.size() > kMostRemembered) cache_.norms.clear();
  cache_.transforms = state.transforms;
}

double NormReader::stored(std::int64_t slot) {
  const std::int64_t page = page_of(slot);
  if (!page_ || page_->id() != NormPage(column_, page).id())
    page_ = read_norm_page(statements_, column_, page);
  return page_->norm(place_of(slot));
}

void NormReader::read(std::span<const std::int64_t> slots, const std::byte* vectors, std::size_t stride,
                      std::span<double> norms) {
  if (!given_.empty()) {
    for (std::size_t r = 0; r < slots.size(); ++r) norms[r] = given_[static_cast<std::size_t>(slots[r])];
    return;
  }
  Buffer<std::size_t> unknown;
  for (std::size_t r = 0; r < slots.size(); ++r) {
    if (slots[r] < first_computed_) {
      norms[r] = stored(slots[r]);
      continue;
    }
    const auto known = cache_.norms.find(slots[r]);
    if (known != cache_.norms.end() && known->second.checksum == load_u64(vectors + r * stride - kHeader)) {
      norms[r] = known->second.norm;
    } else {
      unknown.push_back(r);
    }
  }
  if (!unknown.empty()) compute(unknown, slots, vectors, stride, norms);
}

void NormReader::compute(const Buffer<std::size_t>& which, std::span<const std::int64_t> slots,
                         const std::byte* vectors, std::size_t stride, std::span<double> norms) {
  const std::size_t d = declared_.dimension;
  Buffer<float> floats(which.size() * d);
  Buffer<double> computed(which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    codec::to_float32({declared_.type, d, vectors + which[i] * stride}, std::span(floats).subspan(i * d, d));
  }
  transform_->row_norms(floats.data(), d, computed);
  for (std::size_t i = 0; i < which.size(); ++i) {
    norms[which[i]] = computed[i];
    cache_.norms[slots[which[i]]] = {load_u64(vectors + which[i] * stride - kHeader), computed[i]};
  }
}

AllRows::AllRows(Store& store, std::size_t column, const State& state, WithNorms with_norms,
                 NormsBySlot given)
    : geometry_(store.shape(), column),
      slots_(state.slots),
      rows_left_(state.rows),
      chunks_(idle(store.statements()[Sql::scan_chunks], own_)),
      slot_reader_(store.statements()),
      interrupt_(store.connection()) {
  const std::int64_t last = slots_ == 0 ? -1 : geometry_.chunk_of(slots_ - 1);
  chunks_->bind(1, geometry_.id_of(0)).bind(2, geometry_.id_of(last));
  if (with_norms == WithNorms::yes) norm_reader_.emplace(store, column, state, given);
}

bool AllRows::next_chunk() {
  const bool expected = geometry_.first_slot(chunk_ + 1) < slots_;
  ++chunk_;
  if (!chunks_->step()) {
    if (expected) geometry_.refuse(chunk_, "is missing");
    if (rows_left_ != 0)
      throw Error(Code::corrupt, "the slot map holds another number of rows than the table");
    return false;
  }
  if (chunks_->integer(0) != geometry_.id_of(chunk_)) geometry_.refuse(chunk_, "is missing");
  if (chunks_->type(1) != SQLITE_BLOB) geometry_.refuse(chunk_, "is no BLOB");
  data_ = chunks_->blob(1);
  place_ = 0;
  const auto below = static_cast<std::size_t>(slots_ - geometry_.first_slot(chunk_));
  places_ = std::min(geometry_.capacity, below);
  if (geometry_.slots_in(data_.size(), chunk_) < places_) {
    geometry_.refuse(chunk_, "is shorter than the slots that are used");
  }
  return true;
}

// A run of slots with a vector that lie one after the other in one chunk.
std::optional<index::RowBatch> AllRows::next() {
  look(interrupt_, work_, rowids_.size());
  rowids_.clear();
  batch_slots_.clear();
  std::size_t first = 0;
  while (rowids_.empty()) {
    if (place_ == places_ && !next_chunk()) return std::nullopt;
    first = place_;
    for (; place_ < places_; ++place_) {
      const std::int64_t slot = geometry_.first_slot(chunk_) + static_cast<std::int64_t>(place_);
      const std::optional<std::int64_t> row = slot_reader_.row_in(slot);
      if (!row) break;
      const auto bytes = data_.subspan(place_ * geometry_.slot_bytes, geometry_.slot_bytes);
      if (!geometry_.holds_vector(bytes, slot, *row)) {
        if (rowids_.empty()) --rows_left_;  // else the next run begins with it
        break;
      }
      rowids_.push_back(*row);
      batch_slots_.push_back(slot);
    }
    if (rowids_.empty() && place_ < places_) ++place_;  // a free slot, or a NULL vector
  }
  first_slot_ = geometry_.first_slot(chunk_) + static_cast<std::int64_t>(first);
  rows_left_ -= static_cast<std::int64_t>(rowids_.size());
  const std::byte* vectors = data_.data() + first * geometry_.slot_bytes + kHeader;
  if (norm_reader_) {
    norms_.resize(rowids_.size());
    norm_reader_->read(batch_slots_, vectors, geometry_.slot_bytes, norms_);
  }
  return index::RowBatch{vectors, geometry_.slot_bytes, rowids_, norms_};
}

ChosenRows::ChosenRows(Store& store, std::size_t column, const State& state, Buffer<RowHead> rows,
                       WithNorms with_norms, NormsBySlot given)
    : geometry_(store.shape(), column),
      slots_(state.slots),
      rows_(std::move(rows)),
      whole_(store.connection(), "SELECT data FROM " + shadow(store.shape(), "chunks") + " WHERE id = ?1"),
      interrupt_(store.connection()),
      reader_(store.connection(), store.shape(), column) {
  if (with_norms == WithNorms::yes) norm_reader_.emplace(store, column, state, given);
}

// The vectors of rows position_ to end, all in one chunk, without those that are NULL. Where many are wanted
// the chunk is read as a whole.
void ChosenRows::read_chunk(std::size_t end, std::int64_t chunk) {
  const std::size_t count = end - position_;
  vectors_.resize(count * geometry_.slot_bytes);
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
    std::span<const std::byte> bytes;
    if (as_a_whole) {
      const std::size_t place = geometry_.place_of(row.slot);
      if (place >= slots) geometry_.refuse(chunk, "is shorter than the slots that are used");
      bytes = data.subspan(place * geometry_.slot_bytes, geometry_.slot_bytes);
      if (!geometry_.holds_vector(bytes, row.slot, row.id)) continue;
    } else {
      bytes = reader_.read_slot(row.slot, row.id);
      if (bytes.empty()) continue;
    }
    const std::size_t offset = rowids_.size() * geometry_.slot_bytes;
    std::copy(bytes.begin(), bytes.end(), vectors_.begin() + static_cast<std::ptrdiff_t>(offset));
    rowids_.push_back(row.id);
    batch_slots_.push_back(row.slot);
  }
}

std::optional<index::RowBatch> ChosenRows::next() {
  look(interrupt_, work_, rowids_.size());
  rowids_.clear();
  batch_slots_.clear();
  while (rowids_.empty()) {
    if (position_ == rows_.size()) {
      reader_.close();
      return std::nullopt;
    }
    const std::int64_t chunk = geometry_.chunk_of(rows_[position_].slot);
    std::size_t end = position_;
    for (; end < rows_.size() && geometry_.chunk_of(rows_[end].slot) == chunk; ++end) {
      const RowHead& row = rows_[end];
      if (row.slot < 0 || row.slot >= slots_) {
        throw Error(Code::corrupt, "the stored values of row " + std::to_string(row.id) + " are damaged");
      }
    }
    read_chunk(end, chunk);
    position_ = end;
  }
  const std::byte* vectors = vectors_.data() + kHeader;
  if (norm_reader_) {
    norms_.resize(rowids_.size());
    norm_reader_->read(batch_slots_, vectors, geometry_.slot_bytes, norms_);
  }
  return index::RowBatch{vectors, geometry_.slot_bytes, rowids_, norms_};
}

}  // namespace isovec::storage
