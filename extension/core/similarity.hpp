#pragma once
// What every similarity and distance means, down to its last bit. SQL functions and searches both come here,
// so a row scored by one equals the same row scored by the other. Each measure is a float32 sum of the
// canonical reduction finished in float64; where that sum overflowed or may have lost digits to underflow
// (not finite, or below 2^-80), it is taken again in float64.
//
// Requires of all functions: vectors of equal size, all elements finite, a FloatingPointScope held. The
// finish_* forms take sums that the kernels gave for these very vectors; they read the vectors only to take a
// sum again. Cost of non-finite elements: see first_nonfinite.

#include <cstdint>
#include <optional>
#include <span>

namespace isovec::core {

/// a.b, a.a and b.b of float32 sums.
struct CosineSums {
  float dot;
  float squared_norm_a;
  float squared_norm_b;
};

/// a.b
[[nodiscard]] double dot(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double finish_dot(float dot, std::span<const float> a, std::span<const float> b) noexcept;

/// sum of (a_i - b_i)^2
[[nodiscard]] double squared_l2(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double finish_squared_l2(float sum, std::span<const float> a,
                                       std::span<const float> b) noexcept;

/// sum of |a_i - b_i|
[[nodiscard]] double l1(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] double finish_l1(float sum, std::span<const float> a, std::span<const float> b) noexcept;

/// a.a; 0 only where every element is 0.
[[nodiscard]] double squared_norm(std::span<const float> a) noexcept;
[[nodiscard]] double finish_squared_norm(float sum, std::span<const float> a) noexcept;

/// Length of a.
[[nodiscard]] double norm(std::span<const float> a) noexcept;

/// Cosine of the angle between a and b, within [-1, 1]; nothing where a or b is all zeros. Symmetric; a
/// vector with itself gives exactly 1.
[[nodiscard]] std::optional<double> cosine(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] std::optional<double> finish_cosine(const CosineSums& sums, std::span<const float> a,
                                                  std::span<const float> b) noexcept;

/// The same of float64 sums, such as those of int8 vectors, which are exact.
[[nodiscard]] std::optional<double> finish_wide_cosine(double dot, double squared_norm_a,
                                                       double squared_norm_b) noexcept;

/// Angle between a and b in radians, accurate also where the cosine is near 1 or -1; nothing where a or b is
/// all zeros.
[[nodiscard]] std::optional<double> angle(std::span<const float> a, std::span<const float> b) noexcept;

// Distances: smaller is nearer.

/// 1 - cosine
[[nodiscard]] std::optional<double> distance_cosine(std::span<const float> a,
                                                    std::span<const float> b) noexcept;
/// Euclidean distance
[[nodiscard]] double distance_l2(std::span<const float> a, std::span<const float> b) noexcept;
/// -a.b
[[nodiscard]] double distance_dot(std::span<const float> a, std::span<const float> b) noexcept;

/// Jaccard's distance of two bit vectors, from how many bits differ and how many are set in each: the share
/// of the bits set in either that are not set in both; 0 where none is set. One division of exact integers.
[[nodiscard]] constexpr double finish_jaccard(std::int64_t differing, std::int64_t set_in_a,
                                              std::int64_t set_in_b) noexcept {
  const std::int64_t either = (set_in_a + set_in_b + differing) / 2;
  return either == 0 ? 0.0 : static_cast<double>(differing) / static_cast<double>(either);
}

/// Index of the first NaN or infinity in a, a.size() where there is none. A finite dot, l1, l2 or norm proves
/// that its vectors are finite (NaN and infinity survive every addition), so call this only where a result is
/// not.
[[nodiscard]] std::size_t first_nonfinite(std::span<const float> a) noexcept;

}  // namespace isovec::core
