#pragma once
// The few numbers that change with every write, in one small BLOB: t_config['state'].
//
//   byte  0  u64  history: a hash of every change since the table was made; equal history, equal content
//         8  i64  rows of the table
//        16  i64  slots ever used: the high-water mark; slots from here on have never held a row
//        24  u64  transforms: the history when a transform was last fitted, given or taken away; 0 before
//        32  u64  fitted: bit c is set where vector column c has a transform
//        40  u64  checksum of bytes 0..39

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

  [[nodiscard]] bool is_fitted(std::size_t column) const noexcept { return (fitted >> column & 1U) != 0; }
  friend bool operator==(const State&, const State&) = default;
};

inline constexpr std::size_t kStateBytes = 48;
[[nodiscard]] std::array<std::byte, kStateBytes> encode(const State& state) noexcept;
/// Throws Error{corrupt} where the bytes are not what encode() made.
[[nodiscard]] State decode_state(std::span<const std::byte> bytes);

}  // namespace isovec::storage
