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
  ISOVEC_INLINE static double total(Sum sum) {
    return add_lanes(_mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(sum)),
                                   _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(sum, 1))));
  }
};

}  // namespace

constinit const CodeKernels kAvx512CodeKernels =
    make_code_kernels<xsimd::avx512bw, WideProducts<Avx512Products>>("avx512");

}  // namespace isovec::core
