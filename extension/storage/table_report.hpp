#pragma once
// What a table holds, in figures.

#include <optional>
#include <string>

#include "storage/store.hpp"

namespace isovec::storage {

/// Of one vector column.
struct ColumnReport {
  std::optional<std::string> fitted;  ///< The spec of the transform in use.
  std::int64_t rows_at_fit = 0;
  std::int64_t nulls = 0;       ///< Rows whose vector is NULL.
  std::int64_t raw_bytes = 0;   ///< Of the chunks, free slots included.
  std::int64_t code_bytes = 0;  ///< Of the blocks of codes.
  std::int64_t tail = 0;        ///< Rows with a vector and no code, which a search reads as they are.
};
[[nodiscard]] ColumnReport report_column(Store& store, const State& state, std::size_t column);

/// Vectors without a distance: zero vectors of a cosine column, before or after its transform. Reads the
/// stored norms, or every vector where there are none.
[[nodiscard]] std::int64_t count_undefined(Store& store, const State& state, std::size_t column);

}  // namespace isovec::storage
