#pragma once
// The norm |W (x - mean)| of each row under the transform fitted to its column: what a search needs beside
// the vector itself. Kept for the slots of complete groups (code_groups.hpp); those of the few rows behind
// them are computed by who needs them. t_norms has rows only for columns with a transform; its id is column *
// 2^40 + page, pages as in slot_map.hpp:
//
//   byte 0  u64        checksum of the bytes behind it, under the id
//        8  480 x f64  the norm of the row in the slot; 0 where it is free or behind the complete groups

#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "storage/slot_map.hpp"
#include "storage/state.hpp"

namespace isovec::storage {

/// Tables that hold a column's parts number them from column * kColumnStride.
inline constexpr std::int64_t kColumnStride = kMostSlots;
inline constexpr std::size_t kNormPageBytes = 8 + 8 * static_cast<std::size_t>(kSlotsPerPage);

class NormPage {
 public:
  NormPage(std::size_t column, std::int64_t page);
  /// Throws Error{corrupt} where the bytes are not this page.
  NormPage(std::size_t column, std::int64_t page, std::span<const std::byte> bytes);

  [[nodiscard]] std::int64_t id() const noexcept { return id_; }
  [[nodiscard]] double norm(std::size_t place) const noexcept;
  void set(std::size_t place, double norm) noexcept;
  [[nodiscard]] std::span<const std::byte> sealed() noexcept;

 private:
  std::int64_t id_;
  Buffer<std::byte> bytes_;
};

/// Throws Error{corrupt} where there is none.
[[nodiscard]] NormPage read_norm_page(Statements& statements, std::size_t column, std::int64_t page);
/// Nothing where there is none.
[[nodiscard]] std::optional<NormPage> find_norm_page(Statements& statements, std::size_t column,
                                                     std::int64_t page);
void write_norm_page(Statements& statements, NormPage& page);

}  // namespace isovec::storage
