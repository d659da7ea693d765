#pragma once
// A set of rows of one block of codes.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace isovec::codec {

/// The most rows that a block has.
inline constexpr std::size_t kBlockRows = 256;

/// A bit for each of kBlockRows rows. On disk: 32 bytes, row r is bit r % 8 of byte r / 8.
class RowMask {
 public:
  /// No row.
  constexpr RowMask() = default;
  /// Rows 0 ... count - 1.
  [[nodiscard]] static constexpr RowMask first(std::size_t count) noexcept {
    RowMask mask;
    for (std::size_t w = 0; w < mask.words_.size() && 64 * w < count; ++w) {
      const std::size_t rows = count - 64 * w;
      mask.words_[w] = rows >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rows) - 1;
    }
    return mask;
  }

  [[nodiscard]] constexpr bool test(std::size_t row) const noexcept {
    return (words_[row / 64] >> (row % 64) & 1) != 0;
  }
  constexpr void set(std::size_t row) noexcept { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  constexpr void reset(std::size_t row) noexcept { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  [[nodiscard]] constexpr std::size_t count() const noexcept {
    std::size_t rows = 0;
    for (const std::uint64_t word : words_) rows += static_cast<std::size_t>(std::popcount(word));
    return rows;
  }
  /// 64 rows a word, row r in bit r % 64 of word r / 64: on a little-endian machine the bytes on disk.
  [[nodiscard]] constexpr const std::array<std::uint64_t, kBlockRows / 64>& words() const noexcept {
    return words_;
  }
  [[nodiscard]] constexpr std::array<std::uint64_t, kBlockRows / 64>& words() noexcept { return words_; }

  friend constexpr RowMask operator&(const RowMask& a, const RowMask& b) noexcept {
    RowMask result;
    for (std::size_t i = 0; i < a.words_.size(); ++i) result.words_[i] = a.words_[i] & b.words_[i];
    return result;
  }
  friend constexpr RowMask operator|(const RowMask& a, const RowMask& b) noexcept {
    RowMask result;
    for (std::size_t i = 0; i < a.words_.size(); ++i) result.words_[i] = a.words_[i] | b.words_[i];
    return result;
  }
  friend constexpr RowMask operator~(const RowMask& a) noexcept {
    RowMask result;
    for (std::size_t i = 0; i < a.words_.size(); ++i) result.words_[i] = ~a.words_[i];
    return result;
  }
  friend constexpr bool operator==(const RowMask&, const RowMask&) noexcept = default;

 private:
  std::array<std::uint64_t, kBlockRows / 64> words_{};
};

/// Calls f(row) for the rows of a mask, in ascending order.
template <class F>
constexpr void for_each_row(const RowMask& mask, F f) {
  for (std::size_t w = 0; w < mask.words().size(); ++w) {
    for (std::uint64_t bits = mask.words()[w]; bits != 0; bits &= bits - 1) {
      f(w * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
    }
  }
}

}  // namespace isovec::codec
