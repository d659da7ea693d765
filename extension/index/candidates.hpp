#pragma once
// What a search keeps of the rows that it has not scored: their lower bounds, and the upper bounds that make
// others superfluous.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <limits>
#include <span>

#include "codec/code_block.hpp"

namespace isovec::index {

/// The largest float that is not above v.
[[nodiscard]] inline float round_down(double v) noexcept {
  const auto nearest = static_cast<float>(v);
  if (!(static_cast<double>(nearest) > v)) return nearest;
  if (nearest == 0) return -std::numeric_limits<float>::denorm_min();
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  return std::bit_cast<float>(nearest > 0 ? bits - 1 : bits + 1);
}

/// The smallest float that is not below v.
[[nodiscard]] inline float round_up(double v) noexcept {
  return -round_down(-v);
}

/// A row that may be a hit: its distance is at least `least`.
struct Candidate {
  float least;
  std::uint32_t slot;
};

/// The `count` smallest of the upper bounds it is shown.
class Thresholds {
 public:
  explicit Thresholds(std::size_t count) : count_(count) {}
  void add(double most);
  /// An upper bound on the count-th smallest distance; infinite until there are so many.
  [[nodiscard]] float limit() const noexcept { return limit_; }
  void clear() noexcept;

 private:
  std::size_t count_;
  float limit_ = std::numeric_limits<float>::infinity();
  Buffer<float> heap_;  // the largest on top
};

/// Candidates are added in any order and then read in ascending bound. Only what is read gets sorted, in
/// growing steps. 8 bytes a candidate.
class Candidates {
 public:
  /// Adds the rows of a block that are in `rows` and whose bound is at most `limit`.
  void add(const codec::RowMask& rows, const codec::PerRow<double>& least,
           const codec::PerRow<std::uint32_t>& slots, double limit);
  void add(const Candidate& candidate) { rows_.push_back(candidate); }
  /// Makes room at once for so many.
  void reserve(std::size_t rows) { rows_.reserve(rows); }
  /// Forgets those above `limit`. Requires that reading has not begun.
  void drop_above(float limit);
  void clear() noexcept;

  /// Begins to read; those up to `limit` are sorted first. Gives their number.
  std::size_t begin(float limit);
  [[nodiscard]] bool empty() const noexcept { return position_ == rows_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size() - position_; }
  /// Not above the bound of any that was not taken, and without sorting more. Requires that there is one.
  [[nodiscard]] float nearest() const noexcept {
    return position_ < sorted_ ? rows_[position_].least : rest_from_;
  }
  /// Takes the next `most` candidates or fewer: those up to `limit`, at least one. Valid until the next call.
  [[nodiscard]] std::span<Candidate> take(std::size_t most, double limit);

 private:
  std::size_t partition_rest(std::size_t wanted);
  void sort_more();

  Buffer<Candidate> rows_;
  std::size_t sorted_ = 0;                                     // this many at the front are in order
  std::size_t position_ = 0;                                   // this many have been taken
  float rest_from_ = -std::numeric_limits<float>::infinity();  // the others are not below
};

}  // namespace isovec::index
