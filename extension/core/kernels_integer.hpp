#pragma once
// int8 and bits: exact sums. xsimd has no pairwise multiply-add and no population count, so the registers are
// spelled out per instruction set and the loops written once over them. Included by kernels_impl.hpp only.

#include "core/kernels.hpp"
#include "core/kernels_registers.hpp"

namespace isovec::core {
namespace {

// Words: int8 widened to int16. Sums: int32 lanes. accumulate adds the products of pairs of words.
// Bits: bytes of bits. Counts: lanes of how many are set.
#if defined(__AVX512BW__)
using Words = __m512i;
using IntegerSums = __m512i;
using Bits = __m512i;
ISOVEC_INLINE Words load_words(const std::int8_t* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
ISOVEC_INLINE Words load_first_words(const std::int8_t* p, std::size_t n) {
  return _mm512_cvtepi8_epi16(
      _mm256_maskz_loadu_epi8(static_cast<__mmask32>((std::uint32_t{1} << n) - 1), p));
}
ISOVEC_INLINE Words subtract(Words a, Words b) {
  return _mm512_sub_epi16(a, b);
}
ISOVEC_INLINE Words absolute(Words a) {
  return _mm512_abs_epi16(a);
}
ISOVEC_INLINE Words ones() {
  return _mm512_set1_epi16(1);
}
ISOVEC_INLINE IntegerSums zero_sums() {
  return _mm512_setzero_si512();
}
ISOVEC_INLINE IntegerSums accumulate(IntegerSums sums, Words a, Words b) {
#if defined(__AVX512VNNI__)
  return _mm512_dpwssd_epi32(sums, a, b);
#else
  return _mm512_add_epi32(sums, _mm512_madd_epi16(a, b));
#endif
}
ISOVEC_INLINE std::int32_t total(IntegerSums sums) {
  return _mm512_reduce_add_epi32(sums);
}

ISOVEC_INLINE Bits load_bits(const std::uint8_t* p) {
  return _mm512_loadu_si512(p);
}
ISOVEC_INLINE Bits load_first_bits(const std::uint8_t* p, std::size_t n) {
  return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, p);
}
ISOVEC_INLINE Bits differing(Bits a, Bits b) {
  return _mm512_xor_si512(a, b);
}
ISOVEC_INLINE Bits zero_counts() {
  return _mm512_setzero_si512();
}
ISOVEC_INLINE Bits count(Bits counts, Bits v) {
#if defined(__AVX512VPOPCNTDQ__)
  return _mm512_add_epi64(counts, _mm512_popcnt_epi64(v));
#else
  const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(v, nibble));
  const __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble));
  return _mm512_add_epi64(counts, _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512()));
#endif
}
ISOVEC_INLINE std::int64_t total_count(Bits counts) {
  return _mm512_reduce_add_epi64(counts);
}
#elif defined(__AVX2__)
using Words = __m256i;
using IntegerSums = __m256i;
using Bits = __m256i;
ISOVEC_INLINE Words load_words(const std::int8_t* p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
ISOVEC_INLINE Words subtract(Words a, Words b) {
  return _mm256_sub_epi16(a, b);
}
ISOVEC_INLINE Words absolute(Words a) {
  return _mm256_abs_epi16(a);
}
ISOVEC_INLINE Words ones() {
  return _mm256_set1_epi16(1);
}
ISOVEC_INLINE IntegerSums zero_sums() {
  return _mm256_setzero_si256();
}
ISOVEC_INLINE IntegerSums accumulate(IntegerSums sums, Words a, Words b) {
  return _mm256_add_epi32(sums, _mm256_madd_epi16(a, b));
}
ISOVEC_INLINE std::int32_t total(IntegerSums sums) {
  __m128i v = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32(v, 0xB1)));
}

ISOVEC_INLINE Bits load_bits(const std::uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
ISOVEC_INLINE Bits differing(Bits a, Bits b) {
  return _mm256_xor_si256(a, b);
}
ISOVEC_INLINE Bits zero_counts() {
  return _mm256_setzero_si256();
}
ISOVEC_INLINE Bits count(Bits counts, Bits v) {
  const __m256i table =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(v, nibble));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return _mm256_add_epi64(counts, _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256()));
}
ISOVEC_INLINE std::int64_t total_count(Bits counts) {
  const __m128i v = _mm_add_epi64(_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1));
  return _mm_cvtsi128_si64(_mm_add_epi64(v, _mm_unpackhi_epi64(v, v)));
}
#elif defined(__SSE2__)
using Words = __m128i;
using IntegerSums = __m128i;
using Bits = __m128i;
ISOVEC_INLINE Words load_words(const std::int8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}
ISOVEC_INLINE Words subtract(Words a, Words b) {
  return _mm_sub_epi16(a, b);
}
ISOVEC_INLINE Words absolute(Words a) {
  return _mm_max_epi16(a, _mm_sub_epi16(_mm_setzero_si128(), a));
}
ISOVEC_INLINE Words ones() {
  return _mm_set1_epi16(1);
}
ISOVEC_INLINE IntegerSums zero_sums() {
  return _mm_setzero_si128();
}
ISOVEC_INLINE IntegerSums accumulate(IntegerSums sums, Words a, Words b) {
  return _mm_add_epi32(sums, _mm_madd_epi16(a, b));
}
ISOVEC_INLINE std::int32_t total(IntegerSums sums) {
  sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xB1)));
}

