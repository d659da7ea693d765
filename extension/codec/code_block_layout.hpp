#pragma once
// Where the parts of a code block begin: for its reader and its writer, who document it in code_block.hpp.

#include <bit>
#include <cstring>

#include "codec/code_block.hpp"

namespace isovec::codec::code_layout {

static_assert(std::endian::native == std::endian::little, "isovec reads code blocks in place");

inline constexpr char kMagic[4] = {'i', 'v', 'c', 'b'};
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kChecked = 8;  // the checksum is of the bytes from here on
inline constexpr std::size_t kMagicAt = 8;
inline constexpr std::size_t kVersionAt = 12;
inline constexpr std::size_t kMetricAt = 14;
inline constexpr std::size_t kTransformedAt = 15;
inline constexpr std::size_t kDimensionAt = 16;
inline constexpr std::size_t kRowsAt = 20;
inline constexpr std::size_t kDefinedAt = 24;
inline constexpr std::size_t kCenterAt = 56;

/// Numbers of 4 bytes that a row has beside its codes.
[[nodiscard]] constexpr std::size_t numbers_per_row(const CodeBlockShape& shape) noexcept {
  return 4 + (shape.metric != CodeMetric::cosine ? 1 : 0) + (shape.transformed ? 1 : 0);
}
[[nodiscard]] constexpr std::size_t rows_at(const CodeBlockShape& shape) noexcept {
  return kCenterAt + 4 * shape.dimension;
}
[[nodiscard]] constexpr std::size_t codes_at(const CodeBlockShape& shape) noexcept {
  return rows_at(shape) + 4 * numbers_per_row(shape) * shape.rows;
}

/// XXH3 of everything behind the checksum.
[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> block, std::uint64_t seed) noexcept;

template <class T>
[[nodiscard]] T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace isovec::codec::code_layout
