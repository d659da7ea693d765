#include "core/similarity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels.hpp"
#include "core/wide_sums.hpp"

namespace isovec::core {
namespace {

/// Below it a float32 sum is taken again. Each product that underflowed lost at most 2^-150, all 65,535 of
/// them at most 2^-134: above 2^-80 that is less than half a unit in the last place of float64.
constexpr float kSmallest = 0x1p-80F;

bool in_range(float sum) noexcept {
  return std::isfinite(sum) && std::abs(sum) >= kSmallest;
}

/// A dot product is not finite where an element of either vector is not; then that is what has to be said.
std::optional<double> undefined(double dot) noexcept {
  if (std::isfinite(dot)) return std::nullopt;
  return std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> wide_cosine(std::span<const float> a, std::span<const float> b) noexcept {
  const double dot = wide_dot(a, b);
  const auto cosine = finish_wide_cosine(dot, wide_squared_norm(a), wide_squared_norm(b));
  return cosine ? cosine : undefined(dot);
}

}  // namespace

double finish_dot(float dot, std::span<const float> a, std::span<const float> b) noexcept {
  return in_range(dot) ? dot : wide_dot(a, b);
}

double dot(std::span<const float> a, std::span<const float> b) noexcept {
  return finish_dot(kernels().dot(a.data(), b.data(), a.size()), a, b);
}

double finish_squared_l2(float sum, std::span<const float> a, std::span<const float> b) noexcept {
  return in_range(sum) ? sum : wide_squared_l2(a, b);
}

double squared_l2(std::span<const float> a, std::span<const float> b) noexcept {
  return finish_squared_l2(kernels().squared_l2(a.data(), b.data(), a.size()), a, b);
}

double finish_l1(float sum, std::span<const float> a, std::span<const float> b) noexcept {
  return std::isfinite(sum) ? sum : wide_l1(a, b);  // a difference cannot underflow
}

double l1(std::span<const float> a, std::span<const float> b) noexcept {
  return finish_l1(kernels().l1(a.data(), b.data(), a.size()), a, b);
}

double finish_squared_norm(float sum, std::span<const float> a) noexcept {
  return in_range(sum) ? sum : wide_squared_norm(a);
}

double squared_norm(std::span<const float> a) noexcept {
  return finish_squared_norm(kernels().squared_norm(a.data(), a.size()), a);
}

double norm(std::span<const float> a) noexcept {
  return std::sqrt(squared_norm(a));
}

std::optional<double> finish_cosine(const CosineSums& sums, std::span<const float> a,
                                    std::span<const float> b) noexcept {
  // A small dot product needs no second look: what it lost is small against both norms.
  if (!std::isfinite(sums.dot) || !in_range(sums.squared_norm_a) || !in_range(sums.squared_norm_b)) {
    return wide_cosine(a, b);
  }
  // The product of two float32 is exact in float64, so sqrt(aa * aa) is aa and cos(x, x) is 1.
  const double product = static_cast<double>(sums.squared_norm_a) * static_cast<double>(sums.squared_norm_b);
  return std::clamp(static_cast<double>(sums.dot) / std::sqrt(product), -1.0, 1.0);
}

std::optional<double> cosine(std::span<const float> a, std::span<const float> b) noexcept {
  const KernelTable& kernel = kernels();
  const DotAndNorm sums = kernel.dot_and_squared_norm(a.data(), b.data(), a.size());
  const float norm_a = kernel.squared_norm(a.data(), a.size());
  return finish_cosine({sums.dot, norm_a, sums.squared_norm}, a, b);
}

std::optional<double> finish_wide_cosine(double dot, double squared_norm_a, double squared_norm_b) noexcept {
  if (squared_norm_a == 0 || squared_norm_b == 0) return std::nullopt;
  return std::clamp(dot / std::sqrt(squared_norm_a * squared_norm_b), -1.0, 1.0);
}

std::optional<double> angle(std::span<const float> a, std::span<const float> b) noexcept {
  const double norm_a = std::sqrt(wide_squared_norm(a));
  const double norm_b = std::sqrt(wide_squared_norm(b));
  if (norm_a == 0 || norm_b == 0) return undefined(wide_dot(a, b));
  // W. Kahan, "How Futile are Mindless Assessments of Roundoff", 12: 2 atan2(|u - v|, |u + v|) of unit
  // vectors.
  return 2 * std::atan2(std::sqrt(wide_scaled_squared_l2(a, norm_a, b, norm_b)),
                        std::sqrt(wide_scaled_squared_l2(a, norm_a, b, -norm_b)));
}

std::optional<double> distance_cosine(std::span<const float> a, std::span<const float> b) noexcept {
  const std::optional<double> similarity = cosine(a, b);
  if (!similarity) return std::nullopt;
  return 1 - *similarity;
}

double distance_l2(std::span<const float> a, std::span<const float> b) noexcept {
  return std::sqrt(squared_l2(a, b));
}

double distance_dot(std::span<const float> a, std::span<const float> b) noexcept {
  return 0.0 - dot(a, b);  // and not -0.0 where the product is 0
}

std::size_t first_nonfinite(std::span<const float> a) noexcept {
  return kernels().first_nonfinite(a.data(), a.size());
}

}  // namespace isovec::core
