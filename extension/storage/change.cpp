#include "storage/change.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "storage/checksum.hpp"

namespace isovec::storage {
namespace {

// What a change adds to the history first.
enum class Operation : std::uint64_t { insert = 1, update = 2, erase = 3, move = 8 };

[[noreturn]] void refuse_slot(std::int64_t slot) {
  throw Error(Code::corrupt, "the slot map does not agree with the rows at slot " + std::to_string(slot));
}

// SQLite would refuse a record that is too long only in the middle of the writes.
void require_length(sqlite3* db, std::span<sqlite3_value* const> values, const char* what) {
  constexpr std::size_t kOfHeader = 10;  // at most, of each value and of the numbers beside them
  std::size_t bytes = 4 * kOfHeader;
  for (sqlite3_value* value : values) {
    const bool has_bytes =
        sqlite3_value_type(value) == SQLITE_TEXT || sqlite3_value_type(value) == SQLITE_BLOB;
    bytes += kOfHeader + (has_bytes ? static_cast<std::size_t>(sqlite3_value_bytes(value)) : 0);
  }
  const auto limit = static_cast<std::size_t>(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
  if (bytes <= limit) return;
  throw Error(Code::too_big, std::string("the ") + what + " values of a row take " + std::to_string(bytes) +
                                 " bytes together, and this connection allows " + std::to_string(limit));
}

[[noreturn]] void refuse_room() {
  throw Error(Code::corrupt, "the list of pages with free slots is damaged: run 'rebuild'");
}

}  // namespace

Change::Change(Store& store)
    : store_(store),
      shape_(store.shape()),
      statements_(store.statements()),
      state_(store.state()),
      before_(state_) {
  statements_.prepare_writes();
  for (std::size_t c = 0; c < shape_.vectors.size(); ++c) {
    geometry_.emplace_back(shape_, c);
    groups_.emplace_back(store, c, state_);
  }
}

void Change::add_history(std::uint64_t value) {
  empty_ = false;
  RecordChecksum history(state_.history);
  history.add(static_cast<std::int64_t>(value));
  state_.history = history.value();
}

void Change::set_null(std::size_t column, std::int64_t slot, bool is_null) {
  const NullPage none(column, group_of(slot));
  auto known = nulls_.find(none.id());
  if (known == nulls_.end())
    known = nulls_.emplace(none.id(), read_null_page(statements_, column, group_of(slot))).first;
  const std::size_t place = place_in_group(slot);
  if (known->second.is_null(place) == is_null || (!is_null && state_.nulls == 0)) {
    throw Error(Code::corrupt, "the list of NULL vectors of vector column " + std::to_string(column) +
                                   " is not that of the vectors at slot " + std::to_string(slot) +
                                   ": run 'rebuild'");
  }
  known->second.set(place, is_null);
  state_.nulls += is_null ? 1 : -1;
}

// Slots
// -------------------------------------------------------------------------------------------------------

// How many places of a page lie below the high-water mark.
std::size_t Change::used_places(std::int64_t page) const noexcept {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(state_.slots - page * kSlotsPerPage, 0, kSlotsPerPage));
}

// Rows that follow each other are mostly in one page: it is read once.
std::optional<SlotPage> Change::find_page(std::int64_t page) {
  LastSlotPage& last = store_.last_slot_page();
  const bool known = last.page && last.page->page() == page && last.history == before_.history;
  return known ? std::exchange(last.page, std::nullopt) : read_slot_page(statements_, page);
}

SlotPage& Change::existing_page(std::int64_t page) {
  if (const auto known = pages_.find(page); known != pages_.end()) return known->second.page;
  std::optional<SlotPage> found = find_page(page);
  if (!found) throw Error(Code::corrupt, "page " + std::to_string(page) + " of the slot map is missing");
  const bool had_room = found->lowest_free(used_places(page)).has_value();
  return pages_.emplace(page, PageEdit{*std::move(found), had_room}).first->second.page;
}

// The page of a slot at the high-water mark, made where the slot is its first.
SlotPage& Change::page_for_new(std::int64_t slot) {
  const std::int64_t page = page_of(slot);
  if (place_of(slot) != 0) return existing_page(page);
  if (read_slot_page(statements_, page)) refuse_slot(slot);
  return pages_.emplace(page, PageEdit{SlotPage(page), false}).first->second.page;
}

// The lowest free slot.
std::int64_t Change::take_slot() {
  if (state_.rows == state_.slots) {
    const std::int64_t slot = state_.slots;
    if (page_for_new(slot).row(place_of(slot))) refuse_slot(slot);
    ++state_.slots;
    return slot;
  }
  std::int64_t page = 0;
  {
    const db::Run run(statements_[Sql::lowest_room]);
    if (!run->step()) refuse_room();
    page = run->integer(0);
  }
  if (page < 0 || page > page_of(state_.slots)) refuse_room();
  const std::optional<std::size_t> place = existing_page(page).lowest_free(used_places(page));
  if (!place) refuse_room();
  return page * kSlotsPerPage + static_cast<std::int64_t>(*place);
}

SlotPage& Change::page_of_row(const RowHead& head) {
  if (head.slot >= state_.slots) refuse_slot(head.slot);
  SlotPage& page = existing_page(page_of(head.slot));
  if (page.row(place_of(head.slot)) != head.id) refuse_slot(head.slot);
  return page;
}

// Rows
// --------------------------------------------------------------------------------------------------------

void Change::bind_row(Sql sql, const RowHead& head, std::span<sqlite3_value* const> values,
                      std::uint64_t hash) {
  require_length(store_.connection(), values, "metadata");
  db::Statement& write = statements_[sql];
  write.bind(1, head.id).bind(2, head.slot);
  int parameter = 2;
  for (sqlite3_value* value : values) write.bind(++parameter, value);
  write.bind(++parameter, static_cast<std::int64_t>(hash));
  bound_.push_back(sql);
}

void Change::bind_auxiliary(Sql sql, std::int64_t id, std::span<sqlite3_value* const> values) {
  require_length(store_.connection(), values, "auxiliary");
  const std::uint64_t hash = RowVerifier::auxiliary_checksum(id, values, shape_);
  db::Statement& write = statements_[sql];
  int parameter = 0;
  write.bind(++parameter, id);
  for (sqlite3_value* value : values) write.bind(++parameter, value);
  write.bind(++parameter, static_cast<std::int64_t>(hash));
  bound_.push_back(sql);
  add_history(hash);
}

// A row that is new must find no values of a former one: its INSERT could only fail.
void Change::require_no_auxiliary(std::int64_t id) {
  const db::Run there(statements_[Sql::read_auxiliary]);
  there->bind(1, id);
  if (!there->step()) return;
  throw Error(Code::corrupt,
              "there are auxiliary values of row " + std::to_string(id) + ", which does not exist");
}

void Change::insert_auxiliary(const RowValues& row, std::int64_t id) {
  if (!has_auxiliary(shape_)) return;
  require_no_auxiliary(id);
  bind_auxiliary(Sql::insert_auxiliary, id, row.auxiliary);
}

void Change::update_auxiliary(const RowValues& row, std::int64_t old_id, std::int64_t id) {
  const bool touched = std::any_of(row.auxiliary.begin(), row.auxiliary.end(),
                                   [](const sqlite3_value* value) { return value != nullptr; });
  if (!has_auxiliary(shape_) || (!touched && old_id == id)) return;
  const bool erased = std::find(erased_.begin(), erased_.end(), id) != erased_.end();
  if (old_id != id && !erased) require_no_auxiliary(id);
  const db::Run old(statements_[Sql::read_auxiliary]);
  old->bind(1, old_id);
  if (!old->step()) {
    throw Error(Code::corrupt, "the auxiliary values of row " + std::to_string(old_id) + " are missing");
  }
  RowVerifier::verify_auxiliary(*old, shape_);
  Buffer<sqlite3_value*> values;
  for (std::size_t i = 0; i < row.auxiliary.size(); ++i) {
    values.push_back(row.auxiliary[i] != nullptr ? row.auxiliary[i] : old->value(1 + static_cast<int>(i)));
  }
  bind_auxiliary(Sql::update_auxiliary, id, values);
  statements_[Sql::update_auxiliary].bind(static_cast<int>(values.size()) + 3, old_id);
}

void Change::insert(const RowValues& row) {
  const std::int64_t id = *row.id;
  const std::int64_t slot = take_slot();
  ++state_.rows;
  existing_page(page_of(slot)).set(place_of(slot), id);
  add_history(static_cast<std::uint64_t>(Operation::insert));
  for (const ChunkGeometry& geometry : geometry_) {
    const std::span<const std::byte> vector = row.vectors[geometry.column].value();
    vectors_.push_back(VectorEdit::put(statements_, shape_, geometry, slot, id, vector));
    groups_[geometry.column].put(slot, vector);
    if (vector.empty()) set_null(geometry.column, slot, true);
    add_history(geometry.checksum_of(vector, slot, id));
  }
  const std::uint64_t hash = store_.verifier().checksum_of({id, slot}, row.values);
  bind_row(Sql::insert_row, {id, slot}, row.values, hash);
  add_history(hash);
  insert_auxiliary(row, id);
}

void Change::update(std::int64_t old_id, const RowValues& row) {
  const db::Run old(statements_[Sql::read_row]);
  old->bind(1, old_id);
  if (!old->step()) return;
  const RowHead head = store_.verifier().verify(*old);
  const std::int64_t id = row.id.value_or(old_id);
  page_of_row(head).set(place_of(head.slot), id);
  add_history(static_cast<std::uint64_t>(Operation::update));
  for (const ChunkGeometry& geometry : geometry_) {
    const std::optional<std::span<const std::byte>> vector = row.vectors[geometry.column];
    if (!vector && id == old_id) continue;
    vectors_.push_back(VectorEdit::replace(statements_, shape_, geometry, head.slot, old_id, id, vector));
    if (!vector) continue;
    const bool was_null = vectors_.back().was_null();
    groups_[geometry.column].replace(head.slot, *vector, was_null);
    if (was_null != vector->empty()) set_null(geometry.column, head.slot, vector->empty());
    add_history(geometry.checksum_of(*vector, head.slot, id));
  }
  bool same = id == old_id;
  Buffer<sqlite3_value*> values;
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    same = same && row.values[i] == nullptr;
    values.push_back(row.values[i] != nullptr ? row.values[i]
                                              : old->value(kFirstValue + static_cast<int>(i)));
  }
  const std::uint64_t hash = store_.verifier().checksum_of({id, head.slot}, values);
  add_history(hash);
  if (!same) {
    bind_row(Sql::update_row, {id, head.slot}, values, hash);
    statements_[Sql::update_row].bind(static_cast<int>(values.size()) + 4, old_id);
  }
  update_auxiliary(row, old_id, id);
}

