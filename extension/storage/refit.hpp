#pragma once
// Changes of a column's transform: fitted from the rows, given, or taken away. Each first reads every row,
// and then writes the transform, the state, and the norms and codes of all rows, in the caller's transaction.

#include <isovec/buffer.hpp>
#include <isovec/fit.hpp>
#include <string>

#include "storage/store.hpp"

namespace isovec::storage {

/// What a column's transform is to become.
struct Refit {
  std::size_t column = 0;
  TransformRecord record;
};

/// Fits `spec` to the rows of a column. Throws Error where the rows do not allow it.
[[nodiscard]] Refit fit_column(Store& store, const State& state, std::size_t column, const Spec& spec);
/// Takes a transform from its BLOB. Throws Error where it is none or of another dimension.
[[nodiscard]] Refit given_transform(Store& store, const State& state, std::size_t column,
                                    std::span<const std::byte> blob);
/// Writes what the functions above worked out.
void write_refits(Store& store, const State& state, const Buffer<Refit>& refits);
/// Takes the transforms of columns away.
void unfit_columns(Store& store, const State& state, const Buffer<std::size_t>& columns);

/// The norm of each row of a column under a transform, by slot; 0 for free slots.
[[nodiscard]] Buffer<double> norms_of(Store& store, const State& state, std::size_t column,
                                      const Transform& transform);

}  // namespace isovec::storage
