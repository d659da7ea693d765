#pragma once
// The float64 bodies behind code_kernels.hpp and the walk over rows of codes, once for every instruction set.
// Each code_kernels_<isa>.cpp includes this file, gives its integer products and makes one table. The rules
// of kernels_impl.hpp hold here too: unnamed namespaces, batches that name their Arch, no standard container.

#include "core/code_bounds_impl.hpp"
#include "core/code_kernels_tables.hpp"
#include "core/kernels_registers.hpp"

namespace isovec::core {
namespace {

/// Rows scored together, sharing the loads of the query.
inline constexpr std::size_t kCodeRows = 4;

/// Products of a code and a 16-bit query element that an int32 lane holds: 512 * 128 * kLargestQueryCode <
/// 2^31.
inline constexpr std::size_t kProductsPerLane = 512;

/// The products of Rows rows, for instruction sets that multiply 16-bit integers. Products gives
///   Sum, a register of int32 lanes; kStep, bytes taken at a time; kLanes, the lanes of Sum
///   add(Sum, codes, wide): the sum with kStep products added;  total(Sum): its lanes' sum, exact in float64
///   add_nibbles(Sum, bytes, first, second): the sum with the products of kStep low halves of bytes with the
///   bytes at `first`, and of the high halves with those at `second`.
template <class Products, std::size_t Rows>
ISOVEC_INLINE void dot_wide(const CodeQuery& query, const std::int8_t* codes, std::size_t d, double* out) {
  constexpr std::size_t kSegment = kProductsPerLane * Products::kLanes;
  double total[Rows] = {};
  for (std::size_t begin = 0; begin < d; begin += kSegment) {
    const std::size_t end = d - begin < kSegment ? d : begin + kSegment;
    typename Products::Sum sum[Rows];
    unroll<Rows>([&](auto r) __attribute__((always_inline)) { sum[r] = Products::zero(); });
    for (std::size_t i = begin; i < end; i += Products::kStep) {
      unroll<Rows>([&](auto r) __attribute__((always_inline)) {
        sum[r] = Products::add(sum[r], codes + (r * d + i), query.wide + i);
      });
    }
    unroll<Rows>([&](auto r) __attribute__((always_inline)) { total[r] += Products::total(sum[r]); });
  }
  unroll<Rows>([&](auto r) __attribute__((always_inline)) { out[r] = total[r]; });
}

/// The same for folded rows of nibbles. No sum overflows: 15 * 128 * kLargestCodeDimension < 2^31.
template <class Products, std::size_t Rows>
ISOVEC_INLINE void dot_folded(const CodeQuery& query, const std::uint8_t* rows, std::size_t d, double* out) {
  const std::size_t bytes = folded_bytes(d);
  const std::int8_t* const second = query.folded + folded_half(d);
  typename Products::Sum sum[Rows];
  unroll<Rows>([&](auto r) __attribute__((always_inline)) { sum[r] = Products::zero(); });
  for (std::size_t i = 0; i < bytes; i += Products::kStep) {
    unroll<Rows>([&](auto r) __attribute__((always_inline)) {
      sum[r] = Products::add_nibbles(sum[r], rows + (r * bytes + i), query.folded + i, second + i);
    });
  }
  unroll<Rows>([&](auto r) __attribute__((always_inline)) { out[r] = Products::total(sum[r]); });
}

template <class Products>
struct WideProducts {
  static void dot_nibbles(const CodeQuery& query, const std::uint8_t* rows, std::size_t row_count,
                          std::size_t d, double* out) noexcept {
    const std::size_t bytes = folded_bytes(d);
    std::size_t row = 0;
    for (; row + kCodeRows <= row_count; row += kCodeRows) {
      dot_folded<Products, kCodeRows>(query, rows + row * bytes, d, out + row);
    }
    for (; row < row_count; ++row) dot_folded<Products, 1>(query, rows + row * bytes, d, out + row);
  }

  static void dot_rows(const CodeQuery& query, const std::int8_t* codes, std::size_t row_count, std::size_t d,
                       double* out) noexcept {
    std::size_t row = 0;
    for (; row + kCodeRows <= row_count; row += kCodeRows) {
      dot_wide<Products, kCodeRows>(query, codes + row * d, d, out + row);
    }
    for (; row < row_count; ++row) dot_wide<Products, 1>(query, codes + row * d, d, out + row);
  }
};

/// 1.5 * 2^52: adding it to |x| < 2^51 rounds x to the nearest integer, ties to even, and leaves the
/// integer's two's complement in the low bits of the sum.
inline constexpr double kRounder = 0x1.8p52;

/// float64 work on 16 lanes in registers of Arch.
template <class Arch>
struct CodeFloat64 {
  using Batch = xsimd::batch<double, Arch>;
  static constexpr std::size_t kWidth = Batch::size;
  static constexpr std::size_t kBatches = 16 / kWidth;

  /// Calls step(j, first, load) for register j of 16 of each 16 elements; load(p) gives elements first ... of
  /// p, zeros beyond d, in float64.
  template <class Step>
  ISOVEC_INLINE static void walk(std::size_t d, Step step) {
    std::size_t i = 0;
    for (; d - i >= 16; i += 16) {
      unroll<kBatches>([&](auto j) __attribute__((always_inline)) {
        const std::size_t first = i + j * kWidth;
        step(
            j, first, [&](auto p) __attribute__((always_inline)) { return load<Batch>(p + first); });
      });
    }
    if (i == d) return;
    unroll<kBatches>([&](auto j) __attribute__((always_inline)) {
      const std::size_t first = i + j * kWidth;
      if (first + kWidth <= d) {
        step(
            j, first, [&](auto p) __attribute__((always_inline)) { return load<Batch>(p + first); });
      } else if (first < d) {
        step(
            j, first, [&](auto p) __attribute__((always_inline)) {
              return load_first<Batch>(p + first, d - first);
            });
      }
    });
  }

