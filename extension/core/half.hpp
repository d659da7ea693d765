#pragma once
// Single 16-bit floats to and from float32. For many at once: HalfKernels::to_float and from_float, whose
// results these equal, except that they may differ in which NaN a NaN becomes.

#include <cstdint>

namespace isovec::core {

/// The value of IEEE binary16 bits; exact.
[[nodiscard]] float float16_to_float(std::uint16_t bits) noexcept;
/// Nearest binary16, ties to even; infinite from 65,520 on. NaN stays NaN.
[[nodiscard]] std::uint16_t float_to_float16(float value) noexcept;

/// The value of bfloat16 bits; exact.
[[nodiscard]] float bfloat16_to_float(std::uint16_t bits) noexcept;
/// Nearest bfloat16, ties to even; infinite from halfway beyond the largest finite value on. NaN stays NaN.
[[nodiscard]] std::uint16_t float_to_bfloat16(float value) noexcept;

/// A float32 that both functions above round as they would round `value` itself: an inexact one ends in an
/// odd bit, so that it lies on no middle (Boldo and Melquiond 2008, rounding to odd).
[[nodiscard]] float narrow_to_odd(double value) noexcept;

}  // namespace isovec::core
