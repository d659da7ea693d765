#pragma once
// A change of a stored block of codes: rows are coded anew where they are, against the center that the block
// has. Prepared with the change of the rows, written with it: the numbers and codes of
// these rows, and the checksum, so that few of a block's pages are written.

#include <optional>
#include <span>

#include "codec/row_mask.hpp"
#include "db/blob.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

class BlockEdit {
 public:
  /// Reads the block of a group and opens it for writing. Throws Error{corrupt} where it is missing or
  /// damaged.
  BlockEdit(Store& store, std::size_t column, std::int64_t group);

  /// Codes rows anew, n x d, float32: those whose slot the block has. Returns their places in the group.
  codec::RowMask code(const index::RowCoder& coder, std::span<const std::int64_t> slots,
                      std::span<const float> rows, const Checkpoint& checkpoint);
  void write();

 private:
  std::uint64_t seed_;
  std::optional<db::Blob> blob_;
  Buffer<std::byte> bytes_;
  Buffer<std::uint32_t> slots_;
  codec::CodeBlockShape shape_;
  codec::RowMask changed_;
};

}  // namespace isovec::storage
