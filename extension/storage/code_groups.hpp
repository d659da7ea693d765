#pragma once
// Codes by group. A group is 256 slots that lie one after the other, slots 256 g ... 256 g + 255; it is
// complete once the high-water mark has passed it. A complete group of a coded column has one block of codes
// (codec/code_block.hpp) in t_codes, id = column * 2^40 + group: of the rows that were in it when it was
// made. t_marks says which rows of a group still are what their code says. Rows without a code are read as
// they are: those of the last, incomplete group, and those that were written since their group was coded; a
// row whose vector is NULL (null_map.hpp) has none and is not counted among them. Each second vector that is
// written into a group makes the rows that have a place in its block be coded there (block_edit.hpp): a block
// is read for two changes, and a search reads one such row of a group at most. A row in a slot that was free
// when the block was made has no place; when 64 rows are without a code, the group is coded anew. So it is
// after 256 writes: the center of its block follows its rows.
//
// So what is stored follows from the changes alone, in their order: neither reads nor transactions leave a
// trace.
//
// A row of t_marks has a page of up to 100 groups, id = column * 2^40 + page:
//
//   byte 0   u64           checksum of the bytes behind it, under the id
//        8   n x 40 bytes  of each complete group:
//                          32 bytes  bit s % 8 of byte s / 8: the code of the row in slot s holds
//                          u32       rows with a vector and no code
//                          u32       vectors that were written into the group since its block was made

#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "codec/row_mask.hpp"
#include "storage/norm_store.hpp"
#include "storage/state.hpp"

namespace isovec::storage {

inline constexpr std::int64_t kGroupSlots = codec::kBlockRows;
inline constexpr std::int64_t kGroupsPerPage = 100;
/// So many rows without a code make a group be coded anew.
inline constexpr std::uint32_t kMostUncoded = 64;
/// So many vectors that are written into it do too.
inline constexpr std::uint32_t kMostWritten = 256;
/// So many make rows be coded in place, each time.
inline constexpr std::uint32_t kWrittenAtOnce = 2;

[[nodiscard]] constexpr std::int64_t group_of(std::int64_t slot) noexcept {
  return slot / kGroupSlots;
}
[[nodiscard]] constexpr std::size_t place_in_group(std::int64_t slot) noexcept {
  return static_cast<std::size_t>(slot % kGroupSlots);
}
[[nodiscard]] constexpr std::int64_t complete_groups(const State& state) noexcept {
  return state.slots / kGroupSlots;
}

/// What is known of the codes of a group.
struct GroupMarks {
  codec::RowMask coded;       ///< By place in the group.
  std::uint32_t uncoded = 0;  ///< Rows with a vector and no code.
  std::uint32_t written = 0;  ///< Vectors written into the group since its block was made.

  [[nodiscard]] bool has_block() const noexcept { return coded != codec::RowMask(); }
  friend bool operator==(const GroupMarks&, const GroupMarks&) = default;
};

class MarkPage {
 public:
  /// A page of no groups.
  MarkPage(std::size_t column, std::int64_t page);
  /// Throws Error{corrupt} where the bytes are not this page.
  MarkPage(std::size_t column, std::int64_t page, std::span<const std::byte> bytes);

  [[nodiscard]] std::int64_t id() const noexcept { return id_; }
  [[nodiscard]] std::size_t groups() const noexcept;
  [[nodiscard]] GroupMarks group(std::size_t place) const noexcept;
  /// Adds zeros, or cuts.
  void resize(std::size_t groups);
  void set(std::size_t place, const GroupMarks& marks) noexcept;
  [[nodiscard]] std::span<const std::byte> sealed() noexcept;

 private:
  std::int64_t id_;
  Buffer<std::byte> bytes_;
};

/// A page with the groups that `state` has on it; none where it has none. Throws Error{corrupt}.
[[nodiscard]] MarkPage read_mark_page(Statements& statements, std::size_t column, std::int64_t page,
                                      const State& state);
void write_mark_page(Statements& statements, MarkPage& page);
/// The marks of every complete group of a column.
[[nodiscard]] Buffer<GroupMarks> read_marks(Statements& statements, std::size_t column, const State& state);

/// Where a group's block lies, and what its checksum is taken under.
[[nodiscard]] std::int64_t block_id(std::size_t column, std::int64_t group) noexcept;
[[nodiscard]] std::uint64_t block_seed(std::size_t column, std::int64_t group) noexcept;
[[noreturn]] void refuse_block(std::size_t column, std::int64_t group, const char* what);
void write_block(Statements& statements, std::size_t column, std::int64_t group,
                 std::span<const std::byte> bytes);
void delete_block(Statements& statements, std::size_t column, std::int64_t group);

}  // namespace isovec::storage
