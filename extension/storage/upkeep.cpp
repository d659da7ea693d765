#include "storage/upkeep.hpp"

#include <algorithm>
#include <limits>

#include "db/interrupt.hpp"
#include "storage/change.hpp"
#include "storage/checksum.hpp"
#include "storage/null_map.hpp"
#include "storage/recode.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();  // of all keys there can be
constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kRebuilt = 6;  // what the operations add to the history
constexpr std::int64_t kOptimized = 7;

std::uint64_t next_history(std::uint64_t history, std::int64_t operation) {
  RecordChecksum next(history);
  next.add(operation);
  return next.value();
}

// Deletes what lies behind the slots that are used: chunks and pages of the slot map. Cuts chunk 0.
void cut(Store& store, const State& state) {
  const TableShape& shape = store.shape();
  Statements& statements = store.statements();
  const std::int64_t pages = (state.slots + kSlotsPerPage - 1) / kSlotsPerPage;
  statements.erase(Sql::erase_slots, pages, kColumnStride);
  statements.erase(Sql::erase_room, pages, kColumnStride);
  for (std::size_t c = 0; c < shape.vectors.size(); ++c) {
    const ChunkGeometry geometry(shape, c);
    const std::int64_t chunks = state.slots == 0 ? 0 : geometry.chunk_of(state.slots - 1) + 1;
    statements.erase(Sql::erase_chunks, geometry.id_of(chunks), geometry.id_of(kColumnStride));
    if (chunks == 0) continue;
    const std::size_t bytes = geometry.slots_of(0, state.slots) * geometry.slot_bytes;
    statements[Sql::cut_chunk].bind(1, geometry.id_of(0)).bind(2, static_cast<std::int64_t>(bytes)).run();
  }
}

// The free slots below `end`, ascending.
Buffer<std::int64_t> free_slots(Store& store, std::int64_t end) {
  Buffer<std::int64_t> free;
  SlotReader reader(store.statements());
  for (std::int64_t slot = 0; slot < end; ++slot) {
    if (!reader.row_in(slot)) free.push_back(slot);
  }
  return free;
}

// Every row with the slot it says it is in, by slot.
Buffer<RowHead> all_rows(Store& store) {
  db::Statement read(store.connection(),
                     "SELECT " + row_select(store.shape()) + " FROM " + shadow(store.shape(), "rows"));
  Buffer<RowHead> rows;
  while (read.step()) rows.push_back(store.verifier().verify(read));
  sort_by_slot(store.connection(), rows);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].slot == rows[i - 1].slot) {
      throw Error(Code::corrupt, "rows " + std::to_string(rows[i - 1].id) + " and " +
                                     std::to_string(rows[i].id) + " say that they share a slot");
    }
  }
  return rows;
}

