// The bodies behind pair_kernels.hpp, included once by each pair_kernels_<isa>.cpp, which defines
//   ISOVEC_PAIR_TABLE  the name of the table
//   ISOVEC_PAIR_NAME   the instruction set's name
//   ISOVEC_PAIR_BYTES  the width of a register
//   ISOVEC_TILE_A, ISOVEC_TILE_B  rows of a and of b whose products are held in registers together
// Written in GNU vector extensions, which the compiler maps to the target's registers. All in an unnamed
// namespace, without a single function of the standard library, so that no code for a newer CPU can stand in
// for a function that other files share by name.

#include <cstddef>

#include "core/pair_kernels.hpp"

namespace isovec::core {
namespace {

typedef float Lanes __attribute__((vector_size(ISOVEC_PAIR_BYTES)));
constexpr std::size_t kLanes = ISOVEC_PAIR_BYTES / sizeof(float);
constexpr std::size_t kTileA = ISOVEC_TILE_A;
constexpr std::size_t kTileB = ISOVEC_TILE_B;
static_assert(kPairAlignment % kLanes == 0);

[[gnu::always_inline]] inline Lanes load(const float* p) {
  Lanes lanes;
  __builtin_memcpy(&lanes, p, sizeof(Lanes));
  return lanes;
}

[[gnu::always_inline]] inline float sum_of(const Lanes& lanes) {
  typedef float Four __attribute__((vector_size(16)));
  Four quarters[kLanes / 4];
  __builtin_memcpy(quarters, &lanes, sizeof(Lanes));
  Four sum = quarters[0];
#pragma GCC unroll 4
  for (std::size_t q = 1; q < kLanes / 4; ++q) sum += quarters[q];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

// The products of A rows of a with B rows of b.
template <std::size_t A, std::size_t B>
[[gnu::always_inline]] inline void tile(const float* a, const float* b, std::size_t stride, float* out,
                                        std::size_t out_stride) {
  Lanes sums[A][B] = {};
  for (std::size_t k = 0; k < stride; k += kLanes) {
    Lanes left[A];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < A; ++i) left[i] = load(a + i * stride + k);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < B; ++j) {
      const Lanes right = load(b + j * stride + k);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < A; ++i) sums[i][j] += left[i] * right;
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < A; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < B; ++j) out[i * out_stride + j] = sum_of(sums[i][j]);
  }
}

template <std::size_t A>
void strip(const float* a, const float* b, std::size_t b_rows, std::size_t stride, float* out) {
  std::size_t j = 0;
  for (; j + kTileB <= b_rows; j += kTileB) tile<A, kTileB>(a, b + j * stride, stride, out + j, b_rows);
  for (; j < b_rows; ++j) tile<A, 1>(a, b + j * stride, stride, out + j, b_rows);
}

void products(const float* a, std::size_t a_rows, const float* b, std::size_t b_rows, std::size_t stride,
              float* out) noexcept {
  std::size_t i = 0;
  for (; i + kTileA <= a_rows; i += kTileA)
    strip<kTileA>(a + i * stride, b, b_rows, stride, out + i * b_rows);
  for (; i < a_rows; ++i) strip<1>(a + i * stride, b, b_rows, stride, out + i * b_rows);
}

}  // namespace

extern const PairKernels ISOVEC_PAIR_TABLE;
const PairKernels ISOVEC_PAIR_TABLE{ISOVEC_PAIR_NAME, products};

}  // namespace isovec::core
