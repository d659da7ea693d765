#pragma once
// The arithmetic of sums about a shift: moving the shift, adding and taking out the sums of other rows.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <isovec/statistics.hpp>

namespace isovec::core {

/// What one row may be. Between these no sum over rows, of squares of weights or of w |y|^4, overflows or
/// vanishes.
inline constexpr double kLargestNorm = 1e18;
inline constexpr double kLeastWeight = 1e-100;
inline constexpr double kLargestWeight = 1e100;
/// Rows are counted exactly in float64.
inline constexpr std::uint64_t kMostRows = std::uint64_t{1} << 53;

/// i (i + 1) / 2: where row i of a packed lower triangle starts, and the size of one of i rows.
[[nodiscard]] constexpr std::size_t triangle(std::size_t i) noexcept {
  return i * (i + 1) / 2;
}

/// The index in Sums::second of the square of coordinate j.
[[nodiscard]] constexpr std::size_t diagonal_index(const Sums& sums, std::size_t j) noexcept {
  return sums.options.moments == Moments::second ? triangle(j) + j : j;
}

/// Numbers in Sums::second for `columns` columns.
[[nodiscard]] constexpr std::size_t second_size(Moments moments, std::size_t columns) noexcept {
  return moments == Moments::second ? triangle(columns) : columns;
}

/// sum over j of w y_j^2: the trace of the second moments.
[[nodiscard]] double trace_of(const Sums& sums) noexcept;

/// The same rows about another shift. With y' = y + offset:
///   sum w y' y'^T   = S2 + S1 o^T + o S1^T + W o o^T
///   sum w |y'|^2 y' = t + tr(S2) o + 2 S2 o + 2 (S1.o) o + |o|^2 S1 + W |o|^2 o
///   sum w |y'|^4    = Q + 4 o^T S2 o + W |o|^4 + 4 t.o + 2 |o|^2 tr(S2) + 4 |o|^2 S1.o
[[nodiscard]] Sums moved_to(const Sums& sums, const Buffer<double>& shift, const Checkpoint& checkpoint = {});

/// into += sign * other for all weighted sums; both about one shift. Counts of rows are left alone.
void add_sums(Sums& into, const Sums& other, double sign);

/// Sets all weighted sums to zero; shift, dimensions and options stay.
void clear_sums(Sums& sums);

/// S2 o for the packed second moments, or their diagonal.
[[nodiscard]] Buffer<double> second_times(const Sums& sums, const Buffer<double>& o);

}  // namespace isovec::core
