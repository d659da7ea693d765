#pragma once
// What the columns of an isovec table are, by the numbers that SQLite gives them: the declared ones, then the
// hidden.

#include <optional>
#include <string>

#include "storage/schema.hpp"
#include "storage/shape.hpp"
#include "surface/definition.hpp"

namespace isovec::surface {

/// The number of the rowid, in constraints.
inline constexpr int kRowidColumn = -1;

[[nodiscard]] inline int declared_columns(const storage::TableShape& shape) noexcept {
  return static_cast<int>(shape.columns.size());
}
/// The number of a hidden column.
[[nodiscard]] inline int number_of(const storage::TableShape& shape, HiddenColumn column) noexcept {
  return declared_columns(shape) + static_cast<int>(column);
}
/// The role of a declared column; nothing for the rowid and hidden columns.
[[nodiscard]] inline std::optional<storage::ColumnRole> role_of(const storage::TableShape& shape,
                                                                int column) {
  if (column < 0 || column >= declared_columns(shape)) return std::nullopt;
  return shape.columns[static_cast<std::size_t>(column)];
}
[[nodiscard]] inline bool is(const storage::TableShape& shape, int column, HiddenColumn hidden) noexcept {
  return column == number_of(shape, hidden);
}

/// The sentence for a condition on an input that the search did not get.
[[nodiscard]] inline std::string unheeded_input(const std::string& name) {
  return name +
         " has no value here, since this query's search was not given one: compare it with = and a plain "
         "value, beside MATCH";
}

/// The column of t_rows that answers conditions on a column, nothing where none does.
[[nodiscard]] inline std::optional<storage::RowColumn> row_column(const storage::TableShape& shape,
                                                                  int column) {
  using storage::Affinity;
  using storage::ColumnKind;
  if (column == kRowidColumn) return storage::RowColumn{"id", "INTEGER", Affinity::integer, true};
  const auto role = role_of(shape, column);
  if (!role) return std::nullopt;
  const std::string index = std::to_string(role->index);
  switch (role->kind) {
    case ColumnKind::key:
      if (shape.key == storage::Key::text) return storage::RowColumn{"key", "TEXT", Affinity::text, true};
      return storage::RowColumn{"id", "INTEGER", Affinity::integer, true};
    case ColumnKind::partition: {
      const auto& column_of = shape.partitions[role->index];
      return storage::RowColumn{"p" + index, column_of.type, storage::affinity_of(column_of.type), true};
    }
    case ColumnKind::metadata: {
      const auto& column_of = shape.metadata[role->index];
      return storage::RowColumn{"m" + index, column_of.type, storage::affinity_of(column_of.type),
                                column_of.indexed};
    }
    case ColumnKind::vector:
    case ColumnKind::auxiliary:
      break;
  }
  return std::nullopt;
}

}  // namespace isovec::surface
