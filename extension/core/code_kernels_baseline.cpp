// What every CPU of the architecture runs: SSE2 on x86-64, NEON on 64-bit ARM.
#include "core/code_kernels_impl.hpp"

namespace isovec::core {
namespace {

#if defined(__x86_64__)
struct Sse2Products {
  using Sum = __m128i;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kLanes = 4;
  ISOVEC_INLINE static Sum zero() { return _mm_setzero_si128(); }
  ISOVEC_INLINE static Sum add(Sum sum, const std::int8_t* codes, const std::int16_t* wide) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8);
    const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(x, x), 8);
    const auto* q = reinterpret_cast<const __m128i*>(wide);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(low, _mm_loadu_si128(q)));
    return _mm_add_epi32(sum, _mm_madd_epi16(high, _mm_loadu_si128(q + 1)));
  }
  ISOVEC_INLINE static Sum add_nibbles(Sum sum, const std::uint8_t* bytes, const std::int8_t* first,
                                       const std::int8_t* second) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i mask = _mm_set1_epi8(0x0F);
    sum = add_bytes(sum, _mm_and_si128(x, mask), first);
    return add_bytes(sum, _mm_and_si128(_mm_srli_epi16(x, 4), mask), second);
  }
  ISOVEC_INLINE static double total(Sum sum) {
    return add_lanes(_mm_add_pd(_mm_cvtepi32_pd(sum), _mm_cvtepi32_pd(_mm_unpackhi_epi64(sum, sum))));
  }

 private:
  /// With the products of 16 nibbles in bytes and 16 signed bytes, the even ones and the odd ones.
  ISOVEC_INLINE static Sum add_bytes(Sum sum, __m128i nibbles, const std::int8_t* bytes) {
    const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i even = _mm_srai_epi16(_mm_slli_epi16(q, 8), 8);
    const __m128i odd = _mm_srai_epi16(q, 8);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_and_si128(nibbles, _mm_set1_epi16(0xFF)), even));
    return _mm_add_epi32(sum, _mm_madd_epi16(_mm_srli_epi16(nibbles, 8), odd));
  }
};
using Products = Sse2Products;
#else
struct NeonProducts {
  using Sum = int32x4_t;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kLanes = 4;
  ISOVEC_INLINE static Sum zero() { return vdupq_n_s32(0); }
  ISOVEC_INLINE static Sum add(Sum sum, const std::int8_t* codes, const std::int16_t* wide) {
    const int8x16_t x = vld1q_s8(codes);
    const int16x8_t low = vmovl_s8(vget_low_s8(x));
    const int16x8_t high = vmovl_s8(vget_high_s8(x));
    const int16x8_t a = vld1q_s16(wide);
    const int16x8_t b = vld1q_s16(wide + 8);
    sum = vmlal_s16(sum, vget_low_s16(low), vget_low_s16(a));
    sum = vmlal_s16(sum, vget_high_s16(low), vget_high_s16(a));
    sum = vmlal_s16(sum, vget_low_s16(high), vget_low_s16(b));
    return vmlal_s16(sum, vget_high_s16(high), vget_high_s16(b));
  }
  ISOVEC_INLINE static Sum add_nibbles(Sum sum, const std::uint8_t* bytes, const std::int8_t* first,
                                       const std::int8_t* second) {
    const uint8x16_t x = vld1q_u8(bytes);
    sum = add_bytes(sum, vreinterpretq_s8_u8(vandq_u8(x, vdupq_n_u8(0x0F))), vld1q_s8(first));
    return add_bytes(sum, vreinterpretq_s8_u8(vshrq_n_u8(x, 4)), vld1q_s8(second));
  }
  ISOVEC_INLINE static double total(Sum sum) { return static_cast<double>(vaddlvq_s32(sum)); }

 private:
  /// Two products of at most 15 * 128 fit int16.
  ISOVEC_INLINE static Sum add_bytes(Sum sum, int8x16_t nibbles, int8x16_t bytes) {
    const int16x8_t low = vmull_s8(vget_low_s8(nibbles), vget_low_s8(bytes));
    return vpadalq_s16(sum, vmlal_s8(low, vget_high_s8(nibbles), vget_high_s8(bytes)));
  }
};
using Products = NeonProducts;
#endif

}  // namespace

#if defined(__x86_64__)
constinit const CodeKernels kBaselineCodeKernels =
    make_code_kernels<xsimd::sse2, WideProducts<Products>>("baseline");
#else
constinit const CodeKernels kNeonCodeKernels =
    make_code_kernels<xsimd::neon64, WideProducts<Products>>("neon");
#endif

}  // namespace isovec::core