// A chunk of vectors as it should be: those of its rows, checked, and nothing else. Adds the slots of those
// that are NULL to `nulls`.
Buffer<std::byte> clean_chunk(Store& store, const ChunkGeometry& geometry, std::int64_t chunk,
                              std::span<const RowHead> rows, std::int64_t slots,
                              Buffer<std::int64_t>& nulls) {
  Buffer<std::byte> clean(geometry.slots_of(chunk, slots) * geometry.slot_bytes);
  if (rows.empty()) return clean;
  const db::Run run(store.statements()[Sql::read_chunk]);
  run->bind(1, geometry.id_of(chunk));
  if (!run->step() || run->type(0) != SQLITE_BLOB) geometry.refuse(chunk, "is missing or no BLOB");
  const std::span<const std::byte> data = run->blob(0);
  for (const RowHead& row : rows) {
    const std::size_t offset = geometry.place_of(row.slot) * geometry.slot_bytes;
    if (offset + geometry.slot_bytes > data.size())
      geometry.refuse(chunk, "is shorter than the slots that are used");
    const auto bytes = data.subspan(offset, geometry.slot_bytes);
    if (!geometry.holds_vector(bytes, row.slot, row.id)) nulls.push_back(row.slot);
    std::copy(bytes.begin(), bytes.end(), clean.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  return clean;
}

// Calls visit(chunk, rows of the chunk) for each chunk of a column in turn.
template <typename Visit>
void for_each_chunk(Store& store, const ChunkGeometry& geometry, const Buffer<RowHead>& rows,
                    std::int64_t slots, Visit&& visit) {
  db::Interrupt interrupt(store.connection());
  std::size_t begin = 0;
  for (std::int64_t chunk = 0; geometry.first_slot(chunk) < slots; ++chunk) {
    interrupt.poll();
    std::size_t end = begin;
    while (end < rows.size() && geometry.chunk_of(rows[end].slot) == chunk) ++end;
    visit(chunk, std::span(rows).subspan(begin, end - begin));
    begin = end;
  }
}

// Writes each chunk of a column clean, and which of its vectors are NULL.
void write_chunks(Store& store, std::size_t column, const Buffer<RowHead>& rows, std::int64_t slots) {
  const ChunkGeometry geometry(store.shape(), column);
  Buffer<std::int64_t> nulls;
  for_each_chunk(store, geometry, rows, slots, [&](std::int64_t chunk, std::span<const RowHead> inside) {
    const Buffer<std::byte> clean = clean_chunk(store, geometry, chunk, inside, slots, nulls);
    db::Statement& write = store.statements()[Sql::write_chunk];
    write.bind(1, geometry.id_of(chunk)).bind(2, std::span<const std::byte>(clean)).run();
  });
  write_null_pages(store.statements(), column, nulls);
}

void write_slot_map(Store& store, const Buffer<RowHead>& rows, std::int64_t slots) {
  Statements& statements = store.statements();
  statements.erase(Sql::erase_slots, kFirst, kEnd);
  statements.erase(Sql::erase_room, kFirst, kEnd);
  auto row = rows.begin();
  for (std::int64_t number = 0; number * kSlotsPerPage < slots; ++number) {
    SlotPage page(number);
    for (; row != rows.end() && page_of(row->slot) == number; ++row) page.set(place_of(row->slot), row->id);
    write_slot_page(statements, page);
    const std::int64_t places = std::min(kSlotsPerPage, slots - number * kSlotsPerPage);
    if (page.lowest_free(static_cast<std::size_t>(places)))
      statements[Sql::insert_room].bind(1, number).run();
  }
}

// The state that the rows imply; what it cannot be asked for is kept from the stored one, as far as that is
// sound.
State implied_state(Store& store, const Buffer<RowHead>& rows) {
  State state;
  {
    const db::Run run(store.statements()[Sql::read_state]);
    try {
      if (run->step()) state = decode_state(run->blob(0));
    } catch (const Error&) {
      state = State{};
    }
  }
  state.rows = static_cast<std::int64_t>(rows.size());
  state.slots = rows.empty() ? 0 : rows.back().slot + 1;
  state.history = state.transforms = next_history(state.history, kRebuilt);
  state.fitted = 0;
  state.nulls = 0;  // their chunks will tell
  db::Statement fitted(store.connection(), "SELECT id FROM " + shadow(store.shape(), "transforms"));
  while (fitted.step()) {
    const std::int64_t column = fitted.integer(0);
    const bool known = column >= 0 && column < static_cast<std::int64_t>(store.shape().vectors.size());
    if (known) state.fitted |= std::uint64_t{1} << column;
  }
  return state;
}

// Rows of shadow tables that belong to nothing.
void delete_strays(Store& store) {
  Statements& statements = store.statements();
  const auto columns = static_cast<std::int64_t>(store.shape().vectors.size());
  for (const Sql which : {Sql::erase_chunks, Sql::erase_transforms}) {
    statements.erase(which, kFirst, 0);
    statements.erase(which, which == Sql::erase_chunks ? columns * kColumnStride : columns, kEnd);
  }
  for (const Sql which : {Sql::erase_norms, Sql::erase_marks, Sql::erase_codes})
    statements.erase(which, kFirst, kEnd);
  if (has_auxiliary(store.shape())) statements[Sql::delete_stray_auxiliary].run();
}

void verify_auxiliary(Store& store) {
  if (!has_auxiliary(store.shape())) return;
  db::Statement missing(store.connection(), "SELECT id FROM " + shadow(store.shape(), "rows") +
                                                " EXCEPT SELECT id FROM " + shadow(store.shape(), "aux"));
  if (!missing.step()) return;
  throw Error(Code::corrupt,
              "the auxiliary values of row " + std::to_string(missing.integer(0)) + " are missing");
}

}  // namespace

void optimize(Store& store) {
  State state = store.state();
  store.statements().prepare_writes();
  const Buffer<std::int64_t> free = free_slots(store, state.rows);
  if (!free.empty()) {
    const Buffer<RowHead> rows = all_rows(store);
    if (static_cast<std::int64_t>(rows.size()) != state.rows)
      throw Error(Code::corrupt, "the table holds another number of rows than it counts");
    for (std::size_t i = 0; i < free.size(); ++i) {
      Change change(store);
      change.move(rows[rows.size() - 1 - i].id, free[i]);
      change.write();
    }
  }
  const State before = store.state();
  state = before;
  state.slots = state.rows;
  state.history = next_history(state.history, kOptimized);
  db::finish_writes([&] {
    cut(store, state);
    store.statements().erase(Sql::erase_room, kFirst, kEnd);
    for (std::size_t c = 0; c < store.shape().vectors.size(); ++c) recode_stale(store, before, state, c);
    write_state(store.statements(), state);
  });
}

void rebuild(Store& store) {
  verify_tables(store.connection(), store.shape());
  const Buffer<RowHead> rows = all_rows(store);
  verify_auxiliary(store);
  State state = implied_state(store, rows);
  if (!store.has_room_for(state.slots)) {
    throw Error(Code::corrupt, "row " + std::to_string(rows.back().id) + " says slot " +
                                   std::to_string(rows.back().slot) +
                                   ", and the database is too small for so many: restore a backup");
  }
  const std::size_t columns = store.shape().vectors.size();
  // First everything is read, so that damage that cannot be mended is found before anything is written.
  for (std::size_t c = 0; c < columns; ++c) {
    const ChunkGeometry geometry(store.shape(), c);
    Buffer<std::int64_t> nulls;
    for_each_chunk(store, geometry, rows, state.slots, [&](std::int64_t chunk, auto inside) {
      static_cast<void>(clean_chunk(store, geometry, chunk, inside, state.slots, nulls));
    });
    state.nulls += static_cast<std::int64_t>(nulls.size());
    if (state.is_fitted(c)) static_cast<void>(read_transform(store.statements(), c, state));
  }
  store.statements().prepare_writes();
  db::finish_writes([&] {
    delete_strays(store);
    write_slot_map(store, rows, state.slots);
    cut(store, state);
    for (std::size_t c = 0; c < columns; ++c) write_chunks(store, c, rows, state.slots);
    store.statements()[Sql::write_format].bind(1, format_of(state)).run();
    write_state(store.statements(), state);
    for (std::size_t c = 0; c < columns; ++c) recode(store, state, c);
  });
}

}  // namespace isovec::storage
