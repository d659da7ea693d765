#define ISOVEC_PAIR_TABLE kBaselinePairKernels
#define ISOVEC_PAIR_NAME "baseline"
#define ISOVEC_PAIR_BYTES 16
#define ISOVEC_TILE_A 3
#define ISOVEC_TILE_B 4
#include "core/pair_kernels_impl.hpp"
