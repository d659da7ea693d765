#pragma once
// One pass of a query over an isovec table: the rows of a scan, or those of a search in ascending distance.

#include <cstdint>
#include <exception>
#include <isovec/buffer.hpp>
#include <memory>
#include <optional>
#include <span>

#include "db/owned_value.hpp"
#include "storage/chunk_store.hpp"
#include "storage/table_search.hpp"
#include "surface/vector_table.hpp"
#include "surface/vector_table_columns.hpp"
#include "surface/vector_table_plan.hpp"

namespace isovec::surface {

class VectorCursor : public sqlite3_vtab_cursor {
 public:
  explicit VectorCursor(VectorTable& table);
  ~VectorCursor();
  VectorCursor(const VectorCursor&) = delete;
  VectorCursor& operator=(const VectorCursor&) = delete;

  /// Begins anew.
  void filter(Plan plan, std::span<sqlite3_value*> arguments);
  void next();
  [[nodiscard]] bool at_end() const noexcept { return at_end_; }
  [[nodiscard]] std::int64_t rowid() const noexcept { return head_.id; }
  void column(sqlite3_context* context, int column);
  /// Works out all rows of a search that are left, before any row changes. What fails is the search, when it
  /// is read on, and not the change.
  void settle() noexcept;
  /// Whether it stands on a row of the search for this query.
  [[nodiscard]] bool answers(db::Value query) const;

 private:
  void reset() noexcept;
  void take_arguments(std::span<sqlite3_value*> arguments);
  void refuse_call() const;
  [[nodiscard]] bool is_in_of_ids(const PlanTerm& term) const;
  [[nodiscard]] Buffer<storage::RowCondition> conditions() const;
  [[nodiscard]] std::optional<storage::RowCondition> null_condition(const PlanTerm& term,
                                                                    std::size_t vector) const;
  void add_collations(storage::RowCondition& condition) const;
  [[nodiscard]] const db::OwnedValue* input(TermKind kind) const;
  void begin_search();
  void next_hit();
  void next_row();
  /// Whether the table holds what it held when the pass began.
  [[nodiscard]] bool is_undisturbed() const;
  void column_value(sqlite3_context* context, const storage::ColumnRole& role);
  void vector_value(sqlite3_context* context, std::size_t index);
  void auxiliary_value(sqlite3_context* context, std::size_t index);
  void hidden_value(sqlite3_context* context, HiddenColumn column);
  void own_transform(sqlite3_context* context);
  void refuse_dropped_input() const;

  VectorTable& table_;
  storage::Store& store_;
  Plan plan_;
  Buffer<Buffer<db::OwnedValue>> arguments_;  // per term; an IN has any number
  Buffer<Buffer<std::int64_t>> ids_;          // of an IN of the rowid or an integer key, in their place
  bool at_end_ = true;
  storage::RowHead head_;

  std::optional<storage::RowQuery> rows_;  // of a scan
  std::unique_ptr<storage::TableSearch> search_;
  std::optional<index::Hit> hit_;
  std::exception_ptr failure_;  // of settle()
  std::uint64_t history_ = 0;   // the table's when the pass began
  bool undisturbed_ = true;     // no change has begun since then
  std::int64_t rows_left_ = 0;  // of a scan of the whole table
  std::size_t searched_ = 0;    // the vector column

  std::uint64_t read_ = 0;                        // the columns of the row at hand, by read_bit()
  std::optional<HiddenColumn> read_for_nothing_;  // of the row at hand: an input that was not given

  db::Statement row_;        // the row of a hit
  db::Statement auxiliary_;  // the auxiliary values of the row at hand
  bool auxiliary_stands_ = false;
  Buffer<std::unique_ptr<storage::VectorReader>> readers_;
};

}  // namespace isovec::surface
