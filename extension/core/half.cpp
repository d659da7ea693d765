#include "core/half.hpp"

#include <bit>
#include <cmath>

namespace isovec::core {
namespace {

constexpr std::uint32_t kFloatInfinity = 0x7F800000;

/// value / 2^shift to the nearest integer, ties to even; 0 < shift < 32.
std::uint32_t shift_right_rounded(std::uint32_t value, std::uint32_t shift) noexcept {
  const std::uint32_t odd = (value >> shift) & 1;
  return (value + (std::uint32_t{1} << (shift - 1)) - 1 + odd) >> shift;
}

}  // namespace

float float16_to_float(std::uint16_t bits) noexcept {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | kFloatInfinity | (fraction << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

std::uint16_t float_to_float16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const std::uint32_t exponent = magnitude >> 23;
  std::uint32_t half;
  if (magnitude > kFloatInfinity) {
    half = 0x7E00U | ((magnitude >> 13) & 0x3FFU);
  } else if (exponent >= 143) {  // from 2^16 on
    half = 0x7C00U;
  } else if (exponent >= 113) {  // normal; rounding up may carry into the exponent, up to infinity
    half = shift_right_rounded(magnitude - (112U << 23), 13);
  } else if (exponent >= 102) {  // denormal, in units of 2^-24
    half = shift_right_rounded((magnitude & 0x7FFFFFU) | 0x800000U, 126 - exponent);
  } else {  // below half of the smallest denormal
    half = 0;
  }
  return static_cast<std::uint16_t>(sign | half);
}

float bfloat16_to_float(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > kFloatInfinity) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>(shift_right_rounded(bits, 16));
}

float narrow_to_odd(double value) noexcept {
  const auto nearest = static_cast<float>(value);
  const double rest = value - static_cast<double>(nearest);  // exact
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (rest == 0 || !std::isfinite(nearest) || (bits & 1) != 0) return nearest;
  const bool beyond = (rest > 0) == !std::signbit(nearest);
  return std::bit_cast<float>(beyond ? bits + 1 : bits - 1);
}

}  // namespace isovec::core