ISOVEC_INLINE Bits load_bits(const std::uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
ISOVEC_INLINE Bits differing(Bits a, Bits b) {
  return _mm_xor_si128(a, b);
}
ISOVEC_INLINE Bits zero_counts() {
  return _mm_setzero_si128();
}
ISOVEC_INLINE Bits count(Bits counts, Bits v) {
  // Sums of 2, then 4, then 8 neighbouring bits in place; then of the bytes of each half.
  v = _mm_sub_epi8(v, _mm_and_si128(_mm_srli_epi16(v, 1), _mm_set1_epi8(0x55)));
  const __m128i pairs = _mm_set1_epi8(0x33);
  v = _mm_add_epi8(_mm_and_si128(v, pairs), _mm_and_si128(_mm_srli_epi16(v, 2), pairs));
  v = _mm_and_si128(_mm_add_epi8(v, _mm_srli_epi16(v, 4)), _mm_set1_epi8(0x0F));
  return _mm_add_epi64(counts, _mm_sad_epu8(v, _mm_setzero_si128()));
}
ISOVEC_INLINE std::int64_t total_count(Bits counts) {
  return _mm_cvtsi128_si64(_mm_add_epi64(counts, _mm_unpackhi_epi64(counts, counts)));
}
#elif defined(__aarch64__)
using Words = int16x8_t;
using IntegerSums = int32x4_t;
using Bits = uint8x16_t;
ISOVEC_INLINE Words load_words(const std::int8_t* p) {
  return vmovl_s8(vld1_s8(p));
}
ISOVEC_INLINE Words subtract(Words a, Words b) {
  return vsubq_s16(a, b);
}
ISOVEC_INLINE Words absolute(Words a) {
  return vabsq_s16(a);
}
ISOVEC_INLINE Words ones() {
  return vdupq_n_s16(1);
}
ISOVEC_INLINE IntegerSums zero_sums() {
  return vdupq_n_s32(0);
}
ISOVEC_INLINE IntegerSums accumulate(IntegerSums sums, Words a, Words b) {
  return vmlal_high_s16(vmlal_s16(sums, vget_low_s16(a), vget_low_s16(b)), a, b);
}
ISOVEC_INLINE std::int32_t total(IntegerSums sums) {
  return vaddvq_s32(sums);
}

ISOVEC_INLINE Bits load_bits(const std::uint8_t* p) {
  return vld1q_u8(p);
}
ISOVEC_INLINE Bits differing(Bits a, Bits b) {
  return veorq_u8(a, b);
}
ISOVEC_INLINE uint64x2_t zero_counts() {
  return vdupq_n_u64(0);
}
ISOVEC_INLINE uint64x2_t count(uint64x2_t counts, Bits v) {
  return vaddq_u64(counts, vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vcntq_u8(v)))));
}
ISOVEC_INLINE std::int64_t total_count(uint64x2_t counts) {
  return static_cast<std::int64_t>(vaddvq_u64(counts));
}
#endif

#if !defined(__AVX512BW__)
/// The first n of what load_words or load_bits would load, then zeros. Reads nothing beyond them.
ISOVEC_INLINE Words load_first_words(const std::int8_t* p, std::size_t n) {
  std::int8_t padded[sizeof(Words) / 2] = {};
  std::memcpy(padded, p, n);
  return load_words(padded);
}
ISOVEC_INLINE Bits load_first_bits(const std::uint8_t* p, std::size_t n) {
  std::uint8_t padded[sizeof(Bits)] = {};
  std::memcpy(padded, p, n);
  return load_bits(padded);
}
#endif

