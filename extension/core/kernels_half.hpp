#pragma once
// 16-bit floats in registers: widening, exact, and narrowing, round to nearest with ties to even. F16C
// converts float16 in one instruction; the SSE2 forms do the same with integer arithmetic. Included by
// kernels_impl.hpp only.

#include "core/kernels_registers.hpp"

namespace isovec::core {
namespace {

/// IEEE binary16 in memory.
struct Float16 {
  std::uint16_t bits;
};
/// The upper half of a float32 in memory.
struct BFloat16 {
  std::uint16_t bits;
};

#if defined(__AVX512BW__)
using HalfRegister = __m256i;
ISOVEC_INLINE HalfRegister load_half(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
ISOVEC_INLINE void store_half(void* p, HalfRegister v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}
ISOVEC_INLINE __m512 widen(Float16, HalfRegister v) {
  return _mm512_cvtph_ps(v);
}
ISOVEC_INLINE __m512 widen(BFloat16, HalfRegister v) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16));
}
ISOVEC_INLINE HalfRegister narrow(Float16, __m512 v) {
  return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
}
ISOVEC_INLINE HalfRegister narrow(BFloat16, __m512 v) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, nan, quiet), 16));
}
#elif defined(__AVX2__)
using HalfRegister = __m128i;
ISOVEC_INLINE HalfRegister load_half(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
ISOVEC_INLINE void store_half(void* p, HalfRegister v) {
  _mm_storeu_si128(static_cast<__m128i*>(p), v);
}
ISOVEC_INLINE __m256 widen(Float16, HalfRegister v) {
  return _mm256_cvtph_ps(v);
}
ISOVEC_INLINE __m256 widen(BFloat16, HalfRegister v) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
}
ISOVEC_INLINE HalfRegister narrow(Float16, __m256 v) {
  return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
}
ISOVEC_INLINE HalfRegister narrow(BFloat16, __m256 v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const __m256i half = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
#elif defined(__SSE2__)
using HalfRegister = __m128i;  // its lower half
ISOVEC_INLINE HalfRegister load_half(const void* p) {
  return _mm_loadl_epi64(static_cast<const __m128i*>(p));
}
ISOVEC_INLINE void store_half(void* p, HalfRegister v) {
  _mm_storel_epi64(static_cast<__m128i*>(p), v);
}
ISOVEC_INLINE __m128i select(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}
/// The lower 16 bits of each lane, side by side.
ISOVEC_INLINE HalfRegister pack(__m128i v) {
  const __m128i extended = _mm_srai_epi32(_mm_slli_epi32(v, 16), 16);  // as packs saturates
  return _mm_packs_epi32(extended, extended);
}
ISOVEC_INLINE __m128 widen(BFloat16, HalfRegister v) {
  return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), v));
}
ISOVEC_INLINE __m128 widen(Float16, HalfRegister v) {
  const __m128i wide = _mm_unpacklo_epi16(v, _mm_setzero_si128());
  const __m128i sign = _mm_slli_epi32(_mm_and_si128(wide, _mm_set1_epi32(0x8000)), 16);
  const __m128i magnitude = _mm_slli_epi32(_mm_and_si128(wide, _mm_set1_epi32(0x7FFF)), 13);
  const __m128i bias = _mm_set1_epi32(112 << 23);  // the exponents' biases are 15 and 127
  const __m128i normal = _mm_add_epi32(magnitude, bias);
  // Infinity and NaN: the exponent goes up to all ones.
  const __m128i special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x0F7FFFFF));
  // Denormal m * 2^-24: as 2^-14 + m * 2^-24 in float32, less 2^-14. No denormal float32 takes part.
  const __m128i smallest_normal = _mm_set1_epi32(113 << 23);
  const __m128i denormal = _mm_cmpgt_epi32(_mm_set1_epi32(0x00800000), magnitude);
  const __m128 shifted = _mm_castsi128_ps(_mm_add_epi32(magnitude, smallest_normal));
  const __m128i small = _mm_castps_si128(_mm_sub_ps(shifted, _mm_castsi128_ps(smallest_normal)));
  const __m128i finite = select(denormal, small, _mm_add_epi32(normal, _mm_and_si128(special, bias)));
  return _mm_castsi128_ps(_mm_or_si128(finite, sign));
}
ISOVEC_INLINE HalfRegister narrow(BFloat16, __m128 v) {
  const __m128i bits = _mm_castps_si128(v);
  const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
  const __m128i rounded = _mm_add_epi32(bits, _mm_add_epi32(odd, _mm_set1_epi32(0x7FFF)));
  const __m128i quiet = _mm_or_si128(bits, _mm_set1_epi32(0x400000));
  return pack(_mm_srli_epi32(select(_mm_castps_si128(_mm_cmpunord_ps(v, v)), quiet, rounded), 16));
}
ISOVEC_INLINE HalfRegister narrow(Float16, __m128 v) {
  const __m128i bits = _mm_castps_si128(v);
  const __m128i sign = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(0x8000));
  const __m128i magnitude = _mm_and_si128(bits, _mm_set1_epi32(0x7FFFFFFF));
  // Normal: change the bias, round the 13 bits that go; a carry may run into the exponent, up to infinity.
  const __m128i odd = _mm_and_si128(_mm_srli_epi32(magnitude, 13), _mm_set1_epi32(1));
  const __m128i rounding = _mm_add_epi32(odd, _mm_set1_epi32(0xFFF - (112 << 23)));
  const __m128i normal = _mm_srli_epi32(_mm_add_epi32(magnitude, rounding), 13);
  // Below 2^-14: adding 0.5, whose last bit is 2^-24, rounds to float16's smallest step.
  const __m128 half = _mm_set1_ps(0.5F);
  const __m128 shifted = _mm_add_ps(_mm_castsi128_ps(magnitude), half);
  const __m128i small = _mm_sub_epi32(_mm_castps_si128(shifted), _mm_castps_si128(half));
  const __m128i finite = select(_mm_cmpgt_epi32(_mm_set1_epi32(113 << 23), magnitude), small, normal);
  // From 2^16 on infinite; NaN keeps the upper bits of its payload and is quiet.
  const __m128i infinity = _mm_set1_epi32(0x7C00);
  const __m128i payload = _mm_and_si128(_mm_srli_epi32(magnitude, 13), _mm_set1_epi32(0x3FF));
  const __m128i quiet = _mm_or_si128(_mm_or_si128(payload, _mm_set1_epi32(0x7E00)), infinity);
  const __m128i nan = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7F800000));
  const __m128i large = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32((143 << 23) - 1));
  return pack(_mm_or_si128(sign, select(nan, quiet, select(large, infinity, finite))));
}
#elif defined(__aarch64__)
using HalfRegister = uint16x4_t;
ISOVEC_INLINE HalfRegister load_half(const void* p) {
  return vld1_u16(static_cast<const std::uint16_t*>(p));
}
ISOVEC_INLINE void store_half(void* p, HalfRegister v) {
  vst1_u16(static_cast<std::uint16_t*>(p), v);
}
ISOVEC_INLINE float32x4_t widen(Float16, HalfRegister v) {
  return vcvt_f32_f16(vreinterpret_f16_u16(v));
}
ISOVEC_INLINE float32x4_t widen(BFloat16, HalfRegister v) {
  return vreinterpretq_f32_u32(vshll_n_u16(v, 16));
}
ISOVEC_INLINE HalfRegister narrow(Float16, float32x4_t v) {
  return vreinterpret_u16_f16(vcvt_f16_f32(v));
}
ISOVEC_INLINE HalfRegister narrow(BFloat16, float32x4_t v) {
  const uint32x4_t bits = vreinterpretq_u32_f32(v);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
  const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
  return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16);
}
#endif

template <class Batch>
ISOVEC_INLINE Batch load(const Float16* p) {
  return widen(Float16{}, load_half(p));
}
template <class Batch>
ISOVEC_INLINE Batch load(const BFloat16* p) {
  return widen(BFloat16{}, load_half(p));
}

}  // namespace
}  // namespace isovec::core
