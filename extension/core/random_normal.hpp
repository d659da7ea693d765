#pragma once
// Numbers of the standard normal distribution from a seed, the same bits on every machine.

#include <cstddef>
#include <cstdint>

namespace isovec::core {

/// A hash of `state` that passes for random: the output function of SplitMix64 (Steele, Lea and Flood 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t state) noexcept {
  state += 0x9E3779B97F4A7C15;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
  return state ^ (state >> 31);
}

/// The x for which a standard normal variable is below x with `probability`, to about 1e-15 relative.
/// Requires 0 < probability < 1.
[[nodiscard]] double normal_quantile(double probability) noexcept;

/// Number `index` of the sequence of `seed`: independent N(0, 1).
[[nodiscard]] double random_normal(std::uint64_t seed, std::uint64_t index) noexcept;

}  // namespace isovec::core
