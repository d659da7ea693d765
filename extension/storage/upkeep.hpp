#pragma once
// The commands that put a table's storage in order.

#include "storage/store.hpp"

namespace isovec::storage {

/// Moves the rows in the highest slots into the free ones below, gives the pages behind them back and codes
/// the groups that have rows without a code. Each step leaves a sound table.
void optimize(Store& store);

/// Makes everything that follows from rows, vectors and transforms anew: state, slot map, norms, codes, free
/// slots.
/// Throws Error{corrupt} that names the first row whose values or vectors are damaged: these cannot be made
/// anew.
void rebuild(Store& store);

}  // namespace isovec::storage
