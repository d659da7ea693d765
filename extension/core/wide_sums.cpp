#include "core/wide_sums.hpp"

#include <array>
#include <cmath>
#include <cstring>

namespace isovec::core {
namespace {

/// Enough lanes for the compiler to use registers of two, and to shorten the chain of roundings.
constexpr std::size_t kLanes = 16;

/// Element i of data of any alignment.
double element(const float* data, std::size_t i) noexcept {
  float value;
  std::memcpy(&value, data + i, sizeof value);
  return value;
}

/// Adds term(i) over 16 lanes, then lane l += lane l + half.
template <class Term>
double sum(std::size_t d, Term term) noexcept {
  std::array<double, kLanes> lanes{};
  for (std::size_t i = 0; i < d; ++i) lanes[i % kLanes] += term(i);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  }
  return lanes[0];
}

}  // namespace

double wide_dot(std::span<const float> a, std::span<const float> b) noexcept {
  return sum(a.size(), [&](std::size_t i) { return element(a.data(), i) * element(b.data(), i); });
}

double wide_squared_l2(std::span<const float> a, std::span<const float> b) noexcept {
  return sum(a.size(), [&](std::size_t i) {
    const double difference = element(a.data(), i) - element(b.data(), i);
    return difference * difference;
  });
}

double wide_l1(std::span<const float> a, std::span<const float> b) noexcept {
  return sum(a.size(), [&](std::size_t i) { return std::abs(element(a.data(), i) - element(b.data(), i)); });
}

double wide_scaled_squared_l2(std::span<const float> a, double scale_a, std::span<const float> b,
                              double scale_b) noexcept {
  return sum(a.size(), [&](std::size_t i) {
    const double difference = element(a.data(), i) / scale_a - element(b.data(), i) / scale_b;
    return difference * difference;
  });
}

double wide_squared_norm(std::span<const float> a) noexcept {
  return wide_dot(a, a);
}

}  // namespace isovec::core
