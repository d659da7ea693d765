#define ISOVEC_PAIR_TABLE kAvx512PairKernels
#define ISOVEC_PAIR_NAME "avx512"
#define ISOVEC_PAIR_BYTES 64
#define ISOVEC_TILE_A 4
#define ISOVEC_TILE_B 6
#include "core/pair_kernels_impl.hpp"
