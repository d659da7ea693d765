#define ISOVEC_PAIR_TABLE kAvx2PairKernels
#define ISOVEC_PAIR_NAME "avx2"
#define ISOVEC_PAIR_BYTES 32
#define ISOVEC_TILE_A 3
#define ISOVEC_TILE_B 4
#include "core/pair_kernels_impl.hpp"
