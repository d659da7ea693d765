#pragma once
// Which row sits in which slot. Slots count from 0; a row keeps its slot, and its vectors, norms (and later
// codes) are found by it. A page of t_slots describes kSlotsPerPage slots:
//
//   byte  0  u64        checksum of the bytes behind it, under the page's number
//         8  60 bytes   bit s % 8 of byte s / 8: slot s of the page is used
//        68  4 bytes    0
//        72  480 x i64  the row in the slot, 0 where it is free
//
// A new row takes the lowest free slot. Slots from State::slots on are free and have never been used; t_room
// lists the pages with a free slot below that, so it is empty while nothing was deleted.

#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "storage/statements.hpp"

namespace isovec::storage {

inline constexpr std::int64_t kSlotsPerPage = 480;
inline constexpr std::size_t kSlotPageBytes = 72 + 8 * static_cast<std::size_t>(kSlotsPerPage);

/// Page and place of a slot.
[[nodiscard]] constexpr std::int64_t page_of(std::int64_t slot) noexcept {
  return slot / kSlotsPerPage;
}
[[nodiscard]] constexpr std::size_t place_of(std::int64_t slot) noexcept {
  return static_cast<std::size_t>(slot % kSlotsPerPage);
}

/// One page, decoded.
class SlotPage {
 public:
  /// A page of free slots.
  explicit SlotPage(std::int64_t page) : page_(page), bytes_(kSlotPageBytes) {}
  /// Throws Error{corrupt} where the bytes are not a page of this number.
  SlotPage(std::int64_t page, std::span<const std::byte> bytes);

  [[nodiscard]] std::int64_t page() const noexcept { return page_; }
  /// The row in a place, or nothing where it is free.
  [[nodiscard]] std::optional<std::int64_t> row(std::size_t place) const noexcept;
  void set(std::size_t place, std::int64_t rowid) noexcept;
  void clear(std::size_t place) noexcept;
  /// The lowest free place below `limit`.
  [[nodiscard]] std::optional<std::size_t> lowest_free(std::size_t limit) const noexcept;
  /// The bytes to store, checksum included.
  [[nodiscard]] std::span<const std::byte> sealed() noexcept;

 private:
  [[nodiscard]] bool used(std::size_t place) const noexcept;
  std::int64_t page_;
  Buffer<std::byte> bytes_;
};

/// Reads a page; nothing where there is none.
[[nodiscard]] std::optional<SlotPage> read_slot_page(Statements& statements, std::int64_t page);
void write_slot_page(Statements& statements, SlotPage& page);

/// Which row is in a slot, read page by page: quick where slots ascend.
class SlotReader {
 public:
  explicit SlotReader(Statements& statements) : statements_(statements) {}
  /// The row, or nothing where the slot is free. Throws Error{corrupt} where its page is missing or damaged.
  [[nodiscard]] std::optional<std::int64_t> row_in(std::int64_t slot);

 private:
  Statements& statements_;
  std::optional<SlotPage> page_;
};

}  // namespace isovec::storage