// What one pair of words contributes: a of the query, b of the row.
struct IntegerProduct {
  static constexpr std::size_t kSums = 1;
  ISOVEC_INLINE static void add(IntegerSums* sums, Words a, Words b) { sums[0] = accumulate(sums[0], a, b); }
};
struct IntegerSquaredDifference {
  static constexpr std::size_t kSums = 1;
  ISOVEC_INLINE static void add(IntegerSums* sums, Words a, Words b) {
    const Words difference = subtract(a, b);
    sums[0] = accumulate(sums[0], difference, difference);
  }
};
struct IntegerAbsoluteDifference {
  static constexpr std::size_t kSums = 1;
  ISOVEC_INLINE static void add(IntegerSums* sums, Words a, Words b) {
    sums[0] = accumulate(sums[0], absolute(subtract(a, b)), ones());
  }
};
struct IntegerProductAndSquare {
  static constexpr std::size_t kSums = 2;
  ISOVEC_INLINE static void add(IntegerSums* sums, Words a, Words b) {
    sums[0] = accumulate(sums[0], a, b);
    sums[1] = accumulate(sums[1], b, b);
  }
};

template <std::size_t N>
struct IntegerTotals {
  std::int64_t value[N];
};

template <class Term>
ISOVEC_INLINE IntegerTotals<Term::kSums> sum_integers(const std::int8_t* a, const std::int8_t* b,
                                                      std::size_t d) {
  constexpr std::size_t kStep = sizeof(Words) / 2;
  // 32,768 squared differences of at most 255 still fit an int32 altogether, so neither a lane nor a total of
  // a block overflows.
  constexpr std::size_t kBlock = 32768;
  IntegerTotals<Term::kSums> result{};
  for (std::size_t begin = 0; begin < d; begin += kBlock) {
    const std::size_t end = d - begin < kBlock ? d : begin + kBlock;
    // Two chains of additions, so that one need not wait for the other.
    IntegerSums sums[2][Term::kSums];
    unroll<Term::kSums>([&](auto m)
                            __attribute__((always_inline)) { sums[0][m] = sums[1][m] = zero_sums(); });
    std::size_t i = begin;
    for (; end - i >= 2 * kStep; i += 2 * kStep) {
      unroll<2>([&](auto chain) __attribute__((always_inline)) {
        Term::add(sums[chain], load_words(a + (i + chain * kStep)), load_words(b + (i + chain * kStep)));
      });
    }
    if (end - i >= kStep) {
      Term::add(sums[0], load_words(a + i), load_words(b + i));
      i += kStep;
    }
    if (i < end) {
      Term::add(sums[1], load_first_words(a + i, end - i), load_first_words(b + i, end - i));
    }
    unroll<Term::kSums>([&](auto m) __attribute__((always_inline)) {
      result.value[m] += total(sums[0][m]);
      result.value[m] += total(sums[1][m]);
    });
  }
  return result;
}

/// int8 and bit kernels; Arch is there to be part of their names.
template <class Arch>
struct Integers {
  template <class Term>
  static std::int64_t one(const std::int8_t* a, const std::int8_t* b, std::size_t d) noexcept {
    return sum_integers<Term>(a, b, d).value[0];
  }

  static std::int64_t squared_norm(const std::int8_t* a, std::size_t d) noexcept {
    return one<IntegerProduct>(a, a, d);
  }

  static IntegerDotAndNorm dot_and_squared_norm(const std::int8_t* q, const std::int8_t* x,
                                                std::size_t d) noexcept {
    const auto totals = sum_integers<IntegerProductAndSquare>(q, x, d);
    return {totals.value[0], totals.value[1]};
  }

  /// Set bits of what bits_at makes, step by step, of the loader of that step.
  template <class BitsAt>
  ISOVEC_INLINE static std::int64_t count_all(std::size_t bytes, BitsAt bits_at) {
    auto counts = zero_counts();
    std::size_t i = 0;
    for (; bytes - i >= sizeof(Bits); i += sizeof(Bits)) {
      counts = count(counts, bits_at([i](const std::uint8_t* p)
                                         __attribute__((always_inline)) { return load_bits(p + i); }));
    }
    if (i < bytes) {
      counts = count(counts, bits_at([ i, bytes ](const std::uint8_t* p) __attribute__((always_inline)) {
                       return load_first_bits(p + i, bytes - i);
                     }));
    }
    return total_count(counts);
  }

  static std::int64_t hamming(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) noexcept {
    return count_all(
        bytes,
        [ a, b ](auto load_at) __attribute__((always_inline)) { return differing(load_at(a), load_at(b)); });
  }

  static std::int64_t set_bits(const std::uint8_t* a, std::size_t bytes) noexcept {
    return count_all(
        bytes, [a](auto load_at) __attribute__((always_inline)) { return load_at(a); });
  }
};

}  // namespace
}  // namespace isovec::core
