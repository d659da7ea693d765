#pragma once
// xUpdate: INSERT, UPDATE and DELETE on an isovec table, and the commands that arrive as INSERTs.

#include <span>

#include "surface/vector_table.hpp"

namespace isovec::surface {

/// Carries out one call of xUpdate; returns the rowid for an INSERT.
std::int64_t update_table(VectorTable& table, std::span<sqlite3_value*> arguments);

}  // namespace isovec::surface
