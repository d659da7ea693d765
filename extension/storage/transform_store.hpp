#pragma once
// The transforms that were fitted to a table's columns. A row of t_transforms per column with one:
//
//   id          the vector column, counted from 0
//   spec        what 'fit' fitted, in canonical form; "custom" for a transform given as a BLOB
//   transform   as vec_fit() returns it
//   statistics  what it was fitted from, as vec_stats() returns it; NULL where it was given
//   rows        rows of the table when it was fitted or given
//   hash        checksum of all of these

#include <isovec/buffer.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>
#include <memory>
#include <optional>
#include <string>

#include "index/row_coder.hpp"
#include "storage/state.hpp"
#include "storage/statements.hpp"

namespace isovec::storage {

/// A stored transform, as bytes.
struct TransformRecord {
  std::string spec;
  Buffer<std::byte> transform;
  std::optional<Buffer<std::byte>> statistics;
  std::int64_t rows = 0;
};

/// The record of a column, verified; nothing where its transform is not fitted.
[[nodiscard]] std::optional<TransformRecord> read_transform(Statements& statements, std::size_t column,
                                                            const State& state);
void write_transform(Statements& statements, std::size_t column, const TransformRecord& record);
void delete_transform(Statements& statements, std::size_t column);

/// The decoded transforms of one snapshot of a table, and what codes its rows: made anew whenever
/// State::transforms is another.
class TransformCache {
 public:
  /// The transform of a column, or null where it is not fitted. `state` is that of the snapshot at hand.
  [[nodiscard]] std::shared_ptr<const Transform> get(Statements& statements, const TableShape& shape,
                                                     std::size_t column, const State& state) {
    return known(statements, shape, column, state).transform;
  }
  /// What codes the rows of a column under its transform; valid until the next call.
  [[nodiscard]] const index::RowCoder& coder(Statements& statements, const TableShape& shape,
                                             std::size_t column, const State& state);

 private:
  struct Known {
    std::shared_ptr<const Transform> transform;  // a search keeps it while others replace this
    std::optional<index::RowCoder> coder;
  };
  [[nodiscard]] Known& known(Statements& statements, const TableShape& shape, std::size_t column,
                             const State& state);
  std::uint64_t version_ = 0;
  Buffer<std::optional<Known>> known_;  // by column
};

}  // namespace isovec::storage
