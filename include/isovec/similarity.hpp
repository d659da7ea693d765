#pragma once
// Similarities and distances of float32 vectors, without a database: the very functions that SQL calls.
//
//     std::vector<float> a = ..., b = ...;
//     std::optional<double> similarity = isovec::cosine(a, b);
//
// All throw isovec::Error where the vectors differ in size or hold NaN or infinity. Results are the same bits
// on every CPU, whatever its instruction set, and are symmetric.

#include <optional>
#include <span>
#include <string_view>

namespace isovec {

/// a.b
[[nodiscard]] double dot(std::span<const float> a, std::span<const float> b);

/// Cosine of the angle between a and b, within [-1, 1]; nothing where a or b is all zeros.
[[nodiscard]] std::optional<double> cosine(std::span<const float> a, std::span<const float> b);

/// 1 - cosine(a, b); nothing where a or b is all zeros.
[[nodiscard]] std::optional<double> distance_cosine(std::span<const float> a, std::span<const float> b);

/// Euclidean distance.
[[nodiscard]] double distance_l2(std::span<const float> a, std::span<const float> b);

/// Sum of |a_i - b_i|.
[[nodiscard]] double distance_l1(std::span<const float> a, std::span<const float> b);

/// Angle between a and b in radians; nothing where a or b is all zeros.
[[nodiscard]] std::optional<double> angle(std::span<const float> a, std::span<const float> b);

/// Euclidean length.
[[nodiscard]] double norm(std::span<const float> a);

/// The instruction set in use: "baseline", "avx2", "avx512", "avx512vnni" or "neon". The environment variable
/// ISOVEC_ISA, read once, chooses among those that run here.
[[nodiscard]] std::string_view backend() noexcept;

}  // namespace isovec
