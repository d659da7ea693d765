#pragma once
// The few numbers that change with every write, in one small BLOB: t_config['state'].
//
//   byte  0  u64  history: a hash of every change since the table was made; equal history, equal content
//         8  i64  rows of the table
//        16  i64  slots ever used: the high-water mark; slots from here on have never held a row
//        24  u64  transforms: the history when a transform was last fitted, given or taken away; 0 before
//        32  u64  fitted: bit c is set where vector column c has a transform
//        40  i64  vectors that are NULL, in all columns; only where there are any
//         .  u64  checksum of the bytes before it

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace isovec::storage {

struct State {
  std::uint64_t history = 0;
  std::int64_t rows = 0;
  std::int64_t slots = 0;
  std::uint64_t transforms = 0;
  std::uint64_t fitted = 0;
  std::int64_t nulls = 0;

  [[nodiscard]] bool is_fitted(std::size_t column) const noexcept { return (fitted >> column & 1U) != 0; }
  friend bool operator==(const State&, const State&) = default;
};

/// No table has more slots, however large its file: chunks, groups and pages are numbered below this
/// (norm_store.hpp, kColumnStride).
inline constexpr std::int64_t kMostSlots = std::int64_t{1} << 40;

/// The record of a state.
class StateBytes {
 public:
  explicit StateBytes(const State& state) noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return std::span(bytes_).first(size_); }

 private:
  std::array<std::byte, 56> bytes_{};
  std::size_t size_;
};
/// Throws Error{corrupt} where the bytes are not what StateBytes made, or their numbers cannot be. Whether
/// the database has room for the slots is left to the caller (slot_bound.hpp).
[[nodiscard]] State decode_state(std::span<const std::byte> bytes);

class Statements;
void write_state(Statements& statements, const State& state);

}  // namespace isovec::storage
