#pragma once
// The inner loops of isovec, once per instruction set, behind one table of function pointers chosen at first
// use.
//
// The canonical float32 reduction. Every float sum below is taken over 32 lanes: lane l adds the terms of the
// elements i with i mod 32 == l in ascending i, each term rounded before it is added (no fused multiply-add),
// an incomplete last step padded with zeros; then lane l += lane l + half for half = 16, 8, 4, 2, 1. All
// tables do this, and the forms over many rows do it for each row, so the same input gives the same bits on
// every CPU and through every form. float64 sums do the same over 16 lanes. Integer sums are exact.
//
// All entries are noexcept and allocate nothing. Pointers need no alignment, a dimension d may be 0 (the sums
// are then 0). They compute in the caller's floating-point environment: hold a FloatingPointScope. A finite
// result of a float sum proves that all its inputs were finite, since no later addition turns NaN or infinity
// back; so look for NaN and infinity (first_nonfinite) only where a result is not finite.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace isovec::core {

/// q.x and x.x, from one pass over x.
struct DotAndNorm {
  float dot;
  float squared_norm;
};

/// q.x and x.x of int8 vectors, exact.
struct IntegerDotAndNorm {
  std::int64_t dot;
  std::int64_t squared_norm;
};

/// Kernels over 16-bit floats (raw bits). Each element is widened to float32, which is exact, and the float32
/// kernel's arithmetic follows: results equal those of the float32 kernels on the widened vectors bit for
/// bit. The forms named query_* take one side already widened: decode a query once, use it for every row.
struct HalfKernels {
  using Bits = std::uint16_t;
  float (*dot)(const Bits* a, const Bits* b, std::size_t d) noexcept;
  float (*squared_l2)(const Bits* a, const Bits* b, std::size_t d) noexcept;
  float (*l1)(const Bits* a, const Bits* b, std::size_t d) noexcept;
  float (*squared_norm)(const Bits* a, std::size_t d) noexcept;
  DotAndNorm (*dot_and_squared_norm)(const Bits* q, const Bits* x, std::size_t d) noexcept;
  float (*query_dot)(const float* q, const Bits* x, std::size_t d) noexcept;
  float (*query_squared_l2)(const float* q, const Bits* x, std::size_t d) noexcept;
  float (*query_l1)(const float* q, const Bits* x, std::size_t d) noexcept;
  DotAndNorm (*query_dot_and_squared_norm)(const float* q, const Bits* x, std::size_t d) noexcept;
  /// Widens d elements; exact. NaN stays NaN.
  void (*to_float)(const Bits* x, std::size_t d, float* out) noexcept;
  /// Narrows d elements, round to nearest, ties to even; beyond the largest finite value the result is
  /// infinite.
  void (*from_float)(const float* x, std::size_t d, Bits* out) noexcept;
};

/// Kernels over signed 8-bit integers; exact for every d.
struct Int8Kernels {
  std::int64_t (*dot)(const std::int8_t* a, const std::int8_t* b, std::size_t d) noexcept;
  std::int64_t (*squared_l2)(const std::int8_t* a, const std::int8_t* b, std::size_t d) noexcept;
  std::int64_t (*l1)(const std::int8_t* a, const std::int8_t* b, std::size_t d) noexcept;
  std::int64_t (*squared_norm)(const std::int8_t* a, std::size_t d) noexcept;
  IntegerDotAndNorm (*dot_and_squared_norm)(const std::int8_t* q, const std::int8_t* x,
                                            std::size_t d) noexcept;
};

/// Kernels over packed bits, eight to a byte.
struct BitKernels {
  /// Number of bits in which a and b differ.
  std::int64_t (*hamming)(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) noexcept;
  /// Number of bits that are set.
  std::int64_t (*count)(const std::uint8_t* a, std::size_t bytes) noexcept;
};

/// The kernels of one instruction set.
struct KernelTable {
  /// "baseline", "avx2", "avx512", "avx512vnni" or "neon".
  const char* name;

  /// a.b
  float (*dot)(const float* a, const float* b, std::size_t d) noexcept;
  /// sum of (a_i - b_i)^2
  float (*squared_l2)(const float* a, const float* b, std::size_t d) noexcept;
  /// sum of |a_i - b_i|
  float (*l1)(const float* a, const float* b, std::size_t d) noexcept;
  /// a.a
  float (*squared_norm)(const float* a, std::size_t d) noexcept;
  /// q.x and x.x: what a cosine needs where the norm of q is known.
  DotAndNorm (*dot_and_squared_norm)(const float* q, const float* x, std::size_t d) noexcept;
  /// Index of the first NaN or infinity, d where all are finite.
  std::size_t (*first_nonfinite)(const float* a, std::size_t d) noexcept;

  // One query of d floats against row_count rows: row r starts at rows + r * stride, stride >= d floats;
  // out, dots and squared_norms take row_count floats.
  void (*dot_rows)(const float* q, const float* rows, std::size_t row_count, std::size_t stride,
                   std::size_t d, float* out) noexcept;
  void (*dot_and_squared_norm_rows)(const float* q, const float* rows, std::size_t row_count,
                                    std::size_t stride, std::size_t d, float* dots,
                                    float* squared_norms) noexcept;
  void (*squared_l2_rows)(const float* q, const float* rows, std::size_t row_count, std::size_t stride,
                          std::size_t d, float* out) noexcept;
  void (*l1_rows)(const float* q, const float* rows, std::size_t row_count, std::size_t stride, std::size_t d,
                  float* out) noexcept;
  void (*squared_norm_rows)(const float* rows, std::size_t row_count, std::size_t stride, std::size_t d,
                            float* out) noexcept;

  /// out = M x for M of k x d, row-major and dense; out takes k floats and must not overlap M or x.
  void (*gemv)(const float* m, const float* x, std::size_t k, std::size_t d, float* out) noexcept;

  // float64: the exact path of transforms, 16 lanes, multiply then add.
  double (*dot_f64)(const double* a, const double* b, std::size_t d) noexcept;
  /// a.x with x widened to float64 element by element.
  double (*dot_f64_f32)(const double* a, const float* x, std::size_t d) noexcept;
  /// dot_f64_f32 of a with row_count rows, laid out as for dot_rows.
  void (*dot_f64_f32_rows)(const double* a, const float* rows, std::size_t row_count, std::size_t stride,
                           std::size_t d, double* out) noexcept;
  /// out = M x for M of k x d, row-major and dense, all float64; out must not overlap M or x.
  void (*gemv_f64)(const double* m, const double* x, std::size_t k, std::size_t d, double* out) noexcept;

  HalfKernels float16;   ///< IEEE binary16
  HalfKernels bfloat16;  ///< the upper half of a float32
  Int8Kernels int8;
  BitKernels bit;
};

/// The table in use: the best this CPU and operating system run, or the one that the environment variable
/// ISOVEC_ISA names (a name that is unknown or cannot run here is passed over: see unknown_kernels()).
/// Chosen at the first call; thread-safe.
[[nodiscard]] const KernelTable& kernels() noexcept;

/// What ISOVEC_ISA named when the table was chosen, where no table of that name runs here; empty otherwise.
[[nodiscard]] std::string_view unknown_kernels() noexcept;

/// Every table that runs on this machine, the baseline first and the best last.
[[nodiscard]] std::span<const KernelTable* const> runnable_kernels() noexcept;

}  // namespace isovec::core
