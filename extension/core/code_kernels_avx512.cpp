// AVX-512 F, CD, BW, DQ and VL: Skylake-X and later.
#include "core/code_kernels_impl.hpp"

namespace isovec::core {
namespace {

struct Avx512Products {
  using Sum = __m512i;
  static constexpr std::size_t kStep = 32;
  static constexpr std::size_t kLanes = 16;
  ISOVEC_INLINE static Sum zero() { return _mm512_setzero_si512(); }
  ISOVEC_INLINE static Sum add(Sum sum, const std::int8_t* codes, const std::int16_t* wide) {
    const __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
    return _mm512_add_epi32(sum, _mm512_madd_epi16(x, _mm512_loadu_si512(wide)));
  }
  ISOVEC_INLINE static Sum add_nibbles(Sum sum, const std::uint8_t* bytes, const std::int8_t* first,
                                       const std::int8_t* second) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i mask = _mm256_set1_epi8(0x0F);
    const __m256i low = _mm256_and_si256(x, mask);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), mask);
    const auto* a = reinterpret_cast<const __m256i*>(first);
    const auto* b = reinterpret_cast<const __m256i*>(second);
    // Four products of at most 15 * 128 fit int16.
    const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(low, _mm256_loadu_si256(a)),
                                           _mm256_maddubs_epi16(high, _mm256_loadu_si256(b)));
    return _mm512_add_epi32(sum, _mm512_cvtepi16_epi32(pairs));
  }
  ISOVEC_INLINE static double total(Sum sum) {
    return add_lanes(_mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(sum)),
                                   _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(sum, 1))));
  }
};

}  // namespace

constinit const CodeKernels kAvx512CodeKernels =
    make_code_kernels<xsimd::avx512bw, WideProducts<Avx512Products>>("avx512");

}  // namespace isovec::core
