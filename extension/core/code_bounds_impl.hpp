#pragma once
// The loops behind code_bounds.hpp, once for every instruction set: element by element, so all give the same
// bits. Included by code_kernels_impl.hpp only, under its rules.

#include <limits>

#include "core/code_bounds.hpp"
#include "core/kernels_registers.hpp"

namespace isovec::core {
namespace {

// lane_bits(v): bit l says what lane l of a comparison says.
#if defined(__SSE2__)
ISOVEC_INLINE unsigned lane_bits(__m128d v) {
  return static_cast<unsigned>(_mm_movemask_pd(v));
}
#endif
#if defined(__AVX2__)
ISOVEC_INLINE unsigned lane_bits(__m256d v) {
  return static_cast<unsigned>(_mm256_movemask_pd(v));
}
#endif
#if defined(__AVX512F__)
ISOVEC_INLINE unsigned lane_bits(__mmask8 v) {
  return v;
}
#endif
#if defined(__aarch64__)
ISOVEC_INLINE unsigned lane_bits(uint64x2_t v) {
  return static_cast<unsigned>((vgetq_lane_u64(v, 0) & 1) | (vgetq_lane_u64(v, 1) & 2));
}
#endif

template <class Arch>
struct CodeBounds {
  using Batch = xsimd::batch<double, Arch>;
  static constexpr std::size_t kWidth = Batch::size;
  static_assert(kBoundRows % 64 == 0 && 64 % kWidth == 0 && kBoundGroup % kWidth == 0);

  /// One register of rows.
  struct Rows {
    Batch product, scale, error, term, norm, reach;
  };
  ISOVEC_INLINE static Rows load_rows(const BoundRows& rows, std::size_t i) {
    return {load<Batch>(rows.products + i), load<Batch>(rows.scales + i), load<Batch>(rows.errors + i),
            load<Batch>(rows.terms + i),    load<Batch>(rows.norms + i),  load<Batch>(rows.reaches + i)};
  }

  ISOVEC_INLINE static Batch residual_of(const BoundTerms& terms, const Rows& row) {
    return xsimd::min(Batch(terms.largest_code) * row.scale, row.norm + Batch(terms.center_norm) + row.error);
  }

  /// Whatever overflowed on the way proves nothing.
  ISOVEC_INLINE static void store_known(Batch least, Batch most, Batch error, double* to_least,
                                        double* to_most) {
    const Batch infinity(std::numeric_limits<double>::infinity());
    const auto known = (least <= most) & (error < infinity);
    xsimd::select(known, least, -infinity).store_unaligned(to_least);
    xsimd::select(known, most, infinity).store_unaligned(to_most);
  }

  static void largest_products(const LargestProducts& terms, double* products) noexcept {
    for (std::size_t i = 0; i < kBoundRows; i += kWidth) {
      const Batch largest = Batch(terms.factor) * load<Batch>(static_cast<const double*>(products + i)) +
                            Batch(terms.middle) + Batch(terms.per_norm) * load<Batch>(terms.norms + i) +
                            Batch(terms.per_error) * load<Batch>(terms.errors + i);
      largest.store_unaligned(products + i);
    }
  }

  static void bound_products(const BoundTerms& terms, const BoundRows& rows, double* least,
                             double* most) noexcept {
    for (std::size_t i = 0; i < rows.count; i += kWidth) {
      const Rows row = load_rows(rows, i);
      const Batch slack =
          (Batch(terms.per_error) * row.error + Batch(terms.per_residual) * residual_of(terms, row) +
           Batch(terms.fixed) + Batch(terms.per_norm) * row.norm + Batch(terms.per_reach) * row.reach) *
          Batch(kBoundUp);
      const Batch estimate =
          Batch(terms.start) - Batch(terms.step) * row.scale * row.product - Batch(terms.along) * row.term;
      store_known(estimate - slack, estimate + slack, row.error, least + i, most + i);
    }
  }

  static void bound_l2(const BoundTerms& terms, const BoundRows& rows, double* least, double* most) noexcept {
    const Batch zero(0.0);
    const Batch up(kBoundUp);
    const Batch squared_query(terms.query_norm * terms.query_norm);
    for (std::size_t i = 0; i < rows.count; i += kWidth) {
      const Rows row = load_rows(rows, i);
      const Batch residual = residual_of(terms, row);
      const Batch squared = Batch(terms.start) - Batch(2 * terms.step) * row.scale * row.product + row.term;
      const Batch slack =
          (Batch(2 * terms.per_residual) * residual + Batch(0x1p-23) * xsimd::abs(row.term) +
           Batch(0x1p-149) +
           Batch(terms.rounding) * (Batch(terms.start) + Batch(2 * terms.query_norm) * residual +
                                    residual * (residual + Batch(2 * terms.center_norm)))) *
          up;
      // From the decoded row to the real one, then from the real distance to the computed one.
      const Batch nearest = xsimd::max(xsimd::sqrt(xsimd::max(squared - slack, zero)) / up - row.error, zero);
      const Batch farthest = (xsimd::sqrt(xsimd::max(squared + slack, zero)) + row.error) * up;
      const Batch off = Batch(2.0) * (Batch(terms.per_norm) * row.norm + Batch(terms.per_reach) * row.reach) +
                        Batch(terms.squared) * (squared_query + row.norm * row.norm);
      const Batch low = xsimd::sqrt(xsimd::max(nearest * nearest - off, zero));
      const Batch high = xsimd::sqrt(farthest * farthest + off);
      // A square that overflowed makes `most` NaN.
      store_known(low * Batch(1 - terms.relative) / up - Batch(terms.absolute),
                  high * Batch(1 + terms.relative) * up + Batch(terms.absolute) + (squared - squared),
                  row.error, least + i, most + i);
    }
  }

  static void at_most(const double* values, double limit, std::uint64_t* mask) noexcept {
    const Batch most(limit);
    for (std::size_t i = 0; i < kBoundRows; i += 64) {
      std::uint64_t word = 0;
      unroll<64 / kWidth>([&](auto j) __attribute__((always_inline)) {
        constexpr std::size_t kAt = decltype(j)::value * kWidth;
        const auto near = load<Batch>(values + i + kAt) <= most;
        word |= std::uint64_t{lane_bits(typename decltype(near)::register_type(near))} << kAt;
      });
      mask[i / 64] = word;
    }
  }
};

}  // namespace
}  // namespace isovec::core
