#pragma once
// Which vectors are NULL. The chunk of such a vector says so itself (chunk_store.hpp). The same is said here
// again, where conditions, counts and searches find it without reading chunks: a group of 256 slots with a
// NULL vector in a column has a row in t_marks, id = column * 2^40 + 2^39 + group:
//
//   byte 0  u64        checksum of the bytes behind it, under the id
//        8  256 bytes  1: the vector of the row in the slot is NULL; 0: it is not, or the slot is free
//
// It is a byte and not a bit so that SQL can test it. A group without a NULL vector has no row;
// State::nulls counts those of the whole table, so that a page that is lost is missed. A table with a NULL
// vector is stored in format kNullFormat (schema.hpp), any other in kFormat.

#include <cstdint>
#include <isovec/buffer.hpp>
#include <span>
#include <string>

#include "codec/row_mask.hpp"
#include "storage/code_groups.hpp"

namespace isovec::storage {

/// Pages of NULL vectors are numbered from column * kColumnStride + kFirstNullPage; below are the code marks.
inline constexpr std::int64_t kFirstNullPage = kColumnStride / 2;

/// The NULL vectors of a column in one group.
class NullPage {
 public:
  /// A page of none.
  NullPage(std::size_t column, std::int64_t group);
  /// Throws Error{corrupt} where the bytes are not this page.
  NullPage(std::size_t column, std::int64_t group, std::span<const std::byte> bytes);

  [[nodiscard]] std::int64_t id() const noexcept { return id_; }
  [[nodiscard]] bool is_null(std::size_t place) const noexcept;
  void set(std::size_t place, bool is_null) noexcept;
  [[nodiscard]] codec::RowMask mask() const noexcept;
  [[nodiscard]] std::span<const std::byte> sealed() noexcept;

 private:
  std::int64_t id_;
  Buffer<std::byte> bytes_;
};

/// A page of none where there is no such row. Throws Error{corrupt}.
[[nodiscard]] NullPage read_null_page(Statements& statements, std::size_t column, std::int64_t group);
/// Writes a page, or deletes its row where it is a page of none.
void write_null_page(Statements& statements, NullPage& page);
/// Writes the pages of a column that has none, from the slots of its NULL vectors in ascending order.
void write_null_pages(Statements& statements, std::size_t column, std::span<const std::int64_t> slots);

/// How many vectors of a column are NULL. Reads and checks its pages. Throws Error{corrupt}.
[[nodiscard]] std::int64_t count_nulls(Statements& statements, std::size_t column);
/// Throws Error{corrupt} unless the pages of all columns are sound and as many vectors are NULL as `state`
/// says.
void require_null_pages(Statements& statements, const TableShape& shape, const State& state);

/// Whether the vector of a row of t_rows is NULL, as SQL.
[[nodiscard]] std::string null_test(const TableShape& shape, std::size_t column);

}  // namespace isovec::storage