void Change::move(std::int64_t id, std::int64_t slot) {
  const db::Run old(statements_[Sql::read_row]);
  old->bind(1, id);
  if (!old->step()) throw Error(Code::corrupt, "row " + std::to_string(id) + " is missing");
  const RowHead head = store_.verifier().verify(*old);
  page_of_row(head).clear(place_of(head.slot));
  existing_page(page_of(slot)).set(place_of(slot), id);
  add_history(static_cast<std::uint64_t>(Operation::move));
  for (const ChunkGeometry& geometry : geometry_) {
    VectorReader reader(store_.connection(), shape_, geometry.column);
    const std::span<const std::byte> vector = reader.read(head.slot, id);
    vectors_.push_back(VectorEdit::put(statements_, shape_, geometry, slot, id, vector));
    vectors_.push_back(VectorEdit::erase(statements_, shape_, geometry, head.slot, id));
    groups_[geometry.column].put(slot, vector);
    groups_[geometry.column].erase(head.slot, vector.empty());
    if (!vector.empty()) continue;
    set_null(geometry.column, slot, true);
    set_null(geometry.column, head.slot, false);
  }
  Buffer<sqlite3_value*> values;
  for (std::size_t i = 0; i < store_.verifier().value_count(); ++i) {
    values.push_back(old->value(kFirstValue + static_cast<int>(i)));
  }
  const std::uint64_t hash = store_.verifier().checksum_of({id, slot}, values);
  add_history(hash);
  bind_row(Sql::update_row, {id, slot}, values, hash);
  statements_[Sql::update_row].bind(static_cast<int>(values.size()) + 4, id);
}

