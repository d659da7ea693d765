#pragma once
// The inner loop of measures over all pairs of rows, once per instruction set: a block of dot products, tiled
// in registers. It uses fused multiply-adds and the order that is fastest, so its last bits differ between
// instruction sets.

#include <cstddef>
#include <span>

namespace isovec::core {

/// Rows for pair kernels start at multiples of this many floats, their ends padded with zeros.
inline constexpr std::size_t kPairAlignment = 16;

struct PairKernels {
  /// "baseline", "avx2" or "avx512"
  const char* name;
  /// out[i * b_rows + j] = a_i . b_j. Row i of a starts at a + i * stride, row j of b at b + j * stride,
  /// stride a multiple of kPairAlignment.
  void (*products)(const float* a, std::size_t a_rows, const float* b, std::size_t b_rows, std::size_t stride,
                   float* out) noexcept;
};

/// The kernels that go with the instruction set of kernels().
[[nodiscard]] const PairKernels& pair_kernels() noexcept;

/// Every set that runs on this machine, the baseline first.
[[nodiscard]] std::span<const PairKernels* const> runnable_pair_kernels() noexcept;

}  // namespace isovec::core
