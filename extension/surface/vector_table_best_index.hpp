#pragma once
// xBestIndex: which of a query's constraints the table answers itself, and at what price.

#include "db/api.hpp"
#include "storage/shape.hpp"

namespace isovec::surface {

/// Fills `info`; returns SQLITE_CONSTRAINT where this order of the join cannot work. Throws Error where no
/// order can.
[[nodiscard]] int plan_query(const storage::TableShape& shape, sqlite3_index_info* info);

}  // namespace isovec::surface
