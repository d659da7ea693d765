// AVX-512 with VNNI: Ice Lake, Zen 4 and later.
#include "core/code_kernels_impl.hpp"

namespace isovec::core {
namespace {

/// vpdpbusd multiplies unsigned by signed bytes and adds four products to an int32 lane. Codes become
/// unsigned by adding 128, which adds 128 times the query's sum to every row. A row's sum over one plane of
/// the query is at most 255 * 128 * kLargestCodeDimension < 2^31, so no lane and no sum of lanes overflows.
struct VnniProducts {
  /// Lanes that sum the products of a row with both planes of the query. Rows are read one after the other:
  /// the prefetcher of the memory follows one stream of bytes better than one for each row.
  ISOVEC_INLINE static void add_row(const CodeQuery& query, const std::int8_t* codes, std::size_t d,
                                    __m512i& high, __m512i& low) {
    const __m512i bias = _mm512_set1_epi8(-128);
    __m512i high_sum = _mm512_setzero_si512();
    __m512i low_sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i < d; i += 64) {
      const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(codes + i), bias);
      high_sum = _mm512_dpbusd_epi32(high_sum, x, _mm512_loadu_si512(query.high + i));
      low_sum = _mm512_dpbusd_epi32(low_sum, x, _mm512_loadu_si512(query.low + i));
    }
    high = high_sum;
    low = low_sum;
  }

  ISOVEC_INLINE static __m256i halves(__m512i v) {
    return _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
  }

  /// The sums of four registers' lanes.
  ISOVEC_INLINE static __m128i totals(const __m512i (&v)[4]) {
    const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(halves(v[0]), halves(v[1])),
                                            _mm256_hadd_epi32(halves(v[2]), halves(v[3])));
    return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  }

  static void dot_rows(const CodeQuery& query, const std::int8_t* codes, std::size_t row_count, std::size_t d,
                       double* out) noexcept {
    const double bias = 128 * static_cast<double>(query.sum);
    std::size_t row = 0;
    for (; row + 4 <= row_count; row += 4) {
      __m512i high_sums[4];
      __m512i low_sums[4];
      unroll<4>([&](auto r) __attribute__((always_inline)) {
        add_row(query, codes + (row + r) * d, d, high_sums[r], low_sums[r]);
      });
      const __m256d high = _mm256_cvtepi32_pd(totals(high_sums));
      const __m256d low = _mm256_cvtepi32_pd(totals(low_sums));
      const __m256d product = _mm256_add_pd(_mm256_mul_pd(high, _mm256_set1_pd(256)), low);
      _mm256_storeu_pd(out + row, _mm256_sub_pd(product, _mm256_set1_pd(bias)));
    }
    for (; row < row_count; ++row) {
      __m512i high;
      __m512i low;
      add_row(query, codes + row * d, d, high, low);
      out[row] = 256.0 * _mm512_reduce_add_epi32(high) + _mm512_reduce_add_epi32(low) - bias;
    }
  }

  /// Lanes that sum the products of a folded row of nibbles.
  ISOVEC_INLINE static __m512i sum_nibbles(const CodeQuery& query, const std::uint8_t* row, std::size_t d) {
    const __m512i mask = _mm512_set1_epi8(0x0F);
    const std::int8_t* const second = query.folded + folded_half(d);
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t i = 0; i < folded_bytes(d); i += 64) {
      const __m512i both = _mm512_loadu_si512(row + i);
      const __m512i x = _mm512_and_si512(both, mask);
      const __m512i y = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
      sum = _mm512_dpbusd_epi32(sum, x, _mm512_loadu_si512(query.folded + i));
      sum = _mm512_dpbusd_epi32(sum, y, _mm512_loadu_si512(second + i));
    }
    return sum;
  }

  static void dot_nibbles(const CodeQuery& query, const std::uint8_t* rows, std::size_t row_count,
                          std::size_t d, double* out) noexcept {
    const std::size_t bytes = folded_bytes(d);
    std::size_t row = 0;
    for (; row + 4 <= row_count; row += 4) {
      __m512i sums[4];
      unroll<4>([&](auto r) __attribute__((always_inline)) {
        sums[r] = sum_nibbles(query, rows + (row + r) * bytes, d);
      });
      _mm256_storeu_pd(out + row, _mm256_cvtepi32_pd(totals(sums)));
    }
    for (; row < row_count; ++row) {
      out[row] = _mm512_reduce_add_epi32(sum_nibbles(query, rows + row * bytes, d));
    }
  }
};

}  // namespace

constinit const CodeKernels kAvx512VnniCodeKernels =
    make_code_kernels<xsimd::avx512bw, VnniProducts>("avx512vnni");

}  // namespace isovec::core