void Change::erase(std::int64_t id) {
  const std::optional<RowHead> head = find_row(statements_, store_.verifier(), id);
  if (!head) return;
  page_of_row(*head).clear(place_of(head->slot));
  add_history(static_cast<std::uint64_t>(Operation::erase));
  add_history(static_cast<std::uint64_t>(id));
  for (const ChunkGeometry& geometry : geometry_) {
    vectors_.push_back(VectorEdit::erase(statements_, shape_, geometry, head->slot, id));
    const bool was_null = vectors_.back().was_null();
    groups_[geometry.column].erase(head->slot, was_null);
    if (was_null) set_null(geometry.column, head->slot, false);
  }
  --state_.rows;
  erased_.push_back(id);
  statements_[Sql::delete_row].bind(1, id);
  bound_.push_back(Sql::delete_row);
  if (!has_auxiliary(shape_)) return;
  statements_[Sql::delete_auxiliary].bind(1, id);
  bound_.push_back(Sql::delete_auxiliary);
}

// Writing
// -----------------------------------------------------------------------------------------------------

void Change::prepare_groups() {
  const auto row_in = [this](std::int64_t slot) { return existing_page(page_of(slot)).row(place_of(slot)); };
  for (GroupChange& groups : groups_) groups.prepare(state_, row_in);
}

void Change::write_pages() {
  for (auto& [number, edit] : pages_) {
    write_slot_page(statements_, edit.page);
    const bool has_room = edit.page.lowest_free(used_places(number)).has_value();
    if (has_room != edit.had_room) {
      statements_[has_room ? Sql::insert_room : Sql::delete_room].bind(1, number).run();
    }
  }
  for (GroupChange& groups : groups_) groups.write();
  for (auto& [id, page] : nulls_) write_null_page(statements_, page);
}

void Change::write() {
  if (empty_) return;
  prepare_groups();
  if (!bound_.empty()) statements_[bound_.front()].run();
  db::finish_writes([&] {
    for (std::size_t i = 1; i < bound_.size(); ++i) statements_[bound_[i]].run();
    for (VectorEdit& edit : vectors_) edit.write(statements_);
    write_pages();
    if (format_of(state_) != format_of(before_))
      statements_[Sql::write_format].bind(1, format_of(state_)).run();
    write_state(statements_, state_);
  });
  if (pages_.size() == 1) store_.last_slot_page() = {std::move(pages_.begin()->second.page), state_.history};
}

}  // namespace isovec::storage
