// AVX2: Haswell, Zen and later.
#include "core/code_kernels_impl.hpp"

namespace isovec::core {
namespace {

struct Avx2Products {
  using Sum = __m256i;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kLanes = 8;
  ISOVEC_INLINE static Sum zero() { return _mm256_setzero_si256(); }
  ISOVEC_INLINE static Sum add(Sum sum, const std::int8_t* codes, const std::int16_t* wide) {
    const __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
    const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(wide));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, q));
  }
  ISOVEC_INLINE static Sum add_nibbles(Sum sum, const std::uint8_t* bytes, const std::int8_t* first,
                                       const std::int8_t* second) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i mask = _mm_set1_epi8(0x0F);
    const __m128i low = _mm_and_si128(x, mask);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(x, 4), mask);
    const auto* a = reinterpret_cast<const __m128i*>(first);
    const auto* b = reinterpret_cast<const __m128i*>(second);
    // Four products of at most 15 * 128 fit int16.
    const __m128i pairs = _mm_add_epi16(_mm_maddubs_epi16(low, _mm_loadu_si128(a)),
                                        _mm_maddubs_epi16(high, _mm_loadu_si128(b)));
    return _mm256_add_epi32(sum, _mm256_cvtepi16_epi32(pairs));
  }
  ISOVEC_INLINE static double total(Sum sum) {
    return add_lanes(_mm256_add_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(sum)),
                                   _mm256_cvtepi32_pd(_mm256_extracti128_si256(sum, 1))));
  }
};

}  // namespace

constinit const CodeKernels kAvx2CodeKernels =
    make_code_kernels<xsimd::avx2, WideProducts<Avx2Products>>("avx2");

}  // namespace isovec::core
