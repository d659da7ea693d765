#pragma once
// The commands that put a table's storage in order.

#include "storage/store.hpp"

namespace isovec::storage {

/// Moves the rows in the highest slots into the free ones below and gives the pages behind them back. Each
/// step leaves a sound table.
void optimize(Store& store);

/// Makes everything that follows from rows, vectors and transforms anew: state, slot map, norms, free slots.
/// Throws Error{corrupt} that names the first row whose values or vectors are damaged: these cannot be made
/// anew.
void rebuild(Store& store);

}  // namespace isovec::storage
