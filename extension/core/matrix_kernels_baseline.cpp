// What every CPU of the architecture has: SSE2, or NEON, whose 32 registers hold a larger tile.
#define ISOVEC_MATRIX_TABLE kBaselineMatrixKernels
#define ISOVEC_MATRIX_NAME "baseline"
#define ISOVEC_VECTOR_BYTES 16
#if defined(__aarch64__)
#define ISOVEC_TILE_ROWS 8
#define ISOVEC_TILE_REGISTERS 3
#else
#define ISOVEC_TILE_ROWS 4
#define ISOVEC_TILE_REGISTERS 2
#endif
#include "core/matrix_kernels_impl.hpp"
