#pragma once
// Where a search gets its rows from. Storage implements it; a search asks for batch after batch.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace isovec::index {

/// Rows that lie one after the other: row r starts at vectors + r * stride, at no particular alignment.
struct RowBatch {
  const std::byte* vectors = nullptr;
  std::size_t stride = 0;  ///< bytes, a multiple of the element's size
  std::span<const std::int64_t> rowids;
  /// |W (x - mean)| of each row under the transform that the search uses; empty where it uses none.
  std::span<const double> norms;
};

class RowSource {
 public:
  virtual ~RowSource() = default;
  /// The next rows, nothing after the last. They are valid until the next call.
  virtual std::optional<RowBatch> next() = 0;
};

}  // namespace isovec::index
