#pragma once
// Checks every byte of a table's shadow tables against every other: checksums, and that rows, slots, chunks,
// norms and transforms agree.

#include <isovec/buffer.hpp>
#include <string>

#include "storage/store.hpp"

namespace isovec::storage {

/// How much is checked: all; or, without reading vectors, their codes and norms, and auxiliary values, that
/// rows and slots agree and that nothing is missing or left over.
enum class Depth { whole, quick };

/// A sentence for each thing that is wrong, at most `most` of them; empty for a sound table.
[[nodiscard]] Buffer<std::string> find_damage(Store& store, std::size_t most = 20,
                                              Depth depth = Depth::whole);

/// Throws Error{corrupt} with the sentences of find_damage(), if there are any.
void require_integrity(Store& store);

}  // namespace isovec::storage
