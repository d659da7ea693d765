#pragma once
// What the kernel bodies need from a register beyond xsimd's arithmetic: loading, also fewer elements than
// fit, widening, and adding the lanes of one register in the canonical tree. Included by kernels_impl.hpp
// only.
//
// Everything here is in an unnamed namespace on purpose: a function that several kernel files share by name
// would be emitted once for each instruction set, and the linker might hand the AVX-512 one to baseline code.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <xsimd/xsimd.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ISOVEC_INLINE [[gnu::always_inline]] inline

namespace isovec::core {
namespace {

/// Calls f with the constants 0 ... N - 1, unrolled.
template <std::size_t N, class F>
ISOVEC_INLINE void unroll(F f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<N>{});
}

/// Keeps what was loaded in a register for its second use: GCC would read it from memory again, and reads
/// across cache lines are what bounds these loops.
template <class Batch>
ISOVEC_INLINE Batch in_register(Batch v) {
#if defined(__x86_64__)
  typename Batch::register_type loaded = v;
  asm("" : "+v"(loaded));
  return loaded;
#else
  return v;
#endif
}

// add_lanes(v): lane l += lane l + half, for half = size / 2 ... 1; the sum is what lane 0 holds in the end.
#if defined(__SSE2__)
ISOVEC_INLINE float add_lanes(__m128 v) {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
ISOVEC_INLINE double add_lanes(__m128d v) {
  return _mm_cvtsd_f64(_mm_add_sd(v, _mm_unpackhi_pd(v, v)));
}
#endif
#if defined(__AVX2__)
ISOVEC_INLINE float add_lanes(__m256 v) {
  return add_lanes(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
ISOVEC_INLINE double add_lanes(__m256d v) {
  return add_lanes(_mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1)));
}
#endif
#if defined(__AVX512DQ__)
ISOVEC_INLINE float add_lanes(__m512 v) {
  return add_lanes(_mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)));
}
ISOVEC_INLINE double add_lanes(__m512d v) {
  return add_lanes(_mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1)));
}
#endif
#if defined(__aarch64__)
ISOVEC_INLINE float add_lanes(float32x4_t v) {
  const float32x2_t half = vadd_f32(vget_low_f32(v), vget_high_f32(v));
  return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
}
ISOVEC_INLINE double add_lanes(float64x2_t v) {
  return vgetq_lane_f64(v, 0) + vgetq_lane_f64(v, 1);
}
#endif

/// The register at p, of float32 from float32 or of float64 from float64.
template <class Batch>
ISOVEC_INLINE Batch load(const typename Batch::value_type* p) {
  return Batch::load_unaligned(p);
}

/// A register of float64 from the float32 at p.
template <class Batch>
requires std::is_same_v<typename Batch::value_type, double> ISOVEC_INLINE Batch load(const float* p) {
#if defined(__AVX512DQ__)
  if constexpr (Batch::size == 8) return _mm512_cvtps_pd(_mm256_loadu_ps(p));
#endif
#if defined(__AVX2__)
  if constexpr (Batch::size == 4) return _mm256_cvtps_pd(_mm_loadu_ps(p));
#endif
#if defined(__SSE2__)
  if constexpr (Batch::size == 2) {
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
#elif defined(__aarch64__)
  return vcvt_f64_f32(vld1_f32(p));
#endif
}

/// The first n elements at p, 0 < n < Batch::size, then zeros. Reads nothing beyond them.
template <class Batch, class Element>
ISOVEC_INLINE Batch load_first(const Element* p, std::size_t n) {
#if defined(__AVX512DQ__)
  if constexpr (std::is_same_v<Element, float> && Batch::size == 16) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), p);
  }
#endif
#if defined(__AVX2__)
  if constexpr (std::is_same_v<Element, float> && Batch::size == 8 && sizeof(Batch) == 32) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
#endif
  Element padded[Batch::size] = {};
  std::memcpy(padded, p, n * sizeof(Element));
  return load<Batch>(static_cast<const Element*>(padded));
}

}  // namespace
}  // namespace isovec::core
