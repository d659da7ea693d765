#pragma once
// Norms, marks and blocks of codes of whole columns (code_groups.hpp), made anew from the rows.

#include "storage/code_groups.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

/// Of one column, all of them. `state` is the one that is stored. Memory does not grow with the rows but for
/// some 8 bytes each.
void recode(Store& store, const State& state, std::size_t column);

/// Of one column, those of groups that vectors were written into since they were coded; what lies behind the
/// complete groups goes. `before` is what was stored when the marks were last written.
void recode_stale(Store& store, const State& before, const State& state, std::size_t column);

/// The rows of a group that have a vector in one column, as float32. Throws Error{corrupt} where one is
/// damaged.
struct GroupRows {
  Buffer<std::int64_t> slots;
  Buffer<float> vectors;
};
[[nodiscard]] GroupRows read_group(Store& store, std::size_t column, std::int64_t group);

/// A checkpoint for those who ask it every RowCoder::kRowsAtOnce rows under a transform, which may be null.
[[nodiscard]] Checkpoint checkpoint_of_rows(Store& store, const Transform* transform);

/// The norms of rows of so many dimensions under a transform, asking the checkpoint now and then.
void row_norms(const Transform& transform, std::span<const float> rows, std::size_t dimension,
               std::span<double> norms, const Checkpoint& checkpoint);

/// How many pages of norms a column with a transform has.
[[nodiscard]] std::int64_t norm_pages(const State& state) noexcept;

}  // namespace isovec::storage
