#pragma once
// One change of one table in two phases. The first works out every byte to be written: it reads and checks
// all rows, pages and slots that are touched, opens what has to be open and allocates; whatever is wrong with
// the request or the file is found there. write(), the second, only writes, and stops at the first failure,
// which SQLite answers by taking back the statement or the transaction: it has to, since a single-row INSERT
// has no statement journal.

#include <isovec/buffer.hpp>
#include <map>

#include "storage/chunk_store.hpp"
#include "storage/group_change.hpp"
#include "storage/null_map.hpp"
#include "storage/slot_map.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

class Change {
 public:
  explicit Change(Store& store);

  /// Prepares a new row; `row.id` is set and no row has it.
  void insert(const RowValues& row);
  /// Prepares the change of a row to what `row` says. Requires that no other row has the new id or key, or
  /// that its erasure is prepared. A row that is not there is left so.
  void update(std::int64_t id, const RowValues& row);
  /// Prepares the move of a row into a free slot that was used before.
  void move(std::int64_t id, std::int64_t slot);
  /// Prepares the end of a row, if it is there.
  void erase(std::int64_t id);

  /// Ends the first phase and runs the second.
  void write();

 private:
  struct PageEdit {
    SlotPage page;
    bool had_room;
  };
  [[nodiscard]] std::size_t used_places(std::int64_t page) const noexcept;
  [[nodiscard]] SlotPage& existing_page(std::int64_t page);
  [[nodiscard]] std::optional<SlotPage> find_page(std::int64_t page);
  [[nodiscard]] SlotPage& page_for_new(std::int64_t slot);
  [[nodiscard]] std::int64_t take_slot();
  /// Checks that the slot map has the row where the row says it is.
  [[nodiscard]] SlotPage& page_of_row(const RowHead& head);
  void bind_row(Sql sql, const RowHead& head, std::span<sqlite3_value* const> values, std::uint64_t hash);
  void require_no_auxiliary(std::int64_t id);
  void insert_auxiliary(const RowValues& row, std::int64_t id);
  void update_auxiliary(const RowValues& row, std::int64_t old_id, std::int64_t id);
  void bind_auxiliary(Sql sql, std::int64_t id, std::span<sqlite3_value* const> values);
  void add_history(std::uint64_t value);
  void set_null(std::size_t column, std::int64_t slot, bool is_null);
  void prepare_groups();
  void write_pages();

  Store& store_;
  const TableShape& shape_;
  Statements& statements_;
  State state_;
  State before_;
  Buffer<ChunkGeometry> geometry_;
  std::map<std::int64_t, PageEdit> pages_;
  Buffer<GroupChange> groups_;  // by vector column
  Buffer<VectorEdit> vectors_;
  std::map<std::int64_t, NullPage> nulls_;  // by id
  Buffer<std::int64_t> erased_;
  bool empty_ = true;
  Buffer<Sql> bound_;  // statements that stand bound, in the order to run them
};

}  // namespace isovec::storage
