#pragma once
// float64 sums over float32 vectors, for the rare vectors whose float32 sums overflow or underflow. The
// product of two float32 is exact in float64 and neither it nor a sum of 65,535 of them leaves float64's
// range, so these always succeed on finite input. One portable body in fixed order: the same bits everywhere.

#include <span>

namespace isovec::core {

/// a.b; a and b of equal size (as for all functions here), their data of any alignment.
[[nodiscard]] double wide_dot(std::span<const float> a, std::span<const float> b) noexcept;
/// sum of (a_i - b_i)^2
[[nodiscard]] double wide_squared_l2(std::span<const float> a, std::span<const float> b) noexcept;
/// sum of |a_i - b_i|
[[nodiscard]] double wide_l1(std::span<const float> a, std::span<const float> b) noexcept;
/// a.a; 0 only where every element is 0.
[[nodiscard]] double wide_squared_norm(std::span<const float> a) noexcept;
/// sum of (a_i / scale_a - b_i / scale_b)^2; scales not 0.
[[nodiscard]] double wide_scaled_squared_l2(std::span<const float> a, double scale_a,
                                            std::span<const float> b, double scale_b) noexcept;

}  // namespace isovec::core