  /// One sum over 16 lanes.
  struct Lanes {
    Batch part[kBatches];
    ISOVEC_INLINE Lanes() {
      unroll<kBatches>([&](auto j) __attribute__((always_inline)) { part[j] = Batch(0.0); });
    }
    ISOVEC_INLINE double total() {
      unroll<kBatches>([&](auto step) __attribute__((always_inline)) {
        constexpr std::size_t kHalf = kBatches >> (decltype(step)::value + 1);
        unroll<kHalf>([&](auto j) __attribute__((always_inline)) { part[j] = part[j] + part[j + kHalf]; });
      });
      return add_lanes(typename Batch::register_type(part[0]));
    }
  };

  /// The first min(kWidth, d - first) elements of b, to out + first.
  ISOVEC_INLINE static void store(Batch b, double* out, std::size_t first, std::size_t d) {
    if (first + kWidth <= d) {
      b.store_unaligned(out + first);
    } else {
      alignas(64) double padded[kWidth];
      b.store_aligned(padded);
      std::memcpy(out + first, padded, (d - first) * sizeof(double));
    }
  }

  static double largest_residual(const double* y, const float* center, std::size_t d) noexcept {
    Batch largest[kBatches];
    unroll<kBatches>([&](auto j) __attribute__((always_inline)) { largest[j] = Batch(0.0); });
    walk(
        d, [&](auto j, std::size_t, auto load_at) __attribute__((always_inline)) {
          largest[j] = xsimd::max(largest[j], xsimd::abs(load_at(y) - load_at(center)));
        });
    alignas(64) double lanes[16];
    unroll<kBatches>([&](auto j)
                         __attribute__((always_inline)) { largest[j].store_aligned(lanes + j * kWidth); });
    double result = 0;
    for (const double lane : lanes) result = lane > result ? lane : result;
    return result;
  }

  static CodeResidual quantize(const double* y, const float* center, float scale, std::size_t d,
                               std::int8_t* codes) noexcept {
    const Batch step(static_cast<double>(scale));
    const Batch inverse(1 / static_cast<double>(scale));
    const Batch rounder(kRounder);
    const Batch two(2.0);
    Lanes squared_norm;
    Lanes correction;
    Lanes offset;
    walk(
        d, [&](auto j, std::size_t first, auto load_at) __attribute__((always_inline)) {
          const Batch c = load_at(center);
          const Batch residual = load_at(y) - c;
          const Batch rounded = residual * inverse + rounder;
          const Batch decoded = (rounded - rounder) * step;
          const Batch delta = residual - decoded;
          squared_norm.part[j] = squared_norm.part[j] + delta * delta;
          correction.part[j] = correction.part[j] + c * delta;
          offset.part[j] = offset.part[j] + decoded * (decoded + two * c);
          store_codes(rounded, codes + first, d - first < kWidth ? d - first : kWidth);
        });
    return {squared_norm.total(), correction.total(), offset.total()};
  }

  static CenterSums center_sums(const double* q, const float* center, std::size_t d) noexcept {
    Lanes dot;
    Lanes squared_norm;
    Lanes squared_distance;
    walk(
        d, [&](auto j, std::size_t, auto load_at) __attribute__((always_inline)) {
          const Batch a = load_at(q);
          const Batch c = load_at(center);
          const Batch difference = a - c;
          dot.part[j] = dot.part[j] + a * c;
          squared_norm.part[j] = squared_norm.part[j] + c * c;
          squared_distance.part[j] = squared_distance.part[j] + difference * difference;
        });
    return {dot.total(), squared_norm.total(), squared_distance.total()};
  }

  static void accumulate(const double* y, std::size_t d, double* sum) noexcept {
    walk(
        d, [&](auto, std::size_t first, auto load_at) __attribute__((always_inline)) {
          store(load_at(static_cast<const double*>(sum)) + load_at(y), sum, first, d);
        });
  }

  static void widen(const float* x, double factor, std::size_t d, double* y) noexcept {
    const Batch scale(factor);
    walk(
        d, [&](auto, std::size_t first, auto load_at)
               __attribute__((always_inline)) { store(load_at(x) * scale, y, first, d); });
  }

 private:
  /// The low byte of each of the first `count` lanes.
  ISOVEC_INLINE static void store_codes(Batch rounded, std::int8_t* codes, std::size_t count) {
    alignas(64) double lanes[kWidth];
    rounded.store_aligned(lanes);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t bits;
      std::memcpy(&bits, lanes + i, sizeof bits);
      codes[i] = static_cast<std::int8_t>(bits & 0xFF);
    }
  }
};

/// The table of one instruction set; DotRows has its products of rows.
template <class Arch, class DotRows>
constexpr CodeKernels make_code_kernels(const char* name) {
  using F64 = CodeFloat64<Arch>;
  using Bounds = CodeBounds<Arch>;
  return {name,
          DotRows::dot_rows,
          DotRows::dot_nibbles,
          Bounds::largest_products,
          Bounds::bound_products,
          Bounds::bound_l2,
          Bounds::at_most,
          F64::largest_residual,
          F64::quantize,
          F64::center_sums,
          F64::accumulate,
          F64::widen};
}

}  // namespace
}  // namespace isovec::core
