#pragma once
// The ordinary values of a row. t_rows has one row per row of the table:
//
//   id    the rowid
//   slot  where its vectors are
//   key   the text key, where the table has one; then p0.. the partitions and m0.. the metadata, under the
//   types
//         they were declared with
//   hash  checksum of all of these
//
// t_aux(id, a0.., hash) has the auxiliary values apart, so that t_rows stays narrow. SQLite converts values
// to the affinity of their column when it stores them; the checksum is taken in a form that does not change
// thereby.

#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "storage/schema.hpp"
#include "storage/statements.hpp"

namespace isovec::storage {

/// What identifies a row.
struct RowHead {
  std::int64_t id = 0;
  std::int64_t slot = 0;
};

/// The first value column of a statement that selects row_select().
inline constexpr int kFirstValue = 2;

/// Checks and reads the row a statement of row_select() stands on. Throws Error{corrupt} where its checksum
/// does not agree, or its slot is one that no table has.
class RowVerifier {
 public:
  explicit RowVerifier(const TableShape& shape) : columns_(row_columns(shape)) {}
  [[nodiscard]] RowHead verify(const db::Statement& row) const;
  /// Of t_aux: its statement selects id, a0.., hash.
  static void verify_auxiliary(const db::Statement& row, const TableShape& shape);
  [[nodiscard]] std::size_t value_count() const noexcept { return columns_.size(); }
  /// The checksum of a row with these values, one per column of row_columns().
  [[nodiscard]] std::uint64_t checksum_of(const RowHead& head, std::span<sqlite3_value* const> values) const;
  [[nodiscard]] static std::uint64_t auxiliary_checksum(std::int64_t id,
                                                        std::span<sqlite3_value* const> values,
                                                        const TableShape& shape);

 private:
  Buffer<RowColumn> columns_;
};

/// The slot of a row, verified; nothing where there is no such row.
[[nodiscard]] std::optional<RowHead> find_row(Statements& statements, const RowVerifier& verifier,
                                              std::int64_t id);
/// The row with a text key.
[[nodiscard]] std::optional<std::int64_t> find_key(Statements& statements, sqlite3_value* key);
/// Sorts rows by slot. Asks the connection now and then whether to stop.
void sort_by_slot(sqlite3* db, Buffer<RowHead>& rows);
/// An id that no row has: one more than the greatest, or a free one derived from `history` where that is the
/// last there is.
[[nodiscard]] std::int64_t free_id(Statements& statements, std::uint64_t history);

}  // namespace isovec::storage
