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
  ISOVEC_INLINE static double total(Sum sum) {
    return add_lanes(_mm_add_pd(_mm_cvtepi32_pd(sum), _mm_cvtepi32_pd(_mm_unpackhi_epi64(sum, sum))));
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
  ISOVEC_INLINE static double total(Sum sum) { return static_cast<double>(vaddlvq_s32(sum)); }
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
